"""What of a PRP no longer holds: the evidence of an earlier run, held against a later commit."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agent.prp import CheckKind, Criterion
from agent.verifier.checks import CheckResult
from agent.verifier.evidence import CriterionResult, Status, describe


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a run had shown of one criterion."""

    status: str
    evidence: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Ids of the checks that it rests on."""
    tests: tuple[str, ...] = ()
    """Its tests from the text that passed."""


@dataclass(frozen=True, kw_only=True)
class Later:
    """What the same evidence says of a later commit."""

    since: str
    """When and where it was shown, in words."""
    results: Mapping[str, CheckResult]
    not_passed_then: Collection[str] = ()
    """Ids of the checks that did not pass when the run ended."""
    fails_there_too: Collection[str] = ()
    """Checks and tests that fail on the run's own commit as well, if they are run there today."""
    tests: Mapping[str, bool] = field(default_factory=dict)
    """Tests from the text to whether they pass."""
    read: Callable[[str], str | None] = lambda _: None
    """Returns a file of the later commit, None where there is none."""

    def broke(self, result: CheckResult) -> bool:
        """Return whether a check passed then and fails because of what has been changed since."""
        known = (*self.not_passed_then, *self.fails_there_too)
        return result.failed and result.check.id not in known


def still_holds(criterion: Criterion, shown: Shown, later: Later) -> CriterionResult:
    """Return what a criterion that a run had looked at is worth on a later commit.

    What was shown by a check is shown by it again; what a reader had quoted stands as long as the
    quoted lines do. Nobody is asked anything.
    """
    bound = [later.results[name] for name in shown.checks if name in later.results]
    for rule in (_broken, _never_shown, _out_of_reach, _standing):
        if found := rule(shown, bound, later):
            status, evidence = found
            return CriterionResult(criterion=criterion, status=status, evidence=tuple(evidence))
    why = "nothing of what showed it can be asked again"
    return CriterionResult(criterion=criterion, status=Status.UNPROVEN, evidence=(why,))


_Found = tuple[Status, Sequence[str]] | None
_HELD = (Status.PROVEN, Status.JUDGED)


def _broken(shown: Shown, bound: Sequence[CheckResult], later: Later) -> _Found:
    checks = [f"{describe(r)}; it passed {later.since}" for r in bound if later.broke(r)]
    tests = [
        f"test from the text `{name}` fails; it passed {later.since}"
        for name in shown.tests
        if later.tests.get(name) is False and name not in later.fails_there_too
    ]
    return (Status.FAILED, [*checks, *tests]) if checks or tests else None


def _never_shown(shown: Shown, bound: Sequence[CheckResult], later: Later) -> _Found:
    if shown.status in _HELD:
        return None
    old = f"{shown.status} {later.since} already"
    if shown.status == Status.NEEDS_PERSON:
        return Status.NEEDS_PERSON, [old]
    if shown.status == Status.PRE_EXISTING and any(result.failed for result in bound):
        return Status.PRE_EXISTING, [f"{describe(r)}; {old}" for r in bound if r.failed]
    return Status.UNPROVEN, [old, *(describe(result) for result in bound)]


def _out_of_reach(shown: Shown, bound: Sequence[CheckResult], later: Later) -> _Found:
    """Return what can't be asked today as it could be then, whatever the code does."""
    same = f"on the commit {later.since} it fails today as well: what it needs has changed"
    told = [
        f"{describe(r)}; {same}"
        for r in bound
        if r.failed and r.check.id not in later.not_passed_then
    ]
    told += [
        f"test from the text `{name}`: {same}"
        for name in shown.tests
        if later.tests.get(name) is False
    ]
    told += [
        describe(r)
        for r in bound
        if not (r.passed or r.failed) and r.check.id not in later.not_passed_then
    ]
    manual = any(r.check.kind is CheckKind.MANUAL for r in bound if not r.passed)
    return (Status.NEEDS_PERSON if manual else Status.UNPROVEN, told) if told else None


def _standing(shown: Shown, bound: Sequence[CheckResult], later: Later) -> _Found:
    passed = [describe(r) for r in bound if r.passed and r.check.can_fail]
    passed += [
        f"test from the text `{name}`: passed" for name in shown.tests if later.tests.get(name)
    ]
    quotes = [quote for line in shown.evidence if (quote := _quote_of(line))]
    lost = [f"{path}: the line that showed it is gone: {words}" for path, words in quotes
            if not _stands(path, words, later)]  # fmt: skip
    if shown.status == Status.PROVEN and passed:
        return Status.PROVEN, [*(f"{words}, as {later.since}" for words in passed), *lost]
    if lost:
        return Status.UNPROVEN, lost
    if quotes:
        return Status.JUDGED, [f"{path}: still there: {words}" for path, words in quotes]
    return None


_QUOTE = re.compile(
    r"(?:output of (?P<check>[\w.]+)|(?P<path>[^\n:]+):\d+): (?P<words>.+)", re.DOTALL
)


def _quote_of(evidence: str) -> tuple[str, str] | None:
    """Return source and words of a quote as evidence names it, None for other words."""
    found = _QUOTE.fullmatch(evidence)
    return (found["check"] or found["path"], found["words"]) if found else None


def _stands(source: str, words: str, later: Later) -> bool:
    result = later.results.get(source)
    text = result.output if result else later.read(source)
    return text is not None and _squeezed(words) in _squeezed(text)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
