"""A run as its journal tells it: everything that a report, a summary or `run.json` shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Usage:
    """What a role's model answers cost."""

    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = 0.0
    """None as soon as the price of one answer is not known."""

    def add(self, event: Mapping[str, Any]) -> None:
        """Count one `model-answered` event."""
        self.answers += 1
        self.input_tokens += event["input_tokens"]
        self.output_tokens += event["output_tokens"]
        self.cache_read_tokens += event["cache_read_tokens"]
        self.cache_write_tokens += event["cache_write_tokens"]
        cost = event["cost_usd"]
        unknown = cost is None or self.cost_usd is None
        self.cost_usd = None if unknown else self.cost_usd + cost


@dataclass(kw_only=True)
class Asked:
    """How often a host was asked, and what came of it."""

    times: int = 0
    sent: int = 0
    """Bytes."""
    received: int = 0
    reason: str = ""
    address: str = ""

    def add(self, event: Mapping[str, Any]) -> None:
        """Count one `host-asked` event."""
        self.times += 1
        self.sent += event["sent"]
        self.received += event["received"]
        self.reason = event["reason"] or self.reason
        self.address = event["address"] or self.address


@dataclass(kw_only=True)
class Story:
    """One run. Events are kept as the journal has them, sorted by what they tell of."""

    started: Mapping[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)
    """How it ended; empty while it has not."""
    latest: float = 0.0
    """When the last thing happened before its end, as seconds since 1970."""
    since: float = 0.0
    """When it was begun, or taken up last, as seconds since 1970."""
    before: float = 0.0
    """Seconds that were worked on it until it was taken up last."""
    resumed: list[Mapping[str, Any]] = field(default_factory=list)
    """How often it was taken up again, and after what."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    estimate: Mapping[str, Any] = field(default_factory=dict)
    """What the run was thought to ask of its models, when the plan stood."""
    checks: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Stage (`baseline`, `attempt 1`) to check id to its result."""
    again: list[Mapping[str, Any]] = field(default_factory=list)
    """What ran again within attempts, after a repair and before the verdict, and what did not."""
    criteria: dict[int, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Attempt to criterion id to its status."""
    mutants: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Attempt to what its tests noticed of small changes."""
    verdicts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    holdout: Mapping[str, Any] = field(default_factory=dict)
    """The tests from the text, as they were written."""
    tried: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Attempt to what came of the tests from the text."""
    tasks: list[Mapping[str, Any]] = field(default_factory=list)
    candidates: Mapping[str, Any] = field(default_factory=dict)
    """Which of several attempts at the whole was taken, and what came of each."""
    feedback: dict[int, str] = field(default_factory=dict)
    ways: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Attempt to the other way that the planner found after it."""
    usage: dict[str, Usage] = field(default_factory=dict)
    setup: list[Mapping[str, Any]] = field(default_factory=list)
    """What was installed before the run, or could not be."""
    asked: dict[tuple[str, str, int, str], Asked] = field(default_factory=dict)
    """Stage, host, port and state to what was carried."""
    notes: list[str] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        """Return the attempt whose commit the branch ends with; 0 where there is no verdict."""
        commit = self.ended.get("commit")
        same = [n for n, verdict in self.verdicts.items() if verdict["commit"] == commit]
        return (same or list(self.verdicts) or [0])[-1]

    @property
    def seconds(self) -> float:
        """Return how long was worked on it: one that was broken off tells no end."""
        so_far = max(self.latest - self.since, 0.0) if self.since else 0.0
        return self.before + float(self.ended.get("seconds") or so_far)

    @property
    def total(self) -> Usage:
        """Return the usage of all roles together."""
        known = all(usage.cost_usd is not None for usage in self.usage.values())
        return Usage(
            answers=sum(u.answers for u in self.usage.values()),
            input_tokens=sum(u.input_tokens for u in self.usage.values()),
            output_tokens=sum(u.output_tokens for u in self.usage.values()),
            cache_read_tokens=sum(u.cache_read_tokens for u in self.usage.values()),
            cache_write_tokens=sum(u.cache_write_tokens for u in self.usage.values()),
            cost_usd=sum(u.cost_usd or 0 for u in self.usage.values()) if known else None,
        )


def is_within_an_attempt(stage: str) -> bool:
    """Return whether a check ran again after a repair, before the attempt's own verdict."""
    return ", repair " in stage


def _is_aside(event: Mapping[str, Any]) -> bool:
    """Return whether it tells of a candidate: of the chosen one everything is told once more."""
    return bool(event.get("candidate")) and event["type"] != "model-answered"


def tell(events: Iterable[Mapping[str, Any]]) -> Story:
    """Return the story that a journal's events tell, in their order."""
    story = Story()
    for event in events:
        if event["type"] in ("run-started", "run-resumed"):
            story.before = story.seconds
            story.since = float(event.get("at", 0.0))
        if event["type"] != "run-ended":
            story.latest = float(event.get("at", 0.0))
        if not _is_aside(event):
            _take(story, event)
    return story


def _take(story: Story, event: Mapping[str, Any]) -> None:  # noqa: C901, PLR0912 - one arm an event
    match event["type"]:
        case "run-started":
            story.started = event
        case "run-ended":
            story.ended = event
        case "run-resumed":
            story.ended = {}
            story.resumed.append(event)
        case "planned":
            story.plan = event
        case "estimated":
            story.estimate = event
        case "setup-finished":
            story.setup.append(event)
        case "host-asked":
            key = (event["stage"], event["host"], event["port"], event["state"])
            story.asked.setdefault(key, Asked()).add(event)
        case "check-finished" if is_within_an_attempt(event["stage"]):
            pass  # what came of it counts only as `ran-again` sums it up
        case "ran-again":
            story.again.append(event)
        case "check-finished":
            story.checks.setdefault(event["stage"], {})[event["check"]] = event
        case "criterion-judged":
            story.criteria.setdefault(event["attempt"], {})[event["criterion"]] = event
        case "mutants-tried":
            story.mutants[event["attempt"]] = event
        case "attempt-verified":
            story.verdicts[event["attempt"]] = event
        case "holdout-written":
            story.holdout = event
        case "holdout-tried":
            story.tried[event["attempt"]] = event
        case "task-finished":
            story.tasks.append(event)
        case "candidate-chosen":
            story.candidates = event
        case "feedback-sent":
            story.feedback[event["attempt"]] = event["text"]
        case "rethought":
            story.ways[event["attempt"]] = event
        case "model-answered":
            story.usage.setdefault(event["role"], Usage()).add(event)
        case "noted":
            story.notes.append(event["text"])
