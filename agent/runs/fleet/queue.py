"""The queue: put runs on it, see how they stand, take them off it again."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dbos import DBOS, DBOSClient, EnqueueOptions, WorkflowStatus
from sqlalchemy.exc import DatabaseError

from agent.errors import EnvironmentProblem, Refused
from agent.runs.database import SCHEMA, normal, require_reachable
from agent.runs.durable import unwritable
from agent.runs.engine import PlainJson
from agent.runs.fleet.jobs import Job, as_json, from_json
from agent.runs.fleet.liveness import silent
from agent.shown import json_text

WORKFLOW = "job"
# Characters of why a run has stopped, on its line.
_SHOWN = 120
_STATES = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "working",
    "CANCELLED": "cancelled",
    "ERROR": "lost",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "lost",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A job as it stands."""

    job: Job
    queue: str
    state: str
    """`waiting`, `working`, `ended`, `stopped` (it can be put back), `cancelled`, `lost`."""
    worker: str
    """Who works on it, or did last; empty where nobody did."""
    is_silent: bool
    """Whether who works on it gives no sign of life: another worker takes the run over."""
    result: Mapping[str, Any]
    """What it came to: `exit_status`, `outcome`, `reason`; empty until then."""
    priority: int

    def for_machines(self) -> dict[str, Any]:
        """Return it as JSON can say it."""
        return {
            "run": self.job.run,
            "prp": self.job.prp,
            "repository": self.job.url,
            "branch": self.job.branch,
            "model": self.job.model,
            "queue": self.queue,
            "state": self.state,
            "worker": self.worker,
            "worker_silent": self.is_silent,
            "priority": self.priority,
            **self.result,
        }

    def in_words(self) -> str:
        """Return it as a line."""
        told = [str(self.result.get("outcome") or "")]
        if self.state == "working":
            told = [f"by {self.worker}"]
            if self.is_silent:
                told = [f"{self.worker} gives no sign of life; the next worker takes it over"]
        elif self.state == "stopped" and self.result.get("reason"):
            told.append(" ".join(str(self.result["reason"]).split())[:_SHOWN])
        what = ": ".join(told)
        return f"{self.job.run}  {self.state:<9}  {self.job.prp}  {what}".rstrip()


def counted(entries: Sequence[Entry]) -> str:
    """Return how many runs are in which state, in words."""
    states = Counter(entry.state for entry in entries)
    return f"{len(entries)} runs: " + ", ".join(f"{n} {state}" for state, n in states.most_common())


@dataclass(frozen=True, kw_only=True)
class Queued:
    """Runs that wait for a worker."""

    queue: str
    jobs: Sequence[Job]
    exit_status: int = 0

    def in_words(self) -> str:
        """Return how to see what becomes of them."""
        lines = [f"queued {job.prp} as run {job.run} on branch {job.branch}" for job in self.jobs]
        return "\n".join([*lines, f"see them: prp queue {self.queue}"])

    def as_json(self) -> str:
        """Return the same for machines."""
        return json_text({"queue": self.queue, "runs": [as_json(job) for job in self.jobs]})


