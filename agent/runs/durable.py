"""The durable engine: what each step of a run came to is in a database before the next begins.

DBOS keeps the steps, in the database that `database.py` names. A run is a workflow; when it is
taken up its code runs from the beginning again and gets what each finished step came to from the
database.
"""

import asyncio
import contextlib
import contextvars
import copy
import hmac
import inspect
import json
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID, _context
from dbos import error as dbos_error
from sqlalchemy.exc import DatabaseError

from agent.errors import EnvironmentProblem, PrpError
from agent.runs.database import SCHEMA
from agent.steps import Json, keeper, to_its_end

_Result = TypeVar("_Result")


class Diverged(PrpError):  # noqa: N818 - what happened, and a way on exists
    """A run that was taken up asks for other steps than before: its database can't help it."""

    exit_status = EnvironmentProblem.exit_status


class _NotKept(BaseException):
    """Carries an error past the engine, which would keep it as what the step came to."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class LeftOpen(BaseException):
    """Ends a workflow without an end, so that it can be taken up."""


class PlainJson(Serializer):
    """Writes what steps come to as JSON: nothing in a database can become code."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, Exception):
            # An error of the database itself; the engine would try to keep it there.
            raise data
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "prp-json"


@dataclass(kw_only=True)
class _Whole:
    """What all lanes of a run share."""

    seed: str = ""
    ends: Callable[[], None] | None = None
    """Ends the run: called as soon as no step is under way."""
    under_way: int = 0
    waiting: int = 0
    """Lanes that wait for the end, before their next step."""

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

        With several lanes it is called when the last step that is under way has ended.
        """
        self._whole.ends = end

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
            told = await DBOS.run_step_async({"name": self._name + name}, kept)
        except _NotKept as stop:
            raise stop.error from stop.error.__cause__
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
        finally:
            if is_new:
                self._whole.under_way -= 1
                self._whole.end_if_still()
        if not is_new and settles:
            self.settle()
        if not is_new and redo and self.rebuild:
            self._redos.append(redo)
        return told

    async def _done(self, do: Callable[[], Awaitable[Json]]) -> Json:
        inside = keeper.set(None)
        try:
            async with self._meanwhile_brought_back():
                return await do()
        except Exception as error:
            raise _NotKept(error) from error
        finally:
            keeper.reset(inside)

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


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What a workflow does: in the loop and the thread of who asked for it."""

    body: Callable[[], Awaitable[Any]]
    steps: Steps
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"


_works: dict[str, _Work] = {}


@DBOS.workflow(name="run", max_recovery_attempts=1_000_000)
async def _workflow(run: str) -> str:
    """Have the run's work done where signals and connections are, with the engine's context."""
    work, context = _works[run], contextvars.copy_context()
    ended: Future[bool] = Future()

    async def carry_out() -> None:
        try:
            keeper.set(work.steps)
            await work.steps.prepare()
            result, is_final = await work.body()
        except BaseException as error:  # noqa: BLE001 - it is the other side's
            _tell(work.done, error=error)
            ended.set_result(False)
        else:
            _tell(work.done, result=result)
            ended.set_result(is_final)

    def begin() -> None:
        task = work.loop.create_task(carry_out(), context=context)
        _tasks[run] = task
        task.add_done_callback(lambda _: _tasks.pop(run, None))

    work.loop.call_soon_threadsafe(begin)
    if not await asyncio.wrap_future(ended):
        raise LeftOpen
    return "ended"


_tasks: dict[str, "asyncio.Task[None]"] = {}


def _tell(
    done: "asyncio.Future[Any]", *, result: Any = None, error: BaseException | None = None
) -> None:
    if done.done():
        return
    if isinstance(error, asyncio.CancelledError):
        done.cancel(*error.args)
    elif error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


class Engine:
    """A running engine; there is one in a process at a time."""

    def __init__(self, taken_up: str, *, is_alone: bool) -> None:
        """Take runs up by way of a queue that nobody else listens to."""
        self._taken_up, self._is_alone = taken_up, is_alone

    async def run(
        self, run: str, body: Callable[[], Awaitable[tuple[_Result, bool]]], steps: Steps
    ) -> _Result:
        """Begin a run, or take it up where its steps are.

        Args:
            run: Its id.
            body: Does the work and returns what it came to, and whether that is the run's end;
                otherwise, and whenever it raises, the run can be taken up again.
            steps: Keeps what the body's steps come to.

        """
        loop = asyncio.get_running_loop()
        work = _works[run] = _Work(body=body, steps=steps, loop=loop, done=loop.create_future())
        try:
            if await DBOS.get_workflow_status_async(run) is None:
                with SetWorkflowID(run):
                    await DBOS.start_workflow_async(_workflow, run)
            else:
                await self._listen()
                await DBOS.resume_workflow_async(run, queue_name=self._taken_up)
            return cast("_Result", await self._result(run, work))
        except DatabaseError as error:
            raise unwritable(error) from error
        finally:
            del _works[run]

    async def _listen(self) -> None:
        """Listen to the queue by which runs are taken up; asking costs who shares a server."""
        pause = 0.05 if self._is_alone else 1.0
        await DBOS.register_queue_async(self._taken_up, polling_interval_sec=pause)

    async def _result(self, run: str, work: _Work) -> Any:
        try:
            return await asyncio.shield(work.done)
        except asyncio.CancelledError as stop:
            # Either the work was cancelled, or who waits for it: then it has to end in order.
            if task := _tasks.get(run):
                task.cancel(*stop.args)
                with contextlib.suppress(BaseException):
                    await work.done
            raise


_closing: list[threading.Thread] = []


def configuration(url: str, *, executor: str) -> DBOSConfig:
    """Return how the engine is set up, for runs and for workers."""
    return DBOSConfig(
        name="prp-runs",
        system_database_url=url,
        application_version=SCHEMA,
        executor_id=executor,
        serializer=PlainJson(),
        log_level="CRITICAL",
        # A fleet shares the server's connections.
        sys_db_pool_size=3,
    )


@asynccontextmanager
async def engine(url: str, *, executor: str, taken_up: str) -> AsyncIterator[Engine]:
    """Open the engine on a database.

    Args:
        url: `sqlite:///FILE` or `postgresql://...`.
        executor: Name of this process, as no other one has it.
        taken_up: Name of the queue by which runs are taken up; nobody else listens to it.

    Raises:
        EnvironmentProblem: The database can't be opened.

    """
    while _closing:
        await asyncio.to_thread(_closing.pop().join)
    try:
        DBOS(config=configuration(url, executor=executor))
        DBOS.listen_queues([taken_up])
        DBOS.launch()
    except DatabaseError as error:
        _close()
        raise unwritable(error) from error
    try:
        yield Engine(taken_up, is_alone=url.startswith("sqlite"))
    finally:
        _close()


def _close() -> None:
    """Close the engine behind the back of who goes on: it waits for threads that only sleep."""
    thread = threading.Thread(target=DBOS.destroy, name="prp-engine-closing", daemon=True)
    thread.start()
    _closing.append(thread)
