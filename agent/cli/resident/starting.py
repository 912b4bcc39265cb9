"""Starts, finds and ends the residents of a person."""

import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

from agent.cli import carry_out
from agent.cli.resident.handing import connected
from agent.cli.resident.place import (
    close_all_but,
    ends_within,
    folder_of,
    is_possible,
    is_read_once,
    opened,
    peer_of,
    rights_of,
)
from agent.cli.resident.staying import stay
from agent.errors import EnvironmentProblem

# Where programs are, and where it listens.
_KEPT = ("PATH", "HOME", "XDG_STATE_HOME", "PRP_STATE_DIR")
_PATIENCE = 5.0


def running() -> int | None:
    """Return the process of the resident that this process's commands would be handed to."""
    with contextlib.suppress(OSError, RuntimeError), connected() as connection:
        return peer_of(connection)
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
    try:
        rights_of("self")
    except OSError as error:
        raise EnvironmentProblem(
            f"Commands of this process can't be handed over: {error}",
            hint="Without prp warm all is as before.",
        ) from None
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
    stay(carry_out, idle=idle, ready=ready)


def stop_all() -> tuple[int, ...]:
    """End every resident of this person, those of other versions too; return the processes."""
    stopped: list[int] = []
    with contextlib.suppress(OSError, RuntimeError), opened(folder_of(os.environ)) as folder:
        for place in folder.iterdir():
            if not _OF_A_RESIDENT.fullmatch(place.name):
                continue
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(str(place))
                process = peer_of(connection)
                stopped.append(process)
                _end(process, place)
    return tuple(stopped)


_OF_A_RESIDENT = re.compile(r"[0-9a-f]{24}")


def _end(process: int, place: Path) -> None:
    """End a process in order, or at once where it does not; the socket goes with it."""
    handle = os.pidfd_open(process)
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        signal.pidfd_send_signal(handle, signal.SIGCONT)
        if not ends_within(handle, seconds=_PATIENCE):
            place.unlink(missing_ok=True)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            ends_within(handle, seconds=_PATIENCE)
    finally:
        os.close(handle)
