"""Hands a command over to the resident, and stands in for it: signals, exit status, its life."""

import array
import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from agent.cli.resident.place import folder_of, is_possible, name_for, opened, peer_of

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
    try:
        with connected() as connection:
            copy = _asked_of(connection)
            status = _standing_in(connection, copy)
    # Nothing was begun: this process does it, as if there were no resident.
    except (OSError, ValueError):
        return
    _leave(status)


@contextmanager
def connected() -> Iterator[socket.socket]:
    """Connect to the resident that fits this process.

    Raises:
        OSError: There is none, or somebody else listens there.

    """
    with opened(folder_of(os.environ)) as folder, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(folder / name_for(os.environ)))
        if peer_of(connection)[1] != os.geteuid():
            raise PermissionError("Somebody else listens there")
        yield connection


def _asked_of(connection: socket.socket) -> int:
    """Send all that the command needs; return a handle for the copy, which waits for `GO`."""
    request = json.dumps(_caller()).encode()
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        given = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", (0, 1, 2, here)))]
        connection.sendmsg([len(request).to_bytes(4, "big")], given)
    finally:
        os.close(here)
    connection.sendall(request)
    answer = connection.recv(4)
    if len(answer) < 4:
        raise ConnectionError("It does not take this command")
    return os.pidfd_open(int.from_bytes(answer, "big"))


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


def _standing_in(connection: socket.socket, copy: int) -> int:
    """Pass signals on until the copy has ended; return its exit status, a signal's negative."""
    came: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        came.append(number)
        _send(copy, number)

    def pause(_number: int, _: FrameType | None) -> None:
        _send(copy, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        _send(copy, signal.SIGCONT)

    before = {number: signal.getsignal(number) for number in (*_PASSED_ON, signal.SIGTSTP)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, pause if number == signal.SIGTSTP else pass_on)
        connection.settimeout(None)
        connection.sendall(GO)
    except OSError:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise
    # From here on the copy works: whatever happens, this process must not do the same once more.
    answer = b""
    with contextlib.suppress(OSError):
        answer = connection.recv(1)
    # When this process ends, all that the copy still has is killed.
    select.select([copy], [], [])
    return answer[0] if answer else -(came[-1] if came else signal.SIGKILL)


def _send(copy: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(copy, number)


def _leave(status: int) -> None:
    if status < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
