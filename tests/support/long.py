"""A PRP of a hundred tasks, and who writes it part after part until `prp` is killed."""

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Protocol

from tests.support.project import PRP, Project
from tests.support.provider import Answer, Request

TASKS = 100
_BLUEPRINT = "".join(
    f"Task {n} - Part {n}:\n  CREATE part_{n}.py:\n    - N is {n}\n" for n in range(1, TASKS + 1)
)
PARTS_PRP = f"""\
# PRP: Parts

## Goal
A hundred parts.

### Success Criteria
- [ ] The last part is there

## Implementation Blueprint
```yaml
{_BLUEPRINT}```

## Validation Loops
### Level 1: Syntax
```bash
test -f part_{TASKS}.py
```
"""


class Victim(Protocol):
    """A process that is going to be killed."""

    pid: int

    def wait(self) -> int:
        """Return the number of the signal that ended it, negative."""


class Writer:
    """Writes part after part; who asks for one of certain parts is killed instead."""

    def __init__(self, *killed_at: int) -> None:
        """Say the parts."""
        self._killed_at = list(killed_at)
        self._victim: Victim | None = None
        self._before: Callable[[int], None] = lambda _: None
        self.asked: list[int] = []

    def __call__(self, _request: Request) -> Answer:
        """Write the next part and say that the task is done."""
        part = max(self.asked, default=0) + 1
        if part in self._killed_at and self._victim:
            self._killed_at.remove(part)
            self._before(self._victim.pid)
            os.kill(self._victim.pid, signal.SIGKILL)
            return Answer(text="to nobody")
        self.asked.append(part)
        write = {"path": f"part_{part}.py", "content": f"N = {part}\n"}
        return Answer(calls=(("write", write), ("finish", {"summary": f"Part {part}."})))

    def kill_at(self, part: int, before: Callable[[int], None]) -> None:
        """Kill who asks for one more part; before that, a function gets its process number."""
        self._killed_at.append(part)
        self._before = before

    def kill(self, project: Project, *arguments: str) -> None:
        """Run `prp` until it asks for what it must not get."""
        started = subprocess.Popen(
            [str(PRP), *arguments, "-q"],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.see_killed(started)

    def see_killed(self, started: Victim) -> None:
        """Wait until a process that works on the run asks for what it must not get."""
        self._victim = started
        assert started.wait() == -signal.SIGKILL
