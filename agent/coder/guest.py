"""What an external coding agent gets from us: files of the worktree, commands in the sandbox.

It asks by the Agent Client Protocol. Everything it asks for is bounded by the worktree; what it
does by itself is bounded by the sandbox that it runs in.
"""

import asyncio
import itertools
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acp import RequestError
from acp.schema import (
    AllowedOutcome,
    CreateTerminalResponse,
    DeniedOutcome,
    PermissionOption,
    ReadTextFileResponse,
    RequestPermissionResponse,
    TerminalExitStatus,
    TerminalOutputResponse,
    WaitForTerminalExitResponse,
)

from agent.errors import PrpError
from agent.journal import CommandStarted, Record, ToolUsed
from agent.shown import printable
from agent.workspace import Confinement, Finished, Sandbox, run
from agent.workspace.files import FileMissing, read_text, write_text

_MOST_TERMINALS = 16
_LONGEST_COMMAND = 30_000
_SHOWN_OUTPUT = 100_000
_LONGEST_SAID = 20_000


@dataclass(frozen=True, kw_only=True)
class House:
    """The worktree that an agent is let into, and what holds there."""

    root: Path
    sandbox: Sandbox
    confinement: Confinement
    """Of the commands that we run for it: no keys, and no network but what the run allows."""
    timeout: float
    """Seconds that such a command may take."""
    logs: Path
    record: Record
    forbids: Callable[[str], str]
    """Says why a path may not be written, or nothing."""
    reads_alone: bool = False
    """Whether it is left to open the files itself; the sandbox shows it the same ones."""


@dataclass(kw_only=True)
class _Terminal:
    task: "asyncio.Task[Finished]"
    log: Path
    limit: int

    def output(self) -> tuple[str, bool]:
        """Return the end of what was printed so far, and whether that is not all."""
        whole = self.log.read_bytes() if self.log.is_file() else b""
        return whole[-self.limit :].decode("utf-8", "replace"), len(whole) > self.limit


