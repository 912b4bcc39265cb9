"""The durable engine: what each step of a run came to is in a database before the next begins.

DBOS keeps the steps, in the database that `database.py` names. A run is a workflow; when it is
taken up its code runs from the beginning again and gets what each finished step came to from the
database.
"""

import asyncio
import contextlib
import contextvars
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from dbos._queue import queue_worker_thread
from sqlalchemy.exc import DatabaseError

from agent.runs.database import SCHEMA
from agent.runs.durable import Steps, unwritable
from agent.steps import keeper

_Result = TypeVar("_Result")


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


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What a workflow does: in the loop and the thread of who asked for it."""

    body: Callable[[], Awaitable[Any]]
    steps: Steps
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"
    taken_up: str
    """The queue that it was taken up by; empty for one that begins."""


_works: dict[str, _Work] = {}


@DBOS.workflow(name="run", max_recovery_attempts=1_000_000)
async def _workflow(run: str) -> str:
    """Have the run's work done where signals and connections are, with the engine's context."""
    work, context = _works[run], contextvars.copy_context()
    ended: Future[bool] = Future()

    async def carry_out() -> None:
        try:
            if work.taken_up:
                # Nobody is ever in it again, and to look for that takes processor and database.
                await DBOS.delete_queue_async(work.taken_up)
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


# Seconds between two looks for a run that is taken up; there are few, until it has begun.
_PAUSE = 0.02


class Engine:
    """A running engine; there is one in a process at a time."""

    def __init__(self, database: DBOS, taken_up: str) -> None:
        """Take runs up by way of a queue that nobody else listens to."""
        self._database = database
        self._taken_up = taken_up
        self._closed = threading.Event()

    def close(self) -> None:
        """Look for runs to take up no more."""
        self._closed.set()

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
        try:
            is_new = await DBOS.get_workflow_status_async(run) is None
            _works[run] = work = _Work(
                body=body,
                steps=steps,
                loop=loop,
                done=loop.create_future(),
                taken_up="" if is_new else self._taken_up,
            )
            if is_new:
                with SetWorkflowID(run):
                    await DBOS.start_workflow_async(_workflow, run)
            else:
                await self._take_up(run, steps)
            return cast("_Result", await self._result(run, work))
        except DatabaseError as error:
            raise unwritable(error) from error
        finally:
            _works.pop(run, None)

    async def _take_up(self, run: str, steps: Steps) -> None:
        """Have the engine begin a workflow again that was left open."""
        steps.know(await DBOS.list_workflow_steps_async(run))
        queue = await DBOS.register_queue_async(self._taken_up, polling_interval_sec=_PAUSE)
        await DBOS.resume_workflow_async(run, queue_name=self._taken_up)
        # The engine would begin to listen by itself, but it looks for new queues once a second.
        # The thread ends with the queue, which is deleted as soon as the run has begun.
        threading.Thread(
            target=queue_worker_thread,
            args=(self._closed, self._database, queue),
            name="prp-taking-up",
            daemon=True,
        ).start()

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
        database = DBOS(config=configuration(url, executor=executor))
        # Not to those of others; to its own one it listens as soon as there is one.
        DBOS.listen_queues([])
        DBOS.launch()
    except DatabaseError as error:
        _close()
        raise unwritable(error) from error
    opened = Engine(database, taken_up)
    try:
        yield opened
    finally:
        opened.close()
        _close()


def _close() -> None:
    """Close the engine behind the back of who goes on: it waits for threads that only sleep."""
    thread = threading.Thread(target=DBOS.destroy, name="prp-engine-closing", daemon=True)
    thread.start()
    _closing.append(thread)
