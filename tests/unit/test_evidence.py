"""Rules that give a criterion its status. A model's word only lowers."""

from dataclasses import replace

import pytest

from agent.prp import Check, CheckKind, Criterion, Expectation, ExpectationKind
from agent.verifier import CheckResult, CheckState, Proof, Status, Verdict
from agent.verifier.evidence import Facts, Judgement, decide, with_failing_tests
from agent.verifier.expectations import judge
from agent.verifier.outcomes import Outcomes
from agent.workspace import Finished

NEW = Criterion(id="C1", text="Prints a receipt", line=1)
LINT = Criterion(id="C1", text="`ruff check` passes", line=1)
PROOF = Proof(criterion="C1", checks=("L1.1",), how="the check")
YES = Judgement(criterion="C1", holds="yes", reason="seen", quotes=("a.py:1: x",))
NO = Judgement(criterion="C1", holds="no", reason="a stub")


def result(
    state: CheckState, *, output: str = "", command: str = "ruff check .", can_fail: bool = True
) -> CheckResult:
    """Return a check's result."""
    check = Check(id="L1.1", command=command, line=1, last_line=1, level=1, can_fail=can_fail)
    return CheckResult(check=check, state=state, status=0, output=output, reason="exit status 1")


def _second(command: str) -> Check:
    return Check(id="L1.2", command=command, line=2, last_line=2, level=1, can_fail=True)


def status(
    criterion: Criterion,
    before: CheckResult,
    after: CheckResult,
    judgement: Judgement | None = None,
    *,
    touched: tuple[str, ...] = (),
) -> Status:
    """Return the status that the rules give."""
    facts = Facts(
        results={"L1.1": after},
        baseline={"L1.1": before},
        judgements={"C1": judgement} if judgement else {},
        touched=touched,
    )
    return decide(criterion, PROOF, facts).status


PASSED, FAILED = result(CheckState.PASSED), result(CheckState.FAILED)


class TestDecide:
    """From facts to a status."""

    @pytest.mark.parametrize(
        ("criterion", "before", "after", "judgement", "expected"),
        [
            pytest.param(NEW, FAILED, PASSED, YES, Status.PROVEN, id="red, green, quoted"),
            pytest.param(NEW, FAILED, PASSED, None, Status.UNPROVEN, id="red, green, no reader"),
            pytest.param(NEW, PASSED, PASSED, YES, Status.JUDGED, id="green before"),
            pytest.param(NEW, PASSED, PASSED, None, Status.UNPROVEN, id="green before, no reader"),
            pytest.param(NEW, FAILED, PASSED, NO, Status.FAILED, id="the reader lowers"),
            pytest.param(NEW, FAILED, FAILED, YES, Status.FAILED, id="the reader never raises"),
            pytest.param(LINT, PASSED, PASSED, None, Status.PROVEN, id="the check is the claim"),
            pytest.param(LINT, PASSED, FAILED, YES, Status.FAILED, id="the claim fails"),
        ],
    )
    def test_a_status_follows_from_facts(
        self,
        criterion: Criterion,
        before: CheckResult,
        after: CheckResult,
        judgement: Judgement | None,
        expected: Status,
    ) -> None:
        """One row, one rule."""
        assert status(criterion, before, after, judgement) is expected

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ({"::old": "passed", "::new": "failed"}, Status.UNPROVEN),
            ({"::old": "failed", "::new": "passed"}, Status.FAILED),
            ({"::new": "failed"}, Status.FAILED),
        ],
    )
    def test_what_existed_does_not_fail_by_new_tests(
        self, now: dict[str, str], expected: Status
    ) -> None:
        """A failing check holds new tests as well; that says nothing of those that were there."""
        stays = Criterion(id="C1", text="The existing tests still pass", line=1)
        before = replace(PASSED, tests=Outcomes(by_id={"::old": "passed"}))
        after = replace(FAILED, tests=Outcomes(by_id=now))
        assert status(stays, before, after) is expected
        assert status(NEW, before, after) is Status.FAILED

    def test_a_guess_does_not_hide_that_a_criterions_own_command_fails(self) -> None:
        """Given another check that passes, bound by mistake, then the criterion has failed."""
        other = replace(result(CheckState.PASSED, command="true"), check=_second("true"))
        facts = Facts(
            results={"L1.1": result(CheckState.FAILED, command="ruff check"), "L1.2": other},
            baseline={"L1.1": PASSED, "L1.2": other},
            judgements={},
        )
        guess = Proof(criterion="C1", checks=("L1.1", "L1.2"), how="words", is_guess=True)
        assert decide(LINT, guess, facts).status is Status.FAILED
        assert decide(NEW, guess, facts).status is Status.UNPROVEN

    def test_a_yes_without_a_quote_is_nothing(self) -> None:
        """Claims are free."""
        claim = Judgement(criterion="C1", holds="yes", reason="trust me")
        assert status(NEW, FAILED, PASSED, claim) is Status.UNPROVEN

    def test_a_check_that_cannot_fail_proves_nothing(self) -> None:
        """Not even when it seems to turn green."""
        weak = result(CheckState.PASSED, can_fail=False)
        assert status(NEW, FAILED, weak, YES) is not Status.PROVEN

    def test_what_was_green_before_and_what_guards_are_named_so(self) -> None:
        """Neither reads as if it showed what is new."""
        facts = Facts(
            results={"L1.1": PASSED},
            baseline={"L1.1": PASSED},
            judgements={"C1": YES},
            guarded={"C1": ("test_old",)},
        )
        *_, check, test = decide(NEW, PROOF, facts).evidence
        assert check.endswith("; was green before too: shows nothing new")
        assert test.endswith("passes as it did before; it guards what was there")

    def test_a_check_that_was_not_run_proves_nothing(self) -> None:
        """Neither pass nor fail."""
        assert status(NEW, FAILED, result(CheckState.NOT_RUN), YES) is Status.UNPROVEN


