"""The ACP agent: an editor asks `prp` to execute a PRP, and sees its tasks as the agent's plan."""

import asyncio
import contextlib
import itertools
import os
import shlex
import signal
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, RequestError, run_agent
from acp.helpers import (
    plan_entry,
    text_block,
    tool_content,
    update_agent_message_text,
    update_available_commands,
    update_plan,
)
from acp.schema import (
    AgentCapabilities,
    AvailableCommand,
    AvailableCommandInput,
    Implementation,
    InitializeResponse,
    NewSessionResponse,
    PermissionOption,
    PromptResponse,
    ToolCallUpdate,
    UnstructuredCommandInput,
)

from agent import __version__
from agent.deliver.board import Board
from agent.editors.asking import (
    Question,
    View,
    allowing,
    order_for,
    question_of,
    standing,
    told,
    with_ask,
)
from agent.editors.places import Places, places_of
from agent.errors import EnvironmentProblem, PrpError
from agent.runs.alive import holder
from agent.runs.cancelling import see_ended
from agent.runs.detaching import detach_order
from agent.runs.examining import examine
from agent.runs.folder import RunFolder
from agent.runs.reporting import report_as
from agent.shown import printable
from agent.workspace import clip
from agent.workspace.surroundings import look_anew

_PAUSE = 0.2
_MOST_TEXT = 60_000
_STATES = {
    "open": "pending",
    "working": "in_progress",
    "done": "completed",
    "unchanged": "completed",
}
_ONCE = PermissionOption(option_id="allow", name="Run these commands", kind="allow_once")
_NEVER = PermissionOption(option_id="reject", name="Don't run them", kind="reject_once")


@dataclass(kw_only=True)
class _Session:
    places: Places
    stopped: asyncio.Event
    """Set when the person stops the turn."""
    is_busy: bool = False


class Agent:
    """Answers an editor; each session has a folder of its own."""

    def __init__(self) -> None:
        """Wait for the editor."""
        self._sessions: dict[str, _Session] = {}
        self._numbers = itertools.count(1)
        self._client: Any = None

    def on_connect(self, conn: Any) -> None:
        """Keep the way to the editor."""
        self._client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> InitializeResponse:
        """Introduce ourselves."""
        return InitializeResponse(
            protocol_version=min(protocol_version, PROTOCOL_VERSION),
            agent_capabilities=AgentCapabilities(),
            agent_info=Implementation(name="prp", version=__version__),
        )

    async def new_session(
        self, cwd: str, additional_directories: list[str] | None = None, **_: Any
    ) -> NewSessionResponse:
        """Open the project in a folder, and say what can be typed."""
        folders = [Path(name) for name in (cwd, *(additional_directories or ()))]
        wrong = [str(folder) for folder in folders if not folder.is_absolute()]
        if wrong:
            raise RequestError.invalid_params({"details": f"{wrong[0]} is no absolute path"})
        name = f"prp-{next(self._numbers)}"
        places = await asyncio.to_thread(places_of, *folders)
        self._sessions[name] = _Session(places=places, stopped=asyncio.Event())
        # The editor must know the session before it hears of it.
        asyncio.get_running_loop().call_later(_PAUSE, self._announce, name)
        return NewSessionResponse(session_id=name)

    def _announce(self, name: str) -> None:
        commands = [
            AvailableCommand(
                name=word,
                description=use.words,
                input=AvailableCommandInput(root=UnstructuredCommandInput(hint=use.hint)),
            )
            for word, use in _USES.items()
        ]
        telling = self._client.session_update(name, update_available_commands(commands))
        self._telling = asyncio.ensure_future(telling)

    async def cancel(self, session_id: str, **_: Any) -> None:
        """Stop the turn: the run stops in order and can be taken up."""
        if session := self._sessions.get(session_id):
            session.stopped.set()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> PromptResponse:
        """Do what was typed."""
        session = self._sessions.get(session_id)
        if session is None:
            raise RequestError.invalid_params({"details": f"there is no session {session_id}"})
        if session.is_busy:
            raise RequestError.invalid_request({"details": "the session is busy"})
        session.is_busy = True
        session.stopped.clear()
        try:
            words = "\n".join(getattr(block, "text", "") for block in prompt).strip()
            await _Turn(self._client, session_id, session).take(words)
        finally:
            session.is_busy = False
        return PromptResponse(stop_reason="cancelled" if session.stopped.is_set() else "end_turn")


