"""A PRP whose tasks do not rest on each other, and a coder that carries out any of them."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from tests.support.project import Project
from tests.support.provider import Answer, Request
from tests.support.scripts import opinions

_ASKED = re.compile(r"Task (\d+): [^\\]*\\n\\nWhat the PRP says")
WAIT = 60.0


def prp_of(count: int) -> str:
    """Return a PRP of so many tasks, each of which creates a module of its own."""
    tasks = "\n".join(
        f"Task {n} - Part {n}:\n  CREATE part_{n}.py:\n    - value{n}() returns {n}"
        for n in range(1, count + 1)
    )
    checks = "\n".join(
        f"python3 -c 'from part_{n} import value{n}; assert value{n}() == {n}'"
        for n in range(1, count + 1)
    )
    return f"""\
# PRP: Parts

## Goal
Modules that have nothing to do with each other.

### Success Criteria
- [ ] Every module returns its number

## Implementation Blueprint
```yaml
{tasks}
```

## Validation Loops
### Level 1: Look
```bash
test -f part_1.py
grep -q value{count} part_{count}.py
```

### Level 2: Behaviour
```bash
{checks}
```
"""


def plan_of(count: int, after: Mapping[int, tuple[int, ...]] | None = None) -> dict[str, object]:
    """Return the plan for it."""
    after = after or {}
    numbers = range(1, count + 1)
    return {
        "summary": "Modules.",
        "steps": [
            {"task": n, "approach": "One function.", "files": [f"part_{n}.py"]}
            | ({"after": list(after[n])} if n in after else {})
            for n in numbers
        ],
        "proofs": [
            {"criterion": "C1", "checks": [f"L2.{n}" for n in numbers], "how": "They call it."}
        ],
    }


def content_of(number: int) -> str:
    """Return the module that a task asks for."""
    return f"def value{number}() -> int:\n    return {number}\n"


def task_of(request: Request) -> int:
    """Return the number of the task that a request belongs to; 0 for what is none."""
    found = _ASKED.findall(request.text)
    return int(found[-1]) if found else 0


class Coder:
    """Writes each task's module, then a line into what all share where that is wanted."""

    def __init__(
        self,
        count: int,
        *,
        meet: int = 0,
        met: Callable[[], None] | None = None,
        shared: bool = False,
        after: Mapping[int, tuple[int, ...]] | None = None,
    ) -> None:
        """Answer for so many tasks.

        Args:
            count: Tasks of the PRP.
            meet: How many conversations must have begun before the first of them is answered.
            met: Called as soon as they have, before they are answered.
            shared: Whether each task also writes a file that the others write too.
            after: Of each task those that the plan puts before it.

        """
        self._plan, self._shared = plan_of(count, after), shared
        self._meeting = threading.Barrier(meet, met) if meet else None
        self.begun: Counter[int] = Counter()

    def __call__(self, request: Request) -> Answer:
        """Plan, judge, or go on with the task at hand."""
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(self._plan)),))
        if "submit_judgement" in request.tools:
            judged = opinions({"C1": "yes"}, quote="return 1")
            for opinion in judged["opinions"]:
                opinion["quotes"] = [{"source": "part_1.py", "text": "return 1"}]
            return Answer(calls=(("submit_judgement", judged),))
        number = task_of(request)
        if "appended" in request.last:
            return Answer(calls=(("finish", {"summary": f"Part {number} is written."}),))
        if "wrote" in request.last:
            return Answer(calls=(("run", {"command": "echo seen >> notes.log; echo appended"}),))
        self.begun[number] += 1
        again = "You carried this task out already" in request.text
        if self._meeting and not again:
            self._meeting.wait(WAIT)
        writes = [("write", {"path": f"part_{number}.py", "content": content_of(number)})]
        if self._shared:
            words = "shared, by all of them\n" if again else f"shared, by {number}\n"
            writes.append(("write", {"path": "shared.txt", "content": words}))
        return Answer(calls=tuple(writes))


FILES = {"PRPs/parts.md": prp_of(4), ".gitignore": "notes.log\n", "shared.txt": "nothing\n"}


def subjects(project: Project, branch: str = "prp/parts") -> list[str]:
    """Return the subjects of a branch's commits, oldest first."""
    return project.git("log", "--reverse", "--format=%s", f"main..{branch}").splitlines()


class Rival(Coder):
    """A coder whose first conversation of all gets the first task wrong."""

    def __init__(self, count: int) -> None:
        """Answer for so many tasks."""
        super().__init__(count)
        self._lock, self._first = threading.Lock(), True

    def __call__(self, request: Request) -> Answer:
        """Plan, judge, or go on with the task at hand."""
        answer = super().__call__(request)
        with self._lock:
            if not self._first or not any(name == "write" for name, _ in answer.calls):
                return answer
            self._first = False
        wrong = {"path": "part_1.py", "content": "def value1() -> int:\n    return 0\n"}
        return Answer(calls=(("write", wrong),))
