"""A patch as two columns, old beside new, coloured by language: HTML in which all is escaped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from agent.shown import printable_lines

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$")
# A generated file of this size helps nobody, side by side.
_LARGEST = 400_000


@dataclass(kw_only=True)
class FilePatch:
    """What a patch does to one file."""

    path: str
    status: str = "changed"
    added: int = 0
    removed: int = 0
    body: list[str] = field(default_factory=list)
    """Lines from the first `@@` on."""


def files_of(patch: str) -> list[FilePatch]:
    """Split a patch of git into its files."""
    files: list[FilePatch] = []
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            files.append(FilePatch(path=_path(line)))
        elif files:
            _take(files[-1], line)
    return files


def _path(line: str) -> str:
    # Both names are the same where nothing was renamed: `diff --git a/x b/x`.
    names = line.removeprefix("diff --git ")
    half = names[len(names) // 2 + 1 :].strip('"')
    return half.removeprefix("b/")


def _take(file: FilePatch, line: str) -> None:
    if file.body or line.startswith("@@ "):
        file.body.append(line)
        file.added += line.startswith("+")
        file.removed += line.startswith("-")
    elif line.startswith("new file"):
        file.status = "new"
    elif line.startswith("deleted file"):
        file.status = "deleted"
    elif line.startswith("Binary files"):
        file.status = "binary"


def side_by_side(file: FilePatch) -> str:
    """Return a file's changes as rows of a table, as text where they are too large for colours."""
    if sum(map(len, file.body)) > _LARGEST:
        return f"<pre>{escape(printable_lines(chr(10).join(file.body)))}</pre>"
    one_sided = {"new": " added", "deleted": " gone"}.get(file.status, "")
    # A file with one side gets the whole width for it: the cells of the other are not shown.
    sides = 1 if one_sided else 2
    rows = "".join(
        row for hunk in _hunks(file.body) for row in _rows(hunk, file.path, columns=2 * sides)
    )
    columns = '<col class="no"><col>' * sides
    columns = f"<colgroup>{columns}</colgroup>"
    # A narrow screen shows the sides of a block below each other, the old one first: see the style.
    return f'<table class="sides{one_sided}">{columns}<tbody>{rows}</tbody></table>'


@dataclass(kw_only=True)
class _Hunk:
    old: int
    new: int
    about: str
    lines: list[str] = field(default_factory=list)


def _hunks(body: list[str]) -> list[_Hunk]:
    hunks: list[_Hunk] = []
    for line in body:
        if found := _HUNK.match(line):
            hunks.append(_Hunk(old=int(found[1]), new=int(found[2]), about=found[3]))
        elif hunks and line[:1] in (" ", "+", "-"):
            hunks[-1].lines.append(line)
    return hunks


def _rows(hunk: _Hunk, path: str, *, columns: int) -> Iterator[str]:
    old = iter(_coloured([x[1:] for x in hunk.lines if x[0] != "+"], path))
    new = iter(_coloured([x[1:] for x in hunk.lines if x[0] != "-"], path))
    yield f'<tr class="hunk"><td colspan="{columns}">{_where(hunk)}</td></tr>'
    left, right = hunk.old, hunk.new
    taken: list[Markup] = []
    given: list[Markup] = []

    def changed() -> Iterator[str]:
        nonlocal left, right
        if not taken and not given:
            return
        yield '</tbody><tbody class="block">'
        for before, after in zip_longest(taken, given):
            numbers = left if before is not None else 0, right if after is not None else 0
            yield _row(numbers, before, after)
            left, right = left + (before is not None), right + (after is not None)
        yield "</tbody><tbody>"
        taken.clear()
        given.clear()

    for line in hunk.lines:
        if line[0] == "-":
            taken.append(next(old))
        elif line[0] == "+":
            given.append(next(new))
        else:
            yield from changed()
            yield _row((left, right), next(old), next(new), same=True)
            left, right = left + 1, right + 1
    yield from changed()


def _where(hunk: _Hunk) -> str:
    """Return where a hunk begins; the line that git names for orientation is no part of it."""
    about = escape(printable_lines(hunk.about.strip()))
    return f"line {hunk.new}{f', below: {about}' if about else ''}"


def _row(
    numbers: tuple[int, int], before: Markup | None, after: Markup | None, *, same: bool = False
) -> str:
    cells = []
    for number, text, name in ((numbers[0], before, "del"), (numbers[1], after, "ins")):
        if text is None:
            cells.append('<td class="no"></td><td class="none"></td>')
        else:
            kind = "" if same else f' class="{name}"'
            cells.append(f'<td class="no">{number}</td><td{kind}><code>{text}</code></td>')
    kind = ' class="same"' if same else ""
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _coloured(lines: list[str], path: str) -> list[Markup]:
    """Return lines of code as HTML, as many as were given."""
    from pygments import highlight  # noqa: PLC0415 - needed by reports only
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415

    shown = [printable_lines(line) for line in lines]
    if (lexer := _lexer_for(path)) is None:
        return [escape(line) for line in shown]
    html = highlight("\n".join(shown), lexer, HtmlFormatter(nowrap=True)).split("\n")
    if len(html) < len(shown):  # a lexer of another opinion about line ends
        return [escape(line) for line in shown]
    return [Markup(line) for line in html[: len(shown)]]  # noqa: S704 - Pygments has escaped it


def _lexer_for(path: str) -> "Lexer | None":
    """Return what knows the language of a file by its name or suffix; None where nobody does.

    The library compiles a thousand patterns to find it, which took a tenth of a second of each run.
    """
    from pygments.lexers import (  # noqa: PLC0415 - needed by reports only
        get_all_lexers,
        get_lexer_by_name,
        get_lexer_for_filename,
    )

    file = PurePosixPath(path)
    wanted = {file.name, f"*{file.suffix}"}
    known = [
        names[0]
        for _, names, files, _ in get_all_lexers(plugins=False)
        if names and wanted & {*files}
    ]
    if not known:
        return None
    if len(known) == 1:
        return get_lexer_by_name(known[0], stripnl=False, ensurenl=False)
    return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
