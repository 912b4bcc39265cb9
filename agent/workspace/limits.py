"""What a command and everything that it started may use together."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Ended = Literal["exit", "timeout", "output", "disk", "memory", "processes", "signal"]
"""Why a command ended: by itself, at its time limit, at one of `Limits`, or by a signal."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where a command is stopped before its time is up."""

    output: int = 64 * 1024**2
    """Bytes that it prints."""
    disk: int = 2 * 1024**3
    """Bytes by which the worktree's file system fills up."""
    memory: int = 4 * 1024**3
    """Resident bytes."""
    processes: int = 512
    """The kernel counts them too, but not those of root."""

    def words(self, ended: Ended) -> str:
        """Return which limit ended a command; nothing where none did."""
        passed = {
            "output": f"it printed more than {_size(self.output)}",
            "disk": f"it filled more than {_size(self.disk)} of the disk",
            "memory": f"it used more than {_size(self.memory)} of memory",
            "processes": f"it ran more than {self.processes} processes",
        }
        return f"\n[stopped: {passed[ended]}]\n" if ended in passed else ""


def _size(count: int) -> str:
    return f"{count / 1024**3:g} GiB" if count >= 1024**3 else f"{count / 1024**2:g} MiB"


class Watch:
    """Looks from time to time at what a command uses."""

    def __init__(self, process: int, tree: Path, limits: Limits) -> None:
        """Remember how full the disk is as the command begins."""
        self._process, self._tree, self._limits = process, tree, limits
        self._free = _free_bytes(tree)

    def beyond(self) -> Ended | None:
        """Return which limit was passed."""
        free = _free_bytes(self._tree)
        if self._free is not None and free is not None and self._free - free > self._limits.disk:
            return "disk"
        memory, processes = _used_by(self._process)
        if memory > self._limits.memory:
            return "memory"
        return "processes" if processes > self._limits.processes else None


def _free_bytes(tree: Path) -> int | None:
    """Return how much room there is; None where the folder is gone."""
    try:
        found = os.statvfs(tree)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _used_by(root: int) -> tuple[int, int]:
    """Return resident bytes and number of a process's descendants; zeros where /proc is missing."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # The command's name stands in parentheses and may hold anything, spaces included.
            fields = entry.read_text("utf-8", "replace").rpartition(")")[2].split()
            number = int(entry.parent.name)
            children.setdefault(int(fields[1]), []).append(number)
            pages[number] = int(fields[21])
    total, count, waiting = 0, 0, [root]
    while waiting:
        one = waiting.pop()
        total += pages.get(one, 0)
        count += one in pages
        waiting += children.get(one, [])
    return total * os.sysconf("SC_PAGE_SIZE"), count
