"""A fleet: a repository on a server, a PostgreSQL, workers on machines that share nothing else."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.project import PRP, Project


class Fleet:
    """A queue called `team`, and who works on it."""

    def __init__(self, folder: Path, project: Project, url: str) -> None:
        """Put the project's commits on a server that all machines reach."""
        self.folder, self.project, self.url = folder, project, url
        self.server = folder / "server.git"
        project.git("clone", "-q", "--bare", str(project.root), str(self.server))
        project.git("remote", "add", "origin", str(self.server))
        self._workers: list[subprocess.Popen[bytes]] = []

    def prp(self, *arguments: str, **variables: str) -> Any:
        """Run a command beside the project."""
        return self.project.prp(*arguments, PRP_DATABASE_URL=self.url, **variables)

    def entries(self) -> list[dict[str, Any]]:
        """Return the queue's runs."""
        found: list[dict[str, Any]] = self.prp("queue", "team", "--json").json
        return found

    def worker(self, machine: str, *options: str, **variables: str) -> "subprocess.Popen[bytes]":
        """Start a worker on a machine."""
        place = self.folder / machine
        place.mkdir(exist_ok=True)
        environment = self.project.environment(
            PRP_DATABASE_URL=self.url, XDG_STATE_HOME=str(place), **variables
        )
        with (place / "worker.txt").open("ab") as output:
            started = subprocess.Popen(
                [str(PRP), "worker", "--queue", "team", *options],
                cwd=place,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._workers.append(started)
        return started

    def said(self, machine: str) -> str:
        """Return what the workers of a machine said."""
        return (self.folder / machine / "worker.txt").read_text()

    def events(self, machine: str) -> str:
        """Return the journals of a machine's runs."""
        files = sorted((self.folder / machine).glob("prp/runs/*/events.jsonl"))
        return "\n".join(file.read_text() for file in files)

    def tree(self, branch: str) -> str:
        """Return the hash of what a branch holds on the server."""
        return self.on_server("rev-parse", f"{branch}^{{tree}}")

    def on_server(self, *arguments: str) -> str:
        """Run git on the server."""
        done = subprocess.run(
            ["git", "-C", str(self.server), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout

    def end(self) -> None:
        """Kill whoever still works."""
        for worker in self._workers:
            if worker.poll() is None:
                os.kill(worker.pid, signal.SIGKILL)
            worker.wait()


@contextmanager
def a_fleet(folder: Path, project: Project, url: str) -> Iterator[Fleet]:
    """Have a fleet, and nobody of it afterwards."""
    fleet = Fleet(folder, project, url)
    try:
        yield fleet
    finally:
        fleet.end()


def wait_for(what: Any, *, seconds: float = 60, pause: float = 0.2) -> None:
    """Wait until something holds, looking again after each pause (seconds)."""
    latest = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < latest, "it did not come to that"
        time.sleep(pause)
