"""The resident: loads everything once, then becomes what is asked of it, copy by copy."""

import contextlib
import hmac
import io
import json
import os
import resource
import secrets
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TextIO

from agent.cli.resident.handing import GO, LIMITS, SECRET, received
from agent.cli.resident.place import (
    NUMBER,
    close_all_but,
    folder_of,
    has_gone,
    name_for,
    opened,
    peer_of,
    rights_of,
)
from agent.runs.detaching import tie_to

# How often it looks whether it is still of use.
_LOOK = 20.0
_PATIENCE = 5.0
_LONGEST = 16 * 2**20
_OF_MEMORY = ("RLIMIT_AS", "RLIMIT_DATA")


def stay(run: Callable[[], int], *, idle: float, ready: Callable[[], None]) -> None:
    """Listen until nobody has asked for a while, or the code is no longer what was loaded.

    Args:
        run: Carries out the command line in `sys.argv` and returns its exit status.
        idle: Seconds without a command after which it ends.
        ready: Is called when commands can be taken.

    """
    folder, name = folder_of(os.environ), name_for(os.environ)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Programs are not taken from below the folder that one stands in, and all are below `/`.
    os.chdir(folder)
    import_module("agent.runs.loaded")
    os.chdir("/")
    with opened(folder) as short, socket.socket(socket.AF_UNIX) as listener:
        place, fresh = short / name, short / f".{name}.{os.getpid()}"
        # Nobody finds it under its name before it listens; one that lay there is replaced.
        listener.bind(str(fresh))
        listener.listen(64)
        own = fresh.lstat().st_ino

        def leave(*_: object) -> None:
            if _number_of(place) == own:
                place.unlink()
            # An exception could come where it is lost: in what goes on around a fork.
            os._exit(0)

        copies = _Copies(run)
        signal.signal(signal.SIGTERM, leave)
        fresh.rename(place)
        ready()
        _listen(listener, copies, place=place, own=own, name=name, idle=idle)
        leave()


def _listen(
    listener: socket.socket, copies: "_Copies", *, place: Path, own: int, name: str, idle: float
) -> None:
    listener.setblocking(False)
    until = time.monotonic() + idle
    while (left := until - time.monotonic()) > 0:
        if not copies.look_after(listener, seconds=min(left, _LOOK)):
            # Another one is there by now, or an upgrade was installed.
            if _number_of(place) != own or name_for(os.environ) != name:
                return
            continue
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            until = time.monotonic() + idle
            copies.begin(connection)


class _Copies:
    """The copies that are under way. One whose caller has gone is killed.

    A copy sees that by itself as well, but not while it is paused.
    """

    def __init__(self, run: Callable[[], int]) -> None:
        self._run = run
        self._callers: dict[int, tuple[int, socket.socket]] = {}

    def begin(self, connection: socket.socket) -> None:
        """Become, in a copy, what the other end asks for."""
        try:
            process = os.fork()
        except OSError:
            connection.close()
            return
        if not process:
            _be_copy(connection, self._run)
        self._callers[process] = os.pidfd_open(process), connection

    def look_after(self, listener: socket.socket, *, seconds: float) -> bool:
        """Wait until something happens; return False where nothing did.

        Copies that have ended are let go, and those that nobody waits for are ended.
        """
        waited = select.poll()
        waited.register(listener, select.POLLIN)
        for handle, connection in self._callers.values():
            waited.register(handle, select.POLLIN)
            # Only whether the other end is there: what comes is the copy's to read.
            if connection.fileno() >= 0:
                waited.register(connection, 0)
        happened = dict(waited.poll(seconds * 1000))
        for process, (handle, connection) in list(self._callers.items()):
            if handle in happened:
                os.waitpid(process, 0)
                del self._callers[process]
                os.close(handle)
                connection.close()
            elif connection.fileno() in happened:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                # Once is enough, however long the system takes.
                connection.close()
        return bool(happened)


def _number_of(place: Path) -> int:
    with contextlib.suppress(OSError):
        return place.lstat().st_ino
    return 0


def _be_copy(connection: socket.socket, run: Callable[[], int]) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        close_all_but(connection.fileno())
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
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return 1


def _become(connection: socket.socket) -> bool:
    """Be what the other end is; False where that can't be, and nothing was begun."""
    try:
        connection.settimeout(_PATIENCE)
        # Whoever may do less, or sees less of the system, must not do more by way of this process.
        if rights_of(peer_of(connection)) != rights_of("self") or has_gone(connection):
            return False
        connection.sendall(os.getpid().to_bytes(NUMBER, "big"))
        if not _may_look(connection):
            return False
        start, handles, _, _ = socket.recv_fds(connection, NUMBER, 4, socket.MSG_CMSG_CLOEXEC)
        length = int.from_bytes(start, "big")
        if len(start) != NUMBER or len(handles) != 4 or length > _LONGEST:
            return False
        _take(handles, json.loads(received(connection, length)))
        begin = threading.Event()
        # Killed together with the process that stands in for it.
        tie_to(connection.fileno(), after=begin)
        connection.sendall(GO)
        if received(connection, len(GO)) != GO:
            return False
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError):
        return False
    connection.settimeout(None)
    begin.set()
    return True


def _may_look(connection: socket.socket) -> bool:
    """Return whether the other end may look into this process.

    That is what the kernel asks of everything that confines: Landlock, which nothing else shows,
    and the rules of other security modules.
    """
    secret = secrets.token_hex(16)
    handle = os.memfd_create(secret)
    try:
        connection.sendall(handle.to_bytes(NUMBER, "big"))
        told = received(connection, SECRET)
    finally:
        os.close(handle)
    return hmac.compare_digest(told.split(b" ")[0], f"/memfd:{secret}".encode())


def _take(handles: list[int], request: Mapping[str, Any]) -> None:
    """Take over files, folder, environment and limits."""
    os.setsid()
    for number, handle in enumerate(handles[:3]):
        os.dup2(handle, number)
    os.fchdir(handles[3])
    for handle in handles:
        os.close(handle)
    for name in LIMITS:
        wanted = tuple(request["limits"][name])
        if name in _OF_MEMORY and wanted != resource.getrlimit(getattr(resource, name)):
            raise ValueError("What is loaded has its own size")
        resource.setrlimit(getattr(resource, name), wanted)
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
        newline="\n",
        line_buffering=by_line,
        write_through=bool(os.environ.get("PYTHONUNBUFFERED")),
    )