class TestPreExisting:
    """Old failures are named, not blamed; what the PRP asks for is never old."""

    OLD = result(CheckState.FAILED, output="src/old.py:3: E501 too long")

    def test_the_same_failure_elsewhere_is_old(self) -> None:
        """On files that the branch is not about."""
        moved = result(CheckState.FAILED, output="src/old.py:9: E501 too long")
        assert status(LINT, self.OLD, moved) is Status.PRE_EXISTING

    def test_a_further_failure_is_new(self) -> None:
        """One more finding is one too many."""
        more = result(CheckState.FAILED, output=f"{self.OLD.output}\nsrc/b.py:1: F401 unused")
        assert status(LINT, self.OLD, more) is Status.FAILED

    def test_a_failure_in_a_touched_file_is_never_old(self) -> None:
        """Nor one in a file that the PRP names."""
        assert status(LINT, self.OLD, self.OLD, touched=("src/old.py",)) is Status.FAILED

    def test_missing_work_is_never_old(self) -> None:
        """The feature's own test fails before and after when nothing was done."""
        missing = result(CheckState.FAILED, output="No module named 'greet'", command="pytest x")
        assert status(NEW, missing, missing, touched=("greet.py",)) is Status.FAILED


class TestTestsThatFailedBefore:
    """A run of tests that fails by an old test alone fails as before, however many are new."""

    TRACE = "tests/test_package.py:7: in test_version\nE   not installed\n"
    BEFORE = replace(
        result(
            CheckState.FAILED, command="pytest -q", output=f"..F [100%]\n{TRACE}1 failed, 2 passed"
        ),
        tests=Outcomes(by_id={"p::old": "passed", "p::version": "failed"}, passed=1, failed=1),
    )
    AFTER = replace(
        BEFORE,
        output=f"...... [ 60%]\n.F.. [100%]\n{TRACE}1 failed, 9 passed",
        tests=Outcomes(
            by_id={"p::old": "passed", "p::version": "failed", "t::new": "passed"},
            passed=2,
            failed=1,
        ),
    )
    PASSING = Criterion(id="C1", text="All tests pass", line=1)

    def test_new_tests_beside_it_do_not_make_it_new(self) -> None:
        """Given the same test red and others new, then what asks for green tests is as it was."""
        assert status(self.PASSING, self.BEFORE, self.AFTER) is Status.PRE_EXISTING

    def test_another_failing_test_is_new(self) -> None:
        """Given one more that fails, then the check fails anew."""
        tests = Outcomes(by_id={"p::version": "failed", "t::new": "failed"})
        worse = replace(self.AFTER, tests=tests)
        assert status(self.PASSING, self.BEFORE, worse) is Status.FAILED

    def test_another_reason_of_the_same_test_is_new(self) -> None:
        """Given the same test red by another error, then the branch may be the cause."""
        other = replace(self.AFTER, output=self.AFTER.output.replace("installed", "a number"))
        assert status(self.PASSING, self.BEFORE, other) is Status.FAILED

    def test_a_test_that_the_prp_names_is_never_old(self) -> None:
        """Given that the work was to make it green, then it fails."""
        touched = ("tests/test_package.py",)
        assert status(self.PASSING, self.BEFORE, self.AFTER, touched=touched) is Status.FAILED

    @pytest.mark.parametrize(
        ("shown", "judgement", "expected"),
        [
            ((), None, Status.UNPROVEN),
            ((), YES, Status.JUDGED),
            (("t::new",), YES, Status.PROVEN),
            (("t::new",), NO, Status.FAILED),
        ],
    )
    def test_what_is_new_is_shown_by_new_tests_or_by_reading(
        self, shown: tuple[str, ...], judgement: Judgement | None, expected: Status
    ) -> None:
        """Given a promise of something new, then an old failure neither holds nor breaks it."""
        assert status(NEW, self.BEFORE, replace(self.AFTER, shown=shown), judgement) is expected


