"""Whether a check says the same each time: one that does not proves nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from agent.prp import Check
from agent.verifier.checks import CheckResult
from agent.verifier.expectations import CheckState

Again = Callable[[Check], Awaitable[CheckResult]]
"""Runs a check once more, in the same place."""

_RUNS = 3
# Repeating must not take longer than a person waits for a verdict.
_SECONDS_FOR_THREE = 20.0
_SECONDS_FOR_TWO = 120.0


async def repeated(
    result: CheckResult, again: Again, second: CheckResult | None = None
) -> CheckResult:
    """Return a result after up to three runs, as flaky where they differ.

    Args:
        result: What came of the first run. Passed checks are repeated where they run tests,
            failed ones always; what takes long is repeated less.
        again: Runs it once more.
        second: A run that was made already, for another reason.

    """
    if not (result.failed or (result.passed and result.tests is not None)):
        return result
    if result.state is CheckState.TIMED_OUT or result.seconds > _SECONDS_FOR_TWO:
        return result
    runs = [result]
    if second is not None:
        runs.append(second)
        if second.passed != result.passed:
            return _flaky(runs)
    most = _RUNS if result.seconds <= _SECONDS_FOR_THREE else 2
    while len(runs) < most and (len(runs) == 1 or result.passed):
        runs.append(await again(result.check))
        if runs[-1].passed != result.passed:
            return _flaky(runs)
    return result


def _changing(runs: Sequence[CheckResult]) -> tuple[str, ...]:
    """Return the ids of the tests that passed in one run and failed in another."""
    known = [run.tests.by_id for run in runs if run.tests is not None]
    names = dict.fromkeys(name for outcomes in known for name in outcomes)
    return tuple(name for name in names if len({o[name] for o in known if name in o}) > 1)


def _flaky(runs: Sequence[CheckResult]) -> CheckResult:
    failed = next(run for run in runs if not run.passed)
    passes = sum(run.passed for run in runs)
    changing = _changing(runs)
    tests = ", ".join(changing[:5])
    return replace(
        failed,
        state=CheckState.FLAKY,
        unsteady=changing,
        reason=f"it passed {passes} of {len(runs)} times on the same commit"
        + (f" ({tests})" if tests else ""),
    )
