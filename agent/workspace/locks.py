"""Lock files of git: whose owner is dead is taken away, whose owner lives is waited for."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import EnvironmentProblem

_SECONDS = 10.0
_LOOK_EVERY = 0.1


def release(lock: Path, notice: Callable[[str], None], *, seconds: float = _SECONDS) -> None:
    """Return when a lock file is gone: its owner's doing, or ours where no process holds it.

    Args:
        lock: The file; usually it is not there.
        notice: Is told of one that was taken away.
        seconds: How long a living owner is waited for.

    Raises:
        EnvironmentProblem: Its owner lives and keeps it.

    """
    deadline = time.monotonic() + seconds
    while lock.exists():
        owner = _owner_of(lock)
        if owner is None:
            with contextlib.suppress(FileNotFoundError):
                lock.unlink()
                notice(f"{lock.name} of a git that is no more was taken away: {lock}")
            return
        if time.monotonic() >= deadline:
            raise EnvironmentProblem(
                f"{lock} is held by process {owner}, which did not let go of it",
                hint="Another git works on the run's branch. Let it end, then take the run up: "
                "prp resume.",
            )
        time.sleep(_LOOK_EVERY)


def _owner_of(lock: Path) -> int | None:
    """Return the process that holds a lock, or a git that may; the own one where none can be seen.

    Git closes its lock for a moment before it moves it into place, and while hooks run: so one that
    is at work on the same folder counts as well.
    """
    if not Path("/proc/self/fd").is_dir():
        return os.getpid()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(_leads_to(fd, lock) for fd in (process / "fd").iterdir()):
                return int(process.name)
            words = (process / "cmdline").read_bytes().split(b"\0")
            if Path(os.fsdecode(words[0])).name == "git" and _works_on(process, lock):
                return int(process.name)
    return None


def _leads_to(descriptor: Path, file: Path) -> bool:
    with contextlib.suppress(OSError):
        return descriptor.readlink() == file
    return False


def _works_on(process: Path, lock: Path) -> bool:
    """Return whether a git stands in the worktree or the repository that a lock belongs to."""
    pointer = lock.parent / "gitdir"
    places = [lock.parent]
    with contextlib.suppress(OSError):
        places.append(Path(pointer.read_text(encoding="utf-8").strip()).parent)
    where = (process / "cwd").readlink()
    return any(where.is_relative_to(place) for place in places)
