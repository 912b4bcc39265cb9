"""What keeps a run from being proven is said at once, by name, and why."""

import itertools
import re
from typing import Any

import pytest

from agent.deliver import html, markdown, steps_of, summary, tell
from tests.support.journals import a_journal


def gated(*, verified: bool = True) -> list[dict[str, Any]]:
    """Return a run whose first level fails: three checks wait, and one criterion has no check."""
    events = a_journal("words", path="a.py")
    events[0] |= {"criteria": {"C1": "It greets", "C2": "It is documented"}}
    (first,) = (e for e in events if e.get("stage") == "attempt 1")
    place, last = events.index(first), events[-1]
    said = {"state": "failed", "command": "ruff check .", "reason": "exit status 1"}
    first |= said | {"output": "All files\na.py:3:1: E501 too long\nFound 1 error"}
    wait = {"level": 2, "state": "gated", "status": None, "reason": "an earlier level failed"}
    waits = [first | wait | {"check": f"L2.{n}", "output": "", "at": 115.0} for n in (1, 2, 3)]
    judged = {
        "type": "criterion-judged",
        "attempt": 1,
        "line": 3,
        "status": "unproven",
        "at": 117.0,
    }
    why = ["L2.1 `pytest`: gated, an earlier level failed"]
    verdict = {
        "type": "attempt-verified",
        "attempt": 1,
        "commit": last["commit"],
        "holds": False,
        "failures": ["L1.1 `ruff check .`: failed, exit status 1"],
        "at": 120.0,
    }
    ended = [
        *waits,
        judged | {"criterion": "C1", "text": "It greets", "evidence": why},
        judged | {"criterion": "C2", "text": "It is documented", "evidence": ["nothing shows it"]},
        verdict,
    ]
    stop = last | {"outcome": "out of budget", "reason": "no money is left", "at": 121.0}
    return [*events[: place + 1], *(ended if verified else []), stop]


def test_the_head_names_the_check_that_fails_and_the_criteria_that_wait_for_it() -> None:
    """Beside why the run stopped, with links to the rows; the line that says most stands there."""
    events = gated()
    head = html(tell(events), events).split("<main>")[0]
    assert "no money is left" in head
    assert '<a href="#check-L1.1">L1.1</a> <code>ruff check .</code>' in head
    assert "a.py:3:1: E501 too long" in head
    assert '<a href="#output-L1.1-1-shown">all of it</a>' in head
    assert 'Unproven, not tested yet:</b> <a href="#criterion-C1">C1</a>' in head
    assert 'Unproven, no check judges it:</b> <a href="#criterion-C2">C2</a>' in head
    assert "2 criteria: 1 unproven (not tested yet), 1 unproven (no check judges it)." in head
    told = markdown(tell(events))
    assert "- Still fails: L1.1 `ruff check .` (failed, exit status 1: a.py:3:1: E501" in told
    assert "| ? unproven, not tested yet | L2.1 waits until L1.1 passes |" in told


def test_criteria_that_fail_with_a_check_are_named_beside_it() -> None:
    """In one line: the check's own says why."""
    events = gated()
    for event in events:
        if event.get("criterion") == "C1":
            event |= {"status": "failed", "evidence": ["L1.1 `ruff check .`: failed"]}
    head = html(tell(events), events).split("<main>")[0]
    with_it = '<a href="#criterion-C1">C1</a> with <a href="#check-L1.1">L1.1</a>'
    assert f"Fails with these checks:</b> {with_it}" in head


PYTEST = (
    "___ test_a ___\nE   assert '  1' == '  2'\ntests/test_x.py:5: AssertionError\n"
    "___ test_b ___\nE   assert 3 == 4\ntests/test_x.py:9: AssertionError\n"
    "=== short test summary info ===\n"
    "FAILED tests/test_x.py::test_a - assert\nFAILED tests/test_x.py::test_b - assert\n"
)


