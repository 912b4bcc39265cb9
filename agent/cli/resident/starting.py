"""Starts, finds and ends the residents of a person."""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

from agent.cli import carry_out
from agent.cli.resident.handing import connected
from agent.cli.resident.place import (
    close_all_but,
    folder_of,
    is_possible,
    is_read_once,
    opened,
    peer_of,
)
from agent.cli.resident.staying import stay
from agent.errors import EnvironmentProblem

# Where programs are, and where it listens.
_KEPT = ("PATH", "HOME", "XDG_STATE_HOME", "PRP_STATE_DIR")
_PAUSE = 0.02
_PATIENCE = 5.0


def running() -> int | None:
    """Return the process of the resident that this process's commands would be handed to."""
    with contextlib.suppress(OSError), connected() as connection:
        return peer_of(connection)[0]
    return None


def start(*, idle: float) -> int:
    """Start a resident that outlives this process, and wait until it can be asked.

    Args:
        idle: Seconds without a command after which it ends.

    Returns:
        Its process.

    Raises:
        EnvironmentProblem: It can't be; why is on stderr.

    """
    if not is_possible():
        raise EnvironmentProblem(
            "Commands can't be copied on this system", hint="Without prp warm all is as before."
        )
    _open_standard_files()
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    # -P: a checkout with an `agent` package of its own must not be taken for ours.
    command = [sys.executable, "-P", "-m", "agent.cli", "warm"]
    options = ["--for", str(idle / 60), "--resident", str(writing)]
    # It shall hold nothing of this person's that its copies don't bring along: no key above all.
    environment = {n: v for n, v in os.environ.items() if n in _KEPT or is_read_once(n)}
    if "PRP_STATE_DIR" in environment:
        environment["PRP_STATE_DIR"] = str(folder_of(os.environ).parent)
    process = os.posix_spawn(command[0], [*command, *options], environment, setsid=True)
    os.close(writing)
    try:
        is_ready = bool(os.read(reading, 1))
    finally:
        os.close(reading)
    if not is_ready:
        raise EnvironmentProblem("There is no process with everything loaded; see above")
    return process


def _open_standard_files() -> None:
    """Open standard files that are closed, so that nothing else gets their numbers."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def be(writing: int, *, idle: float) -> None:
    """Be the resident.

    Args:
        writing: A pipe to whoever started this process, who waits until it can be asked.
        idle: Seconds without a command after which it ends.

    """

    def ready() -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.close(nothing)
        os.write(writing, b"1")
        os.close(writing)

    os.set_inheritable(writing, False)
    # Locks and pipes of whoever has started it are not its own.
    close_all_but(writing)
    os.chdir("/")
    stay(carry_out, idle=idle, ready=ready)


def stop_all() -> tuple[int, ...]:
    """End every resident of this person, those of other versions too; return the processes."""
    stopped: list[int] = []
    with contextlib.suppress(OSError), opened(folder_of(os.environ)) as folder:
        for place in folder.iterdir():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(str(place))
                process, user = peer_of(connection)
                if user == os.geteuid():
                    stopped.append(process)
                    _end(process, place)
    return tuple(stopped)


def _end(process: int, place: Path) -> None:
    """End a process in order, or at once where it does not; the socket goes with it."""
    os.kill(process, signal.SIGTERM)
    os.kill(process, signal.SIGCONT)
    if not _has_ended(process):
        place.unlink(missing_ok=True)
        os.kill(process, signal.SIGKILL)
        _has_ended(process)


def _has_ended(process: int) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
        except OSError:
            return True
        time.sleep(_PAUSE)
    return False
