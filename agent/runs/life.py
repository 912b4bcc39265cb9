"""The life of a run: begun, worked on by one process at a time, taken up again, ended."""

import asyncio
import contextlib
import dataclasses
import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from agent.deliver import Story, as_json, summary, tell
from agent.errors import Exit, PrpError, Refused
from agent.execute import Ending, Outcome, execute
from agent.journal import (
    Event,
    Journal,
    Noted,
    Record,
    RunEnded,
    RunResumed,
    RunStarted,
    read_events,
)
from agent.journal.about import naming
from agent.llm.budget import Meter
from agent.llm.recording import Recorder
from agent.prp import Prp, read_prp
from agent.runs.alive import holding
from agent.runs.crew import Office
from agent.runs.database import Database, database_of, queue_of, require_reachable
from agent.runs.desk import Desk, Order
from agent.runs.earlier import Earlier, earlier_of
from agent.runs.folder import RunFolder, new_run_folder
from agent.runs.opening import opened
from agent.runs.orders import Saved, keep_document, save
from agent.runs.reporting import reported
from agent.runs.retelling import Retelling
from agent.runs.signals import STATUS, with_signals
from agent.settings import load_settings
from agent.shown import json_text
from agent.workspace import Repository, Worktree, clear_worktrees, clip, open_worktree
from agent.workspace.beside import keep_aside
from agent.workspace.remote import Published, Remote

_UNFINISHED = "Keep unfinished work"