def retried() -> list[dict[str, Any]]:
    """Return a run that delivers its first attempt; the second one mends a test of two."""
    events = gated()
    for event in events:
        if event.get("check") == "L1.1":
            event["output"] = PYTEST
    verdict = next(event for event in events if event["type"] == "attempt-verified")
    check = next(event for event in events if event.get("stage") == "attempt 1")
    task = next(event for event in events if event["type"] == "task-finished")
    one_left = "".join(line for line in PYTEST.splitlines(keepends=True) if "test_b" not in line)
    again = {"attempt": 2, "at": 120.5, "stage": "attempt 2"}
    later = [
        task | again | {"task": 0, "commit": "d" * 40, "summary": "pytest passes"},
        check | again | {"output": one_left},
        verdict | again | {"commit": "d" * 40},
    ]
    return [*events[:-1], *later, events[-1]]


def test_every_test_that_fails_is_named_once() -> None:
    """With its place and its spaces; a check that runs the same tests only says which."""
    events = gated()
    check = next(event for event in events if event.get("stage") == "attempt 1")
    check["output"] = PYTEST
    verdict = next(event for event in events if event["type"] == "attempt-verified")
    verdict["failures"].append("L1.2 `pytest`: failed, exit status 1")
    events.insert(events.index(check) + 1, check | {"check": "L1.2"})
    head = html(tell(events), events).split("<main>")[0]
    assert '<li class="said">tests/test_x.py:5: test_a: assert &#39;  1&#39;' in head
    assert '<li class="said">tests/test_x.py:9: test_b: assert 3 == 4</li>' in head
    assert head.count("test_b") == 1
    assert "nothing but 2 of the tests above, in" in head


def test_a_later_attempt_that_is_not_delivered_is_told_too() -> None:
    """Which one is shown, what the other mended, how to get it; a claim is held against checks."""
    events = retried()
    page = html(tell(events), events)
    head, body = page.split("<main>")
    assert "What stands here is attempt 1, with which the branch ends. Attempt 2 has 1" in head
    assert "It mended test_b." in head
    assert "<code>git diff cccccccccccc dddddddddddd</code>" in head
    assert "repair of attempt 2, which is not on the branch" in head
    claim = body[body.index("The coder says:</span> pytest passes") :]
    assert "The checks after it:</b> 1 failed" in claim
    links = set(re.findall(r'href="#(against-\d+)"', claim))
    assert links
    assert all(f'id="{link}"' in head for link in links)
    assert "What stands here is attempt 1" not in html(tell(gated()), gated())


def test_the_head_names_what_passes_beside_what_fails() -> None:
    """Also how many of the tests in a check that fails."""
    events = gated()
    (first,) = (e for e in events if e.get("stage") == "attempt 1" and e["check"] == "L1.1")
    first["tests"] = {"passed": 17, "failed": 3, "skipped": 1}
    events.insert(events.index(first), first | {"check": "L1.2", "state": "passed"})
    head = html(tell(events), events).split("<main>")[0]
    assert 'Passes:</b> <a href="#check-L1.2">L1.2</a>, ' in head
    assert '<a href="#check-L1.1">17 of 20 tests of L1.1</a>' in head
    assert "Passes: L1.2, 17 of 20 tests of L1.1" in markdown(tell(events))


def test_the_terminal_says_which_kind_of_unproven_it_is() -> None:
    """Not its turn yet is another thing than nothing that could show it."""
    told = summary(tell(gated()))
    assert "unproven, not tested yet: L2.1 waits until L1.1 passes" in told
    assert "unproven, no check judges it: the verifier reads the code for it once" in told


@pytest.mark.parametrize(
    ("state", "evidence", "said"),
    [
        ("tool missing", ["L1.1 `words`: tool missing"], "its check could not run"),
        ("passed", ["L1.1 `words`: passed"], "its check does not show it"),
        ("passed", ["the words are not there"], "no check judges it"),
        ("failed", ["L1.1 `words`: failed; none of those passed"], "only new tests fail in its"),
    ],
)
def test_what_a_check_left_open_is_told_from_what_none_looks_at(
    state: str, evidence: list[str], said: str
) -> None:
    """Each asks for another thing of whoever reads it."""
    events = a_journal("words")
    for event in events:
        if event.get("stage") == "attempt 1":
            event["state"] = state
        if event["type"] == "criterion-judged":
            event |= {"status": "unproven", "evidence": evidence}
    assert f"unproven, {said}" in markdown(tell(events))


