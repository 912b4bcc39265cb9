"""What speaks against a run stands in one list, and what a check found has its place."""

import pytest

from agent.deliver import html, markdown, tell
from agent.deliver.against import against, in_words
from agent.deliver.findings import findings_of
from tests.support.journals import a_journal

RUFF = "D107 Missing docstring\n  --> a.py:16:9\n   |\n\nE501 Line too long\n  --> b.py:3:1\n"
PYTEST = (
    "    def test_a() -> None:\n>       assert 1 == 2\nE       assert 1 == 2\n\n"
    "tests/test_x.py:22: AssertionError\n= short test summary info =\n"
    "FAILED tests/test_x.py::test_a - assert 1 == 2\nFAILED tests/test_x.py::test_b - KeyError\n"
)
TRACEBACK = 'Traceback:\n  File "/w/a.py", line 3, in f\n    g()\nValueError: no\n'


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param(RUFF, "a.py:16:9: D107 Missing docstring (and 1 more)", id="ruff"),
        pytest.param("a.py:3: error: X\na.py:3: note: y\n", "a.py:3: error: X", id="mypy"),
        pytest.param(
            PYTEST,
            "tests/test_x.py:22: test_a: assert 1 == 2 (and 1 more)",
            id="pytest",
        ),
        pytest.param("x.go:7:2: undefined: y\n", "x.go:7:2: undefined: y", id="go"),
        pytest.param(TRACEBACK, "/w/a.py:3: ValueError: no", id="traceback"),
        pytest.param("nothing to see\n", "nothing to see", id="words"),
        pytest.param("", "", id="silent"),
    ],
)
def test_the_first_finding_has_its_place_and_the_rest_are_counted(output: str, said: str) -> None:
    """Whichever tool says it, and in whichever form."""
    assert findings_of(output).in_words() == said


def test_whoever_says_it_stands_in_one_list() -> None:
    """Programs, agents and the coder itself; what weighs most comes first."""
    events = a_journal("words")
    for event in events:
        if event["type"] == "setup-finished":
            event["state"] = "failed"
    story = tell(events)
    weights = [one.weight for one in against(story)]
    assert weights == [
        "set-up failed",
        "concern",
        "concern",
        "deviates",
        "in doubt",
        *["noted"] * 2,
    ]
    assert in_words(against(story)).startswith("1 failed set-up, 2 concerns, 1 deviation, 1 doubt")
    head = html(story, events).split("<main>")[0]
    assert '<details id="against" open>' in head
    assert "<b>Set-up failed:</b>" in head
    assert "| set-up failed | `words` | words |" in markdown(story)


def test_all_that_a_check_printed_is_inside_of_the_page() -> None:
    """A page that is sent away has no link that leads nowhere."""
    events = a_journal("words")
    (before,) = (e for e in events if e.get("stage") == "baseline")
    before |= {"log": "room-1/logs/L1.1.txt"}
    page = html(tell(events), events, logs=lambda name: f"all of {name}")
    assert "room-1" not in page
    assert "head and tail; all of it is" in html(tell(events), events)
