"""Run one command in a sandbox to its end, and always come back."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.workspace.counting import counted, started_in
from agent.workspace.limits import Ended, Limits, Watch
from agent.workspace.reporting import read_reports
from agent.workspace.sandbox.confinement import Confinement, Launch, Sandbox

_HEAD = _TAIL = 64 * 1024
_LOGGED_AT_ONCE = 256 * 1024
# Seconds after which whole lines reach the log, for those who watch.
_LOGGED_EVERY = 0.5
# Some projects ask for colour whatever the terminal says; in a prompt it is only noise.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
TIMED_OUT = 124  # as coreutils' timeout says it


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a command ended. Failing is a result, not an exception."""

    command: str
    status: int
    """Its exit status; 124 when the time ran out, 128 + N when signal N ended it."""
    output: str
    """stdout and stderr mixed, without colours, paths below the worktree's root without it; the
    first and last 64 KiB of a long one."""
    ended: Ended = "exit"
    seconds: float = 0.0
    reports: Mapping[str, str] = field(default_factory=dict)
    """Name to text of what it wrote into the folder that its confinement has for reports."""

    @property
    def by_signal(self) -> str:
        """Return the name of the signal that its status tells of, such as SIGSEGV; empty for none.

        A program may end with such a status by itself; most never do.
        """
        with contextlib.suppress(ValueError):
            return signal.Signals(self.status - 128).name
        return ""

    @property
    def status_in_words(self) -> str:
        """Return its exit status, with the signal that it tells of."""
        named = f" ({self.by_signal})" if self.by_signal else ""
        return f"exit status {self.status}{named}"


_USUAL = Limits()


async def run(
    command: str,
    *,
    confinement: Confinement,
    sandbox: Sandbox,
    setup: Sequence[str] = (),
    timeout: float = 600.0,  # noqa: ASYNC109 - what runs out is the command's time, not the caller's
    log: Path | None = None,
    limits: Limits = _USUAL,
) -> Finished:
    """Run a bash script and wait for it and for everything that it started.

    Args:
        command: One line or a script; bash sees it as the document wrote it.
        confinement: What it may see and do.
        sandbox: Who confines it.
        setup: Commands that run before it in the same shell (`cd`, `export`).
        timeout: Seconds until it is stopped.
        log: File for the whole output.
        limits: What stops it before its time is up.

    """
    script = "\n".join([*setup, command])
    started = time.monotonic()
    with (
        _started(sandbox.launch(confinement, script)) as launched,
        counted(limits.processes) as group,
    ):
        async with _pipe() as (printed, end):
            try:
                process = await asyncio.create_subprocess_exec(
                    *started_in(launched.argv, group),
                    stdin=subprocess.DEVNULL,
                    stdout=end,
                    stderr=end,
                    env=dict(launched.environment),
                    cwd=confinement.tree,
                    pass_fds=launched.descriptors,
                    start_new_session=True,
                )
            finally:
                os.close(end)
            output = _Output(log, confinement.mask, limits.output)
            watch = Watch(process.pid, confinement.tree, limits, group)
            try:
                ended = await _watch(process, printed, output, watch, timeout)
            finally:
                _kill(process)
                output.close()
                status = await process.wait()
    return Finished(
        command=command,
        status=_status(status, ended),
        # Paths as everybody else names them; a log keeps what was printed.
        output=output.text().replace(f"{confinement.tree}/", "") + limits.words(ended),
        ended="signal" if ended == "exit" and status < 0 else ended,
        seconds=time.monotonic() - started,
        reports={
            name: confinement.mask(text)
            for name, text in read_reports(confinement.reports, confinement.tree).items()
        },
    )


@contextlib.asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Open a pipe of our own: its end to write to is for the caller to close.

    asyncio's own pipes keep `wait()` from coming back as long as anything that they hold was not
    read, or anybody else holds them open.
    """
    read, write = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb", 0)
    )
    try:
        yield reader, write
    finally:
        transport.close()


_LONGEST_MESSAGE = 32 * 1024 * 1024


@contextlib.asynccontextmanager
async def conversing(
    command: str, *, confinement: Confinement, sandbox: Sandbox, errors: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program that one talks with over its input and output; end it with the `with`.

    Args:
        command: One line of bash.
        confinement: What it may see and do.
        sandbox: Who confines it.
        errors: File for what it writes to its standard error.

    """
    with (
        _started(sandbox.launch(confinement, command)) as launched,
        counted(_USUAL.processes) as group,
    ):
        with errors.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *started_in(launched.argv, group),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=dict(launched.environment),
                cwd=confinement.tree,
                pass_fds=launched.descriptors,
                start_new_session=True,
                limit=_LONGEST_MESSAGE,
            )
        try:
            yield process
        finally:
            _kill(process)
            await process.wait()


