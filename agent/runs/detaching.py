"""A run in the background: begun here, worked on by a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.errors import EnvironmentProblem
from agent.journal import Record
from agent.runs.alive import holder
from agent.runs.beginning import begin, masked, warn
from agent.runs.desk import Order, lay_out
from agent.runs.folder import RunFolder
from agent.shown import json_text

_PAUSE = 0.05


class Process(Protocol):
    """A process that works on a run, leader of a session of its own."""

    pid: int

    def wait(self) -> int:
        """Return its exit status; the number of the signal that ended it, negative."""

    def terminate(self) -> None:
        """Send it SIGTERM."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run that somebody else works on."""

    folder: RunFolder
    branch: str
    exit_status: int = 0

    def in_words(self) -> str:
        """Return how to see what becomes of it."""
        name = self.folder.id
        return (
            f"run {name} works in the background, on branch {self.branch}\n"
            f"see it: prp events {name} --follow\n"
            f"wait:   prp wait {name}\n"
            f"end it: prp cancel {name}"
        )

    def as_json(self) -> str:
        """Return the same for machines."""
        return json_text(
            {"run": self.folder.id, "branch": self.branch, "folder": str(self.folder.path)}
        )


def working_on(run: str, *, lifeline: int | None) -> list[str]:
    """Return the command line, from the program's name on, of a process that works on a run."""
    tied = [] if lifeline is None else ["--lifeline", str(lifeline)]
    return ["prp", "resume", run, "--keep-prp", *tied]


def start_working(
    folder: RunFolder, *, cwd: Path, lifeline: int | None = None
) -> subprocess.Popen[bytes]:
    """Let a process of its own work on a run.

    Args:
        folder: The run's.
        cwd: Top of a checkout or clone of its repository.
        lifeline: The reading end of a pipe: the process kills itself, and all that it has
            started, as soon as the other end is closed. None for one that outlives us.

    """
    command = working_on(folder.id, lifeline=lifeline)[1:]
    with folder.output.open("ab") as output:
        return subprocess.Popen(
            # -P: a checkout with an `agent` package of its own must not be taken for ours.
            [sys.executable, "-P", "-m", "agent.cli", *command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=() if lifeline is None else (lifeline,),
        )


def tie_to(lifeline: int, *, after: threading.Event | None = None) -> None:
    """Kill this process and all that it has started when the other end of a pipe is closed.

    A worker that is killed, or that others take for dead, must not leave anybody behind who goes
    on with a run that is theirs now.

    Args:
        lifeline: A pipe's end for reading, or a socket.
        after: Not before this; until then, something else is read there.

    """

    def wait() -> None:
        if after:
            after.wait()
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="prp-lifeline", daemon=True).start()


def detach_order(order: Order, *, listen: Record) -> Begun:
    """Begin a run and let a process of its own work on it, whatever becomes of this one.

    Args:
        order: What to execute, and how.
        listen: Is told what the person should know before.

    Raises:
        PrpError: The order can't be begun; nothing is left behind.

    """
    desk = lay_out(order)
    warn(desk, masked(desk, listen))
    folder, saved = begin(desk, order)
    process = start_working(folder, cwd=saved.root)
    # Only when it holds the run can others see that somebody works on it.
    while holder(folder) is None and not folder.journal.exists():
        if process.poll() is not None:
            said = folder.output.read_text(encoding="utf-8", errors="replace")
            raise EnvironmentProblem(f"Run {folder.id} ended at once: {said.strip()}")
        time.sleep(_PAUSE)
    # A server that lives on must not keep it as a zombie when it has ended.
    threading.Thread(target=process.wait, name="prp-child", daemon=True).start()
    return Begun(folder=folder, branch=saved.branch)
