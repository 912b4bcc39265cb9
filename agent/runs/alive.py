"""Who works on a run: a lock that the system gives back whatever becomes of its holder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import EnvironmentProblem
from agent.runs.folder import RunFolder


@contextmanager
def holding(folder: RunFolder) -> Iterator[None]:
    """Hold a run: only one process works on it at a time.

    Raises:
        EnvironmentProblem: Another process holds it.

    """
    # Not inherited: what a run starts must not keep it when the run is gone.
    handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                f"Run {folder.id} is being worked on by another process",
                hint=f"Wait for it: prp wait {folder.id}",
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        os.close(handle)


def holder(folder: RunFolder) -> int | None:
    """Return the process that works on a run; None where none does, however it ended."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(folder.lock, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            # The number is believed only while its writer holds the lock.
            written = os.read(handle, 20)
            return int(written) if written.isdigit() else None
        finally:
            os.close(handle)
    return None
