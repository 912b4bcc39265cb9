"""The resident: loads everything once, then becomes what is asked of it, copy by copy."""

import contextlib
import io
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from agent.cli.resident.handing import GO, LIMITS
from agent.cli.resident.place import folder_of, name_for, opened, peer_of, rights_of

# How often it looks whether it is still of use.
_LOOK = 20.0
_PATIENCE = 5.0
_LONGEST = 16 * 2**20


def stay(run: Callable[[], int], *, idle: float, ready: Callable[[], None]) -> None:
    """Listen until nobody has asked for a while, or the code is no longer what was loaded.

    Args:
        run: Carries out the command line in `sys.argv` and returns its exit status.
        idle: Seconds without a command after which it ends.
        ready: Is called when commands can be taken.

    """
    folder, name = folder_of(os.environ), name_for(os.environ)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    import_module("agent.runs.loaded")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.signal(signal.SIGCHLD, _see_ended)
    with opened(folder) as short, socket.socket(socket.AF_UNIX) as listener:
        place, fresh = short / name, short / f".{name}.{os.getpid()}"
        # Nobody finds it under its name before it listens; one that lay there is replaced.
        listener.bind(str(fresh))
        listener.listen(64)
        own = fresh.lstat().st_ino
        fresh.rename(place)
        ready()
        try:
            _listen(listener, run, place=place, own=own, name=name, idle=idle)
        finally:
            if _number_of(place) == own:
                place.unlink()


def _listen(
    listener: socket.socket,
    run: Callable[[], int],
    *,
    place: Path,
    own: int,
    name: str,
    idle: float,
) -> None:
    until = time.monotonic() + idle
    while (left := until - time.monotonic()) > 0:
        listener.settimeout(min(left, _LOOK))
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            # Another one is there by now, or an upgrade was installed.
            if _number_of(place) != own or name_for(os.environ) != name:
                return
            continue
        until = time.monotonic() + idle
        with connection:
            _copy(listener, connection, run)


def _see_ended(*_: object) -> None:
    """Let copies that have ended go; who asked for one is told by the copy itself."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _number_of(place: Path) -> int:
    with contextlib.suppress(OSError):
        return place.lstat().st_ino
    return 0


def _copy(listener: socket.socket, connection: socket.socket, run: Callable[[], int]) -> None:
    try:
        if os.fork():
            return
    except OSError:
        return
    status = 1
    try:
        listener.close()
        if _become(connection):
            status = _status_of(run)
            connection.sendall(bytes([status]))
    finally:
        os._exit(status)


def _status_of(run: Callable[[], int]) -> int:
    """Return a command's exit status, and tell a defect as the interpreter would."""
    try:
        return run()
    except BaseException:  # noqa: BLE001 - nobody else is there to tell it
        traceback.print_exc()
        return 1


def _become(connection: socket.socket) -> bool:
    """Be what the other end is; False where that can't be, and nothing was begun."""
    from agent.runs.detaching import tie_to  # noqa: PLC0415 - loaded by now

    try:
        connection.settimeout(_PATIENCE)
        asker, user = peer_of(connection)
        # Whoever may do less, or sees less of the system, must not do more by way of this process.
        if user != os.geteuid() or rights_of(asker) != rights_of("self"):
            return False
        start, handles, _, _ = socket.recv_fds(connection, 4, 4, socket.MSG_CMSG_CLOEXEC)
        request = _received(connection, int.from_bytes(start, "big"))
        if request is None or len(handles) != 4:
            return False
        _take(handles, request)
        connection.sendall(os.getpid().to_bytes(4, "big"))
        if connection.recv(1) != GO:
            return False
    except (OSError, ValueError, TypeError, KeyError):
        return False
    connection.settimeout(None)
    # A pipe between prp and the person that breaks ends prp; so does the process that stands in.
    tie_to(connection.fileno())
    return True


def _received(connection: socket.socket, length: int) -> Mapping[str, Any] | None:
    if not 0 < length <= _LONGEST:
        return None
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            return None
        parts += part
    return json.loads(parts)  # type: ignore[no-any-return] # what is missing in it raises


def _take(handles: list[int], request: Mapping[str, Any]) -> None:
    """Take over files, folder, environment and limits."""
    os.setsid()
    for number, handle in enumerate(handles[:3]):
        os.dup2(handle, number)
    os.fchdir(handles[3])
    for handle in handles:
        os.close(handle)
    for name in LIMITS:
        resource.setrlimit(getattr(resource, name), request["limits"][name])
    os.sched_setaffinity(0, request["cores"])
    os.setpriority(os.PRIO_PROCESS, 0, request["nice"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = request["argv"]
    sys.stdin, sys.stdout, sys.stderr = map(_stream, range(3), (sys.stdin, sys.stdout, sys.stderr))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    for number in request["ignored"]:
        signal.signal(number, signal.SIG_IGN)


def _stream(number: int, before: TextIO) -> TextIO:
    """Return a standard stream anew: it knows from its making what kind of file it has."""
    by_line = number == 2 or os.isatty(number)
    return io.TextIOWrapper(
        open(number, "wb" if number else "rb", closefd=False),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=by_line,
    )
