"""What a day may cost: what has ended, and what runs under way may still spend.

The gate may not push, so it can't keep an account of its own. A run's claim stands in its comment
for as long as the issue has our label. Whoever starts writes his claim first and looks at those of
the others then; claims only ever shrink, so two that start at the same moment can't both pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.errors import Refused
from agent.github import progress
from agent.github.client import GitHub
from agent.github.job import Job
from agent.github.state import dollars, spent_today
from agent.workspace import Repository


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a run under way may cost at most, and who started it."""

    usd: float
    actor: str


@dataclass(frozen=True, kw_only=True)
class Day:
    """The limits of a day, and what counts towards them."""

    job: Job
    github: GitHub
    repository: Repository
    now: datetime

    @property
    def is_limited(self) -> bool:
        """Return whether there is any limit."""
        return bool(self.job.asked("DAILY_USD") or self.job.asked("DAILY_RUNS"))

    def allowance(self, limit: float | None, *, actor: str, number: int | None) -> float | None:
        """Return the dollars that a run may cost: its own limit, or what is left of the day's.

        Args:
            limit: What one run may cost; None for no limit.
            actor: Who starts it.
            number: Its issue, whose own claim does not count.

        Raises:
            Refused: Nothing is left.

        """
        if not self.is_limited:
            return limit
        today = list(spent_today(self.repository, now=self.now))
        others = list(_claims(self.github, but=number))
        self._require_runs(
            actor,
            sum(spent.actor == actor for spent in today),
            sum(claim.actor == actor for claim in others),
        )
        daily = self.job.number("DAILY_USD")
        if daily is None:
            return limit
        claimed = sum(claim.usd for claim in others)
        left = daily - dollars(iter(today)) - claimed
        if left <= 0:
            raise _used_up(daily, claimed)
        return left if limit is None else min(limit, left)

    def _require_runs(self, actor: str, ended: int, under_way: int) -> None:
        most = self.job.number("DAILY_RUNS")
        if most is not None and ended + under_way >= most:
            besides = f", {under_way} of them under way" if under_way else ""
            raise Refused(
                f"{actor} has started {ended + under_way} runs today{besides}; {most:g} are allowed"
            )


def _used_up(daily: float, claimed: float) -> Refused:
    besides = f" or claimed by runs under way (US$ {claimed:g})" if claimed else ""
    after = " Ask again when those have ended." if claimed else ""
    return Refused(
        f"Today's US$ {daily:g} for this repository are used up{besides}",
        hint="The variable PRP_DAILY_USD of the repository says how much a day may cost." + after,
    )


_CLAIM = re.compile(r"<!-- prp:claim (?P<usd>\d+(?:\.\d+)?) (?P<actor>[\w.\[\]-]+) -->")


def _claims(github: GitHub, *, but: int | None) -> Iterator[Claim]:
    """Return the claims of all runs under way; a stranger's comment in their likeness is none."""
    for issue in github.issues_with(progress.RUNNING):
        if issue.number == but:
            continue
        for text in progress.own_comments(github, issue.number):
            if found := _CLAIM.search(text):
                yield Claim(usd=float(found["usd"]), actor=found["actor"])
