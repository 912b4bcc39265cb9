"""What a run must prove: the success criteria and the deployment checklist."""

import re
from collections.abc import Iterable, Iterator, Sequence

from agent.prp.blocks import Block
from agent.prp.criteria.elsewhere import holds_at_gates, promised_elsewhere
from agent.prp.headings import Part, normalise
from agent.prp.items import BOX, BULLET, ROW, Found, matching, rows
from agent.prp.lines import Line, Role
from agent.prp.metadata import SCORE
from agent.prp.model import Criterion

__all__ = ["criteria_in_code", "find_checklist", "find_criteria", "holds_at_gates"]


def find_criteria(blocks: Sequence[Block]) -> tuple[Criterion, ...]:
    """Return the success criteria: those of their sections, and those that stand elsewhere."""
    found, lines = _of_part(blocks, Part.CRITERIA)
    others, around = promised_elsewhere(blocks)
    if not found and not others:
        around = [line for block in _outcomes(blocks) for line in block.lines]
        others = _promises([line for line in around if line.role is Role.TEXT])
    return _criteria("C", sorted((*found, *others), key=_line_of), sorted({*lines, *around}))


def _outcomes(blocks: Sequence[Block]) -> Iterator[Block]:
    """Return the blocks of "Expected Outcomes": what a document without criteria promises."""
    depth = 0
    for block in blocks:
        if not depth or block.section.depth <= depth:
            is_outcome = _OUTCOMES.match(normalise(block.section.heading))
            depth = block.section.depth if is_outcome else 0
        if depth:
            yield block


_OUTCOMES = re.compile(r"expected (?:outcomes?|results?)$", re.IGNORECASE)


def find_checklist(blocks: Sequence[Block]) -> tuple[Criterion, ...]:
    """Return the lines of the deployment checklist."""
    return _criteria("D", *_of_part(blocks, Part.CHECKLIST))


def _of_part(blocks: Sequence[Block], part: Part) -> tuple[list[Found], list[Line]]:
    """Return the checkboxes of a part, or its list items where it has no box, and all its lines."""
    lines: list[Line] = []
    found: list[Found] = []
    for section in _sections_of(blocks, part):
        ours = [block for block in section if not _OTHERWISE.search(block.section.heading)]
        own = [line for block in ours for line in block.lines if line.role is Role.TEXT]
        lines += own
        boxes = matching(BOX, own)
        tables = [row for block in ours for row in _rows_alone(block)] if boxes else []
        items = sorted([*boxes, *tables], key=_line_of) or _by_id(own) or _promises(own)
        if not items:
            finished = [block for block in ours if not _OF_TASKS.search(block.section.heading)]
            quoted = [line for block in finished for line in _quoted(block.lines)]
            items, lines = matching(_MARKED, quoted), [*lines, *quoted]
        if not items:
            items = [found for block in ours for found in criteria_in_code(block.lines)]
            lines += [line for line, _ in items]
        found += items
    return found, lines


def _quoted(lines: Sequence[Line]) -> Iterator[Line]:
    """Return the lines of fences that hold no code."""
    is_text = False
    for line in lines:
        if line.role is Role.OPENS:
            is_text = line.text.strip().strip("`~ ").lower() in _OF_TEXT
        elif line.role is Role.INSIDE and is_text:
            yield line


# A checklist of what is to be done is no list of what holds when it is.
_OF_TASKS = re.compile(r"\b(?:tasks?|implementation)\b", re.IGNORECASE)
_OF_TEXT = ("", "text", "yaml", "yml", "markdown", "md")
# `✅ it works`, `[ ] it works`, `- [ ] it works`
_MARKED = re.compile(r"^\s*(?:[-*]\s+)?(?P<tick>[✅☐✔✓❑□]|\[[ xX]?\])\s*(?P<words>\S.*[^:\s])\s*$")


def criteria_in_code(lines: Sequence[Line]) -> list[Found]:
    """Return the criteria that stand in a fence, each above the commands that show it."""
    return matching(_IN_CODE, [line for line in lines if line.role is Role.INSIDE])


