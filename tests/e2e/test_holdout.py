"""Tests from the text: written before the code is seen, and held against it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, PLAN, opinions

PRP = GREET_PRP.replace("A module that greets.", "A module that greets everybody by name.")
HARD = 'def greet(name: str) -> str:\n    return "Hello, Ada!"\n'
GOOD = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n'
TESTS = """\
from greet import greet


def test_another_name() -> None:
    assert greet("Zoe") == "Hello, Zoe!"
"""


def handed_in(**changes: Any) -> dict[str, Any]:
    """Return the tests that the verifier hands in, with one thing changed."""
    test = {
        "name": "test_another_name",
        "criterion": "C1",
        "words": "A module that greets everybody by name.",
        "new": True,
    }
    tests = changes.pop("tests", [test | changes.pop("test", {})])
    whole = {
        "path": "test_from_text.py",
        "content": TESTS,
        "command": "python3 -m pytest -q test_from_text.py",
        "tests": tests,
    }
    return whole | changes


class Script:
    """A crew whose coder writes one file after the other, and whose verifier has its own tests."""

    def __init__(
        self, *files: str, tests: list[dict[str, Any]], verdicts: tuple[str, ...] = ("right",)
    ) -> None:
        self.files, self.tests = iter(files), iter(tests)
        self.verdicts: Iterator[str] = iter(verdicts)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(PLAN)),))
        if "submit_tests" in request.tools:
            return Answer(calls=(("submit_tests", next(self.tests)),))
        if "submit_review" in request.tools:
            verdict = next(self.verdicts)
            reason = "For another name it still greets Ada; the PRP asks for that name."
            names = [n for n in ("test_another_name", "test_a_third") if f"- {n} (" in request.text]
            said = [{"name": n, "verdict": verdict, "reason": f"{reason} ({n[5:]})"} for n in names]
            return Answer(calls=(("submit_review", {"tests": said}),))
        if "submit_judgement" in request.tools:
            judged = opinions({"C1": "yes", "C2": "yes"}, quote="def greet")
            return Answer(calls=(("submit_judgement", judged),))
        if "submit_way" in request.tools:
            way = {"cause": "It ignores the name.", "approach": "Use the name."}
            return Answer(calls=(("submit_way", way),))
        write = ("write", {"path": "greet.py", "content": next(self.files)})
        return Answer(calls=(write, ("finish", {"summary": "Written."})))


def execute(tmp_path: Path, script: Script, *options: str) -> tuple[Project, Ran]:
    """Execute the PRP with a script."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": PRP})
    with Provider(script) as provider:
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--model", "openai-chat:scripted"),
            *("--base-url", provider.url, *options),
            PRP_HOLDOUT_TESTS="",
        )
    return project, ran


def test_V09_hard_coded_results_are_found_and_repaired_from_words(tmp_path: Path) -> None:
    """Every check of the PRP passes; only a test that the coder never saw tells."""
    script = Script(HARD, GOOD, tests=[handed_in()])
    project, ran = execute(tmp_path, script)
    assert ran.status == 0, ran.err
    assert "tests from the text: 1 written, 1 of them red on the base commit" in ran.err
    assert "attempt 1 does not hold" in ran.err
    assert "test from the text `test_another_name`: passed" in ran.out + "".join(
        str(event.get("evidence")) for event in project.events()
    )
    # And the coder gets words, not the test
    told = next(e["text"] for e in project.events() if e["type"] == "feedback-sent")
    assert "still greets Ada" in told
    assert "test_another_name" not in told
    coders = [r for r in script.asked if "finish" in r.tools]
    assert not any("test_another_name" in r.text for r in coders)
    assert "test_from_text.py" not in project.git("ls-tree", "-r", "--name-only", "prp/greet")


def test_the_coder_is_told_every_reason(tmp_path: Path) -> None:
    """Also where two tests show the same criterion, one input each."""
    (one,) = handed_in()["tests"]
    third = TESTS + "\n\ndef test_a_third() -> None:\n    assert 'Zed' in greet('Zed')\n"
    both = handed_in(content=third, tests=[one, one | {"name": "test_a_third"}])
    project, ran = execute(tmp_path, Script(HARD, GOOD, tests=[both]))
    assert ran.status == 0, ran.err
    told = next(e["text"] for e in project.events() if e["type"] == "feedback-sent")
    assert "(another_name)" in told
    assert "(a_third)" in told


