"""Lets the kernel count the processes of a command where it counts none of root's.

`prlimit --nproc` binds everybody but root, and whoever looks from outside comes too late: within
half a second a fork bomb has thousands of processes, and then nobody else gets to run. Where root
may make control groups, each command gets one with a limit of its own.
"""

import contextlib
import functools
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_NAME = "prp-{process}-{number}"
_NICE = "/usr/bin/nice"
# Where the group can't be joined nobody counts but us, and the command goes behind all others.
_JOIN = f'{{ echo 0 >"$0"; }} 2>/dev/null || exec {_NICE} -n 19 "$@"; exec "$@"'
_numbers = itertools.count()
_open: set[Path] = set()
"""The groups of this process that a command may still join."""


class ControlGroup:
    """A folder of the kernel's that counts the processes of one command."""

    def __init__(self, folder: Path, most: int) -> None:
        """Let it hold at most so many processes and threads."""
        self._folder = folder
        (folder / "pids.max").write_text(str(most), encoding="ascii")

    def started(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how to start a program in it."""
        # The first version moves single threads too: for a whole process, even one of a single
        # thread, the kernel first waits until all processors have taken notice, often 10 ms.
        threads, processes = self._folder / "tasks", self._folder / "cgroup.procs"
        joined = threads if threads.exists() else processes
        return ("/bin/sh", "-c", _JOIN, str(joined), *argv)

    def is_full(self) -> bool:
        """Return whether it wanted more processes than it may have."""
        with contextlib.suppress(OSError):
            events = (self._folder / "pids.events").read_text(encoding="ascii").split()
            return int(events[events.index("max") + 1]) > 0
        return False


def is_root() -> bool:
    """Return whether the kernel's own limit on processes does not bind us."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def started_in(argv: Sequence[str], group: ControlGroup | None) -> tuple[str, ...]:
    """Return how to start a program so that too many processes of its own can be stopped.

    Where nobody but us counts, all others go first: thousands of processes that all want to run
    would keep us from looking, and then there are tens of thousands.
    """
    if group:
        return group.started(argv)
    return (_NICE, "-n", "19", *argv) if is_root() else tuple(argv)


@contextlib.contextmanager
def counted(most: int) -> Iterator[ControlGroup | None]:
    """Count what runs meanwhile; None where the kernel does anyway, or can't.

    The last processes of a sandbox die a few milliseconds after its first one: nobody waits for
    that, and the group goes after the next command, of whichever prp.
    """
    groups = _groups() if is_root() else None
    group = None
    if groups:
        folder = groups / _NAME.format(process=os.getpid(), number=next(_numbers))
        _open.add(folder)
        with contextlib.suppress(OSError):
            folder.mkdir()
            group = ControlGroup(folder, most)
    try:
        yield group
    finally:
        if groups:
            _open.discard(folder)
            _clear(groups)


def _clear(groups: Path) -> None:
    """Take away the empty groups of this process, and those of processes that are gone."""
    for folder in groups.glob(_NAME.format(process="*", number="*")):
        process = folder.name.split("-")[1]
        ours = process == str(os.getpid())
        if folder not in _open and (ours or not Path("/proc", process).exists()):
            # The kernel refuses while anybody is in it.
            with contextlib.suppress(OSError):
                folder.rmdir()


@functools.cache
def _groups() -> Path | None:
    """Return the folder where groups that count processes can be made."""
    with contextlib.suppress(OSError):
        own = dict(_own_groups(Path("/proc/self/cgroup").read_text(encoding="utf-8")))
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        for mount in mounts:
            place, _, kind = mount.partition(" - ")
            top = Path(place.split()[4])
            if kind.startswith("cgroup ") and "pids" in kind.split()[2].split(","):
                return _writable(top / own.get("pids", ""), top)
            if kind.startswith("cgroup2 ") and (found := _delegating(top / own.get("", ""), top)):
                return found
    return None


def _own_groups(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path.lstrip("/")


def _writable(*folders: Path) -> Path | None:
    return next((one for one in folders if os.access(one, os.W_OK)), None)


def _delegating(own: Path, top: Path) -> Path | None:
    """Return the nearest folder of the second version whose groups count processes."""
    for folder in (own, *own.parents):
        with contextlib.suppress(OSError):
            given = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
            if "pids" in given and os.access(folder, os.W_OK):
                return folder
        if folder == top:
            break
    return None