class TestJudge:
    """What an ended command means."""

    @pytest.mark.parametrize(
        ("kind", "value", "exit_status", "output", "state"),
        [
            pytest.param("exit-zero", "", 0, "", CheckState.PASSED, id="0"),
            pytest.param("exit-zero", "", 1, "", CheckState.FAILED, id="1"),
            pytest.param("exit-nonzero", "", 1, "", CheckState.PASSED, id="should fail"),
            pytest.param("exit-nonzero", "", 0, "", CheckState.FAILED, id="should have failed"),
            pytest.param("empty-output", "", 1, "\n", CheckState.PASSED, id="grep finds nothing"),
            pytest.param("empty-output", "", 0, "hit", CheckState.FAILED, id="grep finds"),
            pytest.param("number", ">=80%", 0, "TOTAL 9 1 85%", CheckState.PASSED, id="85 %"),
            pytest.param("number", ">=80%", 0, "TOTAL 9 1 79%", CheckState.FAILED, id="79 %"),
            pytest.param("number", ">=80%", 0, "no number", CheckState.FAILED, id="no number"),
            pytest.param("contains", "ready", 0, "is ready", CheckState.PASSED, id="text"),
            pytest.param("http-status", "201", 0, "HTTP/1.1 500", CheckState.FAILED, id="500"),
        ],
    )
    def test_an_expectation_is_held_against_the_end(
        self, kind: str, value: str, exit_status: int, output: str, state: CheckState
    ) -> None:
        """Exit status first, narrow forms next."""
        finished = Finished(command="x", status=exit_status, output=output)
        expectation = Expectation(kind=ExpectationKind(kind), value=value, text="as written")
        assert judge(finished, expectation)[0] is state

    @pytest.mark.parametrize(
        ("kind", "text", "status", "state"),
        [
            pytest.param("exit-nonzero", "must fail", 139, CheckState.FAILED, id="crash"),
            pytest.param("exit-nonzero", "must fail", 134, CheckState.PASSED, id="assertion in C"),
            pytest.param("exit-nonzero", "should crash", 139, CheckState.PASSED, id="wanted"),
            pytest.param("empty-output", "no output", 137, CheckState.FAILED, id="killed"),
            pytest.param("empty-output", "no output", 141, CheckState.PASSED, id="reader left"),
            pytest.param("contains", "in time", 139, CheckState.FAILED, id="crash after the words"),
        ],
    )
    def test_F61_a_command_that_a_signal_ended_is_no_proof(
        self, kind: str, text: str, status: int, state: CheckState
    ) -> None:
        """A crash is not the refusal that the PRP expects, nor the silence."""
        printed = "in time" if kind == "contains" else ""
        finished = Finished(command="x", status=status, output=printed)
        expectation = Expectation(kind=ExpectationKind(kind), value=printed, text=text)
        came, reason = judge(finished, expectation)
        assert came is state
        assert (f"({finished.by_signal})" in reason) is (state is CheckState.FAILED)

    def test_a_missing_tool_is_its_own_state(self) -> None:
        """Neither pass nor fail."""
        finished = Finished(
            command="x", status=127, output="/bin/bash: line 1: locust: command not found"
        )
        assert judge(finished, Expectation()) == (
            CheckState.TOOL_MISSING,
            "locust is not installed",
        )

    def test_a_missing_plugin_is_a_missing_tool(self) -> None:
        """Pytest without pytest-cov runs nothing; an option that nobody knows is a mistake."""
        said = "usage: pytest\npytest: error: unrecognized arguments: {}\n  inifile: None\n"
        for words, state in (
            ("--cov=shop --cov-fail-under=90", CheckState.TOOL_MISSING),
            ("--fast", CheckState.FAILED),
        ):
            finished = Finished(command="x", status=4, output=said.format(words))
            assert judge(finished, Expectation())[0] is state, words

    def test_a_timeout_is_a_failure(self) -> None:
        """With its own words."""
        finished = Finished(command="x", status=124, output="", ended="timeout", seconds=3)
        assert judge(finished, Expectation())[0] is CheckState.TIMED_OUT

    def test_compiling_what_is_not_there_fails(self) -> None:
        """compileall says that it can't list it, and passes."""
        printed = "Listing 'a.py'...\nCan't list 'a.py'\n"
        told = Finished(command="python -m compileall a.py", status=0, output=printed)
        assert judge(told, Expectation()) == (
            CheckState.FAILED,
            "there is no a.py, so nothing of it was compiled",
        )
        other = Finished(command="./say.sh", status=0, output=printed)
        assert judge(other, Expectation())[0] is CheckState.PASSED


