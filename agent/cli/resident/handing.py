"""Hands a command over to the resident, and stands in for it: signals, exit status, its life."""

import array
import contextlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from agent.cli.resident.place import (
    NUMBER,
    ends_within,
    folder_of,
    is_possible,
    name_for,
    opened,
    parent_of,
    peer_of,
    rights_of,
)

# A copy that is tied to a worker is one already; whoever asks for help needs nothing loaded.
_ALONE = frozenset(("--lifeline", "--help", "-h"))
_PATIENCE = 5.0
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
GO = b"g"
LIMITS = tuple(sorted(name for name in dir(resource) if name.startswith("RLIMIT_")))


def hand_over(arguments: Sequence[str]) -> None:
    """Let the resident carry a command out and leave with its status; return where none can.

    Args:
        arguments: The command line behind the program's name.

    """
    if not is_possible() or _ALONE.intersection(arguments):
        return
    # The copy has the standard files only.
    if any("/fd/" in argument for argument in arguments):
        return
    # In the background the system keeps a command from a terminal's keys; a copy has no such bond.
    if _is_in_background():
        return
    came: list[int] = []
    with contextlib.ExitStack() as kept:
        before: dict[signal.Signals, object] = {}
        try:
            connection = kept.enter_context(connected())
            copy = _asked_of(connection)
            before = _pass_on_to(copy, came)
            connection.settimeout(None)
            connection.sendall(GO)
        # Nothing was begun: this process does it, as if there were no resident.
        except (OSError, ValueError, OverflowError, RuntimeError):
            for number, handler in before.items():
                signal.signal(number, handler)  # type: ignore[arg-type] # it was one before
            if came:
                # It was meant for the command, which nobody has begun.
                os.kill(os.getpid(), came[-1])
            return
        # From here on the copy works: this process must never do the same once more.
        status = _status_of(connection, copy)
    _leave(-(came[-1] if came else signal.SIGKILL) if status is None else status)


@contextmanager
def connected() -> Iterator[socket.socket]:
    """Connect to the resident that fits this process.

    Raises:
        OSError: There is none, or somebody else listens there.

    """
    with opened(folder_of(os.environ)) as folder, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(folder / name_for(os.environ)))
        peer_of(connection)
        yield connection


def _is_in_background() -> bool:
    try:
        return os.isatty(0) and os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        return True  # The terminal is not ours.


def _asked_of(connection: socket.socket) -> int:
    """Send all that the command needs; return a handle for the copy, which waits for `GO`."""
    # Files that are sent to who does not take them stay open as long as that process lives.
    process = int.from_bytes(received(connection, NUMBER), "big")
    if parent_of(process) != peer_of(connection):
        raise ConnectionError("It is no copy of who listens")
    # Who may do less than this process must not get its keys and files.
    if rights_of(process) != rights_of("self"):
        raise PermissionError("It may do other things than this process")
    copy = os.pidfd_open(process)
    connection.sendall(_secret_of(process, received(connection, NUMBER)))
    request = json.dumps(_caller()).encode()
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        given = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", (0, 1, 2, here)))]
        connection.sendmsg([len(request).to_bytes(NUMBER, "big")], given)
    finally:
        os.close(here)
    connection.sendall(request)
    if received(connection, len(GO)) != GO:
        raise ConnectionError("It does not take this command")
    return copy


def _secret_of(process: int, handle: bytes) -> bytes:
    """Return what only those can see who may look into the copy as into a process of their own."""
    seen = os.readlink(f"/proc/{process}/fd/{int.from_bytes(handle, 'big')}")  # noqa: PTH115
    return seen.encode("utf-8", "surrogateescape")[:SECRET].ljust(SECRET)


SECRET = 64
"""Bytes of the answer that shows it."""


def received(connection: socket.socket, length: int) -> bytes:
    """Return as many bytes.

    Raises:
        OSError: They don't come.

    """
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise ConnectionError("The other end has gone")
        parts += part
    return bytes(parts)


def _caller() -> dict[str, object]:
    mask = os.umask(0o077)
    os.umask(mask)
    return {
        "argv": sys.argv,
        "environment": dict(os.environ),
        "umask": mask,
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "cores": sorted(os.sched_getaffinity(0)),
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS},
        "ignored": [n for n in _PASSED_ON if signal.getsignal(n) is signal.SIG_IGN],
    }


def _pass_on_to(copy: int, came: list[int]) -> dict[signal.Signals, object]:
    """Pass signals on to the copy, and note them; return the handlers that there were."""

    def pass_on(number: int, _: FrameType | None) -> None:
        came.append(number)
        _send(copy, number)

    def pause(number: int, _: FrameType | None) -> None:
        _send(copy, signal.SIGSTOP)
        # Where nobody could wake us, the system does not stop us by this one.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, pause)
        _send(copy, signal.SIGCONT)

    numbers = (*_PASSED_ON, signal.SIGTSTP)
    before = {n: handler for n in numbers if (handler := signal.getsignal(n)) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, pause if number == signal.SIGTSTP else pass_on)
    return dict(before)


def _status_of(connection: socket.socket, copy: int) -> int | None:
    """Wait for the copy's end; return its exit status, None where a signal killed it."""
    # When this process ends, all that the copy still has is killed.
    ends_within(copy, seconds=None)
    with contextlib.suppress(OSError):
        if answer := connection.recv(1, socket.MSG_DONTWAIT):
            return answer[0]
    return None


def _send(copy: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(copy, number)


def _leave(status: int) -> None:
    if status < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
