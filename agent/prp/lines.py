"""The document line by line: what is inside of a fence, what is a heading, where sections end."""

import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar, NamedTuple

from agent.prp.model import Finding, Section
from agent.prp.nested import Marks, nested_end
from agent.prp.rules import finding


@dataclass(frozen=True, eq=False, slots=True)
class Role:
    """What a line is.

    No Enum: to name a member of one costs eight times as much, and every line is asked for its
    role many times.
    """

    name: str
    TEXT: ClassVar["Role"]
    HEADING: ClassVar["Role"]
    OPENS: ClassVar["Role"]
    INSIDE: ClassVar["Role"]
    CLOSES: ClassVar["Role"]


Role.TEXT = Role("text")
Role.HEADING = Role("heading")
Role.OPENS = Role("opens")
Role.INSIDE = Role("inside")
Role.CLOSES = Role("closes")


class Line(NamedTuple):
    """One line of the document; a tuple, because a document has hundreds of them."""

    number: int
    text: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A fenced block."""

    language: str
    line: int
    """Line of the opening marks."""
    lines: tuple[Line, ...]
    """What stands between the marks."""

    @property
    def code(self) -> str:
        """Return the content."""
        return text_of(self.lines)


_MARKS = re.compile(r"^(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})[ \t]+(?P<words>.*)$")
# The beginning of a line that is one of both, behind the end of the line above it.
_NOTED = re.compile(
    r"\n(?:(?P<indent>[ \t]*+)(?P<marks>`{3,}|~{3,})[ \t]*+(?P<info>[^`\n]*+)(?=\n|\Z)|"
    r" {0,3}#{1,6}[ \t])"
)


# Whoever reads a document lints it next, and one scan serves both.
@lru_cache(maxsize=1)
def scan(text: str) -> tuple[tuple[Line, ...], tuple[Finding, ...]]:
    """Return the document's lines with their roles, and what is wrong with its fences.

    A fence that is never closed in the right way ends at a line of marks with an info string
    `text`, which some writers take for the end, or where a heading of the second or a higher level
    follows and no closing marks come after it.
    """
    raw = text.split("\n")
    roles = [Role.TEXT] * len(raw)
    findings: list[Finding] = []
    noted = list(_noted(text))
    all_marks = [marks for _, marks in noted if marks]
    last_marks = {marks.character: marks.line for marks in all_marks}
    place = passed = 0
    opened: Marks | None = None
    for number, marks in noted:
        place += marks is not None
        if number < passed:
            continue
        if opened is None:
            roles[number - 1] = Role.OPENS if marks else Role.HEADING
            if marks:
                opened = marks
                nested = nested_end(all_marks, place - 1)
                findings += [_nested(number)] if nested else []
                passed = nested or _next_marks(all_marks, place - 1)
            continue
        if marks and marks.character == opened.character and marks.length >= opened.length:
            if marks.info not in ("", "text"):
                continue
            findings += [_wrong_end(number)] if marks.info else []
            end = Role.CLOSES
        elif raw[number - 1].startswith("## ") and number > last_marks[opened.character]:
            findings.append(_unclosed(opened.line))
            end = Role.HEADING
        else:
            continue
        roles[opened.line : number] = [*[Role.INSIDE] * (number - 1 - opened.line), end]
        opened = None
    if opened is not None:
        roles[opened.line :] = [Role.INSIDE] * (len(raw) - opened.line)
        findings.append(_unclosed(opened.line))
    # Without a call for each line.
    return tuple(map(_NEW_LINE, zip(itertools.count(1), raw, roles))), tuple(findings)


_NEW_LINE = partial(tuple.__new__, Line)


def _noted(text: str) -> Iterator[tuple[int, Marks | None]]:
    """Return the lines of marks, and those that are headings unless they stand in a fence."""
    whole = f"\n{text}"
    number = before = 0
    for found in _NOTED.finditer(whole):
        number += whole.count("\n", before, found.start() + 1)
        before = found.start() + 1
        indent, signs, info = found.groups()
        if signs:
            yield number, Marks(number, signs[0], len(signs), len(indent), info.strip())
        else:
            yield number, None


def _next_marks(marks: Sequence[Marks], opening: int) -> int:
    """Return the line of the next marks that could end a fence; the next line without any."""
    first = marks[opening]
    for index in range(opening + 1, len(marks)):
        one = marks[index]
        if one.character == first.character and one.length >= first.length:
            return one.line
    return first.line + 1


def _nested(line: int) -> Finding:
    return finding(
        "I15",
        line,
        "The fence that begins here holds others of the same marks",
        "Write more marks around the outer one: ```` instead of ```.",
    )


def _wrong_end(line: int) -> Finding:
    return finding(
        "I15", line, "A fence is closed by a line that opens one", "Close it with the marks alone."
    )


def _unclosed(line: int) -> Finding:
    return finding(
        "I15",
        line,
        "The fence that begins here is never closed",
        "Close it with a line of the same marks.",
    )


def heading(line: Line) -> tuple[int, str]:
    """Return a heading's depth and words."""
    found = _HEADING.match(line.text)
    if not found:
        return 0, line.text
    return len(found["marks"]), found["words"].rstrip(" \t").rstrip("#").rstrip(" \t")


def split_sections(lines: Sequence[Line]) -> list[Section]:
    """Return every heading with the lines below it up to the next heading of any level."""
    starts = [i for i, line in enumerate(lines) if line.role is Role.HEADING]
    sections = []
    if lines and (not starts or starts[0] > 0):
        sections.append(_section(lines[: starts[0] if starts else len(lines)], 0, ""))
    for start, end in itertools.pairwise([*starts, len(lines)]):
        depth, words = heading(lines[start])
        sections.append(_section(lines[start:end], depth, words))
    return sections


def _section(lines: Sequence[Line], depth: int, words: str) -> Section:
    below = lines[1:] if depth else lines
    return Section(
        heading=words,
        depth=depth,
        line=lines[0].number,
        last_line=lines[-1].number,
        body=text_of(below),
    )


def text_of(lines: Iterable[Line]) -> str:
    """Return the lines' text as written."""
    return "\n".join(map(_WORDS, lines))


_WORDS = operator.attrgetter("text")


def fences(lines: Sequence[Line]) -> Iterator[Fence]:
    """Return the fenced blocks among lines."""
    inside: list[Line] = []
    opening: Line | None = None
    for line in lines:
        _, _, role = line
        if role is Role.INSIDE:
            inside.append(line)
        elif role is Role.OPENS:
            opening, inside = line, []
        elif opening is not None:
            yield _fence(opening, inside)
            opening = None
    if opening is not None:
        yield _fence(opening, inside)


def _fence(opening: Line, inside: Sequence[Line]) -> Fence:
    marks = _MARKS.match(opening.text)
    info = marks["info"].strip().lower() if marks else ""
    # An indented fence belongs to a list: its lines carry the list's indentation.
    indent = len(marks["indent"]) if marks else 0
    if indent:
        inside = [Line(number, _outdented(text, indent), role) for number, text, role in inside]
    return Fence(language=info.split()[0] if info else "", line=opening.number, lines=tuple(inside))


def _outdented(text: str, indent: int) -> str:
    return text[indent:] if not text[:indent].strip() else text
