"""Read a PRP from disk: untrusted bytes, refused with line and reason where they can't be used."""

import os
import re
import stat
from pathlib import Path

from agent.errors import DocumentError
from agent.prp.model import Prp, Text
from agent.prp.parse import parse_prp

_LARGEST = 1024 * 1024


def read_prp(path: Path) -> Prp:
    """Read and parse a PRP.

    Raises:
        DocumentError: It is missing, no text file, too large or empty.

    """
    text = _decoded(_bytes(path), path)
    if not text.strip():
        raise DocumentError("it is empty", path=path, code="empty", hint=_WRITE_ONE)
    return parse_prp(text, path=path)


_WRITE_ONE = "Write what to build, in tasks, and how to prove it; PRPs/README.md says how."


def require_executable(prp: Prp) -> None:
    """Make sure that there is something to do and something to hold it against.

    Raises:
        DocumentError: There is no goal, no task, or nothing that could show success.

    """
    left = [text for text in _spoken(prp) if _PLACEHOLDER.fullmatch(text.text.strip())]
    if left:
        words = "; ".join(f"line {text.line}: {text.text.strip()}" for text in left[:20])
        raise DocumentError(
            f"placeholders of the template were never filled in: {words}",
            path=prp.path,
            line=left[0].line,
            code="placeholder",
            hint="Write what is meant there, or delete the line.",
        )
    if prp.goal is None:
        raise DocumentError(
            "no goal", path=prp.path, line=1, code="no-goal", hint="Add `## Goal` below the title."
        )
    if not prp.tasks:
        raise DocumentError(
            "no tasks",
            path=prp.path,
            line=prp.goal.last_line,
            code="no-tasks",
            hint="Add `## Implementation Blueprint` with at least one `Task 1 - TITLE:` and what "
            "it does to which file.",
        )
    if not prp.promises and not prp.checks:
        raise DocumentError(
            "no success criteria and no validation commands: nothing could be proven",
            path=prp.path,
            line=prp.tasks[-1].last_line,
            code="nothing-to-prove",
            hint="Add `### Success Criteria` with checkboxes, or `## Validation Loops` with a bash "
            "block.",
        )


_PLACEHOLDER = re.compile(r"\[[^\]\n]+\]")


def _spoken(prp: Prp) -> list[Text]:
    """Return the texts that say what to do; a placeholder among them leaves nothing to execute."""
    goal = [Text(text=prp.goal.body, line=prp.goal.line + 1)] if prp.goal else []
    criteria = [Text(text=c.text, line=c.line) for c in prp.promises]
    tasks = [Text(text=task.title, line=task.line) for task in prp.tasks]
    return [prp.title, *goal, *criteria, *tasks]


def _bytes(path: Path) -> bytes:
    try:
        # A FIFO would block for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise DocumentError(
            "there is no such file", path=path, code="missing", hint="Check the path."
        ) from None
    except OSError as error:
        raise DocumentError(
            f"it can't be read: {error.strerror}", path=path, code="unreadable"
        ) from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a plain file"
        raise DocumentError(
            f"it is {kind}", path=path, code="not-a-file", hint="Name one Markdown file."
        )
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise DocumentError(
            "it is larger than 1 MiB",
            path=path,
            code="too-large",
            hint="The longest real ones have 90 kB: put reference material into docfiles.",
        )
    return content


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(
            "it is UTF-16", path=path, line=1, code="not-utf8", hint="Save it as UTF-8."
        )
    if (place := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, place) + 1
        raise DocumentError(
            "it holds NUL bytes, so it is no text", path=path, line=line, code="binary"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"it is not UTF-8: byte 0x{content[error.start]:02x}",
            path=path,
            line=line,
            code="not-utf8",
            hint="Save it as UTF-8.",
        ) from None
