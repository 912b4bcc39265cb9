"""What all runs together came to: success, attempts, money, time, and which checks fail most."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from agent.deliver import Story
from agent.deliver.story import Usage
from agent.runs.watching import Seen

_FAILS = ("failed", "timed out", "could not run")


@dataclass(frozen=True, kw_only=True)
class FailingCheck:
    """A command and how often it said no to a branch."""

    command: str
    failed: int
    ran: int


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Runs whose documents gave themselves the same confidence."""

    confidence: float
    """Out of 10, as the author wrote it."""
    runs: int
    proven: int


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Figures of several runs; those that are not ended count as such and nowhere else."""

    runs: int
    """All of them."""
    not_ended: int
    outcomes: dict[str, int]
    """Outcome to number of runs, the most frequent first."""
    proven_after: dict[int, int]
    """Of the proven ones: attempts needed to number of runs."""
    median_seconds: float | None
    answers: int
    tokens: int
    cached_share: float | None
    """Of the tokens that models read; None where they read none."""
    cost_usd: float
    unpriced_runs: int
    """Runs with an answer whose price nobody knows; `cost_usd` leaves them out."""
    cost_by_role: dict[str, float]
    estimated: int
    """Runs that ended proven and for which tokens were estimated before."""
    within_estimate: int
    """Of these, the runs that read and wrote no more than the most that was estimated."""
    failing: tuple[FailingCheck, ...]
    """Checks that failed on a branch, the most frequent first."""
    claimed: tuple[Claimed, ...]
    """By what authors thought of their documents, the most confident first."""

    @property
    def proven(self) -> int:
        """Return how many runs proved every criterion."""
        return self.outcomes.get("proven", 0)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return {"version": 1, "proven": self.proven, **asdict(self)}


def stats_of(seen: Iterable[Seen]) -> Stats:
    """Return the figures of runs."""
    # `prp drift` asks once more what other runs have come to.
    every = [one for one in seen if not one.story.started.get("against")]
    stories = [one.story for one in every if one.story.ended]
    totals = [story.total for story in stories]
    read = sum(total.input_tokens for total in totals)
    cached = sum(total.cache_read_tokens for total in totals)
    proven = [story for story in stories if story.ended["outcome"] == "proven"]
    foreseen = [story for story in proven if story.estimate]
    return Stats(
        runs=len(every),
        not_ended=len(every) - len(stories),
        outcomes=dict(Counter(story.ended["outcome"] for story in stories).most_common()),
        proven_after=dict(sorted(Counter(len(story.verdicts) for story in proven).items())),
        median_seconds=median(s.seconds for s in stories) if stories else None,
        answers=sum(total.answers for total in totals),
        tokens=read + sum(total.output_tokens for total in totals),
        cached_share=cached / read if read else None,
        cost_usd=sum(total.cost_usd or 0.0 for total in totals),
        unpriced_runs=sum(total.cost_usd is None for total in totals),
        cost_by_role=_by_role(stories),
        estimated=len(foreseen),
        within_estimate=sum(_tokens(story) <= story.estimate["tokens"][1] for story in foreseen),
        failing=_failing(stories),
        claimed=_claimed(stories),
    )


def _tokens(story: Story) -> int:
    return story.total.input_tokens + story.total.output_tokens


def _by_role(stories: Sequence[Story]) -> dict[str, float]:
    roles: dict[str, float] = defaultdict(float)
    for story in stories:
        for role, usage in story.usage.items():
            roles[role] += _known(usage)
    return dict(sorted(roles.items(), key=lambda item: -item[1]))


def _known(usage: Usage) -> float:
    return usage.cost_usd or 0.0


def _failing(stories: Sequence[Story]) -> tuple[FailingCheck, ...]:
    ran: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for story in stories:
        for stage, events in story.checks.items():
            if stage == "baseline":
                # Red before any work is what a run is for.
                continue
            for event in events.values():
                _count(event, ran, failed)
    return tuple(
        FailingCheck(command=command, failed=number, ran=ran[command])
        for command, number in failed.most_common()
    )


def _count(event: Mapping[str, Any], ran: Counter[str], failed: Counter[str]) -> None:
    command = " ".join(event["command"].split())
    if event["state"] in (*_FAILS, "passed"):
        ran[command] += 1
        failed[command] += event["state"] in _FAILS
    if not failed[command]:
        del failed[command]


def _claimed(stories: Sequence[Story]) -> tuple[Claimed, ...]:
    groups: dict[float, list[bool]] = defaultdict(list)
    for story in stories:
        confidence = story.started.get("confidence")
        if confidence is not None:
            groups[confidence].append(story.ended["outcome"] == "proven")
    return tuple(
        Claimed(confidence=confidence, runs=len(proven), proven=sum(proven))
        for confidence, proven in sorted(groups.items(), reverse=True)
    )
