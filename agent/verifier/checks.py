"""Run checks, and say what each result means. Exit statuses decide, never a model."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agent.prp import Check, CheckKind
from agent.verifier.expectations import CheckState, judge
from agent.verifier.look_only import look_only
from agent.verifier.outcomes import Outcomes, outcomes_of
from agent.verifier.summaries import ended_early
from agent.workspace import Finished


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What came of one check on one commit."""

    check: Check
    state: CheckState
    status: int | None = None
    """Exit status; None where nothing ran."""
    output: str = ""
    seconds: float = 0.0
    reason: str = ""
    """Why it has this state, where the exit status alone does not say it."""
    command: str = ""
    """What was run, where it differs from what the PRP says."""
    tests: Outcomes | None = None
    """What came of each test, where it ran tests and told."""
    unsteady: tuple[str, ...] = ()
    """Ids of tests that came out differently on the same commit."""
    shown: tuple[str, ...] = ()
    """Ids of tests that pass, and that fail on the base commit without the branch's code."""

    @property
    def passed(self) -> bool:
        """Return whether it did what the PRP expects."""
        return self.state is CheckState.PASSED

    @property
    def failed(self) -> bool:
        """Return whether it ran and did not hold."""
        return self.state in (CheckState.FAILED, CheckState.TIMED_OUT)


RunCommand = Callable[[str, Check], Awaitable[Finished]]
"""Runs a command in the place that the check needs; the second argument names setup and limits."""

_WHY_NOT = {
    CheckKind.NOT_SHELL: "it is no shell command",
    CheckKind.SAMPLE_CODE: "it is sample code, not a command",
    CheckKind.MANUAL: "it needs a person",
    CheckKind.PLACEHOLDER: "a placeholder in it was never filled in",
    CheckKind.DESTRUCTIVE: "it destroys or deploys something",
    CheckKind.INTERACTIVE: "it waits for somebody to type",
    CheckKind.SECRET: "it needs a secret",
    CheckKind.NETWORK: "it needs the network",
    CheckKind.SERVER: "it starts a server that never returns",
}


async def run_levels(
    checks: Sequence[Check],
    run: RunCommand,
    *,
    gate: bool,
    seen: Callable[[CheckResult], None],
) -> tuple[CheckResult, ...]:
    """Run checks level by level, in the document's order.

    Args:
        checks: Those of all levels and those outside of levels (level 0, run last).
        run: Runs one command.
        gate: Whether a level with a failure keeps later levels from running.
        seen: Called with each result as soon as it is there.

    """
    results: list[CheckResult] = []
    closed = False
    for number in sorted({check.level for check in checks}, key=lambda level: level or 99):
        for check in (check for check in checks if check.level == number):
            result = (
                CheckResult(check=check, state=CheckState.GATED, reason="an earlier level failed")
                if closed
                else await run_check(check, run)
            )
            seen(result)
            results.append(result)
        closed = closed or (gate and any(result.failed for result in results))
    return tuple(results)


async def run_check(check: Check, run: RunCommand) -> CheckResult:
    """Run one check, or say why it is not run."""
    if check.kind in _WHY_NOT:
        return CheckResult(check=check, state=CheckState.NOT_RUN, reason=_WHY_NOT[check.kind])
    command = look_only(check.command) if check.kind is CheckKind.MUTATING else check.command
    finished = await run(command, check)
    state, reason = judge(finished, check.expectation)
    if state is CheckState.PASSED and ended_early(command, finished.output):
        state, reason = CheckState.FAILED, "pytest ended before it could say what passed"
    return CheckResult(
        check=check,
        state=state,
        status=finished.status,
        output=finished.output,
        seconds=round(finished.seconds, 3),
        reason=reason,
        command=command if command != check.command else "",
        tests=outcomes_of(finished.report, finished.output),
    )
