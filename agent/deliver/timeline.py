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
    parts: dict[str, float] = field(default_factory=dict)
    """Of the baseline and of a verification: what its time went to, in seconds."""

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
    began, phase = 0.0, ""
    for event in events:
        at = float(event["at"])
        began = began or at
        now = at - began
        if opened := _opened_by(event, steps):
            # What an agent thought before its first word belongs to its step.
            start = steps[-1].end if steps and not tasks else now
            steps.append(Step(kind=opened[0], title=opened[1], start=start, end=now))
            phase = ""
        number = (event.get("candidate") or 0, event.get("task") or 0)
        if event["type"] == "task-started":
            tasks[number] = steps[-1]
        if steps:
            step = tasks.get(number, steps[-1])
            step.end = now
            if step.kind in ("baseline", "verify"):
                phase = _divide(step, event, phase)
            if event["type"] == "model-answered":
                step.usage.add(event)
        if event["type"] in ("task-finished", "attempt-started"):
            tasks.pop(number, None)
    return steps


def _divide(step: Step, event: Mapping[str, Any], phase: str) -> str:
    """Count the time since the last part's end to the part that an event ends.

    Returns the phase that the verification is in then: empty while the levels run.
    """
    since = max(step.seconds - sum(step.parts.values()), 0.0)
    name, told = "", since
    match event["type"]:
        case "check-finished" if not phase:
            name = f"level {event['level']}" if event["level"] else "checks outside of levels"
        case "check-finished":
            name = phase
        case "looking-closer":
            name = phase = _CLOSER
        case "model-answered" if phase == _CLOSER and step.kind == "verify":
            # The answer's own time belongs to what was asked: tests, or an opinion.
            name, told, phase = _CLOSER, since - event["seconds"], "judge"
        case "holdout-written" | "holdout-tried":
            name, phase = "tests from the text", "judge"
        case "mutants-tried":
            before = phase if phase == _CLOSER else "mutants"
            _count(step, before, since - event["seconds"])
            name, told, phase = "mutants", min(since, event["seconds"]), "judge"
        case "attempt-verified":
            name, phase = phase or "failed checks once more", ""
    _count(step, name, told)
    return phase


_CLOSER = "second look at what passes"


def _count(step: Step, part: str, seconds: float) -> None:
    if part and seconds > 0:
        step.parts[part] = round(step.parts.get(part, 0.0) + seconds, 3)


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
