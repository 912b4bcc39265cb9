"""Who of the workers is alive: each holds a lock on a connection that dies with its machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from agent.errors import EnvironmentProblem
from agent.runs.database import normal

if TYPE_CHECKING:
    import psycopg

# The server notices within half a minute that a machine has gone without a word.
_KEEPALIVE = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
    "-c statement_timeout=5000"
)


class Sign:
    """A worker's sign of life."""

    def __init__(self, url: str, worker: str) -> None:
        """Give it, until this process ends or `gone` says that nobody sees it any more."""
        self._connection = _connected(url)
        self._connection.execute("SELECT pg_advisory_lock(%s)", (_key(worker),))

    def gone(self) -> bool:
        """Return whether the server takes this worker for dead: others take over its runs."""
        import psycopg  # noqa: PLC0415 - only for who has a server

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return True
        return False

    def dead(self, workers: set[str]) -> set[str]:
        """Return those of the workers that give no sign of life."""
        return _dead(self._connection, workers)

    @contextmanager
    def alone(self, what: str, *, wait: bool = False) -> Iterator[bool]:
        """Do something that only one worker at a time may do; tells whether this is the one."""
        function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        with self._connection.transaction():
            query = f"SELECT {function}(%s)"
            found = self._connection.execute(query, (_key(what),)).fetchone()
            yield wait or bool(found and found[0])

    def end(self) -> None:
        """Take it away."""
        self._connection.close()


def silent(url: str, workers: set[str]) -> set[str]:
    """Return those of the workers that give no sign of life, as who is none of them sees it.

    Raises:
        EnvironmentProblem: The database lets nobody in.

    """
    if not workers:
        return set()
    with _connected(url) as connection:
        return _dead(connection, workers)


def _connected(url: str) -> "psycopg.Connection[Any]":
    import psycopg  # noqa: PLC0415 - only for who has a server

    try:
        return psycopg.connect(normal(url), autocommit=True, connect_timeout=10, options=_KEEPALIVE)
    except psycopg.Error as error:
        raise EnvironmentProblem(
            f"The database lets no worker in: {' '.join(str(error).split())}",
            hint="Each worker needs two connections, each run a few more: see max_connections.",
        ) from None


def _dead(connection: "psycopg.Connection[Any]", workers: set[str]) -> set[str]:
    return {worker for worker in workers if _is_free(connection, _key(worker))}


def _is_free(connection: "psycopg.Connection[Any]", key: int) -> bool:
    with connection.transaction():
        found = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    return bool(found and found[0])


def _key(worker: str) -> int:
    """Return the number of a worker's lock, the same on every machine."""
    return int.from_bytes(sha256(f"prp worker {worker}".encode()).digest()[:8], signed=True)
