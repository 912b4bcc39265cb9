"""Where the steps of runs are kept: a file for each run, or one server for many machines."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from agent.errors import EnvironmentProblem, SettingsError
from agent.runs.folder import RunFolder

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "2"
"""Version of which steps a run has: only a run of the same version can be taken up by its steps."""
_PATIENCE = 10


class _NoDatabase(EnvironmentProblem):
    """The server is there, and holds no such database."""


class Database(Protocol):
    """Where the steps of one run are."""

    @property
    def url(self) -> str:
        """Return its address for the engine."""

    def why_not_usable(self) -> str:
        """Return why the run can't be taken up by its steps; empty where it can.

        Raises:
            EnvironmentProblem: Nobody can tell as long as the disk is full, the server away.

        """

    def put_aside(self) -> None:
        """Take what can't be used out of the way, without losing it."""

    def forget(self) -> None:
        """Delete the run's steps."""


def database_of(
    folder: RunFolder, url: str | None, *, is_shared: bool, is_queued: bool = False
) -> Database:
    """Return where the steps of a run are kept.

    Args:
        folder: The run's.
        url: `postgresql://...`; None where no server is named.
        is_shared: Whether they are on a server, which was decided when the run began.
        is_queued: Whether a queue has to know the run's end before they may go; see
            `forget_ended`.

    Raises:
        SettingsError: They are, and nobody says on which.

    """
    if not is_shared:
        return _File(folder.steps)
    if not url:
        raise SettingsError(
            f"The steps of run {folder.id} are kept in a PostgreSQL database, and none is named",
            hint="Set PRP_DATABASE_URL to the one that it was begun with.",
        )
    return _Server(url=normal(url), run=folder.id, is_queued=is_queued)


def queue_of(run: str) -> str:
    """Return the queue by which a run is taken up: nobody listens but who holds the run."""
    return f"taken-up-{run}"


def require_reachable(url: str) -> None:
    """Make sure that a server answers; a database that is not there yet is made by the engine.

    Raises:
        EnvironmentProblem: It does not.

    """
    with contextlib.suppress(_NoDatabase), connected(url):
        pass


def normal(url: str) -> str:
    """Return the address of a server in the one form that all libraries read."""
    return "postgresql" + url[url.index(":") :]


@dataclass(frozen=True)
class _File:
    """A SQLite file of the run's own."""

    place: Path

    @property
    def url(self) -> str:
        if not self.place.exists():
            self._forget_beside()
            self.place.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(self.place)) as database:
                # One write to the disk for a step instead of four; the file remembers it.
                database.execute("PRAGMA journal_mode=WAL")
        # Nobody makes it again when the run has ended and it is gone.
        return f"sqlite:///file:{quote(str(self.place))}?mode=rw&uri=true"

    def why_not_usable(self) -> str:
        if not self.place.exists():
            return _GONE
        try:
            with contextlib.closing(sqlite3.connect(self.place)) as database:
                sound = database.execute("PRAGMA quick_check(1)").fetchone()[0]
                query = "SELECT DISTINCT application_version FROM workflow_status"
                versions = [row[0] for row in database.execute(query)]
        except sqlite3.DatabaseError as error:
            if _is_of_the_machine(error):
                raise self._unreadable(error) from error
            return f"the database of its steps can't be read: {error}"
        if sound != "ok":
            return f"the database of its steps is damaged: {sound}"
        return _other_version(versions)

    def _unreadable(self, error: sqlite3.DatabaseError) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"{self.place} can't be read: {error}",
            hint="Make room on the disk, or see what else keeps it from being opened: the run's "
            "steps are in it, and it goes on where it is. To do without them, from what is "
            f"committed: prp resume {self.place.parent.name} --afresh",
        )

    def put_aside(self) -> None:
        if self.place.exists():
            self.place.replace(self.place.with_suffix(".broken"))
        self._forget_beside()

    def forget(self) -> None:
        self.place.unlink(missing_ok=True)
        self._forget_beside()

    def _forget_beside(self) -> None:
        for name in ("-wal", "-shm"):
            self.place.with_name(self.place.name + name).unlink(missing_ok=True)


_OF_THE_MACHINE = frozenset(
    (
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
    )
)


