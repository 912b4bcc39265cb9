"""Folders and checkouts that are there for a while only: whether somebody still works in one."""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The folder for temporary files may be another machine's: what is gone here may be there.
_GONE_FOR_GOOD = 24 * 3600.0
_OF_A_COMMAND = ("prp-plan-", "prp-draft-")
_OURS = re.compile(r"prp-(plan|draft|net|probe|merge|doctor|worker)-\w+")
_OWNED = ".owned"


@contextmanager
def passing_folder(what: str) -> Iterator[Path]:
    """Make a folder for temporary files, gone at the end; whoever is killed leaves it to others."""
    with contextlib.ExitStack() as kept:
        made = tempfile.TemporaryDirectory(prefix=f"prp-{what}-")
        folder = Path(made.name)
        handle = os.open(folder / ".new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        kept.callback(os.close, handle)
        kept.enter_context(made)
        with contextlib.suppress(OSError):  # a file system without locks: nobody can tell
            fcntl.flock(handle, fcntl.LOCK_EX)
        # Nobody finds it under its name before it is locked.
        (folder / ".new").rename(folder / _OWNED)
        yield folder


def clear_passing() -> None:
    """Take away the folders for temporary files that killed processes of this person left."""
    for folder in Path(tempfile.gettempdir()).glob("prp-*"):
        with contextlib.suppress(OSError, RecursionError):
            is_own = folder.lstat().st_uid == os.geteuid() and not folder.is_symlink()
            if is_own and _OURS.fullmatch(folder.name) and folder.is_dir():
                _clear(folder)


def _clear(folder: Path) -> None:
    handle = os.open(folder / _OWNED, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        # Git still knows a checkout, and its repository's next command asks whose it is.
        waits = any(folder.glob(lock_of(folder / "*").name))
        if _is_free(handle) and (not waits or _age(folder) > _GONE_FOR_GOOD):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a checkout by a lock beside it, which the system takes from a process that is killed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_of(folder)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: nobody can tell
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def taken_over(entry: Path, folder: Path) -> Iterator[bool]:
    """Give whether a killed process left a checkout; meanwhile nobody else makes it anew.

    Args:
        entry: What git keeps of it.
        folder: Where it is, or was before somebody emptied the folder for temporary files.

    """
    try:
        handle = os.open(lock_of(folder), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        is_ours = any(part.startswith(_OF_A_COMMAND) for part in folder.parts)
        yield is_ours and not folder.parent.exists() and _age(entry) > _GONE_FOR_GOOD
        return
    try:
        is_left = _is_free(handle)
        yield is_left
        if is_left:
            lock_of(folder).unlink(missing_ok=True)
    finally:
        os.close(handle)


def _is_free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def lock_of(folder: Path) -> Path:
    """Return the file by which a checkout is held."""
    return folder.with_name(f".{folder.name}.held")


def _age(entry: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - entry.stat().st_mtime
    return 0.0
