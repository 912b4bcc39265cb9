"""Ending a run for good, whether somebody works on it or nobody does any more."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.deliver import tell
from agent.errors import EnvironmentProblem, Exit, PrpError, Refused
from agent.execute import Ending
from agent.journal import Journal, RunEnded, read_events
from agent.runs.alive import holder, holding
from agent.runs.database import database_of
from agent.runs.ending import keep_unfinished, kept_in, require_open, what_is_left
from agent.runs.folder import RunFolder
from agent.runs.orders import load
from agent.runs.reporting import reported
from agent.workspace import Repository, clear_worktrees, open_worktree
from agent.workspace.beside import keep_aside

_PAUSE = 0.1


def cancel(folder: RunFolder) -> RunEnded | None:
    """End a run: its work is kept on its branch, and it can't be taken up again.

    Returns:
        How it ended; None where the process that works on it was asked to end it.

    Raises:
        PrpError: It had ended before, or its repository is gone.

    """
    process = holder(folder)
    if process is None:
        return _close(folder)
    folder.cancelled.touch()
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    return None


def see_ended(folder: RunFolder) -> None:
    """End a run, and return when it has ended; one that had ended before stays as it is.

    Raises:
        PrpError: It can't be ended, for its repository is gone or its order can't be read.

    """
    with contextlib.suppress(Refused):
        ended = cancel(folder)
        while ended is None:
            if holder(folder) is None:
                # Where the signal came before its handler nobody has told the end.
                ended = cancel(folder)
            else:
                time.sleep(_PAUSE)


def _close(folder: RunFolder) -> RunEnded:
    """End a run that nobody works on."""
    require_open(folder)
    try:
        saved = load(folder)
    except EnvironmentProblem:
        if not (started := _begun_as(folder)):
            raise
        return _close_without_order(folder, started)
    with holding(folder), Journal(folder.journal) as journal:
        ended = _last_commit(folder, saved.root, branch=saved.branch, base=saved.base)
        journal.record(ended)
    kept_in(folder, saved).forget()
    reported(folder)
    return ended


def _begun_as(folder: RunFolder) -> Mapping[str, Any]:
    """Return how a run began, where its journal tells."""
    with contextlib.suppress(FileNotFoundError):
        return tell(read_events(folder.journal)).started
    return {}


def _close_without_order(folder: RunFolder, started: Mapping[str, Any]) -> RunEnded:
    """End a verdict on a branch, which has none, or a run whose order can't be read."""
    branch, base = started.get("branch", ""), started.get("base", "")
    is_run = folder.order.exists() or folder.document.exists()
    with holding(folder), Journal(folder.journal) as journal:
        ended = _cancelled(branch=branch if is_run else "")
        with contextlib.suppress(PrpError):
            root = Path(started["repository"])
            if is_run:
                ended = _last_commit(folder, root, branch=branch, base=base)
            else:
                # There is nothing to keep but its report.
                clear_worktrees(Repository.open(root), folder.path)
        journal.record(ended)
    database_of(folder, None, is_shared=False).forget()
    reported(folder)
    return ended


def _cancelled(*, branch: str = "", commit: str = "", left: str = "") -> RunEnded:
    return RunEnded(
        outcome=Ending.CANCELLED,
        exit_status=Exit.TERMINATED,
        reason="cancelled while nobody worked on it",
        hint=left,
        branch=branch,
        commit=commit,
        seconds=0.0,
    )


def _last_commit(folder: RunFolder, root: Path, *, branch: str, base: str) -> RunEnded:
    """Commit what the worktree holds, and return how the run ended with that."""
    try:
        repository = Repository.open(root)
    except PrpError:
        return _cancelled()  # the repository is gone, and its branch with it
    clear_worktrees(repository, folder.path, but=(folder.worktree, folder.beside))
    with open_worktree(repository, folder.worktree, branch=branch, base=base) as tree:
        tree.at = tree.tip()
        keep_unfinished(tree, "The run was cancelled.")
        keep_aside(tree, folder.beside)
        if not tree.stays:
            clear_worktrees(repository, folder.beside)
        return _cancelled(
            branch=branch if tree.at != base else "",
            commit=tree.at,
            left=what_is_left(tree, folder),
        )
