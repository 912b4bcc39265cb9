"""Processes for runs that begin with everything loaded: copies of one that has done so.

To load what a run needs takes seconds of processor, and 100 MB that copies share.
"""

import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import current_process
from pathlib import Path

from agent.runs.detaching import Process, start_working, working_on
from agent.runs.folder import RunFolder
from agent.workspace.passing import passing_folder

_LOADS = "agent.runs.fleet.loaded"
# What the library says of a process whose end nobody saw, for the one it is a copy of is dead.
_UNSEEN = 255


@contextmanager
def warm() -> Iterator["Warm"]:
    """Begin to load, beside what goes on; the first run waits for the rest. Once in a process."""
    with passing_folder("worker") as folder:
        # One that the library makes for its socket is left behind by whoever ends at once.
        current_process()._config["tempdir"] = str(folder)  # type: ignore[attr-defined]  # noqa: SLF001
        yield Warm()


class Warm:
    """Starts processes that work on runs; see `start_working`."""

    def __init__(self) -> None:
        """Begin to load where processes can be copied."""
        self._lock = threading.Lock()
        # Elsewhere a copy of a process that has loaded libraries of the system is not safe.
        self._can_copy = sys.platform == "linux"
        if self._can_copy:
            # A checkout with an `agent` package of its own must not be taken for ours.
            os.environ.setdefault("PYTHONSAFEPATH", "1")
            self._context = get_context("forkserver")
            self._context.set_forkserver_preload([_LOADS])
            try:
                forkserver.ensure_running()
            except OSError:
                # Sockets have short names: below a folder with a long one there can be none.
                self._can_copy = False

    def start(self, folder: RunFolder, *, cwd: Path, lifeline: int) -> Process:
        """Let a process of its own work on a run; its life is tied to the lifeline."""
        if not self._can_copy:
            return start_working(folder, cwd=cwd, lifeline=lifeline)
        with Connection(os.dup(lifeline), writable=False) as tied:
            place = (str(cwd), str(folder.output))
            process = self._context.Process(target=_work, args=(folder.id, *place, tied))
            with self._lock:
                process.start()
        return _Copy(process, self._lock)


class _Copy:
    """A process as `subprocess` would show it."""

    def __init__(self, process: ForkServerProcess, lock: threading.Lock) -> None:
        self._process, self._lock = process, lock
        self.pid = process.pid or 0

    def wait(self) -> int:
        wait([self._process.sentinel])
        # Starting one, the library looks whether others have ended, and each end is told once.
        with self._lock:
            self._process.join()
        status = self._process.exitcode
        return -signal.SIGKILL if status in (None, _UNSEEN) else int(status)

    def terminate(self) -> None:
        with self._lock:
            self._process.terminate()


def _work(run: str, cwd: str, output: str, tied: Connection) -> None:
    """Be `prp resume`, as if started for it."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(cwd)
    said = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(said, stream.fileno())
    sys.argv = working_on(run, lifeline=tied.fileno())
    runpy.run_module("agent.cli", run_name="__main__", alter_sys=True)
