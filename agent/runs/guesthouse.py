"""The external agent of a run: let in when it is first needed, and out at the end."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from agent.coder import Assignment, Change
from agent.journal import Record
from agent.llm.conversation import Talk
from agent.runs.desk import Desk
from agent.runs.folder import RunFolder
from agent.runs.guests import External, Invited, invited
from agent.verifier import Contract
from agent.workspace import Toolchain


class Guesthouse:
    """Lets an external agent in when it is first needed, and out at the end."""

    def __init__(self, desk: Desk, *, folder: RunFolder, record: Record) -> None:
        """Prepare nothing yet: most runs have no such agent."""
        self._desk, self._folder, self._record = desk, folder, record
        self._opened = AsyncExitStack()
        self._guest: Invited | None = None

    async def __aenter__(self) -> Self:
        """Return it, empty."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the agent, if there is one."""
        await self._opened.aclose()

    async def carry_out(
        self,
        external: External,
        assignment: Assignment,
        *,
        contract: Contract,
        place: Path,
        toolchain: Toolchain,
        briefing: Sequence[str],
        afresh: bool,
    ) -> Change:
        """Let the agent carry out an assignment in a worktree."""
        from agent.coder.guest import House  # noqa: PLC0415 - heavy, and only such agents need it

        desk, protect = self._desk, contract.protected
        if self._guest is None:
            self._guest = await self._opened.enter_async_context(
                invited(
                    external,
                    desk.settings,
                    sandbox=desk.sandbox,
                    toolchain=toolchain,
                    folder=self._folder.path,
                    record=self._record,
                )
            )
        house = House(
            root=place,
            sandbox=desk.sandbox,
            confinement=toolchain.confine(place, protect=protect),
            timeout=toolchain.shell_timeout,
            logs=self._folder.logs,
            record=self._record,
            forbids=contract.forbids,
            reads_alone=external.kind.reads_alone,
        )
        change = await self._guest.coder.carry_out(
            assignment,
            house=house,
            own=self._guest.confine(place, protect=protect),
            briefing=briefing,
            environment=toolchain.describe(desk.sandbox),
            afresh=afresh,
        )
        # It remembers what was said; who comes next only needs to know that there was something.
        return replace(change, talk=Talk() if change.finished else None)