def test_checks_that_wait_for_the_same_are_one_row() -> None:
    """That opens; their ids are still where links lead."""
    events = gated()
    page = html(tell(events), events)
    assert (
        page.count("<summary>3 checks were not run (L2.1, L2.2, L2.3): an earlier level failed")
        == 1
    )
    assert 'id="check-L2.3"' in page
    assert markdown(tell(events)).count("gated: an earlier level failed") == 0


def test_a_run_that_was_never_verified_says_so() -> None:
    """With the criteria that nobody has tested."""
    events = gated(verified=False)
    page = html(tell(events), events)
    assert 'none of the <a href="#criteria">2 criteria</a> is tested yet' in page
    assert 'id="criterion-C2"' in page


def test_long_words_are_cut_and_open() -> None:
    """Nothing is lost by it."""
    words = " ".join(f"word-{n}" for n in range(500))
    events = a_journal(words)
    page = html(tell(events), events)
    assert '<details class="more"><summary>more</summary>' in page
    assert "word-499" in page


def test_the_time_of_a_verification_is_divided() -> None:
    """Levels, the second look, tests from the text, mutants and the judge; together all of it."""
    check = {"type": "check-finished", "stage": "attempt 1", "state": "passed"}
    answer = {"type": "model-answered", "input_tokens": 1, "output_tokens": 1}
    answer |= {"cache_read_tokens": 0, "cache_write_tokens": 0, "cost_usd": 0.0}
    events: list[dict[str, Any]] = [
        {"at": 100.0, "type": "contract-frozen"},
        {"at": 105.0, "type": "check-finished", "stage": "baseline", "level": 1},
        {"at": 107.0, "type": "check-finished", "stage": "baseline", "level": 0},
        {"at": 110.0, **check, "level": 1},
        {"at": 114.0, **check, "level": 2},
        {"at": 115.0, "type": "looking-closer"},
        {"at": 125.0, **answer, "seconds": 4.0},
        {"at": 126.0, "type": "holdout-tried"},
        {"at": 133.0, "type": "mutants-tried", "seconds": 7.0},
        {"at": 140.0, **answer, "seconds": 6.0},
        {"at": 141.0, "type": "attempt-verified"},
    ]
    baseline, verify = steps_of(events)
    assert baseline.parts == {"level 1": 5.0, "checks outside of levels": 2.0}
    assert verify.parts == {
        "level 1": 3.0,
        "level 2": 4.0,
        "second look at what passes": 7.0,
        "tests from the text": 5.0,
        "mutants": 7.0,
        "judge": 8.0,
    }
    assert sum(verify.parts.values()) == verify.seconds
    assert all(a.end == b.start for a, b in itertools.pairwise(steps_of(events)))


def test_a_run_that_has_not_ended_says_how_to_go_on_and_where_its_work_is() -> None:
    """Also one that was killed: nothing says then that there is no branch, or that it took 0 s."""
    events = gated()[:-1]
    events[0] |= {"branch": "prp/greet"}
    told = markdown(tell(events))
    assert "`prp resume` takes up what was broken off" in told
    assert "- Branch: `prp/greet`, from" in told
    assert "- Attempts: 1, 20 s" in told
    assert "Still fails" in told


def test_a_run_that_stopped_after_its_last_verdict_says_so() -> None:
    """Given later work without a verdict, then no report shows the old one as if it were of it."""
    events = gated()
    words = "what was done since, up to 0123456789ab, has none yet"
    later = {"can_go_on": True, "commit": "0123456789abcdef", "outcome": "interrupted"}
    for ended, is_said in ((later, True), (later | {"can_go_on": False}, False)):
        told = [*events[:-1], events[-1] | ended]
        story = tell(told)
        shown = (summary(story), markdown(story), html(story, told))
        assert [words in text for text in shown] == [is_said] * 3
