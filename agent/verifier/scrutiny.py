"""What checks do not see: looks at a commit whose checks all pass, before anybody believes them."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from agent.steps import Json, step
from agent.verifier.changes import Edited
from agent.verifier.checks import CheckResult, run_check
from agent.verifier.conformance import conformance
from agent.verifier.contract import Contract
from agent.verifier.expectations import CheckState
from agent.verifier.foreign_takeovers import own_main
from agent.verifier.given_tests import weigh_edits
from agent.verifier.named import is_named
from agent.verifier.objections import Objection, Weight
from agent.verifier.outcomes import PASSED
from agent.verifier.room import Room
from agent.verifier.steady import repeated
from agent.verifier.suppressions import new_suppressions, without
from agent.verifier.suspicions import suspicions, takeovers
from agent.verifier.tool_tables import weigh_tables
from agent.workspace.files import every_file

Say = Callable[[CheckResult], None]


async def steadied(
    results: Sequence[CheckResult],
    room: Room,
    say: Say,
    *,
    only_failed: bool = False,
    known: Mapping[str, CheckResult] | None = None,
) -> tuple[CheckResult, ...]:
    """Run checks again where that can show that they are flaky.

    Args:
        results: What came of them so far.
        room: Where they ran.
        say: Is told of each that turned out to be flaky.
        only_failed: Whether those that passed are taken at their word.
        known: Second runs that were made already, by the checks' ids.

    """

    async def again(result: CheckResult) -> CheckResult:
        if (only_failed and not result.failed) or _is_within_another(result, results):
            return result
        second = (known or {}).get(result.check.id)
        found = await repeated(result, lambda check: run_check(check, room.run), second)
        if found is not result and found.state is CheckState.FLAKY:
            say(found)
        return found

    return tuple([await again(result) for result in results])


def _is_within_another(result: CheckResult, results: Sequence[CheckResult]) -> bool:
    """Return whether another check runs all the tests of this one, and more."""
    if not result.passed or result.tests is None or not result.tests.by_id:
        return False
    own = result.tests.by_id.keys()
    others = (r.tests.by_id.keys() for r in results if r.passed and r.tests is not None)
    return any(own < other for other in others)


async def scrutinise(
    contract: Contract,
    room: Room,
    results: Sequence[CheckResult],
    baseline: Mapping[str, CheckResult],
) -> tuple[Objection, ...]:
    """Return what speaks against a commit although its checks pass.

    Args:
        contract: What was given when the run began.
        room: The clean room with the commit.
        results: The checks' results there; none of them failed.
        baseline: Their results on the base commit, by id.

    """
    own = [edit for edit in room.edits if edit.path not in room.put_back]

    async def look() -> Json:
        return sorted(every_file(room.path))

    # A step: commands have left files that a room of a run that is taken up does not have.
    files = set(await step("files", look))
    objections = [
        *await about_given_tests(contract, room, own, results, files),
        *_about_tests_put_back(contract, room),
        *suspicions(edit for edit in own if not contract.is_test(edit.path)),
        *(
            o
            for edit in own
            if edit.path in contract.granted
            for o in weigh_tables(edit, contract.prp)
        ),
        *await _about_suppressions(room, own, results),
    ]
    told = {objection.place for objection in objections}
    objections += _about_lost_tests(results, baseline, told)
    objections += [o for edit in own for o in own_main(edit)]
    objections += _about_flaky_tests(results, baseline)
    objections += conformance(
        contract.prp,
        own,
        files=files | {edit.path for edit in own if edit.after is not None},
        granted=contract.granted,
        is_test={edit.path for edit in own if contract.is_test(edit.path)},
        tests=[result.tests for result in results if result.tests is not None],
    )
    return tuple(objections)


async def about_given_tests(
    contract: Contract,
    room: Room,
    edits: Iterable[Edited],
    results: Sequence[CheckResult],
    files: Collection[str],
) -> list[Objection]:
    """Weigh edited test files; an edit under which the old test passes as well does no harm."""
    found: list[Objection] = []
    for edit in edits:
        if edit.before is None or not contract.is_test(edit.path):
            continue
        against = [*weigh_edits(edit.path, edit.before, edit.after), *takeovers(edit, files)]
        if any(o.weight is not Weight.NOTED for o in against):
            passes = await _old_form(room, edit, results)
            against = [_softened(o, edit.path, passes) for o in against]
        found += against
    return found


def _about_tests_put_back(contract: Contract, room: Room) -> list[Objection]:
    """Say what the branch made of given tests that ran as they were: who merges it loses them."""
    return [
        replace(o, what=f"{o.what}; as it was, the checks pass as well")
        for edit in room.edits
        if edit.path in room.put_back and edit.before is not None and contract.is_test(edit.path)
        for o in weigh_edits(edit.path, edit.before, edit.after)
    ]


async def _old_form(
    room: Room, edit: Edited, results: Sequence[CheckResult]
) -> Mapping[str, bool] | bool:
    """Return which tests pass with the file as it was; one answer for all where ids are unknown."""
    runs = [result for result in results if result.passed and result.tests is not None]
    passes: dict[str, bool] = {}
    all_pass = bool(runs)
    with room.holding({edit.path: edit.before}):
        for result in runs:
            again = await run_check(result.check, room.run)
            all_pass = all_pass and again.passed
            by_id = again.tests.by_id if again.tests else {}
            passes |= {name: outcome == PASSED for name, outcome in by_id.items()}
    return passes or all_pass


def _softened(objection: Objection, path: str, passes: Mapping[str, bool] | bool) -> Objection:
    if objection.weight is Weight.NOTED:
        return objection
    if isinstance(passes, bool):
        is_kept = passes
    else:
        name = objection.place.partition("::")[2]
        same = [ok for test, ok in passes.items() if is_named(test, path, name)]
        is_kept = bool(same) and all(same)
    if not is_kept:
        return objection
    what = f"{objection.what}; as it was, the test passes as well"
    return replace(objection, weight=Weight.NOTED, what=what)


async def _about_suppressions(
    room: Room, edits: Sequence[Edited], results: Sequence[CheckResult]
) -> list[Objection]:
    """Take new suppressions out and see whether checkers then fail."""
    found = new_suppressions(edits)
    asked = [result for result in results if result.passed and _heeds_suppressions(result)]
    if not found or not asked:
        return []
    with room.holding(without(edits, found)):
        silenced = [
            result for result in asked if not (await run_check(result.check, room.run)).passed
        ]
    if not silenced:
        return []
    blanket = [one for one in found if one.is_blanket]
    weight = Weight.REFUSED if blanket else Weight.ASKED if len(found) > _FEW else Weight.NOTED
    names = ", ".join(result.check.id for result in silenced)
    return [
        Objection(
            weight=weight,
            place=f"{one.path}:{one.line}",
            what=f"{names} passes only with `{one.words}`"
            + (": it hides every finding of its line" if one.is_blanket else ""),
        )
        for one in (blanket or found)
    ]


_FEW = 3
_HEEDING = re.compile(
    r"\b(?:ruff|mypy|pyright|flake8|pylint|bandit|isort|eslint|tsc|biome|golangci-lint|clippy|"
    r"prettier|coverage|--cov\S*|pytest-cov|c8|nyc|--coverage|lint|typecheck|type-check)\b|--cov"
)


def _heeds_suppressions(result: CheckResult) -> bool:
    return bool(_HEEDING.search(result.check.command))


def _about_lost_tests(
    results: Sequence[CheckResult], baseline: Mapping[str, CheckResult], told: Iterable[str]
) -> list[Objection]:
    """Name the tests that ran on the base commit and don't run now, unless that was told."""
    found: dict[str, Objection] = {}
    places = [place.split("::", 1) for place in told]
    for result in results:
        before = baseline.get(result.check.id)
        if before is None or before.tests is None:
            continue
        if result.tests is None:
            if result.passed and before.tests.ran:
                what = f"it ran {before.tests.ran} tests on the base commit and tells of none now"
                found[result.check.id] = Objection(
                    weight=Weight.ASKED, place=result.check.id, what=what
                )
            continue
        lost = before.tests.lost(result.tests)
        for test in lost:
            if any(is_named(test, place[0], "".join(place[1:])) for place in places):
                continue
            skipped = test in result.tests.by_id
            what = "is skipped now" if skipped else "does not run any more"
            found[test] = Objection(
                weight=Weight.REFUSED if skipped else Weight.ASKED,
                place=test,
                what=f"the test ran on the base commit and {what} ({result.check.id})",
            )
        fewer = not lost and not result.tests.by_id and result.tests.ran < before.tests.ran
        if fewer or (not result.tests.by_id and result.tests.skipped > before.tests.skipped):
            found[result.check.id] = Objection(
                weight=Weight.ASKED,
                place=result.check.id,
                what=f"it ran {before.tests.ran} tests on the base commit and skipped "
                f"{before.tests.skipped}; now it runs {result.tests.ran} and skips "
                f"{result.tests.skipped}",
            )
    return list(found.values())


def _about_flaky_tests(
    results: Sequence[CheckResult], baseline: Mapping[str, CheckResult]
) -> list[Objection]:
    """Object to checks that came out differently; a test of the branch's own is its to mend."""
    found = []
    for result in results:
        if result.state is not CheckState.FLAKY:
            continue
        before = baseline.get(result.check.id)
        given = before.tests.by_id if before and before.tests else {}
        is_given = any(name in given for name in result.unsteady) or not result.unsteady
        found.append(
            Objection(
                weight=Weight.ASKED if is_given else Weight.REFUSED,
                place=result.check.id,
                what=f"it is flaky: {result.reason}",
            )
        )
    return found
