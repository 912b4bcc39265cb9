"""What `prp fmt` prints and writes."""

import contextlib
import difflib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import typer

from agent.cli.linting import documents_in
from agent.errors import DocumentError, Exit
from agent.prp.fmt import format_prp
from agent.prp.lint.secret_text import masking
from agent.prp.read import read_text
from agent.shown import printable


def format_files(files: Iterable[Path], *, write: bool, check: bool) -> int:
    """Format documents and return the exit status.

    Args:
        files: Documents, or folders with documents.
        write: Replace the documents.
        check: Print only which would change.

    """
    changed = failed = 0
    for path in documents_in(files):
        try:
            before = read_text(path)
        except DocumentError as error:
            typer.echo(f"error: {printable(str(error))}", err=True)
            failed += 1
            continue
        after = format_prp(before)
        if after == before:
            continue
        changed += 1
        if write:
            try:
                _replace(path, after, before=before)
            except OSError as error:
                words = f"{path} can't be written: {error.strerror or error}"
                typer.echo(f"error: {printable(words)}", err=True)
                failed += 1
                continue
            typer.echo(printable(f"{path}: rewritten"))
        elif check:
            typer.echo(printable(f"{path}: would be rewritten"))
        else:
            _print_diff(path, before, after)
    return int(Exit.INVALID_PRP if failed or (check and changed) else Exit.PROVEN)


def _print_diff(path: Path, before: str, after: str) -> None:
    lines = list(
        difflib.unified_diff(
            before.splitlines(),
            after.splitlines(),
            str(path),
            f"{path} (formatted)",
            lineterm="",
            n=2,
        )
    )
    mask = masking(before)
    for line in lines or [f"{path}: only the ends of its lines would change"]:
        typer.echo(printable(mask(line)))


def _replace(path: Path, text: str, *, before: str) -> None:
    """Write a document whole or not at all, through a link to what it points at."""
    place = path.resolve()
    was = place.stat()
    if not os.access(place, os.W_OK) or not was.st_mode & 0o222:
        raise PermissionError(errno.EACCES, "it is read-only")
    if read_text(place) != before:
        raise OSError(errno.EBUSY, "it was changed meanwhile")
    if was.st_nlink > 1:
        # Replacing it would leave its other names with the old text.
        place.write_bytes(text.encode("utf-8"))
        return
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".prp-fmt-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(was.st_mode & 0o7777)
        with contextlib.suppress(PermissionError):
            os.chown(name, was.st_uid, was.st_gid)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
