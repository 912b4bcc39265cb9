"""From results to the status of each criterion. Rules decide; a model's word only lowers."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.prp import CheckKind, Criterion
from agent.verifier.checks import CheckResult
from agent.verifier.expectations import CheckState
from agent.verifier.outcomes import FAILED, PASSED


class Status(StrEnum):
    """What a run can say of one criterion."""

    PROVEN = "proven"
    JUDGED = "judged"
    PRE_EXISTING = "pre-existing"
    FAILED = "failed"
    UNPROVEN = "unproven"
    NEEDS_PERSON = "needs a person"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How a criterion will be proven, as the plan says it."""

    criterion: str
    checks: tuple[str, ...] = ()
    how: str = ""
    is_guess: bool = False
    """Whether nobody planned it: a failing check then leaves the criterion open."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the verifier agent says of one criterion, its quotes already checked by program."""

    criterion: str
    holds: str
    """`yes`, `no`, `unclear` or `person`."""
    reason: str
    quotes: tuple[str, ...] = ()
    """Quotes that were found where the agent said they stand."""


@dataclass(frozen=True, kw_only=True)
class CriterionResult:
    """The status of one criterion and what it rests on."""

    criterion: Criterion
    status: Status
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a commit when criteria are decided."""

    results: Mapping[str, CheckResult]
    baseline: Mapping[str, CheckResult]
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    holdout: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Criterion to its tests from the text that pass here and failed on the base commit."""
    guarded: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Criterion to its tests from the text that pass here as they did on the base commit."""
    touched: Collection[str] = ()
    """Files that the branch changes or that the PRP names: a failure there is never old."""

    @property
    def turned_green(self) -> bool:
        """Return whether a check that can fail passes, and did not on the base commit."""
        return any(
            result.passed and result.check.can_fail and _was_red(result, self)
            for result in self.results.values()
        )

    def fails_anew(self, check_id: str) -> bool:
        """Return whether a check fails that did not fail in the same way on the base commit.

        A check that passed there and finds its tool no more fails as well: the tool is still
        where it was, so what it says comes from the code.
        """
        after, before = self.results[check_id], self.baseline.get(check_id)
        lost = after.state is CheckState.TOOL_MISSING and before is not None and before.passed
        return lost or (after.failed and not self.is_pre_existing(check_id))

    def is_pre_existing(self, check_id: str) -> bool:
        """Return whether a failing check failed on the base commit already and fails no worse.

        What the PRP asks for is missing on the base commit too, so being red before is not enough:
        the failure must name files, and neither it nor the command one that this branch is about.
        """
        after, before = self.results[check_id], self.baseline.get(check_id)
        if before is None or not (after.failed and before.failed):
            return False
        if after.state is not before.state:
            return False
        now, then = after.output, before.output
        if failing := _failing(after):
            if failing - _failing(before):
                return False
            # Which tests fail is known, so lines about those that pass say nothing of the failure.
            now, then = _without_passes(now), _without_passes(then)
        if findings(now) - findings(then):
            return False
        words = f"{after.check.command}\n{now}"
        names_files = re.search(_NAMES_FILES, now)
        return bool(names_files) and not any(_names(words, path) for path in self.touched)


def _failing(result: CheckResult) -> set[str]:
    """Return the ids of the tests that fail in a check, none where nobody told of each."""
    by_id = result.tests.by_id if result.tests else {}
    return {name for name, outcome in by_id.items() if outcome == FAILED}


def _without_passes(output: str) -> str:
    """Return an output without the lines that count tests on their way and name those that pass."""
    return "\n".join(line for line in output.splitlines() if not _PASSES.search(line))


# `....F..s [ 33%]`, `tests/test_a.py ..F [ 33%]`, `test_a PASSED`, `ok 3 - a`,
# `  ✓ a`, `1 failed in 2 s`.
_PASSES = re.compile(
    r"^(?:\S+ )?[.FEsxXu]+(?: +\[ *\d+%\])?$|\bPASSED\b|^\s*(?:--- PASS:|ok\b|[✓✔])|\.\.\. ok$|"
    r"\b\d+ (?:passed|failed)\b"
)


# `a.go:3`, `src/a.go`, or a line that is nothing but `a.go`, as of `gofmt -l`.
_NAMES_FILES = r"\b[\w-]+\.[a-z]{1,5}:\d|\b[\w-]+/[\w./-]+\.\w+|(?m:^[\w-]+\.[a-z]{1,5}$)"


def _names(words: str, path: str) -> bool:
    """Return whether a text speaks of a file: by its path, its name or its module."""
    stem = path.rsplit("/", 1)[-1].split(".", maxsplit=1)[0]
    if path in words:
        return True
    return (
        len(stem) > 2 and stem != "__init__" and bool(re.search(rf"\b{re.escape(stem)}\b", words))
    )


def findings(output: str) -> Counter[str]:
    """Return the lines of an output without what changes from run to run, and how often each.

    A number in brackets is part of a name, as in a parametrised test.
    """
    plain = (re.sub(r"(?<![\[\d.])\d+(\.\d+)?", "0", raw).strip() for raw in output.splitlines())
    return Counter(line for line in plain if line)


def decide(criterion: Criterion, proof: Proof | None, facts: Facts) -> CriterionResult:
    """Return the status of a criterion.

    Proven needs three things: a bound check that can fail passed on the commit; it was red on the
    base commit, or the criterion speaks of the check itself; and the verifier agent, reading the
    commit, quotes what shows it. A judgement alone gives `judged` at most.
    """
    bound = [facts.results[c] for c in (proof.checks if proof else ()) if c in facts.results]
    judgement = facts.judgements.get(criterion.id)
    if proof and proof.is_guess and any(facts.fails_anew(result.check.id) for result in bound):
        bound = _told_apart(criterion, bound, facts)
    for rule in (_failed, _not_reached, _proven, _judged):
        if found := rule(criterion, bound, judgement, facts):
            status, evidence = found
            return CriterionResult(criterion=criterion, status=status, evidence=tuple(evidence))
    return CriterionResult(
        criterion=criterion,
        status=Status.UNPROVEN,
        evidence=(judgement.reason if judgement else _unread(bound),),
    )


def _told_apart(
    criterion: Criterion, bound: Sequence[CheckResult], facts: Facts
) -> list[CheckResult]:
    """Return guessed checks so that one fails a criterion only if nothing speaks for another.

    Where one of several passes, or the criterion says that what is there stays, the failure may
    have nothing to do with it; but what the criterion names as its own command has.
    """
    if own := [result for result in bound if is_quoted(criterion, result)]:
        return own
    failing = [result for result in bound if facts.fails_anew(result.check.id)]
    others = [result for result in bound if result not in failing]
    is_new = not re.search(_STAYS, criterion.text.lower())
    return list(bound) if is_new and not others else others


def _unread(bound: Sequence[CheckResult]) -> str:
    """Return what is known of a criterion that nobody has read the commit for."""
    passed = [describe(result) for result in bound if result.passed]
    return f"{passed[0]}; nobody has quoted what shows it" if passed else "nothing shows it"


_Found = tuple[Status, Sequence[str]] | None


def _failed(
    criterion: Criterion,
    bound: Sequence[CheckResult],
    judgement: Judgement | None,
    facts: Facts,
) -> _Found:
    failed = [result for result in bound if result.failed]
    new = [result for result in bound if facts.fails_anew(result.check.id)]
    if new and all(_only_new_tests(criterion, result, facts) for result in new):
        why = "none of the tests that fail in it passed before the work"
        return Status.UNPROVEN, [f"{describe(result)}; {why}" for result in new]
    if new:
        return Status.FAILED, [describe(result) for result in new]
    if judgement and judgement.holds == "no":
        return Status.FAILED, [judgement.reason, *judgement.quotes]
    # What is new does not hold because a check fails as before: other things must show it.
    if any(_asks_to_pass(criterion, result) for result in failed):
        return Status.PRE_EXISTING, [f"{describe(result)}{_AS_BEFORE}" for result in failed]
    return None


_AS_BEFORE = ", as on the base commit"


def _asks_to_pass(criterion: Criterion, result: CheckResult) -> bool:
    """Return whether a criterion promises no more than that a check passes."""
    return speaks_of(criterion, result) or bool(re.search(_PASSING, criterion.text.lower()))


def _only_new_tests(criterion: Criterion, result: CheckResult, facts: Facts) -> bool:
    """Return whether a check fails by nothing that a criterion about what was there speaks of."""
    before = facts.baseline.get(result.check.id)
    if not (re.search(_EXISTING, criterion.text.lower()) and before and before.tests):
        return False
    old = {name for name, outcome in before.tests.by_id.items() if outcome == PASSED}
    now = result.tests.by_id if result.tests else {}
    return bool(old) and all(now.get(name) == PASSED for name in old)


def _not_reached(
    _criterion: Criterion,
    bound: Sequence[CheckResult],
    judgement: Judgement | None,
    facts: Facts,
) -> _Found:
    if judgement and judgement.holds == "person":
        return Status.NEEDS_PERSON, [judgement.reason]
    open_checks = [
        result for result in bound if not (result.passed or facts.is_pre_existing(result.check.id))
    ]
    if not open_checks:
        return None
    manual = any(result.check.kind is CheckKind.MANUAL for result in open_checks)
    evidence = [describe(result) for result in open_checks]
    return (Status.NEEDS_PERSON if manual else Status.UNPROVEN), evidence


def _proven(
    criterion: Criterion,
    bound: Sequence[CheckResult],
    judgement: Judgement | None,
    facts: Facts,
) -> _Found:
    able = [
        result
        for result in bound
        if result.check.can_fail and _ran_tests(result) and (result.passed or result.shown)
    ]
    red = [result for result in able if _was_red(result, facts)]
    named = [result for result in able if speaks_of(criterion, result)]
    from_text = [
        f"test from the text `{name}`: passed; red on the base commit"
        for name in facts.holdout.get(criterion.id, ())
    ]
    confirmed = judgement is not None and judgement.holds == "yes" and judgement.quotes
    itself = [result for result in named if is_quoted(criterion, result)]
    if itself or (named and not red):
        return Status.PROVEN, [describe(result) for result in itself or named]
    if (red or from_text) and judgement and (confirmed or named):
        evidence = [f"{describe(result)}; {_redness(result)}" for result in red]
        guards = _guards(criterion, facts)
        return Status.PROVEN, [*evidence, *from_text, *guards, *_reading(judgement)]
    return None


def _reading(judgement: Judgement) -> list[str]:
    """Return what the verifier says and quotes, where it says yes."""
    said = [f"verifier: {judgement.reason}"] if judgement.holds == "yes" else []
    return [*said, *judgement.quotes]


def _redness(result: CheckResult) -> str:
    if not result.shown:
        return "red on the base commit"
    if result.failed:
        many = len(result.shown)
        tests = f"{many} new tests in it pass" if many > 1 else "a new test in it passes"
        return f"it did so before; {tests} here and fail{'s' * (many == 1)} there"
    if len(result.shown) == 1:
        return "one new test in it fails on the base commit"
    return f"{len(result.shown)} new tests in it fail on the base commit"


def _judged(
    criterion: Criterion,
    bound: Sequence[CheckResult],
    judgement: Judgement | None,
    facts: Facts,
) -> _Found:
    if not (judgement and judgement.holds == "yes" and judgement.quotes):
        return None
    passed = [f"{describe(result)}; {_worth(result, facts)}" for result in bound]
    return Status.JUDGED, [
        judgement.reason,
        *judgement.quotes,
        *passed,
        *_guards(criterion, facts),
    ]


def _worth(result: CheckResult, facts: Facts) -> str:
    """Return what a check says of a criterion that it does not prove."""
    before = facts.baseline.get(result.check.id)
    if result.failed:
        return "failed so on the base commit too: shows nothing new"
    if before is not None and before.passed:
        return "was green before too: shows nothing new"
    if not result.check.can_fail:
        return "can't fail: shows nothing"
    return "does not show it by itself"


def _guards(criterion: Criterion, facts: Facts) -> list[str]:
    """Return the tests that keep what was there: they passed before any work, too."""
    return [
        f"test from the text `{name}`: passes as it did before; it guards what was there"
        for name in facts.guarded.get(criterion.id, ())
    ]


def _was_red(result: CheckResult, facts: Facts) -> bool:
    before = facts.baseline.get(result.check.id)
    return bool(result.shown) or (before is not None and before.failed)


def _ran_tests(result: CheckResult) -> bool:
    """Return whether a run of tests ran any: one that ran none passes whatever the code does."""
    return result.tests is None or result.tests.ran > 0


def speaks_of(criterion: Criterion, result: CheckResult) -> bool:
    """Return whether the criterion is about the check itself, as in "mypy --strict passes".

    A criterion that names the tool or asks that something stays as it is promises nothing new,
    so that a check which was green before still proves it.
    """
    text = criterion.text.lower()
    tools = set(re.findall(r"[a-z][\w-]+", result.check.command.lower()))
    named = tools & _CHECKERS & set(re.findall(r"[a-z][\w-]+", text))
    return bool(named) or is_quoted(criterion, result) or bool(re.search(_STAYS, text))


def is_quoted(criterion: Criterion, result: CheckResult) -> bool:
    """Return whether a criterion names a check's very command: passing is all that it promises."""
    quoted = {" ".join(words.split()) for words in re.findall(r"`([^`]+)`", criterion.text)}
    return " ".join(result.check.command.split()) in quoted


