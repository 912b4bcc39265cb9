"""Read a PRP from disk: untrusted bytes, refused with line and reason where they can't be used."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from agent.errors import DocumentError
from agent.prp.model import Finding, Prp, Severity
from agent.prp.parse import parse_prp

_LARGEST = 1024 * 1024
_LONGEST_LINE = 64 * 1024
_MOST_HEADINGS = 5_000


def read_prp(path: Path) -> Prp:
    """Read and parse a PRP.

    Raises:
        DocumentError: It is missing, no text file, too large or empty.

    """
    return parse_prp(read_text(path), path=path)


def read_text(path: Path) -> str:
    """Read a PRP as it is written.

    Raises:
        DocumentError: It is missing, no text file, too large or empty.

    """
    text = _decoded(_bytes(path), path)
    if not text.strip():
        raise DocumentError(
            "it has nothing but blanks" if text else "it is empty",
            path=path,
            code="I05" if text else "I04",
            hint=_WRITE_ONE,
        )
    _require_a_sane_form(text, path)
    return text


def same_text(content: bytes, text: str) -> bool:
    """Return whether a file's bytes are a document's text, whatever its line ends."""
    try:
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return written.replace("\r\n", "\n").replace("\r", "\n") == text


def _require_a_sane_form(text: str, path: Path) -> None:
    """Refuse what no person writes, before anything is spent on it."""
    headings = 0
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise DocumentError(
                f"a line of {len(line):,} characters",
                path=path,
                line=number,
                code="I13",
                hint="Lines may have 65,536; put data into a file of its own.",
            )
        headings += line.startswith("#")
        if headings > _MOST_HEADINGS:
            raise DocumentError(
                f"more than {_MOST_HEADINGS:,} headings",
                path=path,
                line=number,
                code="I14",
                hint="Split it: a PRP asks for one feature.",
            )


_WRITE_ONE = "Write what to build, in tasks, and how to prove it; PRPs/README.md says how."


def require_executable(prp: Prp, findings: Iterable[Finding]) -> None:
    """Make sure that nothing was found that a run can't do with.

    Raises:
        DocumentError: There are errors among the findings; all are named, the first with its line.

    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return
    first, *rest = errors
    more = "".join(
        f"\n{prp.path}:{error.line}: [{error.code}] {error.message}. {error.hint}"
        for error in rest[:_MOST_NAMED]
    )
    if len(rest) > _MOST_NAMED:
        more += f"\nand {len(rest) - _MOST_NAMED} more errors"
    raise DocumentError(
        f"{first.message}. {first.hint}{more}",
        path=prp.path,
        line=first.line,
        code=first.code,
        hint=f"`prp lint {prp.path}` says what else could be better.",
    )


_MOST_NAMED = 30


def _bytes(path: Path) -> bytes:
    try:
        # A FIFO would block for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise DocumentError(
            "there is no such file", path=path, code="I01", hint="Check the path."
        ) from None
    except OSError as error:
        raise DocumentError(f"it can't be read: {error.strerror}", path=path, code="I03") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a plain file"
        raise DocumentError(f"it is {kind}", path=path, code="I02", hint="Name one Markdown file.")
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise DocumentError(
            "it is larger than 1 MiB",
            path=path,
            code="I12",
            hint="The longest real ones have 90 kB: put reference material into docfiles.",
        )
    return content


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError("it is UTF-16", path=path, line=1, code="I06", hint="Save it as UTF-8.")
    if (place := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, place) + 1
        raise DocumentError(
            "it holds NUL bytes, so it is no text", path=path, line=line, code="I11"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"it is not UTF-8: byte 0x{content[error.start]:02x}",
            path=path,
            line=line,
            code="I07",
            hint="Save it as UTF-8.",
        ) from None
