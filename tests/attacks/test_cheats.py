"""A coder that cheats, or that says odd things, gets no proof and breaks nothing."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, PLAN, WRONG, opinions

Calls = Iterable[tuple[str, dict[str, Any]]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with the greeting's PRP."""
    return Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "README.md": "# greet\n"})


def execute(project: Project, *turns: Calls) -> Ran:
    """Execute with a coder that makes these calls turn by turn, and a judge that believes all."""
    left = iter(turns)

    def answer(request: Request) -> Answer:
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(PLAN)),))
        if "submit_judgement" in request.tools:
            judged = opinions({"C1": "yes", "C2": "yes"}, quote="def greet")
            return Answer(calls=(("submit_judgement", judged),))
        return Answer(calls=tuple(next(left, [("finish", {"summary": "Done."})])))

    return with_provider(project, answer)


def with_provider(project: Project, answer: Callable[[Request], Answer]) -> Ran:
    """Execute the project's PRP against a scripted server."""
    with Provider(answer) as provider:
        return project.prp(
            *("execute", "PRPs/greet.md", "--model", "openai-chat:scripted"),
            *("--base-url", provider.url, "--max-attempts", "1"),
            OPENAI_API_KEY="test-key-of-nobody",
        )


FAKE = """\
import sys
class _M:
    def greet(n): return f'Hello, {n}!'
sys.modules['greet'] = _M
"""


def test_configuration_that_a_command_plants_never_reaches_the_clean_room(
    project: Project,
) -> None:
    """sitecustomize.py would be loaded by every Python that a check starts."""
    plant = f"cat > sitecustomize.py <<'EOF'\n{FAKE}EOF"
    ran = execute(
        project,
        [("write", {"path": "greet.py", "content": WRONG}), ("run", {"command": plant})],
    )
    assert ran.status == 12, ran.out
    assert "L2.1 failed" in ran.err


def test_odd_arguments_are_answered_and_the_work_stays(project: Project) -> None:
    """NUL bytes, endless paths and commands end neither the run nor the branch."""
    ran = execute(
        project,
        [
            ("run", {"command": "echo a\0b"}),
            ("run", {"command": "x" * 200_000}),
            ("write", {"path": "a/" * 3000 + "b.py", "content": ""}),
            ("write", {"path": "c.py", "content": "-" * 50_000 + "1"}),
            ("write", {"path": "greet.py", "content": GOOD}),
        ],
        [("finish", {"summary": "Do\0ne."})],
    )
    assert ran.status == 0, ran.err
    assert "Traceback" not in ran.err
    assert project.git("show", "prp/greet:greet.py") == GOOD


def test_a_check_that_stops_reading_fails_no_writer(tmp_path: Path) -> None:
    """`yes | grep -q y` succeeds, whatever becomes of yes."""
    prp = GREET_PRP.replace("ruff check .\n", "ruff check .\nyes | grep -q y\n", 1)
    project = Project(tmp_path / "project", {"PRPs/greet.md": prp, "README.md": "# greet\n"})
    ran = execute(project, [("write", {"path": "greet.py", "content": GOOD})])
    assert "attempt 1: L1.2 passed" in ran.err
    assert ran.status == 0, ran.out


def test_a_run_without_a_commit_names_no_branch(project: Project) -> None:
    """What is not there can't be shown."""
    ran = with_provider(project, lambda _request: Answer(fault="401"))
    assert ran.status != 0
    assert "log -p prp/greet" not in ran.out
    assert project.git("branch", "--list", "prp/*") == ""
