"""What speaks against a run, whoever says it: one list, what weighs most first."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.deliver.story import Story

WEIGHTS = {
    "refused": "a program found that the checks can't be believed; the run can't be proven with it",
    "asked": "a program found something that a person should look at",
    "set-up failed": "what checks may need could not be installed",
    "concern": "an agent that does not write the code doubts something",
    "deviates": "the coder did something else than the PRP says",
    "in doubt": "the coder is not sure",
    "noted": "good to know when you read the change",
}
"""Each weight, the heaviest first, and what it means."""


@dataclass(frozen=True, kw_only=True)
class Against:
    """One thing that speaks against a run."""

    weight: str
    place: str
    what: str
    is_said: bool = False
    """Whether somebody says it, not a program: the place is who."""
    tasks: tuple[int, ...] = field(default=(), compare=False)
    """Which of the run's finished tasks say it, by their places in the story."""


def in_words(found: Sequence[Against]) -> str:
    """Return how much there is of each weight."""
    weighed = Counter(one.weight for one in found)
    return ", ".join(
        f"{weighed[name]} {_MANY.get(name, (name, name))[weighed[name] > 1]}"
        for name in WEIGHTS
        if weighed[name]
    )


_MANY = {
    "set-up failed": ("failed set-up", "failed set-ups"),
    "concern": ("concern", "concerns"),
    "deviates": ("deviation", "deviations"),
    "in doubt": ("doubt", "doubts"),
    "noted": ("note", "notes"),
}


def is_weighty(found: Iterable[Against]) -> bool:
    """Return whether a program found something that a person has to decide about."""
    return any(one.weight in ("refused", "asked", "set-up failed") for one in found)


def against(story: Story) -> list[Against]:
    """Return everything that speaks against a run, first against the attempt it delivers."""
    verdict = story.verdicts.get(story.delivered, {})
    order = list(WEIGHTS)
    found = [*_found(verdict), *_set_up(story), *_doubted(story, verdict)]
    return sorted(
        _once(found), key=lambda one: order.index(one.weight) if one.weight in order else -1
    )


def _once(found: Iterable[Against]) -> list[Against]:
    """Return each thing once; what the coder says of several tasks stands with all of them."""
    kept: dict[tuple[str, str, str], Against] = {}
    for one in found:
        key = (one.weight, one.what, "" if one.tasks else one.place)
        if (same := kept.get(key)) is None:
            kept[key] = one
        elif one.tasks:
            also = one.place.removeprefix("the coder, ")
            place = same.place if also in same.place else f"{same.place}; {also}"
            kept[key] = replace(same, place=place, tasks=same.tasks + one.tasks)
    return list(kept.values())


def _found(verdict: Mapping[str, Any]) -> Iterable[Against]:
    for one in verdict.get("objections", ()):
        yield Against(weight=one["weight"], place=one["place"], what=one["what"])
    for path in verdict.get("put_back", ()):
        back = "changed by the branch, and left out of the clean room or put back: it decides how"
        yield Against(weight="noted", place=path, what=f"{back} checks end")


def _set_up(story: Story) -> Iterable[Against]:
    for event in story.setup:
        if event["state"] == "failed":
            yield Against(weight="set-up failed", place=event["command"], what=event["reason"])


def _doubted(story: Story, verdict: Mapping[str, Any]) -> Iterable[Against]:
    for words in verdict.get("concerns", ()):
        yield Against(weight="concern", place="the verifier, of the code", what=words, is_said=True)
    for words in story.plan.get("concerns", ()):
        yield Against(weight="concern", place="the planner, of the PRP", what=words, is_said=True)
    for number, event in enumerate(story.tasks):
        place = f"the coder, {task_of(event)} of attempt {event['attempt']}"
        if event["attempt"] > story.delivered > 0:
            place += ", which is not on the branch"
        for weight, said in (("deviates", "deviations"), ("in doubt", "doubts")):
            for words in event[said]:
                yield Against(weight=weight, place=place, what=words, is_said=True, tasks=(number,))


def task_of(event: Mapping[str, Any]) -> str:
    """Return what a finished task was about."""
    if event["task"]:
        return f"task {event['task']}"
    return "tests of the specification" if event["attempt"] == 1 else "repair"
