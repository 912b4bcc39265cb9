"""Putting runs on a queue: everything that can be wrong is found before the first of them waits."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from sqlalchemy.exc import DatabaseError

from agent.errors import EnvironmentProblem, Exit, PrpError, SettingsError
from agent.journal import Noted, Record
from agent.llm.models import KEYS, check_choice
from agent.runs.beginning import masked, warn
from agent.runs.desk import Desk, Order, lay_out
from agent.runs.fleet.jobs import Job
from agent.runs.fleet.queue import Queued, queue_at, require_server
from agent.runs.folder import new_run_name
from agent.runs.orders import choices_of
from agent.settings import ROLES
from agent.workspace import Repository
from agent.workspace.git import GitFailed
from agent.workspace.remote import Published, Remote

# Runs: each takes a connection to the repository and one to the database.
_TOLD_AFTER = 20


def queue_orders(
    orders: Sequence[Order], *, queue: str, url: str, priority: int, listen: Record
) -> Queued:
    """Put the execution of PRPs on a queue, for workers on any machine.

    Args:
        orders: What to execute, and how.
        queue: Name of the queue.
        url: Where workers find the repository; empty for its `origin`, or its own path.
        priority: 1 comes first.
        listen: Is told what the person should know before.

    Raises:
        PrpError: One of the orders can't be queued; then none is. What breaks later, the server or
            the person, leaves those that were queued until then; how many is said.

    """
    # Keys are the workers' affair.
    desks = [lay_out(dataclasses.replace(order, roles=())) for order in orders]
    for desk in desks:
        _require_models(desk)
        warn(desk, masked(desk, listen))
    require_server(desks[0].settings.database_url)
    remotes = [_remote(desk, url or _origin(desk.repository)) for desk in desks]
    # Most begin at the same commit of the same repository, and asking takes a connection.
    for desk, remote in {
        (desk.base, remote.url): (desk, remote) for desk, remote in zip(desks, remotes, strict=True)
    }.values():
        _require_pushed(desk, remote)
    with queue_at(desks[0].settings.database_url, queue) as place:
        jobs: list[Job] = []
        with _telling_how_many(jobs, of=len(desks), queue=queue):
            for desk, remote in zip(desks, remotes, strict=True):
                job = _job(desk, remote)
                place.put(job, priority=priority)
                jobs.append(job)
                if len(jobs) % _TOLD_AFTER == 0 and len(jobs) < len(desks):
                    listen(Noted(text=f"{len(jobs)} of {len(desks)} are queued"))
    return Queued(queue=queue, jobs=jobs)


@contextlib.contextmanager
def _telling_how_many(jobs: Sequence[Job], *, of: int, queue: str) -> Iterator[None]:
    """Say of what is broken off in the middle what waits already: it will be carried out."""
    try:
        yield
    except (PrpError, DatabaseError, KeyboardInterrupt) as error:
        if not jobs:
            raise
        problem = EnvironmentProblem(
            f"Only {len(jobs)} of {of} were queued, up to {jobs[-1].prp}: "
            f"{error if str(error) else 'interrupted'}",
            hint=f"prp queue {queue} shows them; --cancel '*' ends all that have not ended.",
        )
        if isinstance(error, KeyboardInterrupt):
            problem.exit_status = Exit.INTERRUPTED
        raise problem from error


def _require_models(desk: Desk) -> None:
    """Make sure that the models' names are some, whoever has their keys."""
    everything = {name: "-" for names in KEYS.values() for name in names}
    for choice in desk.choices_for(ROLES).values():
        check_choice(choice, everything)


def _origin(repository: Repository) -> str:
    """Return where a clone comes from; a repository of its own is found by its path."""
    with contextlib.suppress(GitFailed):
        return repository.git.text("config", "--get", "remote.origin.url").strip()
    return str(repository.root)


def _remote(desk: Desk, url: str) -> Remote:
    try:
        return Remote.of(desk.repository, url, token=desk.settings.keys.get("PRP_GIT_TOKEN", ""))
    except EnvironmentProblem as error:
        raise SettingsError(
            str(error),
            hint="Name one that every worker reaches with --repository: https://... "
            "(PRP_GIT_TOKEN is its token), or a path.",
        ) from None


def _require_pushed(desk: Desk, remote: Remote) -> None:
    """Make sure that workers find the commit to begin at."""
    git = desk.repository.git
    known = git.text("for-each-ref", "--format=%(objectname)", "refs/remotes/").split()
    for tip in dict.fromkeys((*remote.refs("refs/heads/*").values(), *known)):
        with contextlib.suppress(GitFailed):
            git("merge-base", "--is-ancestor", desk.base, tip)
            return
    raise EnvironmentProblem(
        f"{remote.url} does not hold the commit {desk.base[:12]} that the run begins at",
        hint="Push it first, or begin at one that is there: --base origin/main.",
    )


def _job(desk: Desk, remote: Remote) -> Job:
    """Claim a branch for a run, and write down what its worker must know."""
    name = f"prp/{desk.prp.slug}"
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, 10_000))
    taken = {ref.removeprefix("refs/heads/") for ref in remote.refs(f"refs/heads/{name}*")}
    branch = next(
        branch
        for branch in candidates
        if branch not in taken and Published(remote=remote, branch=branch).claim(desk.base)
    )
    return Job(
        run=new_run_name(desk.prp.slug),
        url=remote.url,
        base=desk.base,
        branch=branch,
        prp=desk.prp_name,
        text=desk.prp.text,
        flags=choices_of(desk.settings),
        allowed=desk.allowed,
        model=desk.settings.models_for("coder")[0],
    )
