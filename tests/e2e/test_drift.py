"""`prp drift`: what a run had shown, held against the branch as it is later."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Provider
from tests.support.scripts import GOOD, GREET_PRP, WRONG, crew

PRP = """\
# PRP: A greeting

## Goal
A module that greets.

### Success Criteria
- [ ] `greet("Ada")` returns `Hello, Ada!`
- [ ] The docstring says what a name is

## Implementation Blueprint
```yaml
Task 1 - Greeting:
  CREATE greet.py:
    - greet(name) returns the greeting
  CREATE tests/test_greet.py:
    - tests of it
```

## Validation Loops
### Level 1: Syntax
```bash
greetlint greet.py
```

### Level 2: Behaviour
```bash
python3 -m pytest -q tests
```
"""
DOCSTRING = '"""A name is what somebody is called."""\n\n\n'
TESTS = """\
from greet import greet


def test_greets() -> None:
    assert greet("Ada") == "Hello, Ada!"


def test_greets_nobody() -> None:
    assert greet("") == "Hello, !"
"""
PLAN = {
    "summary": "A greeting.",
    "steps": [{"task": 1, "approach": "One function.", "files": ["greet.py"]}],
    "proofs": [
        {"criterion": "C1", "checks": ["L1.1", "L2.1"], "how": "The tests call it."},
        {"criterion": "C2", "checks": [], "how": "A reader sees it."},
    ],
}
JUDGED = {
    "opinions": [
        {"criterion": name, "holds": "yes", "reason": "as quoted", "quotes": [quote]}
        for name, quote in (
            ("C1", {"source": "greet.py", "text": 'return f"Hello, {name}!"'}),
            ("C2", {"source": "greet.py", "text": "A name is what somebody is called."}),
        )
    ]
}


class Executed:
    """A project whose PRP was carried out and merged; it is looked at again later."""

    def __init__(self, place: Path) -> None:
        """Carry it out."""
        self.state, self.tools = str(place / "state"), place / "tools"
        self.tools.mkdir()
        self.linter("exit 0")
        self.project = Project(place / "project", {"PRPs/greet.md": PRP})
        files = {"greet.py": DOCSTRING + GOOD, "tests/test_greet.py": TESTS}
        with Provider(crew(plan=PLAN, attempts=[files], judgement=JUDGED)) as provider:
            model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
            ran = self.prp("execute", "PRPs/greet.md", *model, "--max-mutants", "0")
        assert ran.status == 0, ran.out + ran.err
        self.project.git("merge", "-q", "prp/greet")

    def linter(self, does: str) -> None:
        """Install another version of a program that a check runs."""
        program = self.tools / "greetlint"
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)

    def prp(self, *arguments: str) -> Ran:
        """Run the command with its own state and tools."""
        path = os.pathsep.join([str(self.tools), self.project.environment()["PATH"]])
        return self.project.prp(*arguments, XDG_STATE_HOME=self.state, PATH=path)

    def later(self, name: str, files: Mapping[str, str], *options: str) -> Ran:
        """Look at a branch on which somebody has changed something since."""
        self.project.git("checkout", "-q", "-b", name, "main")
        for path, content in files.items():
            self.project.write(path, content)
        self.project.git("add", "-A")
        who = ("-c", "user.name=t", "-c", "user.email=t@t")
        self.project.git(*who, "commit", "-q", "--allow-empty", "-m", name)
        return self.prp("drift", "PRPs/greet.md", "--quiet", *options)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """One run for all: each test looks at a branch of its own."""
    return Executed(tmp_path_factory.mktemp("executed"))


def statuses(ran: Ran) -> dict[str, str]:
    """Return each criterion's status."""
    return {c["criterion"]: c["status"] for c in ran.json["criteria"]}


def test_what_was_shown_still_holds_beside_other_work(executed: Executed) -> None:
    """Checks pass as they did, and what a reader had quoted still stands; nothing is changed."""
    ran = executed.later("other", {"README.md": "# Greetings\n"}, "--json")
    assert ran.status == 0, ran.out
    assert statuses(ran) == {"C1": "proven", "C2": "judged"}
    assert ran.json["total"]["answers"] == 0
    assert executed.project.git("worktree", "list").count("\n") == 1


