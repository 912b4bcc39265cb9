"""A test that must fail, beside those that passed: a run that stays green decides its own end."""

import re
import shlex
import shutil
from dataclasses import replace

from agent.prp import Check, CheckKind
from agent.steps import new_token
from agent.verifier.checks import CheckResult
from agent.verifier.expectations import CheckState
from agent.verifier.outcomes import FAILED, PASSED, SKIPPED, Outcomes, outcomes_of
from agent.verifier.room import Room
from agent.verifier.servers import needs_script, script_for
from agent.verifier.summaries import runs_pytest
from agent.workspace import Finished
from agent.workspace.files import write_bytes

# Anything but one plain command: what a further argument would go to is not known.
_COMPOSED = re.compile(r"[;&|<>$`\n(){}]")
# They choose among tests, and would leave the canary out.
_CHOOSING = re.compile(r"(?<!\S)(?:-k|-m(?!\s*pytest)|--deselect|--lf|--ff|--last-failed|--sw)\b")
_FOLDERS = ("tests", "test")


async def with_canary(result: CheckResult, room: Room) -> tuple[CheckResult, CheckResult | None]:
    """Return a result of pytest, failed where a test that must fail does not make it fail.

    Args:
        result: Of a check that passed in the room.
        room: Where it passed; the canary is gone afterwards.

    Returns:
        The result, and what the check's own tests did meanwhile: a second run of them. None where
        the canary was not asked, or nobody can tell.

    """
    command = result.command or result.check.command
    if not _may_be_asked(result, command):
        return result, None
    paths = _paths(command, room)
    if paths is None:
        return result, None
    name = f"test_{new_token()[:8]}"
    # Beside of what is named: pytest leaves a file out whose folder is named as well.
    folder = f".{name}"
    content = f"def {name}() -> None:\n    raise AssertionError({name!r})\n"
    write_bytes(room.path, f"{folder}/{name}.py", content.encode())
    try:
        asked = " ".join([command, *paths, f"{folder}/{name}.py"])
        finished = await _asked(asked, result.check, room)
    finally:
        shutil.rmtree(room.path / folder, ignore_errors=True)
    is_fooled = finished.ended == "exit" and finished.status == 0
    if not is_fooled or "deselected" in finished.output:
        return result, _without(name, finished, result)
    return replace(
        result,
        state=CheckState.FAILED,
        output=finished.output,
        reason="it also passes with a test that must fail: something decides how the run ends",
    ), None


def _without(canary: str, finished: Finished, result: CheckResult) -> CheckResult | None:
    """Return the run as if the canary had not been there."""
    outcomes = outcomes_of(finished.reports, finished.output)
    if outcomes is None or not any(canary in name for name in outcomes.by_id):
        return None
    own = {name: outcome for name, outcome in outcomes.by_id.items() if canary not in name}
    state = CheckState.FAILED if FAILED in own.values() else CheckState.PASSED
    tests = Outcomes(
        by_id=own,
        passed=sum(outcome == PASSED for outcome in own.values()),
        failed=sum(outcome == FAILED for outcome in own.values()),
        skipped=sum(outcome == SKIPPED for outcome in own.values()),
    )
    return replace(result, state=state, output=finished.output, tests=tests)


async def _asked(command: str, check: Check, room: Room) -> Finished:
    """Run a command as its check is run, with the servers that the tests speak to."""
    if not needs_script(check):
        return await room.run(command, check)
    script = script_for(check, command, token=f"prp-{new_token()}")
    return await room.run(script, replace(check, setup=()))


def _may_be_asked(result: CheckResult, command: str) -> bool:
    plain = not _COMPOSED.search(command) and not _CHOOSING.search(command)
    kinds = {CheckKind.RUN, CheckKind.MUTATING}
    return result.passed and plain and set(result.check.kinds) <= kinds and runs_pytest(command)


def _paths(command: str, room: Room) -> list[str] | None:
    """Return the paths that a command lacks to name its tests, None where nobody can tell."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    named = [word.partition("::")[0] for word in words[1:] if not word.startswith("-")]
    given = [word for word in named if "/" in word or word.endswith(".py") or word in _FOLDERS]
    if given:
        there = [word for word in given if (room.path / word).exists() and word.strip("./")]
        return [] if len(there) == len(given) else None
    return next(([folder] for folder in _FOLDERS if (room.path / folder).is_dir()), None)