def test_the_most_restrictive_kind_decides() -> None:
    """A check with several kinds is as careful as its first."""
    kinds = (CheckKind.SECRET, CheckKind.NETWORK)
    check = Check(id="L1.1", command="x", line=1, last_line=1, level=1, kinds=kinds)
    assert check.kind is CheckKind.SECRET


class TestVerdict:
    """What a whole commit amounts to."""

    def test_a_prp_without_criteria_needs_a_check_that_turned_green(self) -> None:
        """Nothing to show is not success."""
        for before, after, holds in (
            (FAILED, PASSED, True),
            (PASSED, PASSED, False),
            (FAILED, result(CheckState.NOT_RUN), False),
            (FAILED, result(CheckState.PASSED, can_fail=False), False),
        ):
            facts = Facts(results={"L1.1": after}, baseline={"L1.1": before})
            verdict = Verdict(attempt=1, commit="c", facts=facts, criteria=())
            assert verdict.holds(strict=False) is holds

    def test_a_tool_that_was_there_before_is_not_missing(self) -> None:
        """The code under test can print that its tool is missing."""
        lost = result(CheckState.TOOL_MISSING)
        facts = Facts(results={"L1.1": lost}, baseline={"L1.1": PASSED})
        verdict = Verdict(attempt=1, commit="c", facts=facts, criteria=())
        assert verdict.failures == (lost,)
        assert status(LINT, PASSED, lost) is Status.FAILED

    def test_one_more_of_the_same_finding_is_new(self) -> None:
        """Old findings are counted, and a parameter in brackets is part of a test's name."""
        old = "old.py:3: error: bad\nFAILED tests/x.py::test_a[1]"
        for more in ("old.py:9: error: bad", "FAILED tests/x.py::test_a[2]"):
            before = result(CheckState.FAILED, output=old)
            after = result(CheckState.FAILED, output=f"{old}\n{more}")
            assert status(LINT, before, after) is Status.FAILED


def test_a_failing_check_names_the_tests_that_fail_in_it() -> None:
    """Given ids of tests, then whoever goes on knows which were red before; at most 20 of them."""
    tests = Outcomes(by_id={f"t::{n:02}": "failed" for n in range(22)} | {"t::fine": "passed"})
    told = with_failing_tests(replace(FAILED, output="22 failed", tests=tests))
    assert "printed last: 22 failed\n    failing tests: t::00, t::01" in told
    assert told.endswith("t::19 and 2 more")
    assert "failing tests" not in with_failing_tests(FAILED)
