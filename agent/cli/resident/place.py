"""Where the resident listens, and what of a process it must have in common with its callers."""

import contextlib
import hashlib
import os
import select
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import agent
from agent.places import default_state_dir

# Bound and connected to by way of the open folder: names of sockets hold 107 bytes.
_OPENED = "/proc/self/fd"
# Read by interpreter, loader and libraries when they are loaded, and never again.
_READ_ONCE = ("PYTHON", "LD_", "LC_", "MALLOC_", "OPENSSL_", "PYDANTIC_", "DBOS", "HF_")
_READ_ONCE_WHOLE = (
    *("LANG", "LANGUAGE", "LOCPATH", "GLIBC_TUNABLES", "OPENAI_LOG", "ANTHROPIC_LOG"),
    *("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH"),
)
# Of /proc/PID/status: what a process may do to others.
_RIGHTS = (
    *("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "Seccomp_filters"),
    *("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
)


def is_possible() -> bool:
    """Return whether there can be a resident: copies of a process with libraries, and /proc."""
    return sys.platform == "linux"


def folder_of(environment: Mapping[str, str]) -> Path:
    """Return the folder of a person's residents."""
    named = environment.get("PRP_STATE_DIR", "")
    return (
        Path(named).expanduser().absolute() if named else default_state_dir(environment)
    ) / "warm"


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Open a folder that nobody else can write; give a short name for it.

    Raises:
        OSError: It does not exist, or others can write it.

    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise PermissionError(f"{folder} can be written by others")
        yield Path(f"{_OPENED}/{handle}")
    finally:
        os.close(handle)


def name_for(environment: Mapping[str, str]) -> str:
    """Return the socket's name: it stands for the code, the libraries and what they read once.

    After an upgrade, with another locale, or in a container, there is nobody of that name.
    """
    read_once = sorted(item for item in environment.items() if is_read_once(item[0]))
    flags = (sys.flags.optimize, sys.flags.dev_mode, sys.flags.utf8_mode)
    known = (sys.executable, sys.version, flags, read_once, *_spaces("self"), *_states())
    return hashlib.sha256(repr(known).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def is_read_once(variable: str) -> bool:
    """Return whether interpreter or libraries read a variable when they are loaded only."""
    return variable.startswith(_READ_ONCE) or variable in _READ_ONCE_WHOLE


def _states() -> Iterator[tuple[str, int]]:
    """Yield our own files and the folders that packages are installed in, with their times."""
    waiting = [os.path.dirname(agent.__file__)]  # noqa: PTH120 - starts faster
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    # Editors leave links that lead nowhere.
                    yield entry.path, entry.stat(follow_symlinks=False).st_mtime_ns
    for place in sys.path:
        if place.endswith(("site-packages", "dist-packages")) and os.path.isdir(place):  # noqa: PTH112
            yield place, os.stat(place).st_mtime_ns  # noqa: PTH116


def peer_of(connection: socket.socket) -> int:
    """Return the process at the other end of a connection.

    Raises:
        OSError: It is somebody else's, or of another system of processes, which has no number here.

    """
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    process, user, _ = (int.from_bytes(found[at : at + 4], sys.byteorder) for at in (0, 4, 8))
    if process <= 0 or user != os.geteuid():
        raise PermissionError("Somebody else is there")
    return process


def has_gone(connection: socket.socket) -> bool:
    """Return whether the process at the other end has ended: its number may be another's by now."""
    try:
        told = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD, NUMBER)
    except OSError:
        return False  # Linux before 6.5 can't tell.
    handle = int.from_bytes(told, sys.byteorder)
    try:
        return ends_within(handle, seconds=0)
    finally:
        os.close(handle)


def ends_within(handle: int, *, seconds: float | None) -> bool:
    """Return whether a process ends in time; one that nobody has asked for its status has, too."""
    end = select.poll()
    end.register(handle, select.POLLIN)
    return bool(end.poll(None if seconds is None else seconds * 1000))


_SO_PEERPIDFD = 77
NUMBER = 4
"""Bytes of a number on the wire."""


def parent_of(process: int) -> int:
    """Return the process that a process is a child of.

    Raises:
        OSError: There is no such process.

    """
    told = Path(f"/proc/{process}/stat").read_bytes()
    return int(told.rpartition(b")")[2].split()[1])


def close_all_but(*kept: int) -> None:
    """Close every file but the standard ones and those to keep."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
        if int(name) > 2 and int(name) not in kept:
            # That of the folder itself is closed by now.
            with contextlib.suppress(OSError):
                os.close(int(name))


def rights_of(process: int | str) -> tuple[tuple[str, str], ...]:
    """Return what a process may do, and which system it sees: user, capabilities, namespaces.

    Raises:
        OSError: It can't be told; it has ended, is not ours, or filters its calls, which nobody
            can compare.

    """
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    told = (line.partition(":") for line in lines)
    rights = tuple((name, value.strip()) for name, _, value in told if name in _RIGHTS)
    # Those of a container, which all in it have, were set without this.
    if (filtered := dict(rights)).get("Seccomp") != "0" and filtered.get("NoNewPrivs") == "1":
        raise PermissionError("its system calls are filtered, and filters can't be compared")
    root = os.stat(f"/proc/{process}/root")  # noqa: PTH116 - through the link
    return (*rights, *_spaces(process), ("root", f"{root.st_dev}:{root.st_ino}"))


def _spaces(process: int | str) -> Iterator[tuple[str, str]]:
    """Yield the namespaces of a process, those that this kernel knows."""
    spaces = f"/proc/{process}/ns"
    for name in sorted(os.listdir(spaces)):  # noqa: PTH208
        yield name, os.readlink(f"{spaces}/{name}")  # noqa: PTH115
