"""Running the tests from the text: red on the base commit, then held against every candidate."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.journal import HoldoutTried, Record
from agent.prp import Check
from agent.verifier.holdout import HoldoutTest, HoldoutTests, Reviewed
from agent.verifier.objections import Objection, Weight
from agent.verifier.outcomes import PASSED, outcomes_of
from agent.verifier.room import Room
from agent.workspace import FileProblem, Finished, clip

_SHOWN = 2_000
# Once told and once told again; then the coder does not see it as the test does.
_DISPUTES = 2


@dataclass(frozen=True, kw_only=True)
class FromText:
    """What the tests from the text say of a commit."""

    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Criterion to the names of its tests that pass, and that failed on the base commit."""
    guarded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Criterion to the names of its tests that pass as they did on the base commit."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Criterion to what the code does and what the PRP asks for instead."""
    objections: tuple[Objection, ...] = ()


Review = Callable[[Sequence[HoldoutTest], str], Awaitable[Mapping[str, Reviewed]]]
"""Says of failing tests, knowing what they printed, whether they are right."""


class Holdout:
    """The tests from the text of one run, over all of its attempts."""

    def __init__(self, given: HoldoutTests, *, record: Record) -> None:
        """Begin with the tests as they were handed in."""
        self.given = given
        self._record = record
        self._left = list(given.tests)
        self._disputes: Counter[str] = Counter()

    async def weigh(self, room: Room, review: Review, *, attempt: int) -> FromText:
        """Run the tests on a commit, and have those that fail read again.

        A test that the second reading calls wrong is dropped for good. One that is right is the
        criterion's failure; one that stays in dispute is for a person.
        """
        if not self._left:
            return FromText()
        passing, output = await outcome_of(self.given, room)
        failing = [test for test in self._left if not passing.get(test.name)]
        reviewed = await review(failing, output) if failing else {}
        said = {test.name: self._said(test, reviewed.get(test.name)) for test in failing}
        kept = [test for test in self._left if test.name not in said or said[test.name] != "wrong"]
        shown: dict[str, tuple[str, ...]] = {}
        guarded: dict[str, tuple[str, ...]] = {}
        for test in self._left:
            if passing.get(test.name):
                told = shown if test.new else guarded
                told[test.criterion] = (*told.get(test.criterion, ()), test.name)
        broken: dict[str, str] = {}
        for test in failing:
            if said[test.name] == "right":
                reason = reviewed[test.name].reason
                broken[test.criterion] = f"{broken.get(test.criterion, '')} {reason}".strip()
        self._left = kept
        self._record(
            HoldoutTried(
                attempt=attempt,
                passed=tuple(t.name for t in kept if passing.get(t.name)),
                failed={
                    test.name: f"{said[test.name]}: {_reason(reviewed.get(test.name))}"
                    for test in failing
                },
            )
        )
        return FromText(
            shown={name: tests for name, tests in shown.items() if name not in broken},
            guarded=guarded,
            broken=broken,
            objections=tuple(
                Objection(
                    weight=Weight.ASKED,
                    place=test.criterion,
                    what=f"`{test.name}`, written from the words {test.words!r}, fails, and it is "
                    f"in dispute whether it is right: {_reason(reviewed.get(test.name))}",
                )
                for test in failing
                if said[test.name] == "unsure"
            ),
        )

    def _said(self, test: HoldoutTest, reviewed: Reviewed | None) -> str:
        """Return what counts of a review: `right`, `wrong`, or `unsure` where it goes on."""
        if reviewed is None or reviewed.verdict == "unsure":
            return "unsure"
        if reviewed.verdict == "wrong":
            return "wrong"
        self._disputes[test.name] += 1
        return "right" if self._disputes[test.name] <= _DISPUTES else "unsure"


def _reason(reviewed: Reviewed | None) -> str:
    return reviewed.reason if reviewed else "nobody has read it again"


async def problems_at_base(given: HoldoutTests, base: Room) -> list[str]:
    """Run new tests on the base commit and say what is wrong with them, each as a sentence."""
    if not given.tests:
        return []
    paths = [path for path, _, _ in given.parts]
    if there := [path for path in paths if (base.path / path).exists()]:
        return [f"{path} is there already; take a path of your own." for path in there]
    try:
        passing, output = await outcome_of(given, base)
    except FileProblem as error:
        return [f"{', '.join(paths)} can't be written: {error}"]
    shown = clip(output, limit=_SHOWN).strip()
    found = []
    for test in given.tests:
        if test.new and passing.get(test.name):
            found.append(
                f"{test.name} passes on the base commit, so it shows nothing new: make it depend "
                "on what the PRP adds, or say `new: false`."
            )
        if not test.new and not passing.get(test.name):
            found.append(
                f"{test.name} does not pass on the base commit, so it does not guard what is there."
                if test.name in passing
                else f"The command reported no test {test.name!r}: the file does not load on the "
                "base commit, or the runner prints another name."
            )
    if not found and not any(passing.values()) and _never_began(output):
        found.append("The command did not reach the tests.")
    return [*found, f"What the command printed:\n{shown}"] if found else []


def _never_began(output: str) -> bool:
    return "command not found" in output or "No module named pytest" in output


async def outcome_of(given: HoldoutTests, room: Room) -> tuple[Mapping[str, bool], str]:
    """Lay the tests into a room for a while and run them, each file without the other.

    Returns:
        For each test that is reported whether it passed, and what the command printed. Where the
        runner reports no names, all share the end of the command.

    """
    passing: dict[str, bool] = {}
    printed = []
    for number, (path, content, command) in enumerate(given.parts):
        check = Check(id="holdout", command=command, line=0, last_line=0, level=0)
        with room.holding({path: content}):
            finished = await room.run(command, check)
        own = [test for test in given.tests if given.is_aside(test) is (number > 0)]
        passing |= _by_name(own, finished)
        printed.append(finished.output)
    return passing, "\n".join(printed)


def _by_name(tests: Sequence[HoldoutTest], finished: Finished) -> Mapping[str, bool]:
    outcomes = outcomes_of(finished.reports, finished.output)
    ended_well = finished.ended == "exit" and finished.status == 0
    if outcomes is None or not outcomes.by_id:
        ran = outcomes is None or outcomes.ran > 0
        return {test.name: ended_well and ran for test in tests}
    passing: dict[str, bool] = {}
    for test in tests:
        own = [
            outcome == PASSED for name, outcome in outcomes.by_id.items() if _is_of(name, test.name)
        ]
        if own:
            passing[test.name] = all(own)
    return passing


def _is_of(reported: str, name: str) -> bool:
    """Return whether a reported id ends with a test's name, however the two are written.

    `suite > works`, `suite works` and `src/x.test.js::suite::works` name the same test.
    """
    return _plain(reported).endswith(_plain(name))


def _plain(name: str) -> str:
    words = re.split(r"(?:::|[./>]|\s)+", name.split("[", maxsplit=1)[0].strip())
    return f" {' '.join(words)}"
