"""Figures over many runs."""

from pathlib import Path
from typing import Any

from agent.cli.stats import in_words
from agent.deliver import tell
from agent.runs.folder import RunFolder
from agent.runs.stats import Claimed, FailingCheck, stats_of
from agent.runs.watching import Seen
from tests.support.journals import a_journal


def a_run(outcome: str, *, confidence: float | None = None, state: str = "failed") -> Seen:
    """Return a run of one attempt with one check."""
    events: list[dict[str, Any]] = []
    for event in a_journal("make test"):
        if event["type"] == "run-ended":
            event |= {"outcome": outcome}
        if event["type"] == "run-started":
            event |= {"confidence": confidence}
        if event["type"] == "check-finished" and event["stage"] == "attempt 1":
            event |= {"state": state}
        events.append(event)
    folder = RunFolder(id="20261124-a", path=Path("20261124-a"))
    return Seen(folder=folder, story=tell(events), state=outcome)


def under_way() -> Seen:
    """Return a run that has not ended."""
    story = tell(e for e in a_journal("words") if e["type"] != "run-ended")
    return Seen(folder=RunFolder(id="b", path=Path("b")), story=story, state="running")


def test_runs_are_counted_by_how_they_ended() -> None:
    """Those that have not ended are said to be so, and count nowhere else."""
    found = stats_of([a_run("proven"), a_run("proven"), a_run("failed"), under_way()])
    assert (found.runs, found.not_ended, found.proven) == (4, 1, 2)
    assert found.outcomes == {"proven": 2, "failed": 1}
    assert found.proven_after == {1: 2}
    assert (found.answers, found.tokens, found.cost_usd) == (6, 600, 3.0)
    assert found.cached_share == 0.5
    assert (found.within_estimate, found.estimated) == (2, 2)
    assert found.cost_by_role == {"planner": 1.5, "coder": 1.5}


def test_checks_that_fail_most_come_first() -> None:
    """What is red on the base commit is what a run is for, and is not counted."""
    runs = [a_run("failed"), a_run("proven", state="passed"), a_run("failed")]
    assert stats_of(runs).failing == (FailingCheck(command="make test", failed=2, ran=3),)
    assert stats_of([a_run("proven", state="passed")]).failing == ()


def test_what_authors_thought_stands_beside_what_came_of_it() -> None:
    """The most confident first; documents without a number are left out."""
    runs = [a_run("proven", confidence=8), a_run("failed", confidence=9), a_run("proven")]
    assert stats_of([*runs, a_run("failed", confidence=8)]).claimed == (
        Claimed(confidence=9, runs=1, proven=0),
        Claimed(confidence=8, runs=2, proven=1),
    )


def test_no_run_gives_no_figures() -> None:
    """And no division by nothing."""
    found = stats_of([])
    assert (found.median_seconds, found.cached_share, found.cost_usd) == (None, None, 0.0)


def test_a_person_reads_the_figures() -> None:
    """Every line says what it counts."""
    told = in_words(stats_of([a_run("proven", confidence=8), a_run("failed"), under_way()]))
    assert told.startswith("3 runs: 1 of 2 proven, 1 not ended\n")
    assert "attempts: proven 1 after 1" in told
    assert "money: US$ 2.00 (planner 1.00, coder 1.00)" in told
    assert "   2 of 2  make test" in told
    assert "8/10: 1 of 1 proven" in told
