"""The life of a run: worked on by one process at a time until it ends, or has to stop."""

import asyncio
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import aclosing

from agent.deliver import Story
from agent.errors import PrpError
from agent.execute import Outcome, execute
from agent.journal import Journal, Noted, Record, read_events
from agent.llm.loading import load_meanwhile
from agent.runs.alive import holding
from agent.runs.beginning import masked, office_of, started_as, warn
from agent.runs.crew import crew_of
from agent.runs.database import queue_of
from agent.runs.desk import Desk, Order
from agent.runs.earlier import Earlier
from agent.runs.ending import Done, always_told, database_for, require_open
from agent.runs.folder import RunFolder
from agent.runs.opening import opened
from agent.runs.orders import Saved
from agent.runs.reporting import reported
from agent.runs.retelling import Retelling
from agent.runs.signals import kept_for_later, with_signals
from agent.runs.taking_up import go_back, taken_up
from agent.workspace import Worktree, clear_worktrees, open_worktree
from agent.workspace.remote import Published, Remote


def work_on(
    folder: RunFolder,
    saved: Saved,
    desk: Desk,
    order: Order,
    *,
    listen: Record,
    afresh: bool = False,
) -> Done:
    """Work on a run until it ends or has to stop; where it has stopped before, go on from there.

    Args:
        folder: The run's.
        saved: What was asked for when it began.
        desk: The checked order.
        order: What is asked for now.
        listen: Is told of every event as it happens.
        afresh: Whether to go on from what is committed, without the steps of the run.

    Raises:
        PrpError: It can't be worked on. What goes wrong later ends the run, and is told as its
            end.

    """
    with kept_for_later(), holding(folder), Journal(folder.journal) as journal:
        # Somebody may have ended it since it was looked at.
        require_open(folder)
        tell_all = masked(desk, journal.record, listen)
        life = _Life(folder=folder, saved=saved, desk=desk, order=order)
        if journal.torn:
            tell_all(Noted(text=f"{journal.torn} bytes of the journal's last line were lost"))
        try:
            status = with_signals(
                lambda: life.run(tell_all, afresh=afresh), gently=life.steps.end_before_next
            )
        except PrpError as error:
            # Once work has begun, an error is an end like others: told, kept and reported.
            story = _reported_after(error, folder)
            if not story.ended:
                raise
            return Done(story=story, folder=folder, exit_status=error.exit_status)
        except Exception:
            reported(folder)
            raise
    return Done(story=reported(folder), folder=folder, exit_status=int(status))


def _reported_after(error: PrpError, folder: RunFolder) -> Story:
    try:
        return reported(folder)
    except PrpError:
        # On a full disk even the end may find no room; why the work stopped is what counts.
        raise error from None


class _Life:
    """One process's part in the life of a run."""

    def __init__(self, *, folder: RunFolder, saved: Saved, desk: Desk, order: Order) -> None:
        # Heavy, and nothing but runs needs it.
        from agent.runs.durable import Steps  # noqa: PLC0415

        self.folder, self.saved, self.desk, self.order = folder, saved, desk, order
        self.steps = Steps()
        self.database = database_for(folder, saved, desk.settings.database_url)

    async def run(self, record: Record, *, afresh: bool) -> int:
        """Work on the run, and return its exit status."""
        loop, own_thread = asyncio.get_running_loop(), threading.get_ident()

        def warned(text: str) -> None:
            noted = Noted(text=text, warning=True)
            if threading.get_ident() == own_thread:
                record(noted)
            else:
                # Work on files goes on in threads; the journal has one writer.
                loop.call_soon_threadsafe(record, noted)

        folder, clearing = self.folder, self.desk.repository.clearing
        with clearing.meanwhile(folder.trash, left=folder.left_trash(), notice=warned):
            outcome = await self._outcome(record, warned, afresh=afresh)
        if not outcome.can_go_on:
            # They hold what the worktree held, secrets of the repository too; nobody needs them.
            self.database.forget()
        return int(outcome.exit_status)

    async def _outcome(
        self, record: Record, notice: Callable[[str], None], *, afresh: bool
    ) -> Outcome:
        """Work on the run in its worktree."""
        from agent.runs.engine import engine  # noqa: PLC0415 - heavy

        desk, folder, saved = self.desk, self.folder, self.saved
        started = time.monotonic()
        # For worktree, packages, pages and checks this process mostly waits.
        load_meanwhile(desk.choices.values())
        clear_worktrees(desk.repository, folder.path, but=(folder.worktree, folder.beside))
        worktree = open_worktree(
            desk.repository,
            folder.worktree,
            branch=saved.branch,
            base=saved.base,
            start=saved.start,
            notice=notice,
        )
        with worktree as tree:
            follow = tree.follow = self._follower()
            earlier = self._begin(tree, record, afresh=afresh)
            retelling = Retelling(earlier.since, record)
            number = earlier.generation
            name = f"{folder.id}.{number}" if number else folder.id
            with always_told(folder, self.database, tree, record, started) as outcome_is:
                async with engine(
                    self.database.url, executor=_own_name(), taken_up=queue_of(folder.id)
                ) as running:
                    outcome = await running.run(
                        name, lambda: self._execute(tree, earlier, retelling), self.steps
                    )
                outcome_is(outcome)
            if follow:
                follow(tree.tip())
        return outcome

    def _follower(self) -> Callable[[str], None] | None:
        """Return what takes the branch's commits to where the order came from."""
        saved, desk = self.saved, self.desk
        if not saved.remote:
            return None
        token = desk.settings.keys.get("PRP_GIT_TOKEN", "")
        remote = Remote.of(desk.repository, saved.remote, token=token)
        return Published(remote=remote, branch=saved.branch).follow

    def _begin(self, tree: Worktree, record: Record, *, afresh: bool) -> Earlier:
        """Tell that the work begins or goes on, and go back to where the steps are."""
        events = list(read_events(self.folder.journal))
        if not any(event["type"] == "run-started" for event in events):
            record(started_as(self.desk, self.folder, self.saved.branch))
            warn(self.desk, record, roles=self.order.roles)
            # Another machine may have worked on it: then steps come back that this one never did.
            self.steps.rebuild = tree.restore if self.saved.is_shared else None
            if self.folder.steps.exists():
                record(Noted(text=_NO_JOURNAL, warning=True))
                go_back(tree, self.steps)
            return Earlier()
        return taken_up(
            self.folder,
            tree,
            self.steps,
            self.database,
            new=self.desk.prp,
            record=record,
            afresh=afresh,
        )

    async def _execute(
        self, tree: Worktree, earlier: Earlier, record: Record
    ) -> tuple[Outcome, bool]:
        desk = self.desk
        async with (
            opened(desk, commit=desk.base, record=record) as equipped,
            aclosing(
                office_of(equipped, self.order, self.folder, record, earlier=earlier)
            ) as office,
            crew_of(office, tree) as crew,
        ):
            await office.prepare()
            outcome = await execute(
                desk.prp,
                crew,
                tree,
                desk.budget,
                record,
                strict=desk.settings.strict,
                before=earlier.before,
            )
        # What a queue does not know yet must be able to come to its end once more, elsewhere.
        return outcome, not outcome.can_go_on and not self.saved.remote


_NO_JOURNAL = (
    "the journal of this run was lost; its steps are kept, and what they came to is told again"
)


def _own_name() -> str:
    """Return a name that no other process has, wherever it runs."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
