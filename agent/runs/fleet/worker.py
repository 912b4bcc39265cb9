"""A worker: takes runs from a queue and has each carried out by a process of its own."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbos import DBOS
from sqlalchemy.exc import DatabaseError

from agent.deliver import tell
from agent.errors import EnvironmentProblem, Exit, PrpError
from agent.journal import read_events
from agent.runs.alive import holder
from agent.runs.database import forget_ended
from agent.runs.detaching import Process
from agent.runs.durable import unwritable
from agent.runs.engine import LeftOpen, configuration
from agent.runs.fleet.clones import clone_for
from agent.runs.fleet.jobs import Job, from_json, unpack
from agent.runs.fleet.liveness import Sign
from agent.runs.fleet.queue import WORKFLOW, id_of, prefix_of, prepared, run_of
from agent.runs.fleet.storing import store
from agent.runs.fleet.warm import Warm, warm
from agent.runs.folder import RunFolder
from agent.settings import Settings

_PULSE = 1.0
# Between two looks for runs whose steps nobody needs any more.
_TIDYING = 30.0
# A run that SIGTERM ends has eight seconds to save itself; see `signals.py`.
_LAST_WORDS = 12.0
_LATEST_END = 18.0
_MOST_STARTS = 3
_ENDLESS = 1_000_000

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many runs of a queue are worked on at once; the last worker to begin has the say."""

    concurrency: int = 1
    """By this worker."""
    running: int | None = None
    """By all workers together."""
    per_model: int | None = None
    """By all workers together, of those that have the same model."""
    starts: tuple[int, float] | None = None
    """So many may begin within so many seconds."""


@dataclass(kw_only=True)
class Worker:
    """One process that takes runs; each is a process below it."""

    settings: Settings
    queue: str
    limits: Limits
    say: Say
    name: str = field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    )
    _running: dict[str, "_Running"] = field(default_factory=dict)
    _is_ending: bool = False
    _warm: Warm = field(init=False)
    _tidied: float = -_TIDYING

    async def work(self, *, until_empty: bool) -> None:
        """Take runs until a signal comes.

        Args:
            until_empty: Whether to end when nobody's run waits or is worked on any more.

        Raises:
            EnvironmentProblem: The database does not answer any more: others take the runs over.

        """
        url = await asyncio.to_thread(prepared, self.settings.database_url)
        stop = asyncio.Event()

        def end() -> None:
            stop.set()
            latest = threading.Timer(_LATEST_END, self._give_up)
            latest.daemon = True
            latest.start()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, end)
        sign = Sign(url, self.name)
        try:
            with warm() as self._warm, _listening(self, url):
                await self._register()
                self.say(f"worker {self.name} takes runs from {self.queue}")
                await self._watch(sign, stop, until_empty=until_empty)
                await asyncio.to_thread(self._end, sign)
        finally:
            sign.end()

    async def _register(self) -> None:
        limits = self.limits
        most = limits.running or _ENDLESS
        await DBOS.register_queue_async(
            self.queue,
            worker_concurrency=min(limits.concurrency, most),
            global_concurrency=most,
            partition_concurrency=min(limits.per_model or most, most),
            limiter=(
                {"limit": limits.starts[0], "period": limits.starts[1]} if limits.starts else None
            ),
            polling_interval_sec=0.5,
            on_conflict="always_update",
        )

    async def _watch(self, sign: Sign, stop: asyncio.Event, *, until_empty: bool) -> None:
        while not stop.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=_PULSE)
            is_left = await asyncio.to_thread(self._beat, sign)
            if until_empty and not is_left:
                return

    def _beat(self, sign: Sign) -> bool:
        """Show and see who is alive; return whether runs wait or are worked on."""
        if sign.gone():
            self._kill()
            raise EnvironmentProblem(
                "The database takes this worker for dead: it can't be reached any more",
                hint="Start the worker again; its runs are taken over by others meanwhile.",
            )
        try:
            with sign.alone("reaper") as is_mine:
                if is_mine:
                    self._take_back(sign)
                    self._tidy()
            open_ones = DBOS.list_workflows(
                name=WORKFLOW,
                queue_name=self.queue,
                status=["ENQUEUED", "PENDING", "DELAYED"],
                load_input=False,
                load_output=False,
            )
            mine = {status.workflow_id for status in open_ones if status.executor_id == self.name}
        except DatabaseError as error:
            self._kill()
            raise unwritable(error) from error
        for running in list(self._running.values()):
            if id_of(self.queue, running.job.run) not in mine:
                running.cancel()
        return bool(open_ones or self._running)

    def _take_back(self, sign: Sign) -> None:
        """Put runs of dead workers back on the queue."""
        pending = DBOS.list_workflows(
            name=WORKFLOW,
            queue_name=self.queue,
            status="PENDING",
            load_input=False,
            load_output=False,
        )
        workers = {status.executor_id for status in pending if status.executor_id}
        dead = sign.dead(workers - {self.name})
        for status in pending:
            if status.executor_id in dead:
                self.say(f"{run_of(status.workflow_id)}: {status.executor_id} is gone")
                DBOS.resume_workflow(status.workflow_id, queue_name=self.queue)

    def _tidy(self, *, now: bool = False) -> None:
        """Forget the steps of runs whose ends the queue knows."""
        if now or time.monotonic() - self._tidied >= _TIDYING:
            self._tidied = time.monotonic()
            # It can wait: who finds the database gone for good is told so elsewhere.
            with contextlib.suppress(PrpError):
                forget_ended(self.settings.database_url or "", prefix_of(self.queue))

    def carry_out(self, job: Job) -> Mapping[str, Any]:
        """Have a run carried out, or taken up where another worker left it.

        Returns:
            What it came to: `exit_status`, `outcome`, `reason`, `can_go_on`.

        """
        folder = RunFolder(id=job.run, path=self.settings.state_dir / "runs" / job.run)
        self.say(f"{job.run}: {job.prp} on {job.branch}")
        try:
            result = self._process(job, folder)
        except PrpError as error:
            result = _failed(int(error.exit_status), f"{error} {error.hint}".strip())
        if self._is_ending:
            raise LeftOpen
        with contextlib.suppress(PrpError):
            result = {**result, **self._stored(folder)}
        self.say(f"{job.run}: {result['outcome']} ({result['exit_status']})")
        return result

    def _stored(self, folder: RunFolder) -> dict[str, str]:
        url = self.settings.storage_url
        if not url or not folder.journal.exists():
            return {}
        try:
            store(folder, url)
        except EnvironmentProblem as error:
            self.say(f"{folder.id}: {error}")
            return {}
        return {"stored": f"{url.rstrip('/')}/{folder.id}"}

    def _process(self, job: Job, folder: RunFolder) -> Mapping[str, Any]:
        token = self.settings.keys.get("PRP_GIT_TOKEN", "")
        root = clone_for(job, folder, self.settings.state_dir, token=token)
        unpack(job, folder, root)
        for _ in range(_MOST_STARTS):
            _wait_for_others(folder)
            running = _Running.start(job, folder, self._warm)
            self._running[job.run] = running
            # It may have begun to end just before.
            if self._is_ending:
                running.end()
            status = running.wait()
            del self._running[job.run]
            if status >= 0 or self._is_ending or running.is_cancelled:
                break
        return _result_of(folder, status)

    def _end(self, sign: Sign) -> None:
        """Let runs save themselves, and put them back for others."""
        self._is_ending = True
        for running in list(self._running.values()):
            running.end()
        latest = time.monotonic() + _LAST_WORDS
        while self._running and time.monotonic() < latest:
            time.sleep(0.1)
        self._kill()
        with sign.alone("reaper", wait=True):
            for status in DBOS.list_workflows(
                name=WORKFLOW,
                queue_name=self.queue,
                status="PENDING",
                executor_id=self.name,
                load_input=False,
            ):
                DBOS.resume_workflow(status.workflow_id, queue_name=self.queue)
        self._tidy(now=True)

    def _give_up(self) -> None:
        """End although a hanging database holds a thread: other workers take the runs over."""
        self._kill()
        self.say("the database does not answer: the runs here are left to other workers")
        os._exit(Exit.ENVIRONMENT)

    def _kill(self) -> None:
        for running in list(self._running.values()):
            running.kill()


