"""A run on a real terminal: what it shows while it goes on, and what it leaves behind."""

import os
from pathlib import Path

import pytest

from tests.support.lives import FILES, Coder, options
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP
from tests.support.terminal import Terminal

CHATTY = "for n in 1 2 3; do echo line-$n; done; sleep 3"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


class Talker(Coder):
    """A coder whose command prints and then takes its time."""

    def __call__(self, request: Request) -> Answer:
        """Run something that can be watched."""
        answer = super().__call__(request)
        calls = tuple(
            (name, {"command": f"{CHATTY}; echo more >> notes.md; echo appended"})
            if name == "run"
            else (name, arguments)
            for name, arguments in answer.calls
        )
        return Answer(text=answer.text, calls=calls)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP of two criteria."""
    return Project(tmp_path / "project", FILES)


@pytest.mark.parametrize(("columns", "lines"), [(40, 15), (80, 24), (160, 50)])
def test_a_run_is_drawn_as_it_goes_on(project: Project, columns: int, lines: int) -> None:
    """Task at work, the command with its last lines, criteria; then the cursor is back."""
    with Provider(Talker()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments, columns=columns, lines=lines) as terminal:
            # When the coder's command prints
            screen = terminal.until("line-3")
            # Then the task at hand is marked, and the criteria are open
            assert "\N{BLACK RIGHT-POINTING TRIANGLE}" in screen
            assert "attempt 1" in screen or columns < 80
            assert "\N{MIDDLE DOT} C1" in screen
            # And at the end the result stands there, with nothing of the picture
            assert terminal.ended() == 0
    assert "report.html" in terminal.shown.replace(os.linesep, "")
    assert "line-3" not in terminal.shown
    raw = terminal.raw.getvalue()
    assert raw.rfind(SHOW) > raw.rfind(HIDE)


def test_what_failed_is_shown_before_the_next_attempt(project: Project) -> None:
    """Criteria turn from open to failed to proven."""
    with Provider(Talker()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments) as terminal:
            terminal.until("attempt 2 of 3")
            assert "failed" in terminal.until("\N{BALLOT X} C1")
            assert terminal.ended() == 0


def test_a_window_that_changes_its_size_is_drawn_anew(project: Project) -> None:
    """No line is longer than the window then."""
    with Provider(Talker()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments, columns=120) as terminal:
            terminal.until("line-3")
            terminal.resize(columns=50, lines=20)
            assert terminal.ended() == 0


def test_ctrl_c_gives_the_terminal_back(project: Project) -> None:
    """With the cursor, and with what to do next."""
    with Provider(Talker()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments) as terminal:
            terminal.until("line-3")
            terminal.process.sendintr()
            assert terminal.ended() == 130
    raw = terminal.raw.getvalue()
    assert raw.rfind(SHOW) > raw.rfind(HIDE)
    assert "prp resume" in terminal.shown


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"CI": "true"}])
def test_lines_where_nothing_can_be_drawn(project: Project, variables: dict[str, str]) -> None:
    """As through a pipe."""
    with Provider(Coder()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments, lines=200, variables=variables) as terminal:
            assert terminal.ended() == 0
    assert b"\x1b[" not in terminal.raw.getvalue()
    assert "attempt 2: L1.1 passed" in terminal.shown


def test_no_color_takes_the_colours_away(project: Project) -> None:
    """And nothing else."""
    with Provider(Talker()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments, variables={"NO_COLOR": "1"}) as terminal:
            terminal.until("line-3")
            assert terminal.ended() == 0
    raw = terminal.raw.getvalue()
    assert not any(f"\x1b[{code}m".encode() in raw for code in (*range(30, 38), *range(90, 98)))


def test_what_a_run_says_can_not_drive_the_terminal(tmp_path: Path) -> None:
    """Titles, criteria and output with escapes are shown, not obeyed."""
    evil = GREET_PRP.replace("# PRP: A greeting", "# PRP: A greeting \x1b]0;owned\x07")
    project = Project(tmp_path / "project", {**FILES, "PRPs/greet.md": evil})

    class Evil(Talker):
        def __call__(self, request: Request) -> Answer:
            answer = super().__call__(request)
            said = r"printf '\033]0;owned\007line-3\n'; sleep 2"
            calls = tuple((n, {"command": said} if n == "run" else a) for n, a in answer.calls)
            return Answer(text=answer.text, calls=calls)

    with Provider(Evil()) as provider:
        arguments = ("execute", "PRPs/greet.md", *options(provider))
        with Terminal(project, *arguments) as terminal:
            terminal.until("line-3")
            terminal.process.sendintr()
            terminal.ended()
    assert b"\x1b]0;owned" not in terminal.raw.getvalue()


def test_an_unknown_form_is_refused(project: Project) -> None:
    """Before anything runs."""
    ran = project.prp("execute", "PRPs/greet.md", "--output", "video")
    assert (ran.status, "auto, live, plain, github" in ran.err) == (2, True)
    assert project.runs == []