class _Turn:
    """One thing that was typed, and its answer."""

    def __init__(self, client: Any, name: str, session: _Session) -> None:
        self._client, self._name, self._session = client, name, session
        self._shown: list[tuple[str, str]] = []

    async def say(self, text: str) -> None:
        """Answer in words."""
        await self._client.session_update(self._name, update_agent_message_text(text + "\n"))

    async def take(self, typed: str) -> None:
        """Do what was typed; what goes wrong is told."""
        try:
            words = shlex.split(typed)
        except ValueError as error:
            await self.say(f"That can't be read: {error}")
            return
        use = _USES.get(words[0].removeprefix("/")) if words else None
        if use is None or not typed.startswith("/"):
            await self.say(_usage())
            return
        try:
            await use.do(self, words[1:])
        except PrpError as error:
            await self.say(f"error: {told(error)}")

    async def execute(self, words: list[str]) -> None:
        """Begin a run and follow it."""
        if len(words) != 1:
            await self.say("Type /execute and the path of one PRP, in quotes where it has blanks.")
            return
        places = self._session.places
        order = order_for(words[0], places, {}, base="HEAD", approved="")
        question = await asyncio.to_thread(question_of, order)
        if question and not await self._allowed(question):
            await self.say("The commands were not allowed; nothing was run.")
            return
        asked = with_ask(order, allowing(question))
        begun = await asyncio.to_thread(lambda: detach_order(asked, listen=lambda _: None))
        await self._follow(begun.folder)

    async def _allowed(self, question: Question) -> bool:
        """Ask the person whether the document may run its commands."""
        call = ToolCallUpdate(
            tool_call_id=f"approval-{question.digest[:12]}",
            title="Run the commands of this PRP",
            kind="execute",
            status="pending",
            content=[tool_content(text_block(question.text))],
        )
        asking = asyncio.ensure_future(
            self._client.request_permission(
                session_id=self._name, tool_call=call, options=[_ONCE, _NEVER]
            )
        )
        stopping = asyncio.ensure_future(self._session.stopped.wait())
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not asking.done():
            asking.cancel()
            return False
        outcome = asking.result().outcome
        return getattr(outcome, "option_id", "") == _ONCE.option_id

    async def _follow(self, folder: RunFolder) -> None:
        """Tell what a run does until it ends or the person stops it."""
        view = View(folder)
        while True:
            goes_on = view.goes_on
            for line in view.one_by_one():
                if line:
                    await self.say(line)
                await self._show_plan(view.board)
            if not goes_on:
                break
            if self._session.stopped.is_set():
                await self._stop(folder)
            await asyncio.sleep(_PAUSE)
        await self.say(await asyncio.to_thread(_ending, folder))

    async def _show_plan(self, board: Board) -> None:
        """Show the tasks as they stand, where that has changed."""
        entries = [(printable(task.title), task.state) for task in board.tasks.values()]
        if entries and entries != self._shown:
            self._shown = entries
            plan = [plan_entry(title, status=_STATES[state]) for title, state in entries]  # type: ignore[arg-type] # the table has these words only
            await self._client.session_update(self._name, update_plan(plan))

    async def _stop(self, folder: RunFolder) -> None:
        """Let a run stop after its step, so that it can be taken up; return when it has."""
        process = holder(folder)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        while holder(folder) is not None:  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(_PAUSE)

    async def lint(self, words: list[str]) -> None:
        """Say what is wrong with a PRP."""
        if len(words) != 1:
            await self.say("Type /lint and the path of one PRP.")
            return
        path = self._session.places.document(words[0])
        await self.say(await asyncio.to_thread(_linted, path, words[0]))

    async def status(self, words: list[str]) -> None:
        """Say how runs stand."""
        places = self._session.places

        def lines() -> str:
            folders = [places.run(words[0])] if words else itertools.islice(places.runs(), 10)
            stands = [standing(folder) for folder in folders]
            told = [f"{s.run}  {s.state}  {s.prp}  {s.latest}" for s in stands]
            return "\n".join(told) or "Nothing was executed here yet."

        await self.say(await asyncio.to_thread(lines))

    async def report(self, words: list[str]) -> None:
        """Show the report of a run."""
        places = self._session.places
        name = words[0] if words else "latest"
        text = await asyncio.to_thread(lambda: report_as(places.run(name), "md"))
        await self.say(clip(text, limit=_MOST_TEXT))

    async def wait(self, words: list[str]) -> None:
        """Follow a run that works already."""
        name = words[0] if words else "latest"
        await self._follow(await asyncio.to_thread(self._session.places.run, name))

    async def end(self, words: list[str]) -> None:
        """End a run for good."""
        if len(words) != 1:
            await self.say("Type /cancel and the run's id; its work is kept on its branch.")
            return
        folder = await asyncio.to_thread(self._session.places.run, words[0])
        await asyncio.to_thread(see_ended, folder)
        await self.say(await asyncio.to_thread(_ending, folder))


