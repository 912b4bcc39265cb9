"""Run checks, and say what each result means. Exit statuses decide, never a model."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from agent.prp import Check, CheckKind
from agent.prp.serving import is_probe, is_server
from agent.steps import in_order, new_token
from agent.verifier.batches import batches
from agent.verifier.expectations import CheckState, below_its_own, judge, missing_tool
from agent.verifier.look_only import as_run
from agent.verifier.outcomes import FAILED, Outcomes, outcomes_of
from agent.verifier.servers import (
    PATIENCE,
    Report,
    may_end,
    needs_script,
    read_report,
    script_for,
    with_logs,
)
from agent.verifier.summaries import ended_early
from agent.verifier.watch import BENT
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
    lacks: str = ""
    """What it asked for and what is not there: a database, the network."""

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
}


async def run_levels(
    checks: Sequence[Check],
    run: RunCommand,
    *,
    settled: Callable[[CheckResult], CheckResult],
    closes: Callable[[CheckResult], bool],
    seen: Callable[[CheckResult], None],
    patience: float = PATIENCE,
) -> tuple[CheckResult, ...]:
    """Run checks level by level, in the document's order; at once what only reads.

    Args:
        checks: Those of all levels and those outside of levels (level 0, run last).
        run: Runs one command.
        settled: Returns a result as it is to be taken.
        closes: Says of a result whether it keeps later levels from running.
        seen: Called with each result as soon as it is there.
        patience: Seconds that servers have to come up.

    """
    results: list[CheckResult] = []
    closed = False
    for number in sorted({check.level for check in checks}, key=lambda level: level or 99):
        for together in batches([check for check in checks if check.level == number]):
            if closed:
                came = [_gated(check) for check in together]
            else:
                begun = [run_check(check, run, patience=patience) for check in together]
                came = [settled(result) for result in await in_order(begun)]
            for result in came:
                seen(result)
                results.append(result)
        closed = closed or any(closes(result) for result in results)
    return tuple(results)


def _gated(check: Check) -> CheckResult:
    return CheckResult(check=check, state=CheckState.GATED, reason="an earlier level failed")


async def run_check(check: Check, run: RunCommand, *, patience: float = PATIENCE) -> CheckResult:
    """Run one check, or say why it is not run.

    Args:
        check: With the servers that must be up before it.
        run: Runs one command.
        patience: Seconds that its servers have to come up.

    """
    if check.kind in _WHY_NOT:
        return CheckResult(check=check, state=CheckState.NOT_RUN, reason=_why_not(check))
    command = as_run(check)
    finished, report = await _run(command, check, run, patience)
    state, reason = _meaning(finished, report, check)
    tests = outcomes_of(finished.reports, finished.output)
    if state is CheckState.PASSED and ended_early(command, report.output):
        state, reason = CheckState.FAILED, "pytest ended before it could say what passed"
    if state is CheckState.PASSED and finished.status == 0 and check.can_fail:
        state, reason = _held_against(tests)
        if state is CheckState.PASSED and (lower := below_its_own(finished)):
            state, reason = CheckState.FAILED, lower
    if state is CheckState.PASSED and tests is not None and (bent := finished.reports.get(BENT)):
        first = bent.splitlines()[0]
        state, reason = CheckState.FAILED, f"the code that it ran changed `{first}`, which decides"
    return CheckResult(
        check=check,
        state=state,
        status=finished.status,
        output=with_logs(report, check),
        seconds=round(finished.seconds, 3),
        reason=reason,
        command=command if command != check.command else "",
        tests=tests,
    )


def _held_against(tests: Outcomes | None) -> tuple[CheckState, str]:
    """Return what exit status 0 is worth beside a report: code can decide how a process ends."""
    failed = [name for name, came in tests.by_id.items() if came == FAILED] if tests else []
    if not failed:
        return CheckState.PASSED, ""
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return CheckState.FAILED, f"it ended with status 0, but `{failed[0]}`{more} failed"


def _why_not(check: Check) -> str:
    if check.kind is CheckKind.NETWORK and is_probe(check):
        return "it asks a server that nothing here starts"
    if check.kind is CheckKind.NETWORK and is_server(check):
        return "its server needs what is not here: a container, a secret or the network"
    return _WHY_NOT[check.kind]


async def _run(
    command: str, check: Check, run: RunCommand, patience: float
) -> tuple[Finished, Report]:
    """Run a check's command, with its servers around it where it has some."""
    if not needs_script(check):
        finished = await run(command, check)
        return finished, Report(output=finished.output)
    token = f"prp-{new_token()}"
    script = script_for(check, command, token=token, patience=patience)
    # The script holds the set-up where it belongs: before and between the servers.
    finished = await run(script, replace(check, setup=()))
    return finished, read_report(finished.output, check, token=token)


def _meaning(finished: Finished, report: Report, check: Check) -> tuple[CheckState, str]:
    """Return what a check's end means, and why where that is not plain."""
    if finished.ended != "exit":
        return judge(finished, check.expectation)
    if report.is_up:
        is_server = check.kind is CheckKind.SERVER and bool(report.logs) and not report.output
        said = "\n".join(report.logs) if is_server else report.output
        return judge(replace(finished, output=said), check.expectation, http=report.http)
    if report.is_unknown and check.kind is CheckKind.SERVER and may_end(check):
        return CheckState.NOT_RUN, f"{report.problem}, so nobody can tell whether it is up"
    if report.ended is None:
        return CheckState.FAILED, report.problem
    return _of_ended(report, check)


def _of_ended(report: Report, check: Check) -> tuple[CheckState, str]:
    """Return what it means that a server ended before it was up."""
    ended = Finished(command=check.command, status=report.ended or 0, output=report.said)
    if tool := missing_tool(ended):
        return CheckState.TOOL_MISSING, f"{tool} is not installed"
    is_own = check.kind is CheckKind.SERVER
    if is_own and (ended.status or may_end(check)):
        state, reason = judge(ended, check.expectation)
        return state, report.problem if reason.startswith("exit status") else reason
    return CheckState.FAILED, report.problem