class Guest:
    """Answers what the agent asks its client for, and keeps what it says."""

    def __init__(self, house: House) -> None:
        """Let an agent into a house."""
        self._house = house
        self._terminals: dict[str, _Terminal] = {}
        self._numbers = itertools.count(1)
        self._titles: dict[str, str] = {}
        self.said = ""
        """The agent's words since its last tool call."""
        self.calls = 0
        """Tools that it used for the task at hand."""
        self.heard = asyncio.Event()
        """Set with every sign of life."""

    def begin(self) -> None:
        """Forget what was said to the task before."""
        self.said, self.calls = "", 0

    async def end(self) -> None:
        """End the commands that still run for it."""
        tasks = [terminal.task for terminal in self._terminals.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._terminals.clear()

    async def read_text_file(
        self,
        session_id: str,
        path: str,
        line: int | None = None,
        limit: int | None = None,
        **_: Any,
    ) -> ReadTextFileResponse:
        """Return a file of the worktree, or some of its lines."""
        del session_id
        self.heard.set()
        try:
            text = await asyncio.to_thread(read_text, self._house.root, self._below(path))
        except FileMissing as error:
            # The protocol's own word for it: agents look for it before they make a new file.
            raise RequestError.resource_not_found(printable(str(error))) from None
        except (PrpError, ValueError, OSError) as error:
            raise _refused(str(error)) from None
        if line is not None or limit is not None:
            first = max((line or 1) - 1, 0)
            lines = text.splitlines(keepends=True)[first:]
            text = "".join(lines[:limit] if limit is not None else lines)
        return ReadTextFileResponse(content=text)

    async def write_text_file(self, session_id: str, path: str, content: str, **_: Any) -> None:
        """Write a file of the worktree, unless it is frozen."""
        del session_id
        self.heard.set()
        below = self._below(path)
        reason = self._house.forbids(below)
        try:
            if not reason:
                await asyncio.to_thread(write_text, self._house.root, below, content)
        except (PrpError, ValueError, OSError) as error:
            reason = str(error)
        self._tell("write", f"{below}: {reason or 'written'}", failed=bool(reason))
        if reason:
            raise _refused(reason)

    async def request_permission(
        self, session_id: str, tool_call: Any, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        """Allow once what stays in the worktree; the sandbox holds, whatever is said here."""
        del session_id
        self.heard.set()
        title = tool_call.title or self._titles.get(tool_call.tool_call_id, tool_call.tool_call_id)
        reason = self._against(tool_call)
        wanted = ("reject_once", "reject_always") if reason else ("allow_once", "allow_always")
        chosen = next((o for kind in wanted for o in options if o.kind == kind), None)
        answer = f"not allowed, {reason}" if reason else "allowed once"
        self._tell("permission", f"{title}: {answer}", failed=bool(reason))
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        outcome = AllowedOutcome(outcome="selected", option_id=chosen.option_id)
        return RequestPermissionResponse(outcome=outcome)

    def _against(self, call: Any) -> str:
        """Return what speaks against a tool call, judged by the places that it names."""
        if call.kind == "fetch":
            return "nothing is fetched"
        for location in call.locations or ():
            try:
                below = self._below(location.path)
            except RequestError as error:
                return str(error)
            if call.kind in ("edit", "delete", "move") and (why := self._house.forbids(below)):
                return why
        return ""

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Keep what it says, and tell the journal which tools it used."""
        del session_id
        self.heard.set()
        kind = update.session_update
        if kind == "agent_message_chunk":
            self.said = (self.said + getattr(update.content, "text", ""))[-_LONGEST_SAID:]
        elif kind in ("tool_call", "tool_call_update"):
            self._tool(update)

    def _tool(self, update: Any) -> None:
        known = self._titles.get(update.tool_call_id)
        if known is None:
            self.calls += 1
        self._titles[update.tool_call_id] = title = update.title or known or update.tool_call_id
        # What was said before a tool was used is no summary of the whole.
        self.said = ""
        if update.status in ("completed", "failed"):
            self._tell(update.kind or "tool", title, failed=update.status == "failed")

    async def create_terminal(
        self,
        session_id: str,
        command: str,
        args: list[str] | None = None,
        env: Sequence[Any] | None = None,
        cwd: str | None = None,
        output_byte_limit: int | None = None,
        **_: Any,
    ) -> CreateTerminalResponse:
        """Run a command in the sandbox."""
        del session_id
        self.heard.set()
        if sum(not t.task.done() for t in self._terminals.values()) >= _MOST_TERMINALS:
            raise _refused(f"{_MOST_TERMINALS} commands run already")
        # Without arguments some agents send a whole line of shell.
        script = shlex.join([command, *args]) if args else command
        setup = [f"export {shlex.quote(one.name)}={shlex.quote(one.value)}" for one in env or ()]
        if cwd:
            setup.insert(0, f"cd -- {shlex.quote(str(self._house.root / self._below(cwd)))}")
        if "\0" in script or len(script) + sum(map(len, setup)) > _LONGEST_COMMAND:
            raise _refused(f"a command holds no NUL and at most {_LONGEST_COMMAND} characters")
        name = f"t{next(self._numbers)}"
        log = self._house.logs / f"agent-{name}.txt"
        self._house.record(CommandStarted(by="coder", command=script, log=f"logs/{log.name}"))
        task = asyncio.create_task(self._run(script, setup, log))
        limit = min(output_byte_limit or _SHOWN_OUTPUT, _SHOWN_OUTPUT)
        self._terminals[name] = _Terminal(task=task, log=log, limit=limit)
        return CreateTerminalResponse(terminal_id=name)

    async def _run(self, script: str, setup: Sequence[str], log: Path) -> Finished:
        house = self._house
        done = await run(
            script,
            confinement=house.confinement,
            sandbox=house.sandbox,
            setup=setup,
            timeout=house.timeout,
            log=log,
        )
        self.heard.set()
        first = script.strip().splitlines()[0][:120] if script.strip() else ""
        self._tell("run", f"{first}: exit status {done.status}", failed=done.status != 0)
        return done

    async def terminal_output(
        self, session_id: str, terminal_id: str, **_: Any
    ) -> TerminalOutputResponse:
        """Return what a command has printed so far."""
        del session_id
        terminal = self._terminal(terminal_id)
        output, is_cut = terminal.output()
        return TerminalOutputResponse(
            output=output, truncated=is_cut, exit_status=_exit(terminal.task)
        )

    async def wait_for_terminal_exit(
        self, session_id: str, terminal_id: str, **_: Any
    ) -> WaitForTerminalExitResponse:
        """Return when a command has ended."""
        del session_id
        task = self._terminal(terminal_id).task
        await asyncio.wait({task})
        ended = _exit(task) or TerminalExitStatus(signal="SIGKILL")
        return WaitForTerminalExitResponse(exit_code=ended.exit_code, signal=ended.signal)

    async def kill_terminal(self, session_id: str, terminal_id: str, **_: Any) -> None:
        """End a command; what it printed can still be read."""
        del session_id
        task = self._terminal(terminal_id).task
        task.cancel()
        await asyncio.wait({task})

    async def release_terminal(self, session_id: str, terminal_id: str, **_: Any) -> None:
        """End a command and forget it."""
        await self.kill_terminal(session_id, terminal_id)
        del self._terminals[terminal_id]

    def _terminal(self, name: str) -> _Terminal:
        self.heard.set()
        if name not in self._terminals:
            raise _refused(f"there is no terminal {name}")
        return self._terminals[name]

    def _below(self, path: str) -> str:
        """Return a path relative to the worktree.

        Raises:
            RequestError: It lies outside; links are looked at where the file is opened.

        """
        place = Path(path)
        root = self._house.root
        if not place.is_absolute():
            place = root / place
        for top in (root, root.resolve()):
            if place.is_relative_to(top) and ".." not in place.parts:
                return place.relative_to(top).as_posix()
        raise _refused(f"{path} lies outside of the worktree")

    def _tell(self, tool: str, summary: str, *, failed: bool) -> None:
        self._house.record(
            ToolUsed(role="coder", tool=tool, summary=printable(summary)[:240], failed=failed)
        )


def _exit(task: "asyncio.Task[Finished]") -> TerminalExitStatus | None:
    if not task.done():
        return None
    if task.cancelled() or task.exception():
        return TerminalExitStatus(signal="SIGKILL")
    return TerminalExitStatus(exit_code=task.result().status)


def _refused(reason: str) -> RequestError:
    return RequestError(-32602, printable(reason)[:500])
