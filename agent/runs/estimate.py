"""What a run will ask of its models and cost, told before it begins.

The text that every request begins with is measured, tasks and tests are counted. How many answers
a task takes and how a conversation grows was counted on runs that real models carried out; a run
of one attempt comes close to the low end, one that needs repairs to the high one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.coder.code import LONGEST_TALK
from agent.journal import Estimated
from agent.llm.prices import Prices, Tokens
from agent.prp import Prp

_CHARACTERS_A_TOKEN = 4
_INSTRUCTIONS = 1_500
"""Tokens of a role's own text and tools."""


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """How a role works: answers, what each adds to its conversation, and what it says."""

    answers: float
    grown: int
    """Tokens that a conversation has on average beyond its beginning."""
    written: int
    """Tokens of an answer."""


def estimate_of(prp: Prp, *, briefing: str, models: Mapping[str, str], prices: Prices) -> Estimated:
    """Return between what figures a run of a PRP should end.

    Args:
        prp: The document.
        briefing: The text that all its conversations begin with.
        models: Role to the name of its model; other roles are not asked.
        prices: Of these models; without one of them no money is told.

    """
    tasks = max(len(prp.tasks), 1)
    begins = len(briefing) // _CHARACTERS_A_TOKEN + _INSTRUCTIONS
    low = {
        "planner": _Pace(answers=1, grown=0, written=1_500),
        "coder": _Pace(answers=1.5 * tasks + 2 * bool(prp.test_specs), grown=5_000, written=900),
        "verifier": _Pace(answers=2, grown=2_000, written=1_500),
    }
    high = {
        "planner": _Pace(answers=4, grown=8_000, written=2_500),
        # Two repairs, each as long as two tasks.
        "coder": _Pace(
            answers=4 * (tasks + 4 + bool(prp.test_specs)),
            grown=min(4_000 * tasks + 6_000, LONGEST_TALK),
            written=1_500,
        ),
        "verifier": _Pace(answers=12, grown=10_000, written=2_000),
    }
    (few, little, cheap), (many, much, dear) = (
        _end(paces, begins, models, prices) for paces in (low, high)
    )
    return Estimated(
        answers=(few, many),
        tokens=(little, much),
        cost_usd=None if cheap is None or dear is None else (cheap, dear),
    )


def _end(
    paces: Mapping[str, _Pace], begins: int, models: Mapping[str, str], prices: Prices
) -> tuple[int, int, float | None]:
    """Return answers, tokens and US dollars of one end."""
    answers, tokens, cost = 0.0, Tokens(), 0.0
    known = True
    for role, pace in paces.items():
        if role not in models:
            continue
        read = round(pace.answers * (begins + pace.grown))
        # The beginning is paid in full once, what a request adds to the one before it as well.
        fresh = min(read, round(begins + pace.answers * (pace.grown / 4 + pace.written)))
        one = Tokens(read=read, written=round(pace.answers * pace.written), cache_read=read - fresh)
        answers, tokens = answers + pace.answers, tokens + one
        price = prices.cost(models[role], one) if models.get(role) else None
        known = known and price is not None
        cost += price or 0.0
    return round(answers), _rounded(tokens.total), round(cost, 2) if known else None


def _rounded(tokens: int) -> int:
    return round(tokens, -3)
