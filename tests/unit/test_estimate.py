"""What a run is thought to cost, told when its plan stands."""

from pathlib import Path

import pytest

from agent.journal import Estimated
from agent.llm.prices import Prices
from agent.prp import Prp, parse_prp
from agent.runs.estimate import estimate_of

MODELS = {"planner": "own:a", "coder": "own:a", "verifier": "own:b"}
PRICES = Prices(own={"own:a": (1.0, 10.0), "own:b": (5.0, 50.0)})


def a_prp(tasks: int) -> Prp:
    """Return a document of some tasks."""
    listed = "\n".join(f"Task {n}: CREATE src/a{n}.py" for n in range(1, tasks + 1))
    text = f"# PRP: X\n\n## Goal\nx\n\n## Implementation Blueprint\n```yaml\n{listed}\n```\n"
    return parse_prp(text, path=Path("x.md"))


def estimated(tasks: int, briefing: str = "x" * 20_000, prices: Prices = PRICES) -> Estimated:
    """Return the estimate for a document of some tasks."""
    return estimate_of(a_prp(tasks), briefing=briefing, models=MODELS, prices=prices)


def test_more_work_costs_more() -> None:
    """More tasks, and a longer text before each of them."""
    small = estimated(2)
    for larger in (estimated(9), estimated(2, "x" * 90_000)):
        assert larger.tokens > small.tokens
        assert larger.cost_usd is not None
        assert small.cost_usd is not None
        assert larger.cost_usd > small.cost_usd
    assert small.answers[0] < small.answers[1]


def test_what_real_models_needed_lies_within() -> None:
    """Documents of four to six tasks took them 9 to 12 answers and up to 281,000 tokens."""
    foreseen = estimated(5)
    assert foreseen.answers[0] <= 12 <= foreseen.answers[1]
    assert foreseen.tokens[0] <= 281_000 <= foreseen.tokens[1]


@pytest.mark.parametrize("own", [{}, {"own:a": (1.0, 10.0)}])
def test_money_is_not_guessed(own: dict[str, tuple[float, float]]) -> None:
    """Where the price of one model is not known, tokens are all that is told."""
    foreseen = estimated(2, prices=Prices(own=own))
    assert foreseen.cost_usd is None
    assert "not known" in foreseen.in_words()
