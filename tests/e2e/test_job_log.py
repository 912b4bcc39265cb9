"""A run in a job of GitHub: what the runner makes of its log."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.provider import Provider
from tests.support.scripts import GOOD, GREET_PRP, crew

BAD = "import os\n\n\ndef greet(name):\n    return f'Hi, {name}!'\n"
EVIL = GREET_PRP.replace(
    "`ruff check` passes", "`ruff check` passes\n::error::owned ##[error]owned ::set-env name=A::b"
).replace("ruff check .", "echo '::error title=owned::owned'; echo '##[error]owned'; ruff check .")


@dataclass
class Runner:
    """What GitHub's runner does with a log: obeys lines, unless it was told not to."""

    obeyed: list[str] = field(default_factory=list)
    _token: str = ""

    def read(self, text: str) -> "Runner":
        """Take the lines in."""
        for line in text.splitlines():
            if self._token:
                if line == f"::{self._token}::":
                    self._token = ""
            elif found := re.fullmatch(r"::stop-commands::(\S+)", line):
                self._token = found[1]
            elif line.lstrip().startswith("::") or "##[" in line:
                self.obeyed.append(line)
        return self

    def named(self, name: str) -> list[str]:
        """Return the commands of a name that were obeyed."""
        return [line for line in self.obeyed if line.startswith(f"::{name}")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a good PRP and one that says what a runner would obey."""
    return Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "PRPs/evil.md": EVIL})


def test_what_fails_in_the_end_stands_beside_its_line(project: Project, tmp_path: Path) -> None:
    """Lines fold below tasks and stages; the report becomes the job's page."""
    summary = tmp_path / "summary.md"
    # Given a coder whose work never passes
    with Provider(crew(attempts=({"greet.py": BAD},))) as provider:
        model = ("--model", "openai-chat:x", "--base-url", provider.url, "--max-attempts", "1")
        # When it runs where GitHub runs jobs
        ran = project.prp(
            *("execute", "PRPs/greet.md", *model),
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(summary),
        )
    assert ran.status == 12, ran.err
    # Then the runner folds, hides the key, and annotates the line that ruff names
    runner = Runner().read(ran.err)
    assert "::group::checks on the base commit" in runner.obeyed
    assert "::group::attempt 1, task 1: Greeting" in runner.obeyed
    assert len(runner.named("group")) == len(runner.named("endgroup"))
    assert "::add-mask::test-key-of-nobody" in runner.obeyed
    errors = runner.named("error")
    place = "::error title=prp L1.1,file=greet.py,line=1::F401"
    assert any(line.startswith(place) for line in errors), errors
    assert "::error title=prp C2 failed::`ruff check` passes" in errors
    assert errors[0].startswith("::error title=prp::out of budget")
    assert summary.read_text().startswith("# A greeting: out of budget")


def test_what_an_attempt_repaired_is_nobodys_trouble(project: Project) -> None:
    """A run that ends well leaves no error."""
    with Provider(crew(attempts=({"greet.py": BAD}, {"greet.py": GOOD}))) as provider:
        model = ("--model", "openai-chat:x", "--base-url", provider.url)
        ran = project.prp("execute", "PRPs/greet.md", *model, "--output", "github")
    assert ran.status == 0, ran.err
    assert Runner().read(ran.err).named("error") == []


def test_nothing_of_a_run_is_obeyed(project: Project) -> None:
    """Neither of the document nor of what commands print, in the log and in the result."""
    with Provider(crew(attempts=({"greet.py": BAD},))) as provider:
        model = ("--model", "openai-chat:x", "--base-url", provider.url, "--max-attempts", "1")
        ran = project.prp("execute", "PRPs/evil.md", *model, "--output", "github")
    assert "owned" in ran.err
    obeyed = Runner().read(ran.err).obeyed + Runner().read(ran.out).obeyed
    known = ("group", "endgroup", "add-mask", "warning title=prp", "notice title=prp")
    own = tuple(f"::{name}::" for name in known)
    rest = [line for line in obeyed if not line.startswith(own)]
    assert all(line.startswith("::error title=prp") for line in rest), rest
    assert not any(line.startswith(("::error title=owned", "::error::")) for line in rest)