class Queue:
    """One queue of a database, from outside of its workers."""

    def __init__(self, client: DBOSClient, name: str, *, url: str) -> None:
        """Look at a queue; it begins to exist with its first run or worker."""
        self._client, self.name, self._url = client, name, url

    def put(self, job: Job, *, priority: int) -> None:
        """Put a run on it; 1 comes first, and of equals the one that waits longer."""
        self._client.enqueue(
            EnqueueOptions(
                workflow_name=WORKFLOW,
                queue_name=self.name,
                workflow_id=id_of(self.name, job.run),
                app_version=SCHEMA,
                priority=priority,
                queue_partition_key=job.model,
            ),
            as_json(job),
        )

    def entries(self) -> list[Entry]:
        """Return all its runs, in the order in which they were queued."""
        found = self._client.list_workflows(name=WORKFLOW, workflow_id_prefix=prefix_of(self.name))
        at_work = {one.executor_id for one in found if _STATES.get(one.status) == "working"}
        quiet = silent(self._url, {worker for worker in at_work if worker})
        return [_entry(status, self.name, quiet) for status in found]

    def cancel(self, runs: str) -> list[Entry]:
        """End runs for good; whoever works on one ends it within seconds, its commits stay.

        Args:
            runs: A part of one run's name. With a `*`, which stands for anything, all that it fits
                and that have not ended are meant.

        Raises:
            Refused: There is no such run, or it has ended.

        """
        meant = self._meant(runs, ("waiting", "working", "stopped"), why_not=" already")
        self._client.cancel_workflows([id_of(self.name, entry.job.run) for entry in meant])
        return meant

    def put_back(self, runs: str) -> list[Entry]:
        """Let runs that have stopped go on where they were; they are named as for `cancel`.

        Raises:
            Refused: There is no such run, or it waits, is worked on or has come to its end.

        """
        meant = self._meant(runs, ("stopped", "lost"), why_not=": nothing to put back")
        for entry in meant:
            self._client.resume_workflow(id_of(self.name, entry.job.run), queue_name=self.name)
        return meant

    def _meant(self, runs: str, states: Sequence[str], *, why_not: str) -> list[Entry]:
        if "*" in runs:
            return self._fitting(runs, states)
        entry = self._find(runs)
        if entry.state not in states:
            raise Refused(f"Run {entry.job.run} is {entry.state}{why_not}")
        return [entry]

    def _fitting(self, pattern: str, states: Sequence[str]) -> list[Entry]:
        found = [
            entry
            for entry in self.entries()
            if entry.state in states and fnmatchcase(entry.job.run, f"*{pattern}*")
        ]
        if not found:
            raise Refused(
                f"No run on {self.name} that fits {pattern} is {' or '.join(states)}",
                hint=f"prp queue {self.name} lists them.",
            )
        return found

    def _find(self, run: str) -> Entry:
        found = [entry for entry in self.entries() if run in entry.job.run]
        if len(found) != 1:
            names = ", ".join(entry.job.run for entry in found[:5])
            hint = f"prp queue {self.name} lists them."
            raise Refused(
                f"{len(found)} runs on {self.name} are called {run}"
                + (f": {names}" if names else ""),
                hint=f"{hint} '{run}*' means all of them." if found else hint,
            )
        return found[0]


@contextlib.contextmanager
def queue_at(url: str | None, name: str) -> Iterator[Queue]:
    """Reach a queue.

    Raises:
        EnvironmentProblem: The database does not answer, or none is named.

    """
    url = prepared(url)
    try:
        client = DBOSClient(
            system_database_url=url, serializer=PlainJson(), retry_connection_errors=False
        )
    except DatabaseError as error:
        raise unwritable(error) from error
    try:
        yield Queue(client, name, url=url)
    except DatabaseError as error:
        raise unwritable(error) from error
    finally:
        client.destroy()


def prepared(url: str | None) -> str:
    """Return the address of the database that a fleet shares, which now has all its tables.

    Raises:
        EnvironmentProblem: None is named, or it does not answer.

    """
    url = normal(require_server(url))
    require_reachable(url)
    try:
        DBOS.migrate(url)
    except DatabaseError as error:
        raise unwritable(error) from error
    return url


def require_server(url: str | None) -> str:
    """Return the address of the database that a fleet shares.

    Raises:
        EnvironmentProblem: None is named.

    """
    if not url:
        raise EnvironmentProblem(
            "A queue needs a PostgreSQL database, and none is named",
            hint="Set PRP_DATABASE_URL=postgresql://USER@HOST:PORT/DATABASE, with its password "
            "behind USER and a colon where it needs one.",
        )
    return url


def id_of(queue: str, run: str) -> str:
    """Return what a run's job is called in the database."""
    return f"{prefix_of(queue)}{run}"


def run_of(workflow: str) -> str:
    """Return the run whose job is called so."""
    return workflow.rpartition("/")[2]


def prefix_of(queue: str) -> str:
    """Return what the names of a queue's jobs begin with."""
    # What was cancelled is on no queue any more, but keeps its name.
    return f"job/{queue}/"


def _entry(status: WorkflowStatus, queue: str, silent_workers: AbstractSet[str]) -> Entry:
    (told,) = status.input["args"] if status.input else ({},)
    result = status.output or {}
    state = _STATES.get(status.status, "stopped" if result.get("can_go_on") else "ended")
    return Entry(
        job=from_json(told),
        queue=queue,
        state=state,
        worker=status.executor_id or "",
        is_silent=state == "working" and status.executor_id in silent_workers,
        result={name: value for name, value in result.items() if name != "can_go_on"},
        priority=status.priority or 0,
    )
