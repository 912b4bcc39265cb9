"""What it costs that nothing is lost: a step on each database, and runs by workers.

    python bench/durability.py

Starts a PostgreSQL and a scripted model server of its own; everything else is real.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from agent.runs.database import database_of
from agent.runs.durable import Steps
from agent.runs.engine import engine
from agent.runs.folder import RunFolder
from agent.steps import step
from tests.support.fleet import a_fleet, wait_for
from tests.support.lives import FILES, Coder, options
from tests.support.postgres import a_database
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP

STEPS = 200
RUNS = 8
ONE_BY_ONE = 5
PAUSE = 0.002


async def _steps(url: str) -> tuple[float, float, float]:
    """Return seconds to open the engine, and seconds for one step: on the wall, and of CPU."""

    async def do() -> str:
        return "x" * 2_000

    async def body() -> tuple[tuple[float, float], bool]:
        started, used = time.perf_counter(), time.process_time()
        for _ in range(STEPS):
            await step("nothing", do)
        taken = time.perf_counter() - started, time.process_time() - used
        return (taken[0] / STEPS, taken[1] / STEPS), True

    started = time.perf_counter()
    async with engine(url, executor="bench", taken_up="bench") as running:
        opened = time.perf_counter() - started
        return opened, *await running.run(os.urandom(4).hex(), body, Steps())


def _databases(server: str, folder: Path) -> None:
    run = RunFolder(id="run", path=folder)
    print("database      open it     a step of 2 kB     its CPU")
    for name, url in (
        ("SQLite", database_of(run, None, is_shared=False).url),
        ("PostgreSQL", f"{server}/steps"),
    ):
        asyncio.run(_steps(url))  # makes the tables
        opened, each, cpu = asyncio.run(_steps(url))
        print(
            f"{name:10} {opened * 1000:7.0f} ms     {each * 1000:7.2f} ms     {cpu * 1000:5.2f} ms"
        )


def _workers(server: str, folder: Path) -> None:
    print(f"\nworkers     {RUNS} runs    runs a minute")
    for count in (1, 2, 4):
        place = folder / str(count)
        place.mkdir()
        names = [f"PRPs/greet-{index}.md" for index in range(RUNS)]
        project = Project(place / "project", FILES | dict.fromkeys(names, GREET_PRP))
        with a_fleet(place, project, f"{server}/fleet{count}") as fleet, Provider(Coder()) as model:
            queued = fleet.prp("execute", *names, "--queue", "team", *options(model))
            if queued.status:
                sys.exit(queued.err)
            started = time.perf_counter()
            working = [fleet.worker(f"w{number}", "--until-empty") for number in range(count)]
            if any(worker.wait() for worker in working):
                sys.exit("a worker failed")
            seconds = time.perf_counter() - started
        print(f"{count:7} {seconds:10.1f} s    {60 * RUNS / seconds:10.1f}", flush=True)


def _resident(server: str, folder: Path) -> None:
    """Show how long a worker that waits takes from a run to its first question."""
    asked: list[float] = []
    coder = Coder()

    def noting(request: Request) -> Answer:
        asked.append(time.monotonic())
        return coder(request)

    taken = []
    project = Project(folder / "project", FILES)
    with a_fleet(folder, project, f"{server}/resident") as fleet, Provider(noting) as model:
        fleet.worker("one")
        wait_for(lambda: "takes runs" in fleet.said("one"), pause=PAUSE)
        for number in range(ONE_BY_ONE + 1):
            before = len(asked)
            command = ("execute", "PRPs/greet.md", "--queue", "team", *options(model))
            if (queued := fleet.prp(*command)).status:
                sys.exit(queued.err)
            wait_for(
                lambda number=number: fleet.said("one").count(" on prp/") > number, pause=PAUSE
            )
            begun = time.monotonic()
            wait_for(
                lambda number=number: fleet.said("one").count("proven (0)") > number, pause=PAUSE
            )
            taken.append(asked[before] - begun)
    # The first of them waits until everything is loaded.
    told = ", ".join(f"{seconds * 1000:.0f}" for seconds in taken)
    print(f"\nfrom taking a run to its first question: median of the last {ONE_BY_ONE} of")
    print(f"{told}: {median(taken[1:]) * 1000:.0f} ms")


def main() -> None:
    """Print two tables, and what a waiting worker takes."""
    with tempfile.TemporaryDirectory(prefix="prp-bench-") as name, a_database() as (port, _):
        folder, server = Path(name), f"postgresql://shop@127.0.0.1:{port}"
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        _databases(server, folder)
        sys.stdout.flush()
        _workers(server, folder)
        (folder / "resident").mkdir()
        _resident(server, folder / "resident")


if __name__ == "__main__":
    # Workers, database and folders are put away however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: {error.stderr}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
