"""Finds a run by what a person calls it."""

from pathlib import Path

from agent.errors import SettingsError
from agent.runs.folder import RunFolder


def find_run(state: Path, name: str) -> RunFolder:
    """Return a run by its id, by the beginning or an inner part of it, or the `latest`.

    Raises:
        SettingsError: No run, or more than one, is meant.

    """
    runs = state / "runs"
    every = sorted(path.name for path in runs.iterdir()) if runs.is_dir() else []
    found = every[-1:] if name == "latest" else [run for run in every if name == run]
    found = found or [run for run in every if name in run]
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
