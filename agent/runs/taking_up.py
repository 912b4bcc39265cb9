"""A run that is taken up: what it goes on from, and the worktree brought to it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.errors import EnvironmentProblem
from agent.journal import Noted, Record, RunResumed, read_events
from agent.prp import Prp, read_prp
from agent.runs.database import Database
from agent.runs.earlier import Earlier, earlier_of
from agent.runs.ending import is_unfinished, keep_unfinished
from agent.runs.folder import RunFolder
from agent.runs.orders import keep_document
from agent.workspace import Worktree, clear_worktrees
from agent.workspace.beside import keep_aside

if TYPE_CHECKING:
    from agent.runs.durable import Steps


def taken_up(
    folder: RunFolder,
    tree: Worktree,
    steps: "Steps",
    database: Database,
    *,
    new: Prp,
    record: Record,
    afresh: bool,
) -> Earlier:
    """Tell that a run goes on, and go back to where its steps are.

    Args:
        folder: The run's.
        tree: As it was left, or made again from the branch.
        steps: Are told how a lost worktree comes back.
        database: Has what the steps came to.
        new: The document as it is now.
        record: Is told.
        afresh: Whether to go on from what is committed, without the steps of the run.

    """
    events, began_at = list(read_events(folder.journal)), tree.at
    if not afresh and (reason := _lost_steps(events, database)):
        record(Noted(text=f"{reason}; the run goes on from what is committed", warning=True))
        keep_document(folder)
        afresh = True
    elif afresh:
        _clear_away(database)
    resumed = RunResumed(
        after=str(_last_end(events).get("reason") or "it was broken off without a word"),
        worktree="made again" if tree.was_lost else "kept",
    )
    if afresh:
        tree.at = tree.tip()
        keep_unfinished(tree, "The run goes on without its steps.")
        keep_aside(tree, folder.beside)
        if tree.stays:
            raise EnvironmentProblem(
                f"What stands below {folder.path} could not be committed",
                hint="Make room on the disk, or take away there what no commit should hold.",
            )
        clear_worktrees(tree.repository, folder.beside)
        resumed = dataclasses.replace(resumed, generation=_generation(events) + 1, start=tree.at)
    record(resumed)
    old = read_prp(folder.document_before) if folder.document_before.exists() else new
    earlier = earlier_of(list(read_events(folder.journal)), old=old, new=new)
    tree.at = earlier.start or began_at
    if not afresh:
        go_back(tree, steps)
    return earlier


def go_back(tree: Worktree, steps: "Steps") -> None:
    """Undo the commit of what was half done, and bring back what a lost worktree held."""
    tip = tree.tip()
    # Whether or not its end could be told: the disk may have been full, or the process killed.
    if tip != tree.at and is_unfinished(tree, tip):
        tree.take_back(tip)
    else:
        steps.rebuild = tree.restore if tree.was_lost else None


def _last_end(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((e for e in reversed(events) if e["type"] == "run-ended"), {})


def _lost_steps(events: Sequence[Mapping[str, Any]], database: Database) -> str:
    """Return why the run's steps can't be gone on with, and put a broken file aside."""
    if not any(event["type"] == "contract-frozen" for event in events):
        return ""  # it had not come as far as to a step
    reason = database.why_not_usable()
    if reason:
        database.put_aside()
    return reason


def _clear_away(database: Database) -> None:
    """Put a database aside that can't be used: steps that begin anew need one that can."""
    try:
        is_usable = not database.why_not_usable()
    except EnvironmentProblem:
        is_usable = False
    if not is_usable:
        database.put_aside()


def _generation(events: Sequence[Mapping[str, Any]]) -> int:
    """Return how often the run was begun afresh."""
    return max((e.get("generation", 0) for e in events if e["type"] == "run-resumed"), default=0)
