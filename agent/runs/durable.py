"""A run's steps as they are kept: each once, in the order and the lane that it began in.

The engine, in `engine.py`, runs a run's code again when it is taken up; finished steps give back
what they came to.
"""

import asyncio
import copy
import hmac
import inspect
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbos import DBOS, _context
from dbos import error as dbos_error
from sqlalchemy.exc import DatabaseError

from agent.errors import EnvironmentProblem, PrpError
from agent.steps import Json, keeper, resting, to_its_end

if TYPE_CHECKING:
    from dbos import StepInfo


class Diverged(PrpError):  # noqa: N818 - what happened, and a way on exists
    """A run that was taken up asks for other steps than before: its database can't help it."""

    exit_status = EnvironmentProblem.exit_status


class _NotKept(BaseException):
    """Carries an error past the engine, which would keep it as what the step came to."""

    def __init__(self, error: Exception) -> None:
        self.error = error


@dataclass(kw_only=True)
class _Whole:
    """What all lanes of a run share."""

    seed: str = ""
    ends: Callable[[], None] | None = None
    """Ends the run: called as soon as no step is under way."""
    under_way: int = 0
    waiting: int = 0
    """Lanes that wait for the end, before their next step, or to begin one again."""
    known: "dict[int, StepInfo]" = field(default_factory=dict)
    """Steps that were kept before the run was taken up and have not come again yet."""

    def end_if_still(self) -> None:
        """End the run where that is wanted, somebody waits for it and no step is under way."""
        if self.ends and self.waiting and not self.under_way:
            self.ends()


# The engine numbers steps in the order in which they begin. What goes on at the same time begins in
# any order, so each lane has numbers of its own: the main line's come first, then one share after
# the other for its lanes; each share is divided in the same way for lanes within it.
_SHARES = (1 << 31, 1 << 22, 1 << 15)