def _ending(folder: RunFolder) -> str:
    stands = standing(folder)
    lines = [f"{stands.state}: {stands.reason}" if stands.reason else stands.state]
    lines += [f"{status}: {words}" for words, status in stands.criteria.items()]
    lines += [f"branch: {stands.branch}"] if stands.branch else []
    if stands.state in ("interrupted", "paused", "broken off", "out of budget"):
        lines.append(f"go on with: prp resume {folder.id}; end it with: /cancel {folder.id}")
    else:
        lines.append(f"report: {folder.page}; take it over with: prp apply {folder.id}")
    return "\n".join(lines)


def _linted(path: Path, name: str) -> str:
    look_anew()
    examined = examine(path)
    lines = [
        printable(f"{name}:{f.line}: [{f.code}] {f.severity.value}: {f.message}. {f.hint}")
        for f in examined.findings
    ]
    readiness = examined.exported.readiness
    return "\n".join([*lines, printable(readiness.in_words) if readiness else ""])


@dataclass(frozen=True, kw_only=True)
class _Use:
    words: str
    hint: str
    do: Callable[[_Turn, list[str]], Awaitable[None]]


_USES = {
    "execute": _Use(
        words="Plan, code and prove a PRP on a branch of its own",
        hint="PRPs/FILE.md",
        do=_Turn.execute,
    ),
    "lint": _Use(
        words="Say what is wrong with a PRP before it costs anything",
        hint="PRPs/FILE.md",
        do=_Turn.lint,
    ),
    "status": _Use(words="Say how runs stand", hint="[RUN]", do=_Turn.status),
    "wait": _Use(words="Follow a run that works already", hint="[RUN]", do=_Turn.wait),
    "report": _Use(words="Show the report of a run", hint="[RUN]", do=_Turn.report),
    "cancel": _Use(words="End a run for good", hint="RUN", do=_Turn.end),
}


def _usage() -> str:
    lines = [f"/{word} {use.hint}: {use.words}" for word, use in _USES.items()]
    return "\n".join(["I execute PRPs; type one of these.", *lines])


def serve() -> None:
    """Serve one editor over standard input and output until it goes.

    Raises:
        EnvironmentProblem: One of them is a file, and no editor.

    """
    if any(stat.S_ISREG(os.fstat(stream.fileno()).st_mode) for stream in (sys.stdin, sys.stdout)):
        raise EnvironmentProblem(
            "prp acp speaks with an editor, not with a file",
            hint="Let the editor start it; docs/editors.md has the set-up.",
        )
    agent: Any = Agent()
    asyncio.run(run_agent(agent))
