"""When a run did what, and what each step of it cost, as its journal tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.deliver.story import Usage


@dataclass(kw_only=True)
class Step:
    """One stretch of a run: the baseline, the plan, a task, a verification."""

    kind: str
    """`baseline`, `plan`, `task` or `verify`."""
    title: str
    start: float
    """Seconds since the run began."""
    end: float
    usage: Usage = field(default_factory=Usage)

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return max(self.end - self.start, 0.0)


def steps_of(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Return a run's steps in their order; each begins where the one before it ended.

    Tasks that are carried out at the same time begin each at its own time.
    """
    steps: list[Step] = []
    tasks: dict[tuple[int, int], Step] = {}
    began = 0.0
    for event in events:
        at = float(event["at"])
        began = began or at
        now = at - began
        if opened := _opened_by(event, steps):
            # What an agent thought before its first word belongs to its step.
            start = steps[-1].end if steps and not tasks else now
            steps.append(Step(kind=opened[0], title=opened[1], start=start, end=now))
        number = (event.get("candidate") or 0, event.get("task") or 0)
        if event["type"] == "task-started":
            tasks[number] = steps[-1]
        if steps:
            step = tasks.get(number, steps[-1])
            step.end = now
            if event["type"] == "model-answered":
                step.usage.add(event)
        if event["type"] in ("task-finished", "attempt-started"):
            tasks.pop(number, None)
    return steps


def _opened_by(event: Mapping[str, Any], steps: list[Step]) -> tuple[str, str] | None:
    """Return kind and title of the step that an event begins."""
    match event["type"]:
        case "contract-frozen":
            return "baseline", "checks on the base commit"
        case "model-answered" if steps and steps[-1].kind == "baseline":
            return "plan", "plan"
        case "task-started":
            number = event["task"]
            name = f"task {number}: {event['title']}" if number else event["title"]
            which = f"candidate {event['candidate']}, " if event.get("candidate") else ""
            return "task", f"attempt {event['attempt']}, {which}{name}"
        case "task-finished" | "feedback-sent":
            return None
        case "check-finished" if event["stage"] != "baseline":
            title = f"verify {event['stage']}"
            return None if steps and steps[-1].title == title else ("verify", title)
    return None
