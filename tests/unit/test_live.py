"""The picture of a run: everything that runs at once, and never more lines than the window has."""

import io
from typing import Any

import pytest
from rich.console import Console

from agent.cli.live import picture
from agent.deliver.board import Board
from agent.journal import (
    AttemptStarted,
    CheckFinished,
    CommandStarted,
    MutantsTried,
    RunStarted,
    ToolUsed,
)

ENDED: dict[str, Any] = {
    "level": 1,
    "command": "x",
    "status": 0,
    "seconds": 1.0,
    "reason": "",
    "output": "",
}


def board(tasks: int = 0) -> Board:
    """Return a run with so many tasks, and a criterion for each."""
    told: dict[str, Any] = dict.fromkeys(
        ("repository", "prp", "goal", "sha256", "base", "branch"), "x"
    )
    names = {str(n): f"Task {n}" for n in range(1, tasks + 1)}
    made = Board()
    made.take(
        RunStarted(
            **told,
            run="r",
            title="A title",
            models={},
            sandbox="none",
            allowed="",
            limits={},
            tasks=names,
            criteria={f"C{n}": "holds" for n in names},
        ),
        0.0,
    )
    made.take(AttemptStarted(attempt=1, steps=()), 0.0)
    return made


def drawn(made: Board, *, width: int = 80, height: int = 24) -> list[str]:
    """Return the picture's lines."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height)
    tails = {one.log: ["first", "second", "third"] for one in made.running.values()}
    console.print(picture(made, now=9.0, since=0.0, tails=tails, height=height - 1))
    return stream.getvalue().splitlines()


def check(number: int, at: float = 1.0) -> tuple[CommandStarted, float]:
    """Return that a check began."""
    began = CommandStarted(
        by="attempt 1", check=f"L1.{number}", command=f"lint {number}", log=f"{number}.txt"
    )
    return began, at


def test_every_command_of_a_level_is_shown_until_it_ends() -> None:
    """Each by its check, with what it prints last."""
    made = board()
    for number in (1, 2):
        made.take(*check(number))
    shown = "\n".join(drawn(made))
    assert "$ lint 1" in shown
    assert "attempt 1, L1.2, 0:08" in shown
    assert shown.count("third") == 2
    made.take(CheckFinished(stage="attempt 1", check="L1.1", state="passed", **ENDED), 2.0)
    shown = "\n".join(drawn(made))
    assert ("lint 1" in shown, "lint 2" in shown) == (False, True)


def test_tasks_side_by_side_show_a_command_each() -> None:
    """The end of one leaves the other's where it is."""
    made = board(2)
    for task in (1, 2):
        made.take(CommandStarted(by="coder", command=f"make {task}", log="", task=task), 1.0)
    assert "coder, task 2, 0:08" in "\n".join(drawn(made))
    made.take(ToolUsed(role="coder", tool="run", summary="x", task=2), 2.0)
    assert [one.by for one in made.running.values()] == ["coder, task 1"]


def test_what_runs_once_more_is_shown_one_at_a_time() -> None:
    """The second look takes its time: the next one takes its place."""
    made = board()
    for number in (1, 2):
        again = CommandStarted(
            by="attempt 1, second look", check=f"L1.{number}", command=f"lint {number}", log=""
        )
        made.take(again, 1.0)
    shown = "\n".join(drawn(made))
    assert ("lint 1" in shown, "lint 2" in shown) == (False, True)
    assert "second look" in shown
    tried = MutantsTried(attempt=1, chosen=1, tried=1, killed=1, survivors=(), seconds=1.0)
    made.take(tried, 2.0)
    assert made.running == {}


@pytest.mark.parametrize("width", [20, 40, 160])
@pytest.mark.parametrize("height", [5, 10, 24])
@pytest.mark.parametrize("commands", [0, 1, 3, 40])
def test_the_picture_never_outgrows_the_window(width: int, height: int, commands: int) -> None:
    """Whatever the run has of tasks, criteria and commands."""
    made = board(300)
    for number in range(commands):
        made.take(*check(number, at=float(number)))
    lines = drawn(made, width=width, height=height)
    assert len(lines) <= height - 1
    assert all(len(line) <= width for line in lines)
