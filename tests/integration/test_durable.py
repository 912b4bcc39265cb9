"""The durable engine on a database of its own: what it asks, and what it keeps."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Engine as AnyEngine

from agent.runs.database import database_of, queue_of
from agent.runs.durable import Steps
from agent.runs.engine import engine
from agent.runs.folder import RunFolder
from agent.steps import step


class _Work:
    """Takes steps, and is stopped before one of them."""

    def __init__(self, place: Path) -> None:
        self.folder = RunFolder(id="run", path=place)
        self.did: list[int] = []

    async def until(self, number: int, *, stop: bool = True) -> list[str]:
        """Begin the run or take it up, and go on to a step that is not done where it is to stop."""
        url = database_of(self.folder, None, is_shared=False).url
        async with engine(url, executor="here", taken_up=queue_of("run")) as running:
            return await running.run("run", lambda: self._body(number, stop=stop), Steps())

    async def _body(self, number: int, *, stop: bool) -> tuple[list[str], bool]:
        told = [await step("one", lambda n=n: self._do(n)) for n in range(number)]  # type: ignore[misc]
        return told, not stop

    async def _do(self, number: int) -> str:
        self.did.append(number)
        return f"came of {number}"


@contextmanager
def _asked() -> Iterator[list[str]]:
    """Collect what every database in this process is asked."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    sqlalchemy.event.listen(AnyEngine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sqlalchemy.event.remove(AnyEngine, "before_cursor_execute", hear)


def test_F67_the_steps_so_far_are_read_at_once(tmp_path: Path) -> None:
    """Given 10 or 50 steps that are kept, then taking the run up reads as often."""
    reads = []
    for count in (10, 50):
        place = tmp_path / str(count)
        place.mkdir()
        work = _Work(place)
        asyncio.run(work.until(count))
        with _asked() as asked:
            told = asyncio.run(work.until(count))
        assert told == [f"came of {n}" for n in range(count)]
        assert work.did == list(range(count)), "a step was done again"
        reads.append(sum("operation_outputs" in words for words in asked))
    assert reads[0] == reads[1], reads


def test_a_run_that_is_taken_up_does_not_go_on_asking_for_work(tmp_path: Path) -> None:
    """The queue that brought it back is gone once it has begun: nobody else is ever in it."""
    work = _Work(tmp_path)
    asyncio.run(work.until(3))
    asyncio.run(work.until(4))
    with sqlite3.connect(work.folder.steps) as database:
        assert database.execute("SELECT name FROM queues").fetchall() == []
    assert work.did == [0, 1, 2, 3]