def probe(launch: Launch) -> tuple[int, str]:
    """Start a command that ends soon; return its exit status and what it printed."""
    with _started(launch) as launched:
        try:
            done = subprocess.run(
                launched.argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=30,
                env=dict(launched.environment),
                pass_fds=launched.descriptors,
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT, "it did not answer within 30 s"
    return done.returncode, (done.stderr + done.stdout).decode("utf-8", "replace")


@dataclass(frozen=True)
class _Launched:
    argv: tuple[str, ...]
    environment: dict[str, str]
    descriptors: tuple[int, ...]


@contextlib.contextmanager
def _started(launch: Launch) -> Iterator[_Launched]:
    """Lay a launch's arguments where the program can read them."""
    with tempfile.TemporaryFile() as file, _alive() as alive:
        # A pipe holds 64 KiB; many protected files make longer arguments than that.
        file.write(launch.arguments)
        file.seek(0)
        numbers = {"{fd}": file.fileno(), "{alive}": alive}
        yield _Launched(
            argv=tuple(str(numbers.get(word, word)) for word in launch.argv),
            environment=dict(launch.environment),
            descriptors=tuple(numbers[word] for word in launch.argv if word in numbers),
        )


@contextlib.contextmanager
def _alive() -> Iterator[int]:
    """Open a descriptor that is at its end once nobody here is left, by whatever death."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


class _Output:
    """Keeps both ends of what a command prints, and all of it in the log."""

    def __init__(self, log: Path | None, mask: Callable[[str], str], most: int) -> None:
        self.most = most
        self._log = log.open("wb") if log else None
        self._mask = mask
        self._unwritten = bytearray()
        self._written_at = 0.0
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        room = _HEAD - len(self._head)
        self._head += chunk[: max(room, 0)]
        self._tail += chunk[max(room, 0) :]
        del self._tail[:-_TAIL]
        if self._log and self.size <= self.most:
            self._unwritten += chunk
            if len(self._unwritten) >= _LOGGED_AT_ONCE:
                # Whole lines: a secret must not slip through in two halves.
                end = self._unwritten.rfind(b"\n") + 1 or len(self._unwritten)
                self._write(end)

    def let_see(self, now: float) -> None:
        """Write whole lines to the log from time to time, for those who watch the command."""
        if self._unwritten and now - self._written_at >= _LOGGED_EVERY:
            self._written_at = now
            if end := self._unwritten.rfind(b"\n") + 1:
                self._write(end)

    def _write(self, end: int) -> None:
        if self._log:
            words = bytes(self._unwritten[:end]).decode("utf-8", "surrogateescape")
            self._log.write(self._mask(words).encode("utf-8", "surrogateescape"))
            self._log.flush()
            del self._unwritten[:end]

    def close(self) -> None:
        if self._log:
            self._write(len(self._unwritten))
            self._log.close()

    def text(self) -> str:
        left_out = self.size - len(self._head) - len(self._tail)
        gap = f"\n[{left_out} bytes left out]\n".encode() if left_out else b""
        words = bytes(self._head + gap + self._tail).decode("utf-8", "replace")
        return self._mask(_ESCAPES.sub("", words).replace("\r\n", "\n"))


async def _watch(
    process: asyncio.subprocess.Process,
    printed: asyncio.StreamReader,
    output: _Output,
    watch: Watch,
    seconds: float,
) -> Ended:
    """Read until the command ends or goes beyond a limit."""
    deadline = time.monotonic() + seconds
    next_look = time.monotonic() + watch.every
    reading = asyncio.ensure_future(printed.read(65536))
    try:
        while True:
            now = time.monotonic()
            output.let_see(now)
            if now >= deadline:
                return "timeout"
            if now >= next_look:
                next_look = now + watch.every
                if beyond := watch.beyond():
                    return beyond
            wait = min(deadline, next_look) - now
            done, _ = await asyncio.wait({reading}, timeout=max(wait, 0))
            if not done:
                if process.returncode is not None:
                    return "exit"
                continue
            chunk = reading.result()
            if not chunk:
                return await _end_of(process, watch, deadline)
            output.add(chunk)
            if output.size > output.most:
                return "output"
            reading = asyncio.ensure_future(printed.read(65536))
    finally:
        reading.cancel()


async def _end_of(process: asyncio.subprocess.Process, watch: Watch, deadline: float) -> Ended:
    """Wait for a command that has closed its output and may live on."""
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), min(left, watch.every))
            return "exit"
        if beyond := watch.beyond():
            return beyond
    return "timeout"


def _kill(process: asyncio.subprocess.Process) -> None:
    # Killing the first process alone would leave its children holding the pipe.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _status(status: int, ended: Ended) -> int:
    if ended == "timeout":
        return TIMED_OUT
    return 128 - status if status < 0 else status


def clip(output: str, *, limit: int = 10_000, log: str = "") -> str:
    """Shorten a command's output for a prompt, keeping both ends, cut at line borders.

    Args:
        output: stdout and stderr as they came, any length.
        limit: Characters to keep, not tokens; about a quarter as many tokens of English.
        log: Name under which the whole output can be read; empty where it can't.

    Returns:
        At most `limit` characters plus one line that names the missing lines.

    """
    if len(output) <= limit:
        return output
    lines = output.splitlines()
    head = _fitting(lines, limit // 2)
    tail = _fitting(lines[::-1], limit // 2)
    first, last = len(head) + 1, len(lines) - len(tail)
    if first > last:
        gap = f"[{len(output) - limit} characters left out]"
        return f"{output[: limit // 2]}\n{gap}\n{output[-limit // 2 :]}"
    where = f"; read {log}:{first}-{last}" if log else ""
    gap = f"[lines {first}-{last} of {len(lines)} left out{where}]"
    return "\n".join([*head, gap, *tail[::-1]])


def _fitting(lines: Sequence[str], limit: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        limit -= len(line) + 1
        if limit < 0:
            break
        kept.append(line)
    return kept
