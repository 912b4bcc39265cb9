"""What git would wait for or read for ever in a worktree, taken away before it looks."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.shown import printable

_READ_WHOLE = frozenset((".gitignore", ".gitattributes", ".gitmodules"))
# All of them together; those of the largest repositories have some hundred kilobytes.
_MOST_BYTES = 4 * 1024 * 1024


def clear_obstacles(root: Path, notice: Callable[[str], None]) -> None:
    """Take away what keeps git from coming to an end: pipes, and gigabytes of what to ignore.

    git opens whatever has the name of a file that it reads, a pipe too, and holds each such file of
    a folder and of those above it in memory; one that consists of a hole costs no disk.

    Args:
        root: The worktree; no command runs in it any more.
        notice: Is told of everything that was taken away.

    """
    left = _MOST_BYTES
    for entry in _entries(root):
        with contextlib.suppress(OSError):
            if not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                _take_away(entry, root, "it is neither file, folder nor link", notice)
            elif entry.name in _READ_WHOLE:
                left -= entry.stat(follow_symlinks=False).st_size
                if left < 0:
                    _take_away(entry, root, "git would read more than 4 MiB of its kind", notice)


def _entries(root: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below a folder but folders, those nearest to it first."""
    waiting = [str(root)]
    for folder in waiting:
        # What can't be looked at, git can't look at either.
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def _take_away(
    entry: os.DirEntry[str], root: Path, reason: str, notice: Callable[[str], None]
) -> None:
    os.unlink(entry.path)  # noqa: PTH108 - it is what was just looked at
    notice(f"{printable(os.path.relpath(entry.path, root))} was taken away: {reason}")
