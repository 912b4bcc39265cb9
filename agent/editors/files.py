"""Files that `prp init` writes into a repository, and takes away again where nobody edited them.

What was written stands with its hash in `.prp/installed.json`. A file that is not as it was written
belongs to the person: it is neither written over nor taken away.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from agent.workspace import FileProblem
from agent.workspace.files import read_text, remove, write_text

MANIFEST = ".prp/installed.json"


class State(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    UPDATED = "updated"
    THE_SAME = "as it was"
    EDITED = "edited, left alone"
    REMOVED = "removed"
    ENTERED = "server entered"
    TAKEN_OUT = "server taken out"
    UNREADABLE = "left alone, for it has comments or can't be read: enter the server by hand"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one file."""

    path: str
    state: State

    def told(self, *, dry_run: bool) -> str:
        """Return what became of it in words, or what would."""
        is_left = self.state in (State.THE_SAME, State.EDITED, State.UNREADABLE)
        return f"{'would be ' * (dry_run and not is_left)}{self.state}"


def changes_of(root: Path, files: Mapping[str, str], *, remove: bool = False) -> list[Change]:
    """Return what `install` or `uninstall` would do, and do nothing.

    Raises:
        FileProblem: A path leads out of the repository, or can't be read.

    """
    known = _known(root)
    judge = _removal if remove else _installation
    found = (
        (path, judge(text_of(root, path), text, known.get(path))) for path, text in files.items()
    )
    return [Change(path=path, state=state) for path, state in found if state]


def _installation(there: str | None, content: str, known: str | None) -> State:
    if there is None:
        return State.WRITTEN
    if there == content:
        return State.THE_SAME
    return State.UPDATED if known == _digest(there) else State.EDITED


def _removal(there: str | None, _content: str, known: str | None) -> State | None:
    if there is None:
        return None
    return State.REMOVED if known == _digest(there) else State.EDITED


def install(root: Path, files: Mapping[str, str]) -> list[Change]:
    """Write files that are not there, and those that are as they were written before.

    Args:
        root: Top of the repository.
        files: Path below it to content.

    Raises:
        FileProblem: A path leads out of the repository, or can't be written.

    """
    known, changes = _known(root), changes_of(root, files)
    for change in changes:
        content = files[change.path]
        if change.state in (State.WRITTEN, State.UPDATED):
            write_text(root, change.path, content)
        if change.state is not State.EDITED:
            known[change.path] = _digest(content)
    _remember(root, known)
    return changes


def uninstall(root: Path, files: Mapping[str, str]) -> list[Change]:
    """Take away those of the files that are as they were written.

    Args:
        root: Top of the repository.
        files: Path below it to content: only these are looked at, whatever the manifest names.

    """
    known, changes = _known(root), changes_of(root, files, remove=True)
    for change in changes:
        if change.state is State.REMOVED:
            remove(root, change.path)
    gone = {path for path in files if text_of(root, path) is None}
    _remember(root, {path: told for path, told in known.items() if path not in gone})
    return changes


def entries_of(root: Path) -> dict[str, str]:
    """Return path to what was put into a file of somebody else, word for word."""
    return _told(root, "entries")


def keep_entries(root: Path, entries: Mapping[str, str]) -> None:
    """Remember what was put into files of somebody else."""
    _write(root, files=_known(root), entries=entries)


def _known(root: Path) -> dict[str, str]:
    """Return path to hash of what was written; nothing where the manifest is unreadable."""
    return _told(root, "files")


def _told(root: Path, kind: str) -> dict[str, str]:
    try:
        told = json.loads(read_text(root, MANIFEST))
    except (FileProblem, ValueError):
        return {}
    found = told.get(kind) if isinstance(told, dict) else None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _remember(root: Path, known: Mapping[str, str]) -> None:
    _write(root, files=known, entries=entries_of(root))


def _write(root: Path, *, files: Mapping[str, str], entries: Mapping[str, str]) -> None:
    if files or entries:
        told = {"v": 1, "files": dict(sorted(files.items()))}
        told |= {"entries": dict(sorted(entries.items()))} if entries else {}
        text = json.dumps(told, indent=2) + "\n"
        if text_of(root, MANIFEST) != text:
            write_text(root, MANIFEST, text)
    elif text_of(root, MANIFEST) is not None:
        remove(root, MANIFEST)


def text_of(root: Path, path: str) -> str | None:
    """Return a file's text; None where there is none.

    Raises:
        FileProblem: It is there and can't be read.

    """
    try:
        return read_text(root, path)
    except FileProblem:
        if (root / path).exists() or (root / path).is_symlink():
            raise
        return None


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
