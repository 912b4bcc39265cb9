"""Finds a run by what a person calls it."""

import contextlib
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from agent.errors import SettingsError
from agent.journal import read_events
from agent.runs.folder import RunFolder


def find_run(
    state: Path, name: str, *, root: Path | None = None, has_work: bool = False
) -> RunFolder:
    """Return a run by its id, by the beginning or an inner part of it, or the `latest`.

    Args:
        state: Where runs are kept.
        name: What the person calls it.
        root: Top of the checkout at hand: its newest run is the latest, where it has any.
        has_work: The latest must have worked on a branch of its own: no verdict is meant.

    Raises:
        SettingsError: No run, or more than one, is meant.

    """
    runs = state / "runs"
    every = sorted(path.name for path in runs.iterdir()) if runs.is_dir() else []
    if name == "latest" and (latest := _latest_of(state, root, has_work=has_work)):
        return latest
    found = [run for run in every if name == run] or [run for run in every if name in run]
    if len(found) == 1:
        return RunFolder(id=found[0], path=runs / found[0])
    if not found:
        raise SettingsError(
            f"There is no run {name!r} in {runs}",
            hint=f"The latest is {every[-1]}." if every else "Nothing was executed yet.",
        )
    raise SettingsError(
        f"{len(found)} runs are called {name!r}", hint=f"Give more of it: {', '.join(found[-3:])}."
    )


def _latest_of(state: Path, root: Path | None, *, has_work: bool) -> RunFolder | None:
    own = next(_runs_of(state, root, resumable=has_work), None) if root else None
    return own or next(_runs_of(state, None, resumable=has_work), None)


def find_open(state: Path, root: Path, *, resumable: bool) -> RunFolder:
    """Return the newest run of a project that has not ended; where all have, the newest.

    Args:
        state: Where runs are kept.
        root: Top of the project's checkout.
        resumable: Only runs that can be taken up again: no verdict on a branch is meant.

    Raises:
        SettingsError: Nothing was executed in this project.

    """
    from agent.runs.ending import is_open  # noqa: PLC0415 - heavy; who only looks needs it not

    every = _runs_of(state, root, resumable=resumable)
    newest = next(every, None)
    if newest is None:
        raise SettingsError(
            f"Nothing was executed in {root}",
            hint="prp status lists the runs of all projects; name one of them.",
        )
    return next((folder for folder in chain((newest,), every) if is_open(folder)), newest)


def _runs_of(state: Path, root: Path | None, *, resumable: bool) -> Iterator[RunFolder]:
    """Yield a project's runs, or all projects', the newest first."""
    runs = state / "runs"
    names = sorted((path.name for path in runs.iterdir()), reverse=True) if runs.is_dir() else []
    for folder in (RunFolder(id=name, path=runs / name) for name in names):
        # Without an order: a verdict on a branch, or a run that did not get so far.
        is_meant = folder.order.exists() or not resumable
        if is_meant and (root is None or _project_of(folder) == str(root)):
            yield folder


def _project_of(folder: RunFolder) -> str:
    """Return the project that a run was begun in; empty where its files do not say."""
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
        return str(json.loads(folder.order.read_text(encoding="utf-8"))["root"])
    # Why it can't be taken up is said to whoever wants to; another run is not what was meant.
    with contextlib.suppress(OSError):
        events = read_events(folder.journal)
        return next(
            (str(e.get("repository", "")) for e in events if e["type"] == "run-started"), ""
        )
    return ""
