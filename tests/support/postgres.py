"""A real PostgreSQL on 127.0.0.1, for checks that must not reach it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def program(name: str) -> str:
    """Return the path of one of its programs, empty where it is not installed."""
    return shutil.which(name) or next((str(p / name) for p in _PROGRAMS if (p / name).exists()), "")


@contextmanager
def a_database() -> Iterator[tuple[int, str]]:
    """Run one, and return its port and the folder of its socket."""
    # Folders of pytest's own can be entered by nobody else, and it refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="prp-postgres-") as folder:
        owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if owner:
            shutil.chown(folder, "postgres")
        made = [program("initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "shop", "-N"]
        subprocess.run([*owner, *made], check=True, capture_output=True, cwd=folder)
        port = _free_port()
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder, "-F"]
        command = [*owner, program("postgres"), "-D", f"{folder}/data", *options]
        silent = subprocess.DEVNULL
        started = subprocess.Popen(
            command,
            stdout=silent,
            stderr=silent,
            cwd=folder,
            # Ctrl-C is for who has it run; ended here, it leaves nothing to end there.
            start_new_session=True,
        )
        try:
            _wait(port)
            yield port, folder
        finally:
            # At once, also where somebody still holds a connection.
            os.kill(_first(Path(folder)), signal.SIGINT)
            started.wait(timeout=30)


@contextmanager
def stopped(place: Path) -> Iterator[Callable[[], None]]:
    """Yield how to make its open connections answer no more, until the end."""
    processes: list[int] = []

    def stop() -> None:
        first = _first(place)
        found = subprocess.run(["pgrep", "-P", str(first)], capture_output=True, check=True)
        # Not the first: who started it would stop with it.
        processes[:] = map(int, found.stdout.split())
        for process in processes:
            os.kill(process, signal.SIGSTOP)

    try:
        yield stop
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def _first(place: Path) -> int:
    """Return the process that the others come from."""
    return int((place / "data/postmaster.pid").read_text().splitlines()[0])


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait(port: int) -> None:
    asked = [program("pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-U", "shop"]
    for _ in range(300):
        if not subprocess.run(asked, capture_output=True, check=False).returncode:
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not come up")
