"""How the cost of a run grows: with the files of the repository, with turns, with tasks.

    PYTHONPATH=. python bench/growth.py [files] [turns] [tasks]

Everything is real but the model. CPU seconds are those of `prp` and all that it started; on a busy
machine they are worth more than seconds on the wall.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support.project import PRP
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import opinions

FILES = (1_000, 10_000, 100_000)
TURNS = (10, 40, 55)
TASKS = (1, 4, 16)

DOCUMENT = """\
# PRP: Bench

## Goal
One function for each task.

### Success Criteria
- [ ] `made_1` returns 1

## Implementation Blueprint
```yaml
{tasks}
```

## Validation Loops
### Level 1: Behaviour
```bash
python3 -c "from made_1 import made_1; assert made_1() == 1"
```
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run came to."""

    wall: float
    cpu: float
    first: float
    turns: tuple[float, ...]
    tokens: int


class Coder:
    """Writes a file for each task after some turns of looking around."""

    def __init__(self, tasks: int, turns: int) -> None:
        self.tasks, self.turns = tasks, turns
        self.done = self.looked = 0
        self.arrived: list[float] = []
        self.answered: list[float] = []

    def __call__(self, request: Request) -> Answer:
        self.arrived.append(time.monotonic())
        answer = self.answer(request)
        self.answered.append(time.monotonic())
        return answer

    def answer(self, request: Request) -> Answer:
        if "submit_plan" in request.tools:
            steps = [{"task": n + 1, "approach": "As told."} for n in range(self.tasks)]
            proofs = [{"criterion": "C1", "checks": ["L1.1"], "how": "It calls it."}]
            plan = {"summary": "As told.", "steps": steps, "proofs": proofs}
            return Answer(calls=(("submit_plan", plan),))
        if "submit_judgement" in request.tools:
            told = opinions({"C1": "yes"}, "return 1")
            told["opinions"][0]["quotes"][0]["source"] = "made_1.py"
            return Answer(calls=(("submit_judgement", told),))
        if self.looked < self.turns:
            self.looked += 1
            return Answer(calls=(("read", {"paths": [f"README.md:{self.looked}"]}),))
        self.looked = 0
        self.done += 1
        name = f"made_{self.done}"
        write = {"path": f"{name}.py", "content": f"def {name}():\n    return {self.done}\n"}
        return Answer(calls=(("write", write), ("finish", {"summary": "Made."})))


def executed(repository: Path, *, tasks: int, turns: int) -> Cost:
    """Execute a PRP of some tasks in a repository."""
    words = "\n".join(f"Task {n + 1}:\n  CREATE made_{n + 1}.py:" for n in range(tasks))
    document = repository.parent / "bench.md"
    document.write_text(DOCUMENT.format(tasks=words))
    coder = Coder(tasks, turns)
    with tempfile.TemporaryDirectory() as state, Provider(coder) as model:
        environment = os.environ | {
            "XDG_STATE_HOME": state,
            "PRP_HOLDOUT_TESTS": "0",
            "PRP_APPROVE": "none",
            "PATH": os.pathsep.join([str(PRP.parent), os.environ["PATH"]]),
        }
        options = ("--model", "openai-chat:x", "--base-url", model.url, "--max-mutants", "0")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(
            [str(PRP), "execute", str(document), *options, "--json", "-q"],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr or done.stdout)
    branch = json.loads(done.stdout)["branch"]
    subprocess.run(["git", "-C", repository, "branch", "-q", "-D", branch], check=True)
    gaps = zip(coder.answered, coder.arrived[1:], strict=False)
    return Cost(
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        first=coder.arrived[0] - started,
        turns=tuple(arrived - answered for answered, arrived in gaps)[1:-1],
        tokens=sum(len(request.text) for request in model.requests) // 4,
    )


def repository_of(folder: Path, files: int) -> Path:
    """Make a repository of so many files, fifty in a folder."""
    root = folder / f"files-{files}"
    for number in range(files):
        place = root / f"part_{number // 2500:02d}" / f"pkg_{number // 50 % 50:02d}"
        if not number % 50:
            place.mkdir(parents=True)
        (place / f"mod_{number:06d}.py").write_text(f"def value_{number}():\n    return {number}\n")
    (root / "README.md").write_text("# Bench\n" + "A line to read.\n" * 200)
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "-m", "first"),
    ):
        subprocess.run(["git", "-C", root, *command], check=True)
    return root


def table(what: str, sizes: tuple[int, ...], measured: Callable[[int], Cost]) -> None:
    """Print a row for each size."""
    print(f"\n{what:>8}  wall s  cpu s  start→req s  ms/turn  first 5  last 5  tokens")
    for size in sizes:
        cost = measured(size)
        turns = [1000 * seconds for seconds in cost.turns]
        print(
            f"{size:8} {cost.wall:7.2f} {cost.cpu:6.2f} {cost.first:12.2f} {median(turns):8.1f}"
            f" {median(turns[:5]):8.1f} {median(turns[-5:]):7.1f} {cost.tokens:7}",
            flush=True,
        )


def main() -> None:
    """Print a table for each kind of growth."""
    wanted = sys.argv[1:] or ["files", "turns", "tasks"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if "files" in wanted:
            table(
                "files",
                FILES,
                lambda size: executed(repository_of(place, size), tasks=1, turns=6),
            )
        small = repository_of(place, 100)
        if "turns" in wanted:
            table("turns", TURNS, lambda size: executed(small, tasks=1, turns=size))
        if "tasks" in wanted:
            table("tasks", TASKS, lambda size: executed(small, tasks=size, turns=2))


if __name__ == "__main__":
    main()
