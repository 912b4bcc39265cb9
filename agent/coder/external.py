"""An external coding agent that speaks ACP carries out the tasks; we are its client."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.coder.assignments import Assignment
from agent.coder.code import Change
from agent.errors import ProviderUnavailable, SettingsError
from agent.llm.prompts import prompt
from agent.shown import printable
from agent.steps import step
from agent.workspace import Confinement, clip, conversing

if TYPE_CHECKING:
    from agent.coder.guest import Guest, House

_STARTING = 120.0
"""Seconds for an agent to introduce itself."""
_LAST_WORDS = 10.0
"""Seconds that an agent gets to stop after it was told to."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much an agent may take for one task."""

    silence: float
    """Seconds without a sign of life."""
    calls: int
    """Tools that it may use."""


@dataclass(kw_only=True)
class _Session:
    connection: Any
    name: str
    guest: "Guest"
    is_new: bool = True


class ExternalCoder:
    """Keeps the agent's process for as long as tasks belong together."""

    def __init__(self, command: str, *, logs: Path, limits: Limits) -> None:
        """Name the agent; it is started with its first task."""
        self._command, self._logs, self._limits = command, logs, limits
        self._opened = AsyncExitStack()
        self._session: _Session | None = None

    async def aclose(self) -> None:
        """End the agent and all that it has started."""
        self._session = None
        await self._opened.aclose()

    async def carry_out(
        self,
        assignment: Assignment,
        *,
        house: "House",
        own: Confinement,
        briefing: Sequence[str],
        environment: str,
        afresh: bool,
    ) -> Change:
        """Let the agent carry out one assignment.

        Args:
            assignment: The task.
            house: The worktree, and what the agent gets there from us.
            own: What the agent's own process may see and do.
            briefing: PRP, documents, map and plan.
            environment: What commands can rely on, in words.
            afresh: Whether it should know nothing of the tasks before.

        Raises:
            ProviderUnavailable: The agent could not be started, or ended by itself.
            SettingsError: It wants somebody to log in first.

        """

        async def do() -> Any:
            session = await self._session_for(house, own, afresh=afresh)
            parts = [assignment.request]
            if session.is_new:
                words = prompt("coder_external", worktree=str(house.root), environment=environment)
                parts = [words, *briefing, assignment.request]
            session.is_new = False
            return asdict(await self._asked(session, parts))

        told = await step("external agent", do)
        names = ("deviations", "doubts")
        return replace(Change(summary=""), **told | {name: tuple(told[name]) for name in names})

    async def _session_for(self, house: "House", own: Confinement, *, afresh: bool) -> _Session:
        if self._session is None or afresh:
            await self.aclose()
            self._session = await self._opened.enter_async_context(self._open(house, own))
        return self._session

    @asynccontextmanager
    async def _open(self, house: "House", own: Confinement) -> AsyncIterator[_Session]:
        from acp import PROTOCOL_VERSION, RequestError, connect_to_agent  # noqa: PLC0415 - heavy
        from acp.schema import (  # noqa: PLC0415
            ClientCapabilities,
            FileSystemCapabilities,
            Implementation,
        )

        from agent import __version__  # noqa: PLC0415
        from agent.coder.guest import Guest  # noqa: PLC0415

        guest = Guest(house)
        able = ClientCapabilities(
            fs=FileSystemCapabilities(read_text_file=not house.reads_alone, write_text_file=True),
            terminal=True,
        )
        async with conversing(
            self._command,
            confinement=own,
            sandbox=house.sandbox,
            errors=self._logs / "agent.txt",
        ) as process:
            connection = connect_to_agent(guest, process.stdin, process.stdout)  # type: ignore[arg-type] # it has no optional methods
            try:
                async with asyncio.timeout(_STARTING):
                    await connection.initialize(
                        protocol_version=PROTOCOL_VERSION,
                        client_capabilities=able,
                        client_info=Implementation(name="prp", version=__version__),
                    )
                    opened = await connection.new_session(cwd=str(house.root), mcp_servers=[])
                yield _Session(connection=connection, name=opened.session_id, guest=guest)
            except TimeoutError:
                raise self._gone(f"did not answer within {_STARTING:.0f} s") from None
            except ConnectionError:
                raise self._gone("ended by itself") from None
            except RequestError as error:
                raise self._told(error) from None
            finally:
                await guest.end()
                await connection.close()

    async def _asked(self, session: _Session, parts: Sequence[str]) -> Change:
        """Ask for one task and wait for its end, or for a limit."""
        from acp import RequestError, text_block  # noqa: PLC0415 - heavy

        session.guest.begin()
        asked = asyncio.ensure_future(
            session.connection.prompt(
                session_id=session.name, prompt=[text_block(part) for part in parts]
            )
        )
        try:
            reason = await self._watch(asked, session.guest)
            if reason:
                await session.connection.cancel(session_id=session.name)
                await asyncio.wait({asked}, timeout=_LAST_WORDS)
                await self.aclose()
                return _unfinished(f"The agent was stopped: {reason}")
            stop = asked.result().stop_reason
        except ConnectionError:
            await self.aclose()
            raise self._gone("ended by itself") from None
        except RequestError as error:
            await self.aclose()
            raise self._told(error) from None
        finally:
            asked.cancel()
            await asyncio.wait({asked})
        if stop != "end_turn":
            return _unfinished(f"The agent ended with: {stop}")
        return _change(session.guest.said)

    async def _watch(self, asked: "asyncio.Future[Any]", guest: "Guest") -> str:
        """Return when the agent has answered, or why it must be stopped before."""
        while not asked.done():
            guest.heard.clear()
            heard = asyncio.ensure_future(guest.heard.wait())
            try:
                await asyncio.wait(
                    {asked, heard},
                    timeout=self._limits.silence,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not (asked.done() or heard.done()):
                    return f"nothing was heard of it for {self._limits.silence:.0f} s"
            finally:
                heard.cancel()
            if guest.calls > self._limits.calls:
                return f"it used more than {self._limits.calls} tools for one task"
        return ""

    def _gone(self, what: str) -> ProviderUnavailable:
        words = self._complaint()
        return ProviderUnavailable(
            f"The agent {printable(self._command)} {what}{f': {words}' if words else ''}",
            hint="Start it by hand to see whether it works and is logged in.",
        )

    def _complaint(self) -> str:
        """Return the last line that the agent wrote to its standard error."""
        try:
            lines = (self._logs / "agent.txt").read_text("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return printable(next((line for line in reversed(lines) if line.strip()), ""))[:300]

    def _told(self, error: Any) -> SettingsError | ProviderUnavailable:
        if error.code == _WANTS_LOGIN:
            return SettingsError(
                f"The agent {printable(self._command)} wants somebody to log in",
                hint="Log in with the agent's own program, then go on; "
                "docs/editors.md says which files of its login it gets.",
            )
        return ProviderUnavailable(
            f"The agent {printable(self._command)} answered: {printable(str(error))[:300]}",
            hint="Start it by hand to see whether it works.",
        )


_WANTS_LOGIN = -32000


def _unfinished(reason: str) -> Change:
    return Change(summary=f"Not finished: {reason}", doubts=(reason,), finished=False)


def _change(said: str) -> Change:
    """Return what the agent's last message says it did."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = {
        word: tuple(line[len(word) :].strip() for line in lines if line.startswith(word))
        for word in ("Deviation:", "Doubt:")
    }
    rest = [line for line in lines if not line.startswith(tuple(marked))]
    return Change(
        summary=clip(" ".join(rest), limit=1_000) or "The agent said nothing of what it did.",
        deviations=marked["Deviation:"],
        doubts=marked["Doubt:"],
    )
