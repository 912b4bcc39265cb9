"""What it costs to take a run up: a PRP of a hundred tasks, killed at its 57th.

    PYTHONPATH=. python bench/resume.py [TIMES]

Everything is real but the model. Counted is the time on the processor, of `prp` and of what it
started, from its start until it asks for what nobody has answered yet: on a busy machine that says
more than seconds on the wall.
"""

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

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
        "killed at task     own CPU s, least and median    git and others, CPU s    wall s, least"
    )
    for task in KILLED_AT:
        with tempfile.TemporaryDirectory(prefix="prp-bench-") as name:
            costs = _costs(Path(name), task, times)
        own = [cost.own for cost in costs]
        print(
            f"{task:14} {min(own):15.2f} {median(own):9.2f} {min(c.started for c in costs):25.2f}"
            f" {min(c.wall for c in costs):19.2f}",
            flush=True,
        )


def _costs(folder: Path, task: int, times: int) -> list[Cost]:
    """Return what each of several processes took that took the same run up."""
    place, kept = folder / "place", folder / "kept"
    os.environ["XDG_STATE_HOME"] = str(place / "state")
    writer = Writer(task)
    with Provider(writer) as model:
        project = Project(place / "project", {"PRPs/parts.md": PARTS_PRP})
        order = ("execute", "PRPs/parts.md", "--plan", "literal", "--model", "openai-chat:x")
        writer.kill(project, *order, "--base-url", model.url)
        shutil.copytree(place, kept, symlinks=True)
        return [_taken_up(project, writer, kept, place, task) for _ in range(times)]


def _taken_up(project: Project, writer: Writer, kept: Path, place: Path, task: int) -> Cost:
    shutil.rmtree(place)
    shutil.copytree(kept, place, symlinks=True)
    costs: list[Cost] = []
    began = time.monotonic()

    def measure(process: int) -> None:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        user, system, users, systems = (
            int(word) / os.sysconf("SC_CLK_TCK") for word in words[11:15]
        )
        costs.append(
            Cost(own=user + system, started=users + systems, wall=time.monotonic() - began)
        )

    writer.kill_at(task, measure)
    writer.kill(project, "resume")
    return costs[0]


if __name__ == "__main__":
    main()