@dataclass(kw_only=True)
class _Running:
    """The process that works on one run, tied to this one's life."""

    job: Job
    folder: RunFolder
    process: Process
    lifeline: int
    is_cancelled: bool = False

    @classmethod
    def start(cls, job: Job, folder: RunFolder, warm: Warm) -> "_Running":
        reading, writing = os.pipe()
        try:
            process = warm.start(folder, cwd=folder.path, lifeline=reading)
        finally:
            os.close(reading)
        return cls(job=job, folder=folder, process=process, lifeline=writing)

    def wait(self) -> int:
        status = self.process.wait()
        os.close(self.lifeline)
        return status

    def cancel(self) -> None:
        if not self.is_cancelled:
            self.is_cancelled = True
            self.folder.cancelled.touch()
            self.end()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _wait_for_others(folder: RunFolder) -> None:
    """Wait for a process of a dead worker on this machine, which is about to be killed."""
    latest = time.monotonic() + _LAST_WORDS
    while folder.lock.exists() and holder(folder) is not None and time.monotonic() < latest:
        time.sleep(0.1)


def _result_of(folder: RunFolder, status: int) -> Mapping[str, Any]:
    ended: Mapping[str, Any] | None = None
    with contextlib.suppress(FileNotFoundError):
        ended = tell(read_events(folder.journal)).ended
    if not ended:
        said = folder.output.read_text(encoding="utf-8", errors="replace").strip()
        return _failed(status, " ".join(said.splitlines()[-3:])[-500:])
    names = ("exit_status", "outcome", "reason", "branch", "commit", "can_go_on")
    return {name: ended.get(name) for name in names}


def _failed(status: int, reason: str) -> Mapping[str, Any]:
    return {"exit_status": status, "outcome": "failed", "reason": reason, "can_go_on": True}


_here: list[Worker] = []


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=1_000_000)
async def _job(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry a job out in a thread, for it waits for a process."""
    worker = _here[0]
    ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def carry_out() -> None:
        try:
            result = worker.carry_out(from_json(told))
        except BaseException as error:  # noqa: BLE001 - it is the other side's
            loop.call_soon_threadsafe(_fail, ended, error)
        else:
            loop.call_soon_threadsafe(ended.set_result, result)

    threading.Thread(target=carry_out, name="prp-job", daemon=True).start()
    return dict(await ended)


def _fail(ended: "asyncio.Future[Any]", error: BaseException) -> None:
    ended.set_exception(error)


@contextlib.contextmanager
def _listening(worker: Worker, url: str) -> Iterator[None]:
    _here[:] = [worker]
    try:
        DBOS(config=configuration(url, executor=worker.name))
        DBOS.listen_queues([worker.queue])
        DBOS.launch()
        yield
    except DatabaseError as error:
        raise unwritable(error) from error
    finally:
        DBOS.destroy()
        _here.clear()
