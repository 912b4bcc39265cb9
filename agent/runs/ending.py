"""A run's end: told and kept whichever way it comes, and what is left to do after it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.deliver import Story, as_json, summary, tell
from agent.errors import Exit, PrpError, Refused, problem_of
from agent.execute import Ending, Outcome
from agent.journal import Record, RunEnded, read_events
from agent.runs.alive import holding
from agent.runs.database import Database, database_of
from agent.runs.folder import RunFolder
from agent.runs.orders import Saved
from agent.runs.reporting import reported
from agent.runs.signals import STATUS
from agent.settings import load_settings
from agent.shown import json_text
from agent.workspace import Repository, Worktree, clear_worktrees
from agent.workspace.beside import keep_aside

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


def is_open(folder: RunFolder) -> bool:
    """Return whether something of a run is left to do, if only its report."""
    try:
        ended = tell(read_events(folder.journal)).ended
    except FileNotFoundError:
        return True
    return not ended or bool(ended.get("can_go_on")) or _has_left_work(folder)


def _has_left_work(folder: RunFolder) -> bool:
    """Return whether a run that has ended was not tidied up, or has no report."""
    return folder.worktree.exists() or folder.steps.exists() or not folder.page.exists()


def tidied(folder: RunFolder, saved: Saved) -> Done | None:
    """Do what a run that was killed just after its end did not come to: its report, its folder.

    Returns:
        The run; None where it has not ended or left nothing to do.

    """
    if not (_has_left_work(folder) and folder.journal.exists()):
        return None
    ended = tell(read_events(folder.journal)).ended
    if not ended or ended.get("can_go_on"):
        return None
    with holding(folder):
        clear_worktrees(Repository.open(saved.root), folder.path)
        kept_in(folder, saved).forget()
        story = reported(folder)
    return Done(story=story, folder=folder, exit_status=ended["exit_status"])


@contextmanager
def always_told(
    folder: RunFolder, database: Database, tree: Worktree, record: Record, started: float
) -> Iterator[Callable[[Outcome], None]]:
    """Write how the run ended, whichever way it ends; unfinished work is committed."""
    end = _End(folder=folder, database=database, tree=tree, record=record, started=started)
    try:
        with _told(end) as outcome_is:
            yield outcome_is
    finally:
        if not tree.stays:
            clear_worktrees(tree.repository, folder.beside)


@contextmanager
def _told(end: "_End") -> Iterator[Callable[[Outcome], None]]:
    ended: list[Outcome] = []
    try:
        with _named_problems():
            yield ended.append
    except asyncio.CancelledError as signal:
        end.by_signal(str(signal.args[0]) if signal.args else "SIGINT")
        raise
    except PrpError as error:
        error.hint = f"{error.hint} {end.go_on}".strip()
        end.stop(Ending.FAILED, error.exit_status, str(error), hint=error.hint)
        raise
    except Exception as error:
        # A bug of ours keeps its traceback, but the work that was paid for stays.
        reason = f"internal error: {type(error).__name__}: {error}"
        end.stop(Ending.FAILED, Exit.INTERNAL, reason, hint=end.go_on)
        raise
    else:
        outcome = ended[0]
        if outcome.can_go_on:
            hint = f"{outcome.hint} {end.go_on}".strip()
            end.stop(outcome.ending, outcome.exit_status, outcome.reason, hint=hint)
        else:
            end.tell(outcome.ending, outcome.exit_status, outcome.reason, hint=outcome.hint)


@dataclass(frozen=True, kw_only=True)
class _End:
    """What the end of a run is told with."""

    folder: RunFolder
    database: Database
    tree: Worktree
    record: Record
    started: float
    """On the monotonic clock, seconds."""

    @property
    def go_on(self) -> str:
        return f"Go on with: prp resume {self.folder.id}"

    def by_signal(self, name: str) -> None:
        """Tell of a run that somebody stopped, for now or for good."""
        status = STATUS.get(name, Exit.TERMINATED)
        if not self.folder.cancelled.exists():
            self.stop(Ending.INTERRUPTED, status, f"interrupted by {name}", hint=self.go_on)
            return
        keep_unfinished(self.tree, "The run was cancelled.")
        keep_aside(self.tree, self.folder.beside)
        left = what_is_left(self.tree, self.folder)
        self.tell(Ending.CANCELLED, status, "cancelled", hint=left)
        self.database.forget()

    def stop(self, ending: str, status: int, reason: str, *, hint: str) -> None:
        """Tell of an end that is none: the run can be taken up, and its folder stays for that."""
        tree = self.tree
        kept = keep_unfinished(tree, reason)
        keep_aside(tree, self.folder.beside)
        tree.stays |= _tip(tree) != tree.base or any(self.folder.beside.glob("*"))
        try:
            self.tell(ending, status, reason, hint=hint, unfinished=kept, can_go_on=True)
        except PrpError as untold:
            untold.hint = f"{untold.hint} {self.go_on}"
            raise

    def tell(
        self,
        ending: str,
        status: int,
        reason: str,
        *,
        hint: str = "",
        unfinished: str = "",
        can_go_on: bool = False,
    ) -> None:
        tip = _tip(self.tree)
        self.record(
            RunEnded(
                outcome=ending,
                exit_status=status,
                reason=reason,
                hint=hint,
                branch=self.tree.branch if tip != self.tree.base else "",
                commit=tip,
                seconds=round(time.monotonic() - self.started, 3),
                unfinished=unfinished,
                can_go_on=can_go_on,
            )
        )


@contextmanager
def _named_problems() -> Iterator[None]:
    """Say what the machine lacks: a full disk is no bug of ours."""
    try:
        yield
    except OSError as error:
        if (problem := problem_of(error)) is None:
            raise
        raise problem from error


def keep_unfinished(tree: Worktree, why: str) -> str:
    """Commit unfinished work; where even that fails, its folder stays and the end is still told."""
    try:
        return tree.commit(_UNFINISHED, body=why) or ""
    except (PrpError, OSError, ValueError):
        tree.stays = True
        return ""


def what_is_left(tree: Worktree, folder: RunFolder) -> str:
    """Return where a run's work is that no commit could take; empty where all is committed."""
    if not tree.stays:
        return ""
    places = [tree.path, *(place for place in (folder.beside,) if any(place.glob("*")))]
    return f"Look at what could not be committed, in {' and '.join(map(str, places))}."


def is_unfinished(tree: Worktree, commit: str) -> bool:
    """Return whether a commit was made to keep unfinished work, told or not."""
    return tree.git.text("log", "-1", "--format=%s", commit).strip() == _UNFINISHED


def _tip(tree: Worktree) -> str:
    """Return the branch's commit, which a run that is just taken up has not come to again."""
    with contextlib.suppress(PrpError):
        return tree.tip()
    return tree.head()


def kept_in(folder: RunFolder, saved: Saved) -> Database:
    """Return where the steps of a run are, for who does not work on it."""
    url = load_settings({}, root=saved.root).database_url
    return database_for(folder, saved, url)


def database_for(folder: RunFolder, saved: Saved, url: str | None) -> Database:
    return database_of(folder, url, is_shared=saved.is_shared, is_queued=bool(saved.remote))
