# ruff: noqa: E501 - reports as tools write them
"""Figures that tools write down for machines, and what counts where words say something else."""

import pytest

from agent.prp.expected import expectation_of
from agent.verifier import CheckState
from agent.verifier.expectations import below_its_own, judge
from agent.verifier.figures import coverage_of, places
from agent.workspace import Finished

COVERAGE = {
    "coverage.py": '{"meta": {}, "totals": {"percent_covered": 87.49, "percent_covered_display": "87"}}',
    "cobertura": '<?xml version="1.0"?><coverage line-rate="0.8749" branch-rate="0"></coverage>',
    "clover": '<coverage><project><metrics statements="8" coveredstatements="7"/></project></coverage>',
    "istanbul": '{"total": {"lines": {"total": 8, "covered": 7, "pct": 87.5}}}',
    "lcov": "SF:a.js\nLF:4\nLH:4\nend_of_record\nSF:b.js\nLF:4\nLH:3\nend_of_record\n",
    "go": "mode: set\na.go:1.1,2.2 7 1\na.go:3.1,4.2 1 0\na.go:1.1,2.2 7 0\n",
}


@pytest.mark.parametrize("form", COVERAGE)
def test_coverage_is_read_from_what_each_tool_writes(form: str) -> None:
    """To a whole percent they all say the same here."""
    found = coverage_of({f"figures out/{form}": COVERAGE[form]})
    assert found is not None
    assert int(found[0]) == 87


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "<a", '{"totals": 3}', "mode: set\n", '{"total": []}']
)
def test_what_is_no_report_says_nothing(text: str) -> None:
    """Whatever lies there, nobody is told a number that is none."""
    assert coverage_of({"figures x": text}) is None


def test_a_command_names_where_it_writes() -> None:
    """Its own places are looked at as well as the usual ones."""
    assert places("pytest --cov=a --cov-report=xml:out/c.xml")[0] == "out/c.xml"
    assert places("go test -coverprofile=c.out ./...")[0] == "c.out"
    assert places("locust --headless --csv=out/load")[0] == "out/load_stats.csv"


def test_a_file_counts_before_words() -> None:
    """The lower of several files, where there are several."""
    reports = {
        "figures coverage.xml": COVERAGE["cobertura"],
        "coverage.json": COVERAGE["coverage.py"],
    }
    said = Finished(command="x", status=0, output="TOTAL 8 0 100%\n", reports=reports)
    state, reason = judge(said, expectation_of("coverage >= 90%", line=1))
    assert (state, reason) == (CheckState.FAILED, "87 in coverage.json where the PRP expects >=90%")


def test_a_number_alone_is_a_percentage_where_one_is_expected() -> None:
    """`coverage report --format=total` prints no more; a number in words is none."""
    wanted = expectation_of(">= 80 %", line=1)
    for output, state in (
        ("83\n", CheckState.PASSED),
        ("Wrote a report\n79.5\n", CheckState.FAILED),
        ("12 tests ran\n", CheckState.FAILED),
    ):
        assert judge(Finished(command="x", status=0, output=output), wanted)[0] is state


def test_a_threshold_of_the_command_itself_is_held_against_the_file() -> None:
    """Exit status 0 is what a process says of itself."""
    reports = {"coverage.json": COVERAGE["coverage.py"]}
    for wanted, is_below in (("90", True), ("87", False)):
        done = Finished(
            command=f"pytest --cov-fail-under={wanted}", status=0, output="", reports=reports
        )
        assert bool(below_its_own(done)) is is_below


LOCUST = "Type,Name,Request Count,95%,99%\nGET,/,10,100,120\n,Aggregated,20,210,400\n"


@pytest.mark.parametrize(
    ("words", "holds"), [("p95 < 300ms", True), ("p95 < 200ms", False), ("p99 < 0.5 s", True)]
)
def test_a_percentile_is_read_from_locusts_table(words: str, holds: bool) -> None:
    """Of all requests together, whatever the page of figures on the terminal looks like."""
    done = Finished(
        command="locust", status=0, output="95% 1ms", reports={"locust_stats.csv": LOCUST}
    )
    assert (judge(done, expectation_of(words, line=1))[0] is CheckState.PASSED) is holds


def test_the_slowest_test_is_found_in_the_report() -> None:
    """In any form of JUnit's XML."""
    junit = '<testsuite><testcase name="a" time="0.2"/><testcase name="b" time="1.5"/></testsuite>'
    done = Finished(command="pytest", status=0, output="", reports={"junit.xml": junit})
    state, reason = judge(done, expectation_of("each test under 1 s", line=1))
    assert (state, reason) == (
        CheckState.FAILED,
        "1.5 in the slowest test where the PRP expects <1s",
    )
    assert judge(done, expectation_of("every test below 1600ms", line=1))[0] is CheckState.PASSED
