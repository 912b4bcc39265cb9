"""Steps: what was done once is not done again when a run is taken up after a crash.

Code that asks a model, runs a command or commits says so with `step`. Where nobody keeps steps (a
test, `prp verify`, `prp plan`) a step is simply done. A durable run keeps what each step came to,
and when it is taken up again it gets that back instead of doing the step once more. Everything
between steps runs again, so it must come out the same: no clock, no dice, no file that others
change.
"""

import asyncio
import secrets
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

_Result = TypeVar("_Result")
Json = Any
"""What JSON can say; tuples come back as lists."""


class Keeper(Protocol):
    """Keeps what steps came to."""

    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[Json]],
        redo: Callable[[], object] | None,
        *,
        settles: bool,
        apart: bool,
    ) -> Json:
        """Return what the step came to, now or before the crash."""

    def token(self) -> str:
        """Return what nobody can foresee, and the same again when the run is taken up."""

    def beside(self, name: str) -> "Keeper | None":
        """Return a keeper for work that goes on at the same time; None where there is no more room.

        Its steps are found again whatever order they end in. Asked for in the same order when the
        run is taken up, it is the same.
        """

    def enter(self) -> None:
        """Keep the steps of the asyncio task that this is called in, and of those that it makes."""

    def begin_again_with(self, restore: Callable[[], None]) -> None:
        """Have a worktree that was lost brought back before the first step that is new."""

    def settle(self) -> None:
        """Forget what led to here: everything that was done to the worktree so far is safe."""

    async def bring_back(self) -> None:
        """Do now to a lost worktree what the steps so far did to it."""


keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)
"""Who keeps the steps of the run that this code belongs to; None where nobody does, or where the
code is part of a step."""


resting: ContextVar[Callable[[], AbstractContextManager[object]]] = ContextVar(
    "resting", default=nullcontext
)
"""Holds while a step only waits to begin again, so that nothing is under way: a run can end there
as it can between two steps."""


async def step(
    name: str,
    do: Callable[[], Awaitable[Json]],
    *,
    redo: Callable[[], object] | None = None,
    settles: bool = False,
    apart: bool = False,
) -> Json:
    """Do a step, or return what it came to before.

    Args:
        name: What it is, in few words; it must be the same when the run is taken up again.
        do: Does it and returns what JSON can say. When it raises nothing is kept: the step is
            done again. A step that was cut off half-way is done again too.
        redo: Brings back what it did to the worktree, where the worktree was lost; a command is
            run once more, on what stood there before.
        settles: Whether everything that was done to the worktree so far is safe with it.
        apart: Whether it has nothing to do with the worktree: one that is yet to be made, or to be
            brought back, is so while it goes on.

    """
    kept_by = keeper.get()
    if kept_by is None:
        return await do()
    return await kept_by.step(name, do, redo, settles=settles, apart=apart)


def new_token() -> str:
    """Return 16 hex digits that nobody can foresee; a run that is taken up gets the same again."""
    kept_by = keeper.get()
    return secrets.token_hex(8) if kept_by is None else kept_by.token()


async def at_once(
    works: Mapping[str, Callable[[], Awaitable[_Result]]], *, most: int
) -> dict[str, _Result | Exception]:
    """Do several things at the same time, each with steps of its own.

    One that fails does not end the others: what they do is paid for.

    Args:
        works: What to do, by names that are the same when the run is taken up.
        most: How many go on at once; the first of them begin first.

    Returns:
        What each came to, by its name, in the same order.

    """
    async with under_way(works, most=most) as came_of:
        return {name: await came_of(name) for name in works}


@asynccontextmanager
async def under_way(
    works: Mapping[str, Callable[[], Awaitable[_Result]]], *, most: int
) -> AsyncIterator[Callable[[str], Awaitable[_Result | Exception]]]:
    """Do several things at the same time, as `at_once` does, and let each be waited for by itself.

    Gives what waits for one, by its name, and returns what it came to; in the order of the works,
    so that a run that is taken up begins its steps in the same order. At the end all have ended.
    """
    kept_by, room = keeper.get(), asyncio.Semaphore(most)
    lanes = {name: kept_by.beside(name) if kept_by else None for name in works}

    async def done(name: str) -> _Result | Exception:
        async with room:
            if lane := lanes[name]:
                lane.enter()
            try:
                return await works[name]()
            except Exception as error:  # noqa: BLE001 - it is the caller's to tell
                return error

    # Those for whose steps there is no room of their own are done when they are waited for.
    beside = [name for name, lane in lanes.items() if lane or not kept_by]
    tasks = {name: asyncio.create_task(done(name)) for name in beside}
    try:
        try:
            yield lambda name: tasks.get(name) or done(name)
        except Exception:
            await asyncio.gather(*tasks.values())
            raise
        await asyncio.gather(*tasks.values())
    except BaseException:
        await _ended(tasks.values())
        raise


async def in_order(begun: Sequence[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Do several things at the same time that begin in their order, and are one step each at most.

    Steps are found again by the order in which they begin; what each came to is returned in the
    same order. The first that fails ends the others.
    """
    tasks = [asyncio.create_task(one) for one in begun]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        await _ended(tasks)
        raise


async def to_its_end(do: Callable[[], _Result]) -> _Result:
    """Do in a thread what would keep other lanes waiting; who is cancelled waits for its end.

    So nobody goes on, or clears away, while it is still writing.
    """
    doing = asyncio.ensure_future(asyncio.to_thread(do))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise


@asynccontextmanager
async def meanwhile() -> AsyncIterator[Callable[[Callable[[], object]], None]]:
    """Give what begins to do something in a thread while others go on; at the end all is done."""
    begun: list[asyncio.Task[object]] = []
    try:
        yield lambda do: begun.append(asyncio.create_task(to_its_end(do)))
    finally:
        await asyncio.gather(*begun)


async def _ended(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until they have ended in order."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def begin_again_with(restore: Callable[[], None]) -> None:
    """Say that the worktree of what is under way was lost, and what brings its beginning back."""
    if kept_by := keeper.get():
        kept_by.begin_again_with(restore)