@dataclass(frozen=True, kw_only=True)
class Done:
    """A run that ended, and where its files are."""

    story: Story
    folder: RunFolder
    exit_status: int

    def in_words(self) -> str:
        """Return how it ended, for a person."""
        branch = self.story.ended["branch"]
        root = self.story.started["repository"]
        where = f"{branch}  (git -C {root} log -p {branch})" if branch else "none, nothing changed"
        lines = [
            summary(self.story),
            f"branch: {where}",
            f"report: {self.folder.page}",
        ]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return the same for machines."""
        return json_text(
            as_json(self.story) | {"report": str(self.folder.report), "page": str(self.folder.page)}
        )


def begin(desk: Desk, order: Order) -> tuple[RunFolder, Saved]:
    """Make the folder of a new run and its branch, and write down what was asked for."""
    if desk.settings.database_url:
        require_reachable(desk.settings.database_url)
    folder = new_run_folder(desk.settings.state_dir, desk.prp.slug)
    try:
        branch = desk.repository.claim_branch(
            f"prp/{desk.prp.slug}", _start_of(desk, order) or desk.base
        )
        return folder, save(folder, desk, order, branch=branch, start=_start_of(desk, order))
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


def _start_of(desk: Desk, order: Order) -> str:
    """Return the commit that a run goes on from; empty where it begins at its base."""
    return desk.repository.resolve(order.start) if order.start else ""


def require_open(folder: RunFolder) -> None:
    """Make sure that a run has not come to its end.

    Raises:
        Refused: It has.

    """
    with contextlib.suppress(FileNotFoundError):
        ended = tell(read_events(folder.journal)).ended
        if ended and not ended.get("can_go_on"):
            raise Refused(
                f"Run {folder.id} has ended: {ended['outcome']}, {ended['reason']}",
                hint=f"prp report {folder.id} shows it; prp execute begins a new run.",
            )


def tidied(folder: RunFolder, saved: Saved) -> Done | None:
    """Do what a run that was killed just after its end did not come to: its report, its folder.

    Returns:
        The run; None where it has not ended or left nothing to do.

    """
    left = folder.worktree.exists() or folder.steps.exists() or not folder.page.exists()
    if not (left and folder.journal.exists()):
        return None
    ended = tell(read_events(folder.journal)).ended
    if not ended or ended.get("can_go_on"):
        return None
    with holding(folder):
        clear_worktrees(Repository.open(saved.root), folder.path)
        kept_in(folder, saved).forget()
        story = reported(folder)
    return Done(story=story, folder=folder, exit_status=ended["exit_status"])


def kept_in(folder: RunFolder, saved: Saved) -> Database:
    """Return where the steps of a run are, for who does not work on it."""
    url = load_settings({}, root=saved.root).database_url
    return _database(folder, saved, url)


def _database(folder: RunFolder, saved: Saved, url: str | None) -> Database:
    return database_of(folder, url, is_shared=saved.is_shared, is_queued=bool(saved.remote))


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
    with holding(folder), Journal(folder.journal) as journal:
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
            if not (story := reported(folder)).ended:
                raise
            return Done(story=story, folder=folder, exit_status=error.exit_status)
        except Exception:
            reported(folder)
            raise
    return Done(story=reported(folder), folder=folder, exit_status=int(status))


class _Life:
    """One process's part in the life of a run."""

    def __init__(self, *, folder: RunFolder, saved: Saved, desk: Desk, order: Order) -> None:
        # Heavy, and nothing but runs needs it.
        from agent.runs.durable import Steps  # noqa: PLC0415

        self.folder, self.saved, self.desk, self.order = folder, saved, desk, order
        self.steps = Steps()
        self.database = _database(folder, saved, desk.settings.database_url)

    async def run(self, record: Record, *, afresh: bool) -> int:
        """Work on the run, and return its exit status."""
        from agent.runs.durable import engine  # noqa: PLC0415 - heavy

        desk, folder, saved = self.desk, self.folder, self.saved
        started = time.monotonic()
        clear_worktrees(desk.repository, folder.path, but=(folder.worktree, folder.beside))
        worktree = open_worktree(
            desk.repository,
            folder.worktree,
            branch=saved.branch,
            base=saved.base,
            start=saved.start,
            notice=lambda text: record(Noted(text=text, warning=True)),
        )
        with worktree as tree:
            follow = tree.follow = self._follower()
            earlier = self._begin(tree, record, afresh=afresh)
            retelling = Retelling(earlier.since, record)
            number = earlier.generation
            name = f"{folder.id}.{number}" if number else folder.id
            with _always_told(folder, self.database, tree, record, started) as outcome_is:
                async with engine(
                    self.database.url, executor=_own_name(), taken_up=queue_of(folder.id)
                ) as running:
                    outcome = await running.run(
                        name, lambda: self._execute(tree, earlier, retelling), self.steps
                    )
                outcome_is(outcome)
            if follow:
                follow(tree.tip())
        if not outcome.can_go_on:
            # They hold what the worktree held, secrets of the repository too; nobody needs them.
            self.database.forget()
        return int(outcome.exit_status)

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
            warn(self.desk, record)
            # Another machine may have worked on it: then steps come back that this one never did.
            self.steps.rebuild = tree.restore if self.saved.is_shared else None
            return Earlier()
        if not afresh and (reason := self._lost_steps(events)):
            record(Noted(text=f"{reason}; the run goes on from what is committed", warning=True))
            keep_document(self.folder)
            afresh = True
        ended: Mapping[str, Any] = next(
            (e for e in reversed(events) if e["type"] == "run-ended"), {}
        )
        resumed = RunResumed(
            after=str(ended.get("reason") or "it was broken off without a word"),
            worktree="made again" if tree.was_lost else "kept",
        )
        if afresh:
            tree.at = tree.tip()
            keep_unfinished(tree, "The run goes on without its steps.")
            keep_aside(tree, self.folder.beside)
            clear_worktrees(self.desk.repository, self.folder.beside)
            resumed = dataclasses.replace(
                resumed, generation=_generation(events) + 1, start=tree.at
            )
        record(resumed)
        earlier = earlier_of(
            list(read_events(self.folder.journal)), old=self._document_before(), new=self.desk.prp
        )
        unfinished = ended.get("unfinished")
        if unfinished and not afresh and tree.tip() == unfinished:
            tree.take_back(unfinished)
        elif not afresh:
            self.steps.rebuild = tree.restore if tree.was_lost else None
        tree.at = earlier.start or tree.base
        return earlier

    def _lost_steps(self, events: Sequence[Mapping[str, Any]]) -> str:
        """Return why the run's steps can't be gone on with, and put a broken file aside."""
        if not any(event["type"] == "contract-frozen" for event in events):
            return ""  # it had not come as far as to a step
        reason = self.database.why_not_usable()
        if reason:
            self.database.put_aside()
        return reason

    def _document_before(self) -> Prp:
        kept = self.folder.document_before
        return read_prp(kept) if kept.exists() else self.desk.prp

    async def _execute(
        self, tree: Worktree, earlier: Earlier, record: Record
    ) -> tuple[Outcome, bool]:
        desk = self.desk
        async with (
            opened(desk, commit=desk.base, record=record) as equipped,
            aclosing(
                office_of(equipped, self.order, self.folder, record, earlier=earlier)
            ) as office,
        ):
            await office.prepare()
            outcome = await execute(
                desk.prp,
                office.crew(tree),
                tree,
                desk.budget,
                record,
                strict=desk.settings.strict,
                before=earlier.before,
            )
        # What a queue does not know yet must be able to come to its end once more, elsewhere.
        return outcome, not outcome.can_go_on and not self.saved.remote


def _generation(events: Sequence[Mapping[str, Any]]) -> int:
    """Return how often the run was begun afresh."""
    return max((e.get("generation", 0) for e in events if e["type"] == "run-resumed"), default=0)


