"""What a run had come to, as its journal tells: enough to go on where its steps can't be had."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.execute import Before
from agent.journal import TaskFinished
from agent.llm.budget import Spent
from agent.llm.prices import Tokens
from agent.planner import Plan
from agent.prp import Prp
from agent.runs.retelling import minutes_of

Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The part of a run before it was last begun afresh."""

    generation: int = 0
    """How often it was begun afresh; each time has steps of its own."""
    start: str = ""
    """The commit that it goes on from; empty for the base."""
    before: Before = field(default_factory=Before)
    plan: Plan | None = None
    """The plan to go on with; None where the planner has to be asked."""
    spent: Spent = field(default_factory=Spent)
    finished: tuple[TaskFinished, ...] = ()
    """What the coder said of the work that stays: tasks that stay finished, tests, repairs."""
    since: Events = ()
    """The events since then."""


def earlier_of(events: Events, *, old: Prp, new: Prp) -> Earlier:
    """Return what a run had come to when it was last begun afresh.

    Args:
        events: Its journal.
        old: The document as it was before that.
        new: The document as it is now. Tasks that it words in the same way stay finished.

    """
    afresh = [n for n, e in enumerate(events) if e["type"] == "run-resumed" and e.get("generation")]
    if not afresh:
        return Earlier(since=events, spent=Spent(minutes=minutes_of(events)))
    first, last = events[: afresh[-1]], events[afresh[-1]]
    answered = [event for event in first if event["type"] == "model-answered"]
    same = old.text == new.text
    return Earlier(
        generation=last["generation"],
        start=last["start"],
        before=Before(attempt=_attempt(first), finished=_finished(first, old, new)),
        finished=tuple(_kept_words(first, old, new)),
        plan=_plan(first) if same else None,
        spent=Spent(
            tokens=Tokens(
                read=sum(event["input_tokens"] for event in answered),
                written=sum(event["output_tokens"] for event in answered),
                cache_read=sum(event["cache_read_tokens"] for event in answered),
                cache_written=sum(event["cache_write_tokens"] for event in answered),
            ),
            cost_usd=sum(event["cost_usd"] or 0.0 for event in answered),
            unpriced=sum(event["cost_usd"] is None for event in answered),
            requests=sum(event["requests"] for event in answered),
            minutes=minutes_of(events),
        ),
        since=events[afresh[-1] :],
    )


def _plan(events: Events) -> Plan | None:
    told = next((event for event in reversed(events) if event["type"] == "planned"), None)
    if told is None:
        return None
    return Plan.model_validate({name: told[name] for name in Plan.model_fields if name in told})


def _finished(events: Events, old: Prp, new: Prp) -> frozenset[int]:
    """Return the new document's tasks that are done; 0 stands for the tests that come first."""
    finished = [event for event in events if event["type"] == "task-finished"]
    # What a candidate did is on no branch.
    numbers = {event["task"] for event in finished if not event.get("candidate")}
    done = {task.text for task in old.tasks if task.number in numbers}
    kept = {task.number for task in new.tasks if task.text in done}
    return frozenset(kept | ({0} & numbers if old.test_specs == new.test_specs else set()))


def _kept_words(events: Events, old: Prp, new: Prp) -> Iterator[TaskFinished]:
    """Yield what was said of finished work that the branch goes on with, by the new numbers."""
    texts = {task.number: task.text for task in old.tasks}
    numbers = {task.text: task.number for task in new.tasks}
    for event in events:
        if event["type"] != "task-finished" or event.get("candidate"):
            continue
        number = numbers.get(texts.get(event["task"], "")) if event["task"] else 0
        if number is not None:
            yield TaskFinished(
                attempt=event["attempt"],
                task=number,
                commit=event["commit"],
                files=tuple(event["files"]),
                summary=event["summary"],
                deviations=tuple(event.get("deviations", ())),
                doubts=tuple(event.get("doubts", ())),
            )


def _attempt(events: Events) -> int:
    """Return the attempt that was under way, or the one after the last that was judged."""
    started = [event["attempt"] for event in events if event["type"] == "attempt-started"]
    verified = [event for event in events if event["type"] == "attempt-verified"]
    judged = [event["attempt"] for event in verified if not event.get("candidate")]
    last = max(started, default=1)
    return last + 1 if last in judged else last