def _is_of_the_machine(error: sqlite3.Error) -> bool:
    """Return whether a database may be sound and only can't be read just now."""
    # The lowest byte is the kind; the rest says more about it.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_MACHINE


@dataclass(frozen=True, kw_only=True)
class _Server:
    """A Postgres that many runs share."""

    url: str = field(repr=False)
    run: str
    is_queued: bool = False

    def why_not_usable(self) -> str:
        with connected(self.url) as database:
            there = database.execute("SELECT to_regclass('dbos.workflow_status')").fetchone()
            if not there or not there[0]:
                return _GONE
            rows = database.execute(_VERSIONS, self._named).fetchall()
        return _other_version([row[0] for row in rows]) if rows else _GONE

    def put_aside(self) -> None:
        """Leave it: a run that is begun afresh has another name."""

    def forget(self) -> None:
        # Another machine that takes it up just now, knowing nothing of its end, needs them.
        if not self.is_queued:
            with connected(self.url) as database:
                _forget(database, self.run)

    @property
    def _named(self) -> dict[str, str]:
        return _names(self.run)


def forget_ended(url: str, jobs: str) -> None:
    """Delete the steps of runs whose ends their queue knows.

    Args:
        url: `postgresql://...`.
        jobs: What the names of the queue's jobs begin with; the run's name follows.

    """
    with connected(url) as database:
        rows = database.execute(_ENDED, {"jobs": jobs, "patience": _CANCELLED_FOR}).fetchall()
        for run, output in rows:
            if not (json.loads(output) if output else {}).get("can_go_on"):
                _forget(database, run)


def _forget(database: "Connection", run: str) -> None:
    for deletion in _DELETIONS:
        database.execute(deletion, _names(run))


def _names(run: str) -> dict[str, str]:
    # A run that was begun afresh is called `RUN.1`; of LIKE's marks a name can hold only `_`.
    return {"run": run, "later": run.replace("_", r"\_") + ".%", "queue": queue_of(run)}


_VERSIONS = (
    "SELECT DISTINCT application_version FROM dbos.workflow_status "
    "WHERE workflow_uuid = %(run)s OR workflow_uuid LIKE %(later)s"
)
# Who works on a cancelled run may still be saving what it did.
_CANCELLED_FOR = 60
_ENDED = (
    "SELECT DISTINCT split_part(run.workflow_uuid, '.', 1), job.output "
    "FROM dbos.workflow_status run JOIN dbos.workflow_status job "
    "ON job.workflow_uuid = %(jobs)s || split_part(run.workflow_uuid, '.', 1) "
    "WHERE run.name = 'run' AND (job.status = 'SUCCESS' OR job.status = 'CANCELLED' "
    "AND job.updated_at < 1000 * (extract(epoch FROM now()) - %(patience)s))"
)
_DELETIONS = (
    "DELETE FROM dbos.operation_outputs "
    "WHERE workflow_uuid = %(run)s OR workflow_uuid LIKE %(later)s",
    "DELETE FROM dbos.workflow_status "
    "WHERE workflow_uuid = %(run)s OR workflow_uuid LIKE %(later)s",
    "DELETE FROM dbos.queues WHERE name = %(queue)s",
)
_GONE = "the database of its steps is gone"


def _other_version(versions: list[str]) -> str:
    others = [version for version in versions if version != SCHEMA]
    return f"its steps are of version {others[0]}, and this is {SCHEMA}" if others else ""


@contextlib.contextmanager
def connected(url: str) -> "Iterator[Connection]":
    """Connect to a Postgres; what is done there holds once the block ends without an error.

    Raises:
        EnvironmentProblem: It does not answer, does not let us in, or fails.

    """
    import psycopg  # noqa: PLC0415 - only for who has a server

    try:
        with psycopg.connect(normal(url), connect_timeout=_PATIENCE) as connection:
            yield connection
    except psycopg.Error as error:
        place, words = urlsplit(url), " ".join(str(error).split())
        is_missing = words.endswith("does not exist") and 'database "' in words
        raise (_NoDatabase if is_missing else EnvironmentProblem)(
            f"The database {place.hostname or ''}{place.path} fails: {words}",
            hint="PRP_DATABASE_URL names it; see that it runs and lets you in.",
        ) from None
