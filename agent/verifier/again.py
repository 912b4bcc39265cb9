"""Within an attempt only what failed runs again: whether a repair gets anywhere, before all run."""

from collections.abc import Collection
from dataclasses import replace

from agent.journal import RanAgain, Record
from agent.verifier.checks import CheckResult
from agent.verifier.contract import Contract
from agent.verifier.evidence import Facts
from agent.verifier.expectations import CheckState
from agent.verifier.room import Room
from agent.verifier.scrutiny import steadied
from agent.verifier.verdict import Verdict
from agent.verifier.verify import finished_event, measure


def affected(known: Verdict) -> frozenset[str]:
    """Return ids of the checks that a repair is about; empty where no check fails.

    What they kept from running waits as well: where they pass, the verdict comes next.
    """
    return frozenset(result.check.id for result in known.failures)


async def run_again(
    contract: Contract,
    room: Room,
    *,
    known: Verdict,
    commit: str,
    attempt: int,
    turn: int,
    touched: Collection[str],
    record: Record,
) -> Verdict:
    """Run the affected checks again, level by level, and say of the others that they wait.

    Args:
        contract: Names the checks.
        room: A checkout of the repaired commit.
        known: What each check came to when it last ran.
        commit: The repaired commit.
        attempt: The attempt that the repair belongs to.
        turn: Which repair of the attempt it is, from 1.
        touched: The files that the branch is about.
        record: Is told of each result, and of what did not run again.

    Returns:
        What each check came to when it last ran. That is no verdict on the commit: nobody is asked,
        no criterion is decided, and what passed before may be broken since.

    """
    names, stage = affected(known), f"attempt {attempt}, repair {turn}"
    baseline = known.facts.baseline

    def say(result: CheckResult) -> None:
        record(finished_event(result, stage, room))

    some = replace(contract, checks=tuple(c for c in contract.checks if c.id in names))
    came = await measure(some, room, stage=stage, record=record, baseline=baseline, touched=touched)
    came = await steadied(came, room, say, only_failed=True)
    record(
        RanAgain(
            attempt=attempt,
            turn=turn,
            commit=commit,
            checks={result.check.id: result.state.value for result in came},
            left_out={
                name: _why_not(result)
                for name, result in known.results.items()
                if name not in names
            },
        )
    )
    results = {**known.results, **{result.check.id: result for result in came}}
    facts = Facts(results=results, baseline=baseline, touched=touched)
    return Verdict(attempt=attempt, commit=commit, facts=facts, criteria=())


def _why_not(result: CheckResult) -> str:
    if result.state is CheckState.GATED:
        return "not reached yet"
    return f"{result.state} when it last ran"


def is_stuck(known: Verdict, found: Verdict) -> bool:
    """Return whether the same checks fail in the very same way as before a repair."""
    before = replace(known, criteria=(), objections=())
    return before.fingerprint == found.fingerprint