def test_a_criterion_whose_check_fails_now_is_lost(executed: Executed) -> None:
    """It is named with the check, and with where and when it had passed."""
    ran = executed.later("broken", {"greet.py": DOCSTRING + WRONG})
    assert ran.status == 10
    assert "1 of 2 criteria no longer hold" in ran.out
    assert "L2.1 `python3 -m pytest -q tests`: failed, exit status 1; it passed at " in ran.out


def test_lines_that_a_reader_had_quoted_are_missed(executed: Executed) -> None:
    """Nobody can tell whether the criterion holds: it is open, not lost."""
    ran = executed.later("undocumented", {"greet.py": GOOD}, "--json")
    assert ran.status == 11
    assert statuses(ran) == {"C1": "proven", "C2": "unproven"}
    assert any("the line that showed it is gone" in e for e in ran.json["criteria"][1]["evidence"])


def test_tests_that_are_gone_or_ask_less_are_a_question(executed: Executed) -> None:
    """The check still passes, with less behind it."""
    fewer = TESTS.partition("\n\ndef test_greets_nobody")[0].replace('== "Hello, Ada!"', "")
    broken = 'def greet(name: str) -> str:\n    return f"Hello, {name or 1}!"\n'
    ran = executed.later("fewer", {"tests/test_greet.py": fewer, "greet.py": DOCSTRING + broken})
    assert ran.status == 11, ran.out
    assert "it ran 2 tests at " in ran.out
    assert "test_greets_nobody" in ran.out
    assert "since then, " in ran.out


def test_a_tool_that_has_changed_is_not_the_codes_fault(executed: Executed) -> None:
    """The check fails on the run's own commit too, if it is run there today."""
    executed.linter("echo 'greet.py:1: a new rule'; exit 1")
    try:
        ran = executed.later("same", {}, "--json")
    finally:
        executed.linter("exit 0")
    assert ran.status == 11, ran.out
    assert statuses(ran)["C1"] == "unproven"
    assert any("it fails today as well" in e for e in ran.json["criteria"][0]["evidence"])


def test_without_evidence_failures_are_certain_and_nothing_is_proven(executed: Executed) -> None:
    """Whether a check ever was red is not known then."""
    ran = executed.later("alone", {}, "--run", "none", "--json")
    assert (ran.status, set(statuses(ran).values())) == (11, {"unproven"})
    broken = executed.later("alone-broken", {"greet.py": WRONG}, "--run", "none")
    assert broken.status == 10
    assert "failing: L2.1" in broken.out


def test_a_document_that_says_something_else_by_now_is_told(executed: Executed) -> None:
    """The words count that the run was held to."""
    changed = PRP.replace("`Hello, Ada!`", "`Good day, Ada!`")
    executed.project.git("checkout", "-q", "-b", "reworded", "main")
    executed.project.write("PRPs/greet.md", changed)
    ran = executed.prp("drift", "PRPs/greet.md")
    executed.project.git("checkout", "-q", "PRPs/greet.md")
    assert ran.status == 0, ran.out
    assert "PRPs/greet.md has changed since; the words that the run had count" in ran.err
    assert "`Hello, Ada!`" in ran.out


def test_a_run_that_shows_nothing_is_no_evidence(executed: Executed) -> None:
    """It is said which runs there are."""
    ran = executed.prp("drift", "PRPs/greet.md", "--run", "nosuchrun")
    assert ran.status == 4
    assert "There is no run 'nosuchrun'" in ran.err


def test_a_run_that_failed_is_no_evidence(tmp_path: Path) -> None:
    """Given a verdict on a branch that holds nothing, then what fails here is not excused by it."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    before = project.prp("drift", "PRPs/greet.md", "-q")
    project.git("checkout", "-q", "-b", "bad")
    project.write("greet.py", WRONG)
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "wrong")
    project.git("checkout", "-q", "main")
    assert project.prp("verify", "PRPs/greet.md", "--branch", "bad", "-q").status == 10
    after = project.prp("drift", "PRPs/greet.md", "-q")
    assert (before.status, after.status) == (10, 10), after.out