# What was there and stays, not what else a check may show.
_EXISTING = r"\b(existing|no regressions?)\b"
_PASSING = (
    r"\b(tests?|suites?|checks?|lint(ing|er)?|types?|type.?check(s|ing)?|build)\b.*"
    r"\b(pass(es|ing|ed)?|succeeds?|green|clean)\b"
)
_STAYS = r"\b(existing|still|remain|unchanged|no regressions?)\b"


_CHECKERS = frozenset(
    "ruff mypy pyright flake8 pylint black isort bandit eslint prettier tsc biome clippy rustfmt "
    "gofmt golangci-lint vet shellcheck".split()
)


def describe(result: CheckResult) -> str:
    """Return a check's result in one line."""
    first = result.check.command.splitlines()[0]
    ended = {
        CheckState.PASSED: f"passed, exit status {result.status}",
        CheckState.FAILED: f"failed, {result.reason}",
    }.get(result.state, f"{result.state}, {result.reason}")
    return f"{result.check.id} `{first}`: {ended}"


# What a runner says in the end (`13 passed`); a check's whole output is in the clean room's log.
_LAST_WORDS = 160


def with_last_words(result: CheckResult) -> str:
    """Return a check's result with the last line that it printed, for whoever wants to quote it."""
    printed = [line.strip() for line in result.output.splitlines() if line.strip()]
    last = f"\n    printed last: {printed[-1][:_LAST_WORDS]}" if printed else ""
    return f"{describe(result)}{last}"


_NAMED_TESTS = 20


def with_failing_tests(result: CheckResult) -> str:
    """Return a check's result with its last words and the names of the tests that fail in it."""
    failing = sorted(_failing(result))
    names = ", ".join(failing[:_NAMED_TESTS])
    more = f" and {len(failing) - _NAMED_TESTS} more" if len(failing) > _NAMED_TESTS else ""
    return with_last_words(result) + (f"\n    failing tests: {names}{more}" if failing else "")


def with_tests(result: CheckResult) -> str:
    """Return a check's result with its last words and the names of the tests that it ran."""
    names = [name.rsplit("::", 1)[-1] for name in result.tests.by_id] if result.tests else []
    if not names:
        return with_last_words(result)
    more = f" and {len(names) - _NAMED_TESTS} more" if len(names) > _NAMED_TESTS else ""
    return f"{with_last_words(result)}\n    tests: {', '.join(names[:_NAMED_TESTS])}{more}"
