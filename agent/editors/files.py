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


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one file."""

    path: str
    state: State


def install(root: Path, files: Mapping[str, str]) -> list[Change]:
    """Write files that are not there, and those that are as they were written before.

    Args:
        root: Top of the repository.
        files: Path below it to content.

    Raises:
        FileProblem: A path leads out of the repository, or can't be written.

    """
    known = _known(root)
    changes = []
    for path, content in files.items():
        there = _text(root, path)
        if there == content:
            state = State.THE_SAME
        elif there is not None and known.get(path) != _digest(there):
            changes.append(Change(path=path, state=State.EDITED))
            continue
        else:
            write_text(root, path, content)
            state = State.WRITTEN if there is None else State.UPDATED
        known[path] = _digest(content)
        changes.append(Change(path=path, state=state))
    _remember(root, known)
    return changes


def uninstall(root: Path, files: Mapping[str, str]) -> list[Change]:
    """Take away those of the files that are as they were written.

    Args:
        root: Top of the repository.
        files: Path below it to content: only these are looked at, whatever the manifest names.

    """
    known = _known(root)
    changes = []
    for path in files:
        there = _text(root, path)
        if there is None:
            known.pop(path, None)
        elif known.get(path) == _digest(there):
            remove(root, path)
            del known[path]
            changes.append(Change(path=path, state=State.REMOVED))
        else:
            changes.append(Change(path=path, state=State.EDITED))
    _remember(root, known)
    return changes


def _known(root: Path) -> dict[str, str]:
    """Return path to hash of what was written; nothing where the manifest is unreadable."""
    try:
        told = json.loads(read_text(root, MANIFEST))
    except (FileProblem, ValueError):
        return {}
    files = told.get("files") if isinstance(told, dict) else None
    return {str(k): str(v) for k, v in files.items()} if isinstance(files, dict) else {}


def _remember(root: Path, known: Mapping[str, str]) -> None:
    if known:
        told = {"v": 1, "files": dict(sorted(known.items()))}
        write_text(root, MANIFEST, json.dumps(told, indent=2) + "\n")
    elif _text(root, MANIFEST) is not None:
        remove(root, MANIFEST)


def _text(root: Path, path: str) -> str | None:
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
