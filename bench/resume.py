"""What it costs to take a run up: a PRP of a hundred tasks, killed at its 57th.

    PYTHONPATH=. python bench/resume.py [TIMES]

Everything is real but the model. Counted is the time on the processor, of `prp` and of what it
started, from its start until it asks for what nobody has answered yet: on a busy machine that says
more than seconds on the wall. A worker's processes are copies of one that has loaded everything.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from agent.runs.alive import holder
from agent.runs.fleet.warm import Warm, warm
from agent.runs.folder import RunFolder
from tests.support.long import PARTS_PRP, Writer
from tests.support.project import Project
from tests.support.provider import Provider

KILLED_AT = (2, 57)
TIMES = 5


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What it took until the first new question."""

    own: float
    """Seconds of the processor for `prp` itself, user and system."""
    started: float
    """The same for processes that it started and that have ended."""
    wall: float


def main() -> None:
    """Print a row for each place where a run is taken up."""
    times = int(sys.argv[1]) if sys.argv[1:] else TIMES
    print(
        "killed at task  by                        own CPU s, least and median  "
        "  git and others, CPU s    wall s, least"
    )
    with tempfile.TemporaryDirectory(prefix="prp-bench-") as name:
        place = Path(name) / "place"
        os.environ["XDG_STATE_HOME"] = str(place / "state")
        project = Project(place / "project", {"PRPs/parts.md": PARTS_PRP})
        os.environ.update(project.environment())
        with warm() as loaded:
            for task in KILLED_AT:
                for who, costs in _costs(project, loaded, task, times).items():
                    own = [cost.own for cost in costs]
                    print(
                        f"{task:14}  {who:22} {min(own):15.2f} {median(own):9.2f} "
                        f"{min(c.started for c in costs):25.2f} "
                        f"{min(c.wall for c in costs):19.2f}",
                        flush=True,
                    )


def _costs(project: Project, loaded: Warm, task: int, times: int) -> dict[str, list[Cost]]:
    """Return what each of several processes took that took the same run up, by who began it."""
    place = project.root.parent
    fresh, kept = place.with_name("fresh"), place.with_name("kept")
    if not fresh.exists():
        shutil.copytree(place, fresh, symlinks=True)
    _put_back(fresh, place)
    writer = Writer(task)
    with Provider(writer) as model:
        order = ("execute", "PRPs/parts.md", "--plan", "literal", "--model", "openai-chat:x")
        writer.kill(project, *order, "--base-url", model.url)
        _put_back(place, kept)

        def by_hand() -> None:
            writer.kill(project, "resume")

        def by_worker() -> None:
            (run,) = project.runs
            reading, writing = os.pipe()
            folder = RunFolder(id=run.name, path=run)
            writer.see_killed(loaded.start(folder, cwd=project.root, lifeline=reading))
            os.close(reading)
            os.close(writing)

        def costs(take_up: Callable[[], None], times: int, *, copies: bool = False) -> list[Cost]:
            return [
                _taken_up(take_up, writer, project, kept, task, copies=copies) for _ in range(times)
            ]

        # The first of a worker's waits until everything is loaded.
        return {
            "prp resume": costs(by_hand, times),
            "prp resume, prp warm": costs(by_hand, times, copies=True),
            "a worker": costs(by_worker, times + 1)[1:],
        }


def _put_back(kept: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept, place, symlinks=True)


def _taken_up(
    take_up: Callable[[], None],
    writer: Writer,
    project: Project,
    kept: Path,
    task: int,
    *,
    copies: bool,
) -> Cost:
    _put_back(kept, project.root.parent)
    if copies:
        project.prp("warm")
    costs: list[Cost] = []
    began = time.monotonic()

    def measure(_process: int) -> None:
        wall = time.monotonic() - began
        (run,) = project.runs
        working = holder(RunFolder(id=run.name, path=run))
        words = Path(f"/proc/{working}/stat").read_text().rpartition(")")[2].split()
        user, system, users, systems = (
            int(word) / os.sysconf("SC_CLK_TCK") for word in words[11:15]
        )
        costs.append(Cost(own=user + system, started=users + systems, wall=wall))

    writer.kill_at(task, measure)
    take_up()
    if copies:
        project.prp("warm", "--stop")
    return costs[0]


if __name__ == "__main__":
    main()
