"""What a command and everything that it started may use together."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.workspace.counting import ControlGroup, is_root

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
    """Where the kernel counts, threads are among them; where only we do, they are not."""

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


_LOOK_EVERY = 0.5
# A fork bomb doubles in a few milliseconds; once there are thousands, nobody else gets to run.
_COUNT_EVERY = 0.02


class Watch:
    """Looks from time to time at what a command uses."""

    def __init__(
        self, process: int, tree: Path, limits: Limits, group: ControlGroup | None = None
    ) -> None:
        """Remember how full the disk and the machine are as the command begins.

        Args:
            process: The first one of the command.
            tree: Its worktree, whose file system may fill up.
            limits: How much of everything it may use.
            group: Who counts its processes; None where only their limit or nobody does.

        """
        self._process, self._tree, self._limits = process, tree, limits
        self._free, self._crowd = _free_bytes(tree), _crowd()
        self._group = group
        self._looked = time.monotonic()
        self.every = _COUNT_EVERY if is_root() else _LOOK_EVERY
        """Seconds after which to ask again."""

    def beyond(self) -> Ended | None:
        """Return which limit was passed."""
        grown = _crowd() - self._crowd > self._limits.processes
        if time.monotonic() - self._looked < _LOOK_EVERY and not grown:
            return None
        self._looked = time.monotonic()
        if self._group and self._group.is_full():
            return "processes"
        free = _free_bytes(self._tree)
        if self._free is not None and free is not None and self._free - free > self._limits.disk:
            return "disk"
        memory, processes = _used_by(self._process)
        if memory > self._limits.memory:
            return "memory"
        return "processes" if processes > self._limits.processes else None


def _crowd() -> int:
    """Return how many processes and threads the machine has; 0 where it doesn't say."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        words = Path("/proc/loadavg").read_text(encoding="ascii").split()
        return int(words[3].split("/")[1])
    return 0


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