# `# Criterion 2: the till answers`
_IN_CODE = re.compile(
    r"^\s*(?:#|//|--)\s*Criteri(?:on|a)\s*#?\d{1,3}\s*[:.–-]\s*(?P<words>\S.*)$", re.IGNORECASE
)


def _sections_of(blocks: Sequence[Block], part: Part) -> Iterable[list[Block]]:
    """Return the blocks of a part, those below one heading together."""
    sections: dict[int, list[Block]] = {}
    for block in blocks:
        if block.part is part:
            sections.setdefault(block.top, []).append(block)
    return sections.values()


# What stands among criteria and is none: `### Security Score: 9/10`, `### Out of Scope`, and what
# an author says of the document.
_OTHERWISE = re.compile(
    r"\bscore\b\W{0,12}\d+(?:\.\d+)?\s*/\s*10\b|"
    r"^\W*(?:(?:explicitly )?(?:out[ -]of[ -]scope|not in scope|excluded|not included)|"
    r"exclusions|non[ -]?goals|won['’]t (?:have|do)|future (?:work|enhancements?|improvements?)|"
    r"(?:context )?completeness check|template (?:structure )?compliance|information density|prp quality)\b",
    re.IGNORECASE,
)


def _rows_alone(block: Block) -> list[Found]:
    """Return the rows of a table of criteria that is all that stands below a heading of its own."""
    lines = [line for line in block.lines if line.role is Role.TEXT]
    if block.own is not None or matching(BULLET, lines):
        return []
    head = next((line.text for line in lines if ROW.match(line.text)), "")
    return rows(lines) if _OF_CRITERIA.match(head) else []


_OF_CRITERIA = re.compile(r"^\s*\|\W*(?:criteri(?:on|a)|metrics?|requirements?)\b", re.IGNORECASE)


def _line_of(found: Found) -> int:
    return found[0].number


def _by_id(lines: Sequence[Line]) -> list[Found]:
    """Return paragraphs such as `**SC1**: it is fast`, where there are several."""
    found = matching(_WITH_ID, lines)
    return found if len(found) > 1 else []


_WITH_ID = re.compile(
    r"^\s{0,3}\*\*(?:[A-Z]{1,4}[-. ]?\d{1,3}(?:\.\d{1,3})?)(?:\*\*\s*[:—–-]|\s*[:—–-]\s*\*\*)\s*(?P<words>\S.*)$"
)


def _promises(lines: Sequence[Line]) -> list[Found]:
    """Return list items, else rows, but not those with which the author judges the document."""
    ours: list[Line] = []
    is_judged = False
    for line in lines:
        is_judged = not _DONE.match(line.text) and (is_judged or bool(SCORE.search(line.text)))
        ours += [] if is_judged else [line]
    return matching(BULLET, ours) or rows(ours)


_DONE = re.compile(
    r"^[\W_]*(?:definition of done|(?:acceptance|success|completion|exit) (?:criteria|metrics))\W*$",
    re.IGNORECASE,
)


def _criteria(prefix: str, found: Sequence[Found], lines: Sequence[Line]) -> tuple[Criterion, ...]:
    """Return a criterion for each item, with the lines that go on with it."""
    places = {line.number: place for place, line in enumerate(lines)}
    return tuple(
        Criterion(
            id=f"{prefix}{index}",
            text=_continued(lines, places[line.number], item["words"]),
            line=line.number,
            ticked=item.re is BOX and item["tick"] not in ("", " "),
        )
        for index, (line, item) in enumerate(found, 1)
    )


def _continued(lines: Sequence[Line], place: int, words: str) -> str:
    """Return an item with the lines that go on with it."""
    parts = [words]
    first = lines[place]
    indent = len(first.text) - len(first.text.lstrip())
    for line in lines[place + 1 : place + 10]:
        deeper = len(line.text) - len(line.text.lstrip()) > indent
        if not line.text.strip() or not deeper or BULLET.match(line.text) or BOX.match(line.text):
            break
        parts.append(line.text.strip())
    return " ".join(parts)
