"""Steps of a run whose worktree is yet to be made, kept by the real engine."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.errors import EnvironmentProblem
from agent.runs.durable import Steps
from agent.runs.engine import engine
from agent.steps import Json, begin_again_with, step

_WAIT = 60.0


def run(tmp_path: Path, body: Callable[[], Awaitable[Json]]) -> Json:
    """Run a body as a run does, its steps kept in a database of its own."""

    async def whole() -> Json:
        async with engine(
            f"sqlite:///{tmp_path / 'steps.sqlite'}", executor="x", taken_up="prp-x"
        ) as running:

            async def ended() -> tuple[Json, bool]:
                return await body(), True

            return await running.run("x", ended, Steps())

    return asyncio.run(whole())


def test_a_worktree_is_made_while_a_question_is_answered(tmp_path: Path) -> None:
    """Given one that is made only once the question is asked, then it is there for the next step.

    And the answer is kept only after it is there.
    """
    asked, made = threading.Event(), threading.Event()

    def make() -> None:
        assert asked.wait(_WAIT)
        made.set()

    async def ask() -> Json:
        asked.set()
        return "answer"

    async def look() -> Json:
        return made.is_set()

    async def body() -> Json:
        begin_again_with(make)
        answer = await step("answer", ask, apart=True)
        return [answer, made.is_set(), await step("look", look)]

    assert run(tmp_path, body) == ["answer", True, True]


def test_what_keeps_a_worktree_from_being_made_is_told_where_it_is_needed(tmp_path: Path) -> None:
    """Given one that can't be made, then the answer is kept all the same, and the next step fails.

    Nothing that was paid for is lost by that.
    """
    answered: list[str] = []

    def make() -> None:
        raise EnvironmentProblem("no room")

    async def ask() -> Json:
        return "answer"

    async def body() -> Json:
        begin_again_with(make)
        answered.append(await step("answer", ask, apart=True))
        await step("look", ask)

    with pytest.raises(EnvironmentProblem, match="no room"):
        run(tmp_path, body)
    assert answered == ["answer"]