def test_V09_a_coder_who_goes_on_is_not_proven(tmp_path: Path) -> None:
    """Whatever the checks say."""
    _, ran = execute(tmp_path, Script(HARD, tests=[handed_in()]), "--max-attempts", "1")
    assert ran.status == 12, ran.out
    assert "✗ C1" in ran.out


def test_a_test_that_is_wrong_is_dropped_and_recorded(tmp_path: Path) -> None:
    """It asks for something that the text does not fix."""
    wrong = TESTS.replace("Hello, Zoe!", "Good day, Zoe!")
    script = Script(GOOD, tests=[handed_in(content=wrong)], verdicts=("wrong",))
    project, ran = execute(tmp_path, script)
    assert ran.status == 0, ran.err
    tried = next(e for e in project.events() if e["type"] == "holdout-tried")
    assert tried["failed"]["test_another_name"].startswith("wrong: ")
    assert "fails; wrong" in (project.runs[-1] / "report.md").read_text()


def test_a_test_in_dispute_needs_a_person(tmp_path: Path) -> None:
    """Nobody but a person can tell; so nothing is proven."""
    _, ran = execute(tmp_path, Script(HARD, tests=[handed_in()], verdicts=("unsure",)))
    assert ran.status == 11, ran.out
    assert "a person has to say" in ran.out


def test_a_dispute_that_lasts_ends_with_a_person(tmp_path: Path) -> None:
    """The coder was told twice."""
    other = HARD.replace("return", "_ = name\n    return")
    third = HARD.replace("return", "_ = len(name)\n    return")
    script = Script(HARD, other, third, tests=[handed_in()], verdicts=("right",) * 3)
    _, ran = execute(tmp_path, script)
    assert ran.status != 0
    assert "proven: every criterion" not in ran.out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"test": {"new": False}}, "the file does not load on the base commit"),
        (
            {
                "content": TESTS.replace('greet("Zoe") ==', '"Hello, Zoe!" ==').replace(
                    "from greet import greet\n", ""
                )
            },
            "passes on the base commit",
        ),
        ({"test": {"words": "It says hello politely."}}, "do not stand in the PRP"),
        ({"test": {"criterion": "C9"}}, "no criterion C9"),
        ({"path": "PRPs/greet.md"}, "is there already"),
        ({"path": "../out.py"}, "can't be written"),
        ({"tests": []}, "no reason why"),
    ],
)
def test_tests_that_break_a_rule_are_sent_back(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    """With the reason; the next answer is taken."""
    script = Script(GOOD, tests=[handed_in(**change), handed_in()])
    _, ran = execute(tmp_path, script)
    assert ran.status == 0, ran.err
    again = [r for r in script.asked if "submit_tests" in r.tools][1]
    assert reason in again.text


def test_guards_have_a_file_of_their_own_where_what_is_new_would_not_load(tmp_path: Path) -> None:
    """On the base commit they run without the other file, which can't be loaded there yet."""
    (new,) = handed_in()["tests"]
    guard = new | {"name": "test_prps_stay", "criterion": "C2", "new": False}
    guarding = "from pathlib import Path\n\n\ndef test_prps_stay() -> None:\n"
    guarding += '    assert Path("PRPs").exists()\n'
    whole = handed_in(tests=[new, guard])
    second = {
        "guards_path": "test_guards.py",
        "guards": guarding,
        "guards_command": "python3 -m pytest -q test_guards.py",
    }
    script = Script(GOOD, tests=[whole | {"content": TESTS + guarding}, whole | second])
    project, ran = execute(tmp_path, script)
    assert ran.status == 0, ran.err
    again = [r for r in script.asked if "submit_tests" in r.tools][1]
    assert "'test_prps_stay': the file does not load" in again.text
    tried = next(e for e in project.events() if e["type"] == "holdout-tried")
    assert set(tried["passed"]) == {"test_another_name", "test_prps_stay"}


def test_without_tests_from_the_text_nobody_is_asked(tmp_path: Path) -> None:
    """The person chose so."""
    script = Script(GOOD, tests=[])
    _, ran = execute(tmp_path, script, "--holdout-tests", "0")
    assert ran.status == 0, ran.err
    assert not any("submit_tests" in r.tools for r in script.asked)
