"""What came of each test is read from reports and summary lines."""

import pytest

from agent.verifier.outcomes import outcomes_of

JUNIT = """<?xml version="1.0"?><testsuites><testsuite tests="4">
<testcase classname="tests.test_a" name="test_good"/>
<testcase classname="tests.test_a.TestB" name="test_bad"><failure message="no"/></testcase>
<testcase classname="tests.test_a" name="test_later"><skipped type="pytest.skip"/></testcase>
<testcase classname="tests.test_a" name="test_down"/>
<testcase classname="tests.test_a" name="test_down"><error message="tear-down"/></testcase>
</testsuite></testsuites>"""


def test_a_report_tells_ids_and_outcomes() -> None:
    """An error of the tear-down is a failure of its test."""
    found = outcomes_of({"junit.xml": JUNIT}, "")
    assert found is not None
    assert found.by_id == {
        "tests.test_a::test_good": "passed",
        "tests.test_a.TestB::test_bad": "failed",
        "tests.test_a::test_later": "skipped",
        "tests.test_a::test_down": "failed",
    }
    assert (found.passed, found.failed, found.skipped, found.ran) == (1, 2, 1, 3)


TAPE = """\
> mri@1.2.0 test
TAP version 13
# number: casts
ok 1 should be strictly equal
not ok 2 should be strictly equal
  ---
    at: Test.<anonymous> (/x/test/number.js:9:4)
  ...
# number: alias
ok 3 should be strictly equal
# later # SKIP
ok 4 later # SKIP

1..4
# tests 4
# pass  3
# fail  1
"""
NODE = """\
TAP version 13
# Subtest: prices
    # Subtest: rounds
    ok 1 - rounds
    not ok 2 - sums
not ok 1 - prices
1..1
# tests 2
# suites 1
# pass 1
# fail 1
"""


@pytest.mark.parametrize(
    ("output", "by_id"),
    [
        pytest.param(
            TAPE,
            {
                "tap::number: casts": "failed",
                "tap::number: alias": "passed",
                "tap::later # SKIP": "skipped",
            },
            id="a title above its points",
        ),
        pytest.param(
            NODE,
            {"tap::rounds": "passed", "tap::sums": "failed", "tap::prices": "failed"},
            id="a name on each point",
        ),
    ],
)
def test_tap_tells_names(output: str, by_id: dict[str, str]) -> None:
    """A test is as bad as the worst of its points."""
    found = outcomes_of({}, output)
    assert found is not None
    assert found.by_id == by_id


@pytest.mark.parametrize(
    "report", ["<not xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', "\0", "<a>" * 5000]
)
def test_a_report_that_is_none_is_no_evidence(report: str) -> None:
    """The code under test can write anything there."""
    assert outcomes_of({"junit.xml": report}, "nothing told") is None


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("Tests:       1 failed, 2 skipped, 5 passed, 8 total\n", (5, 1, 2)),
        ("      Tests  1 failed | 3 passed | 1 todo (5)\n", (3, 1, 1)),
        (
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured\n"
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured\n",
            (5, 1, 1),
        ),
        (
            "--- PASS: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\n--- SKIP: TestB (0s)\n",
            (1, 1, 1),
        ),
        ("ok  \texample.com/a\t0.01s\n?   \texample.com/b\t[no test files]\n", (1, 0, 0)),
        ("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n", (2, 2, 1)),
        ("# tests 3\n# pass 2\n# fail 1\n# skipped 0\n", (2, 1, 0)),
        ("==== 1 failed, 2 passed, 1 xfailed in 0.2s ====\n", (2, 1, 1)),
        ("3 passed in 0.01s\n", (3, 0, 0)),
        ("no tests ran in 0.00s\n", (0, 0, 0)),
    ],
)
def test_summary_lines_tell_counts(output: str, counts: tuple[int, int, int]) -> None:
    """Of seven runners."""
    found = outcomes_of({}, output)
    assert found is not None
    assert (found.passed, found.failed, found.skipped) == counts


def test_a_test_that_is_skipped_now_is_lost() -> None:
    """And one that passes now and did not is new."""
    before = outcomes_of({"junit.xml": JUNIT}, "")
    skipped = JUNIT.replace('name="test_good"/>', 'name="test_good"><skipped/></testcase>')
    after = outcomes_of({"junit.xml": skipped.replace('<failure message="no"/>', "")}, "")
    assert before is not None
    assert after is not None
    assert before.lost(after) == ("tests.test_a::test_good",)
    assert after.new(before) == ("tests.test_a.TestB::test_bad",)
