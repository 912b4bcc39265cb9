"""Which tests of a branch fail without its code: only these show that something new works."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from agent.verifier.checks import CheckResult, run_check
from agent.verifier.contract import Contract
from agent.verifier.outcomes import PASSED
from agent.verifier.room import Room


async def shown_red(
    contract: Contract,
    room: Room,
    at_base: Callable[[], AbstractAsyncContextManager[Room]],
    results: Sequence[CheckResult],
    baseline: Mapping[str, CheckResult],
) -> tuple[CheckResult, ...]:
    """Return the results with the tests that fail on the base commit and pass on the branch.

    Args:
        contract: Tells tests from code.
        room: The clean room with the branch's commit.
        at_base: Opens a clean room with the base commit, for the branch's tests to be laid into.
        results: The checks' results on the branch.
        baseline: Their results on the base commit, by id.

    """
    tests = {
        edit.path: edit.after
        for edit in room.edits
        if contract.is_test(edit.path) and edit.path not in room.put_back and edit.after is not None
    }
    asked = {result.check.id: _new(result, baseline) for result in results}
    if not tests or not any(asked.values()):
        return tuple(results)
    shown = []
    async with at_base() as opened:
        base = replace(opened, tell=room.tell)
        with base.holding(tests):
            for result in results:
                new = asked[result.check.id]
                if not new:
                    shown.append(result)
                    continue
                before = await run_check(result.check, base.run)
                by_id = before.tests.by_id if before.tests else {}
                # One that is missing could not be collected: it imports what the PRP asks for.
                red = (
                    tuple(name for name in new if by_id.get(name) != PASSED)
                    if before.failed
                    else ()
                )
                shown.append(replace(result, shown=red))
    return tuple(shown)


def _new(result: CheckResult, baseline: Mapping[str, CheckResult]) -> tuple[str, ...]:
    """Return the ids of passing tests that the base commit does not have.

    A check that turned green shows it by itself; one that fails as before may hold new tests.
    """
    before = baseline.get(result.check.id)
    if result.tests is None or before is None or result.state is not before.state:
        return ()
    return result.tests.new(before.tests)
