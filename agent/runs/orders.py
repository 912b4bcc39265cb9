"""An order on paper: what a run needs to be taken up by another process, or on another machine."""

import dataclasses
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Any

from pydantic import TypeAdapter

from agent.errors import DocumentError, EnvironmentProblem, Refused
from agent.prp.read import read_text
from agent.runs.desk import Desk, Order
from agent.runs.folder import RunFolder
from agent.settings import Settings

VERSION = 1
_NOT_SAVED = {
    "keys",
    "origins",
    "notes",
    "state_dir",
    "database_url",
    "storage_url",
    "otel_endpoint",
    "prices",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saved:
    """What was asked for when a run began."""

    prp: Path
    """The person's document; the text that counts is the run's own copy."""
    root: Path
    """Top of the person's checkout."""
    base: str
    branch: str
    flags: Mapping[str, Any]
    """Every setting as it was, whoever had set it."""
    allowed: str
    """Who allowed the document's commands."""
    recording: Path | None
    tools: tuple[Path, ...]
    start: str = ""
    """Commit with earlier work that it goes on from; empty where it begins at its base."""
    is_shared: bool = False
    """Whether its steps are kept on a server, and not in its folder."""
    sha256: str = ""
    """Of the document's text that counts; empty where an earlier version of prp began the run."""
    remote: str = ""
    """Where its branch is taken after each commit; empty where it stays in this repository."""


_SAVED = TypeAdapter(Saved)


def save(folder: RunFolder, desk: Desk, order: Order, *, branch: str, start: str = "") -> Saved:
    """Write down what was asked for, and the document as it is now."""
    settings = desk.settings
    saved = Saved(
        prp=order.prp.resolve(),
        root=desk.repository.root,
        base=desk.base,
        branch=branch,
        flags=choices_of(settings),
        allowed=desk.allowed,
        recording=order.recording.resolve() if order.recording else None,
        tools=order.tools,
        start=start,
        is_shared=settings.database_url is not None,
        sha256=_digest(desk.prp.text),
    )
    folder.write(folder.document, desk.prp.text)
    write_order(folder, saved)
    return saved


def write_order(folder: RunFolder, saved: Saved) -> None:
    """Write down what was asked for."""
    folder.write_json(folder.order, {"v": VERSION} | _SAVED.dump_python(saved, mode="json"))


def choices_of(settings: Settings) -> dict[str, Any]:
    """Return every setting as it is, but for keys and what is a machine's own."""
    names = {field.name for field in dataclasses.fields(Settings)} - _NOT_SAVED
    return {name: value for name in sorted(names) if _is_said(value := getattr(settings, name))}


def _is_said(value: object) -> bool:
    return value is not None and value != ()


def load(folder: RunFolder) -> Saved:
    """Read what was asked for.

    Raises:
        EnvironmentProblem: The run did not get as far as that, or another version wrote it.

    """
    try:
        told = json.loads(folder.order.read_text(encoding="utf-8"))
        version = told.pop("v")
        if version == VERSION:
            return _SAVED.validate_python(told)
    except (FileNotFoundError, ValueError, TypeError, AttributeError, KeyError):
        raise EnvironmentProblem(
            f"Run {folder.id} can't be taken up: {folder.order} is not there or does not say what "
            "was asked for",
            hint="What it committed is on its branch; prp execute begins anew, and prp cancel "
            f"{folder.id} ends it.",
        ) from None
    raise EnvironmentProblem(
        f"Run {folder.id} was begun by another version of prp",
        hint="Go on with that version, or begin anew: what was committed is on the branch.",
    )


def require_project(folder: RunFolder, saved: Saved) -> None:
    """Make sure that the project which the run was begun in is still where it was.

    Raises:
        EnvironmentProblem: It is not.

    """
    if not saved.root.is_dir():
        raise EnvironmentProblem(
            f"Run {folder.id} was begun in {saved.root}, and that is gone",
            hint=f"Move the project back to take the run up, or lay a link there: ln -s "
            f"$PWD {quote(str(saved.root))}. What it committed is on {saved.branch}.",
        )


def order_of(folder: RunFolder, saved: Saved, flags: Mapping[str, Any]) -> Order:
    """Return the order to go on with: what is typed now comes before what was typed then."""
    # Its commands were allowed when it began, and the copy of its text is what was allowed.
    return Order(
        prp=saved.prp,
        text_from=folder.document,
        folder=saved.root,
        base=saved.base,
        flags={**saved.flags, "approve": "none", **flags},
        recording=saved.recording,
        need_references=False,
        tools=saved.tools,
    )


def accept_document(folder: RunFolder, saved: Saved) -> None:
    """Let the person's document as it is now count from here on.

    Raises:
        DocumentError: It can't be read.

    """
    text = read_text(saved.prp)
    keep_document(folder)
    # First: a copy that a crash leaves behind it is made again from the person's document.
    write_order(folder, dataclasses.replace(saved, sha256=_digest(text)))
    folder.write(folder.document, text)


def keep_document(folder: RunFolder) -> None:
    """Remember the document as the one that counted until here."""
    folder.write(folder.document_before, read_text(folder.document))


def require_own_document(folder: RunFolder, saved: Saved) -> None:
    """Make sure that the run's copy of the document is whole, or make it again.

    Raises:
        EnvironmentProblem: It is not, and the person's document says something else by now.

    """
    if _is_as_saved(folder.document, saved):
        return
    if not _is_as_saved(saved.prp, saved):
        raise EnvironmentProblem(
            f"{folder.document} is damaged: it is not what run {folder.id} was begun with",
            hint=f"Bring {saved.prp} back to what it said then, and resume again. Where nobody has "
            "it, prp execute begins anew; what the run committed is on its branch.",
        )
    folder.write(folder.document, read_text(saved.prp))


def _is_as_saved(document: Path, saved: Saved) -> bool:
    try:
        return saved.sha256 in ("", _digest(read_text(document)))
    except DocumentError:
        return False


def require_same_document(folder: RunFolder, saved: Saved) -> None:
    """Make sure that the person's document still says what the run was begun with.

    Raises:
        Refused: It does not.

    """
    now = read_text(saved.prp) if saved.prp.is_file() else None
    if now is None or _digest(now) == _digest(read_text(folder.document)):
        return
    raise Refused(
        f"{saved.prp} is not what it was when run {folder.id} began",
        hint="--accept-prp-change goes on with the document as it is now: only what changed is "
        "planned and done again. --keep-prp goes on with the document as it was.",
    )


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
