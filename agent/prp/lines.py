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


# Whoever reads a document lints it next, and one scan serves both.
@lru_cache(maxsize=1)
def scan(text: str) -> tuple[tuple[Line, ...], tuple[Finding, ...]]:
    """Return the document's lines with their roles, and what is wrong with its fences.

    A fence that is never closed in the right way ends at a line of marks with an info string
    `text`, which some writers take for the end, or where a heading of the second or a higher level
    follows and no closing marks come after it.
    """
    raw = text.split("\n")
    lines: list[Line] = []
    findings: list[Finding] = []
    opened: re.Match[str] | None = None
    opened_at = 0
    noted = _noted(raw, has_tildes="~~~" in text)
    all_marks = _marks_of(raw, noted)
    last_marks = {marks.character: marks.line for marks in all_marks}
    place = {marks.line: index for index, marks in enumerate(all_marks)}
    for number in noted:
        if number <= len(lines):
            continue
        lines += _run(raw, len(lines), number - 1, Role.INSIDE if opened else Role.TEXT)
        words = raw[number - 1]
        marks = _MARKS.match(words) if number in place else None
        if opened is None:
            if marks:
                opened, opened_at = marks, number
                lines.append(Line(number, words, Role.OPENS))
                nested = nested_end(all_marks, place[number])
                if nested:
                    findings.append(_nested(number))
                closing = nested or _next_marks(all_marks, place[number])
                lines += _run(raw, number, closing - 1, Role.INSIDE)
            else:
                role = Role.HEADING if _HEADING.match(words) else Role.TEXT
                lines.append(Line(number, words, role))
            continue
        same = marks is not None and marks["marks"].startswith(opened["marks"])
        if same and marks is not None and not marks["info"].strip():
            opened = None
            lines.append(Line(number, words, Role.CLOSES))
        elif same and marks is not None and marks["info"].strip() == "text":
            findings.append(_wrong_end(number))
            opened = None
            lines.append(Line(number, words, Role.CLOSES))
        elif words.startswith("## ") and number > last_marks.get(opened["marks"][0], 0):
            findings.append(_unclosed(opened_at))
            opened = None
            lines.append(Line(number, words, Role.HEADING))
        else:
            lines.append(Line(number, words, Role.INSIDE))
    lines += _run(raw, len(lines), len(raw), Role.INSIDE if opened else Role.TEXT)
    if opened is not None:
        findings.append(_unclosed(opened_at))
    return tuple(lines), tuple(findings)


def _noted(raw: Sequence[str], *, has_tildes: bool) -> list[int]:
    """Return the lines that may be marks or headings; all others are what is around them."""
    # Two questions a line instead of three: every line is asked.
    if has_tildes:
        return [
            number
            for number, words in enumerate(raw, 1)
            if "#" in words or "```" in words or "~~~" in words
        ]
    return [number for number, words in enumerate(raw, 1) if "#" in words or "```" in words]


def _next_marks(marks: Sequence[Marks], opening: int) -> int:
    """Return the line of the next marks that could end a fence; the next line without any."""
    first = marks[opening]
    for index in range(opening + 1, len(marks)):
        one = marks[index]
        if one.character == first.character and one.length >= first.length:
            return one.line
    return first.line + 1


def _run(raw: Sequence[str], after: int, last: int, role: Role) -> Iterator[Line]:
    """Return the lines behind line `after` in one role, without a call for each."""
    numbers = range(after + 1, last + 1)
    return map(_NEW_LINE, zip(numbers, raw[after:last], itertools.repeat(role)))


_NEW_LINE = partial(tuple.__new__, Line)


def _marks_of(raw: Sequence[str], noted: Iterable[int]) -> list[Marks]:
    found = []
    for number in noted:
        words = raw[number - 1]
        if ("```" in words or "~~~" in words) and (marks := _MARKS.match(words)):
            signs = marks["marks"]
            found.append(
                Marks(number, signs[0], len(signs), len(marks["indent"]), marks["info"].strip())
            )
    return found


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
        if line.role is Role.OPENS:
            opening, inside = line, []
        elif line.role is Role.INSIDE:
            inside.append(line)
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
    lines = tuple(
        Line(line.number, _outdented(line.text, indent), line.role) if indent else line
        for line in inside
    )
    return Fence(language=info.split()[0] if info else "", line=opening.number, lines=lines)


def _outdented(text: str, indent: int) -> str:
    return text[indent:] if not text[:indent].strip() else text
