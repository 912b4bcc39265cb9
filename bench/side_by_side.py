"""What tasks that are carried out at the same time save: wall time by tasks and jobs.

    python bench/side_by_side.py

The model is a scripted server that takes 300 ms for each answer; everything else is real. Shown is
the time of the coding alone, from the first task's beginning to the last one's commit, and of the
whole run.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.lives import options
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.side import Coder, plan_of, prp_of, task_of

LATENCY = 0.3
TURNS = 8


class Slow:
    """Takes its time for each answer; a task takes eight: reads, a write, a command, the end."""

    def __init__(self, count: int) -> None:
        """Answer for so many tasks."""
        self._coder = Coder(count)
        self._plan = plan_of(count)

    def __call__(self, request: Request) -> Answer:
        """Wait, then answer."""
        time.sleep(LATENCY)
        if not (number := task_of(request)) or "submit_judgement" in request.tools:
            return self._coder(request)
        turn = sum(message["role"] == "assistant" for message in request.body["messages"])
        if turn < TURNS - 3:
            return Answer(calls=(("read", {"paths": [f"notes/{number}-{turn}.md"]}),))
        return self._coder(request)


def _timed(place: Path, count: int, jobs: int) -> tuple[float, float, int]:
    """Return seconds of the coding and of the whole run, and the tokens that were read."""
    # One attempt's worth of fresh conversation for each task, so that all do the same work.
    notes = {f"notes/{n}-{turn}.md": "x\n" for n in range(1, count + 1) for turn in range(TURNS)}
    files = {"PRPs/parts.md": prp_of(count), ".gitignore": "notes.log\n"} | notes
    project = Project(place, files)
    with Provider(Slow(count)) as provider:
        started = time.perf_counter()
        done = project.prp("execute", "PRPs/parts.md", "--jobs", str(jobs), *options(provider))
        seconds = time.perf_counter() - started
    if done.status:
        sys.exit(done.err)
    events = project.events()
    begun = _first(events, "task-started")
    ended = max(event["at"] for event in events if event["type"] == "task-finished")
    answers = sum(event["type"] == "model-answered" for event in events)
    return ended - begun, seconds, answers


def _first(events: list[dict[str, Any]], kind: str) -> float:
    return min(float(event["at"]) for event in events if event["type"] == kind)


def main() -> None:
    """Print the table."""
    print(f"an answer takes {LATENCY * 1000:.0f} ms, a task {TURNS} answers")
    print("tasks   jobs   coding    of one task   whole run   answers")
    with tempfile.TemporaryDirectory(prefix="prp-bench-") as name:
        os.environ["XDG_STATE_HOME"] = str(Path(name) / "state")
        one = 0.0
        for count, jobs in ((1, 1), (8, 1), (8, 2), (8, 4), (8, 8)):
            coding, whole, answers = _timed(Path(name) / f"{count}-{jobs}", count, jobs)
            one = one or coding
            print(
                f"{count:5} {jobs:6} {coding:7.1f} s {coding / one:10.2f} x {whole:10.1f} s "
                f"{answers:9}",
                flush=True,
            )


if __name__ == "__main__":
    main()
