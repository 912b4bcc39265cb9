"""Ends a workflow's run that is under way."""

from agent.errors import Refused
from agent.github.client import GitHub
from agent.github.job import Job


def stop(job: Job, github: GitHub) -> None:
    """Ask GitHub to cancel the run; its jobs keep what they have, and tell people.

    Raises:
        Refused: The gate has named none.

    """
    named = job.asked("CANCEL")
    if not named.isdigit():
        raise Refused("There is no run to cancel")
    github.cancel_run(int(named))