class Steps:
    """Keeps the steps of one run, or of one lane of it; see `agent.steps.Keeper`."""

    def __init__(self) -> None:
        """Begin with nothing lost and no wish to end."""
        self.rebuild: Callable[[], None] | None = None
        """Brings a worktree that was lost to the last commit that the steps know."""
        self._redos: list[Callable[[], object]] = []
        self._bringing_back = asyncio.Lock()
        self._tokens = 0
        self._whole = _Whole()
        self._name, self._depth, self._first, self._lanes = "", 0, 0, 0
        self._numbers: _context.DBOSContext | None = None

    def beside(self, name: str) -> "Steps | None":
        """Return a keeper for a lane; None where the numbers do not suffice for another one."""
        self._lanes += 1
        depth = self._depth + 1
        if depth == len(_SHARES) or (self._lanes + 1) * _SHARES[depth] > _SHARES[self._depth]:
            return None
        lane = Steps()
        lane._whole = self._whole
        lane._name = f"{self._name}{name}/"
        lane._depth, lane._first = depth, self._first + self._lanes * _SHARES[depth]
        return lane

    def enter(self) -> None:
        """Give the steps of this asyncio task the lane's numbers."""
        keeper.set(self)
        if self._numbers is None:
            self._numbers = copy.copy(_context.assert_current_dbos_context())
            self._numbers.function_id = self._first
        _context._set_local_dbos_context(self._numbers)  # noqa: SLF001 - no public way to it

    def begin_again_with(self, restore: Callable[[], None]) -> None:
        """Have a worktree that was lost brought back before the first step that is new."""
        self.rebuild = restore

    def end_before_next(self, end: Callable[[], None]) -> None:
        """Call a function instead of beginning another step; it must cancel who waits.

        With several lanes it is called when the last step that is under way has ended, or rests.
        """
        self._whole.ends = end
        self._whole.end_if_still()

    def know(self, kept: "Iterable[StepInfo]") -> None:
        """Take what a run's steps came to before; what is not among them, the engine is asked."""
        self._whole.known = {one["function_id"]: one for one in kept if one["error"] is None}

    def token(self) -> str:
        """Return 16 hex digits that nobody can foresee, the same again when taken up."""
        self._tokens += 1
        drawn = f"{self._name}{self._tokens}".encode()
        return hmac.digest(self._whole.seed.encode(), drawn, "sha256").hex()[:16]

    async def prepare(self) -> None:
        """Draw what the run's tokens come from, once for all."""

        async def draw() -> Json:
            return secrets.token_hex(16)

        self._whole.seed = await self.step("seed", draw, None, settles=False, apart=False)

    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[Json]],
        redo: Callable[[], object] | None,
        *,
        settles: bool,
        apart: bool,
    ) -> Json:
        """Do a step and keep what it came to, or return what was kept.

        Raises:
            Diverged: Another step was kept in this place.
            EnvironmentProblem: The database can't be read or written.

        """
        is_new = False

        async def kept() -> Json:
            nonlocal is_new
            await self._end_where_wanted()
            if not apart:
                await self.bring_back()
            is_new = True
            self._whole.under_way += 1
            return await self._done(do)

        self._require_room()
        try:
            told = await self._told(self._name + name, kept)
        except _NotKept as stop:
            raise stop.error from stop.error.__cause__
        finally:
            if is_new:
                self._whole.under_way -= 1
                self._whole.end_if_still()
        if not is_new and settles:
            self.settle()
        if not is_new and redo and self.rebuild:
            self._redos.append(redo)
        return told

    async def _told(self, name: str, do: Callable[[], Awaitable[Json]]) -> Json:
        """Return what a step was known to come to, or have the engine look for it or do it."""
        if known := self._known(name):
            # Others get their turn, as while a database is asked.
            await asyncio.sleep(0)
            return known["output"]
        try:
            return await DBOS.run_step_async({"name": name}, do)
        except dbos_error.DBOSUnexpectedStepError as error:
            raise Diverged(
                f"The run asks for other steps than before: {error}",
                hint="prp resume RUN --afresh goes on from what is committed.",
            ) from error
        except dbos_error.DBOSWorkflowConflictIDError as error:
            raise EnvironmentProblem(
                "Another process works on this run: it has kept this step meanwhile"
            ) from error
        except DatabaseError as error:
            raise unwritable(error) from error

    def _known(self, name: str) -> "StepInfo | None":
        """Return the next step as it was kept, and count it, where it is known and the same."""
        numbers = _context.assert_current_dbos_context()
        known = self._whole.known.get(numbers.function_id + 1)
        if known is None or known["function_name"] != name:
            return None
        numbers.function_id += 1
        return self._whole.known.pop(numbers.function_id)

    async def _done(self, do: Callable[[], Awaitable[Json]]) -> Json:
        inside, rests = keeper.set(None), resting.set(self._resting)
        try:
            async with self._meanwhile_brought_back():
                return await do()
        except Exception as error:
            raise _NotKept(error) from error
        finally:
            resting.reset(rests)
            keeper.reset(inside)

    @contextmanager
    def _resting(self) -> Iterator[None]:
        self._whole.under_way -= 1
        self._whole.waiting += 1
        try:
            self._whole.end_if_still()
            yield
        finally:
            self._whole.waiting -= 1
            self._whole.under_way += 1

    def _require_room(self) -> None:
        """Make sure that a lane does not number its steps like the next one's."""
        numbers, width = self._numbers, _SHARES[min(self._depth + 1, len(_SHARES) - 1)]
        used = numbers.function_id - self._first if numbers else 0
        if numbers and used + 1 >= width:
            raise EnvironmentProblem(
                f"{self._name.strip('/')} took {used:,} steps, more than can be kept at one time",
                hint="Split the task, or let tasks follow each other: --jobs 1.",
            )

    async def _end_where_wanted(self) -> None:
        """Wait for the end instead of beginning a new step, where that is wanted."""
        if self._whole.ends:
            self._whole.waiting += 1
            self._whole.end_if_still()
            await asyncio.Event().wait()

    @asynccontextmanager
    async def _meanwhile_brought_back(self) -> AsyncIterator[None]:
        """Bring a lost worktree back while a step goes on that has nothing to do with it."""
        if not (self.rebuild or self._redos):
            yield
            return
        bringing = asyncio.create_task(self.bring_back())
        try:
            yield
        finally:
            # Where it failed, the next step tries again, and tells why.
            await asyncio.gather(bringing, return_exceptions=True)

    def settle(self) -> None:
        """Forget what led to here: everything that was done to the worktree so far is safe."""
        self._redos.clear()

    async def bring_back(self) -> None:
        """Bring a lost worktree to where the steps are."""
        # Steps that begin at the same time all wait for it.
        async with self._bringing_back:
            if self.rebuild:
                await to_its_end(self.rebuild)
                self.rebuild = None
            while self._redos:
                made = self._redos[0]()
                if inspect.isawaitable(made):
                    await made
                self._redos.pop(0)


def unwritable(error: DatabaseError) -> EnvironmentProblem:
    """Return what it means for the person that the database fails."""
    return EnvironmentProblem(
        f"The run's steps can't be kept: {error.orig}",
        hint="Make room or mend the database; the run can then be taken up where it is.",
    )