def _own_name() -> str:
    """Return a name that no other process has, wherever it runs."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


@contextmanager
def _always_told(
    folder: RunFolder, database: Database, tree: Worktree, record: Record, started: float
) -> Iterator[Any]:
    """Write how the run ended, whichever way it ends; unfinished work is committed."""
    ended: list[Outcome] = []
    go_on = f"Go on with: prp resume {folder.id}"

    def tell_end(
        ending: str,
        status: int,
        reason: str,
        *,
        hint: str = "",
        unfinished: str = "",
        can_go_on: bool = False,
    ) -> None:
        record(
            RunEnded(
                outcome=ending,
                exit_status=status,
                reason=reason,
                hint=hint,
                branch=tree.branch if (tip := _tip(tree)) != tree.base else "",
                commit=tip,
                seconds=round(time.monotonic() - started, 3),
                unfinished=unfinished,
                can_go_on=can_go_on,
            )
        )

    def stop(ending: str, status: int, reason: str, *, hint: str) -> None:
        """Tell of an end that is none: the run can be taken up, and its folder stays for that."""
        kept = keep_unfinished(tree, reason)
        keep_aside(tree, folder.beside)
        tree.stays = _tip(tree) != tree.base or any(folder.beside.glob("*"))
        tell_end(ending, status, reason, hint=hint, unfinished=kept, can_go_on=True)

    try:
        yield ended.append
    except asyncio.CancelledError as signal:
        name = str(signal.args[0]) if signal.args else "SIGINT"
        status = STATUS.get(name, Exit.TERMINATED)
        if folder.cancelled.exists():
            keep_unfinished(tree, "The run was cancelled.")
            keep_aside(tree, folder.beside)
            tell_end(Ending.CANCELLED, status, "cancelled")
            database.forget()
        else:
            stop(Ending.INTERRUPTED, status, f"interrupted by {name}", hint=go_on)
        raise
    except PrpError as error:
        hint = f"{error.hint} {go_on}".strip()
        stop(Ending.FAILED, error.exit_status, str(error), hint=hint)
        raise
    except Exception as error:
        # A bug of ours keeps its traceback, but the work that was paid for stays.
        reason = f"internal error: {type(error).__name__}: {error}"
        stop(Ending.FAILED, Exit.INTERNAL, reason, hint=go_on)
        raise
    else:
        outcome = ended[0]
        if outcome.can_go_on:
            hint = f"{outcome.hint} {go_on}".strip()
            stop(outcome.ending, outcome.exit_status, outcome.reason, hint=hint)
        else:
            tell_end(outcome.ending, outcome.exit_status, outcome.reason, hint=outcome.hint)
    finally:
        if not tree.stays:
            clear_worktrees(tree.repository, folder.beside)


def keep_unfinished(tree: Worktree, why: str) -> str:
    """Commit unfinished work; where even that fails, the end must still be told."""
    with contextlib.suppress(PrpError, OSError, ValueError):
        return tree.commit(_UNFINISHED, body=why) or ""
    return ""


def _tip(tree: Worktree) -> str:
    """Return the branch's commit, which a run that is just taken up has not come to again."""
    with contextlib.suppress(PrpError):
        return tree.tip()
    return tree.head()


def office_of(
    desk: Desk, order: Order, folder: RunFolder, record: Record, *, earlier: Earlier | None = None
) -> Office:
    """Return the office of a run, which may have been worked on before."""
    earlier = earlier or Earlier()
    return Office(
        desk=desk,
        folder=folder,
        given_plan=earlier.plan,
        meter=Meter(desk.budget, prices=desk.settings.prices, earlier=earlier.spent),
        record=naming(record),
        recorder=Recorder(order.recording, mask=desk.toolchain.mask) if order.recording else None,
    )


def started_as(desk: Desk, folder: RunFolder, branch: str) -> RunStarted:
    """Return the event that a run begins with."""
    budget = desk.budget
    return RunStarted(
        run=folder.id,
        repository=str(desk.repository.root),
        prp=desk.prp_name,
        title=desk.prp.title.text,
        goal=_goal(desk.prp),
        sha256=sha256(desk.prp.text.encode("utf-8", "surrogatepass")).hexdigest(),
        base=desk.base,
        branch=branch,
        models={role: _as_known(name) for role, name in desk.models.items()},
        sandbox=desk.sandbox.name,
        allowed=desk.allowed,
        limits={
            "max_attempts": budget.max_attempts,
            "max_cost_usd": budget.max_cost_usd,
            "max_minutes": budget.max_minutes,
            "max_tokens": budget.max_tokens,
        },
        tasks={str(task.number): task.title for task in desk.prp.tasks},
        criteria={criterion.id: criterion.text for criterion in desk.prp.promises},
        confidence=desk.prp.confidence.score if desk.prp.confidence else None,
    )


def _as_known(model: str) -> str:
    """Return a model's name; of a recording the file's, for where it lies is nobody's business."""
    kind, colon, place = model.partition("replay:")
    return f"{colon}{PurePath(place).name}" if colon and not kind else model


def _goal(prp: Prp) -> str:
    """Return what a document wants, in few words of its own."""
    return clip(prp.goal.body if prp.goal else "", limit=1_500).strip()


def warn(desk: Desk, record: Record) -> None:
    """Say what the person should know before anything runs."""
    for note in desk.settings.notes:
        record(Noted(text=note, warning=True))
    if desk.sandbox.name == "none":
        text = "There is no sandbox: commands of the PRP and of models can do whatever you can"
        record(Noted(text=text, warning=True))
    elif desk.sandbox.lacks:
        text = f"Sandbox {desk.sandbox.name} is weaker than bubblewrap: {desk.sandbox.lacks}"
        record(Noted(text=text, warning=True))


def masked(desk: Desk, *listeners: Record) -> Record:
    """Return what tells all listeners of an event, and none of them a secret."""
    mask = desk.toolchain.mask

    def record(event: Event) -> None:
        event = mask.event(event)
        for listen in listeners:
            listen(event)

    return record
