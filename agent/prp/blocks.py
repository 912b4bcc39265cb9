"""Which part of the PRP each stretch of the document belongs to."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from agent.prp.headings import TASK_PARTS, Part, part_of
from agent.prp.lines import Line, split_sections, text_of
from agent.prp.model import Section


class Block(NamedTuple):
    """A heading with the lines below it up to the next heading, and what it is part of."""

    part: Part | None
    own: Part | None
    """The part that its own heading names; None where it inherits."""
    section: Section
    lines: tuple[Line, ...]
    top: int
    """Index of the block whose part it inherits; its own where it has one."""


# Within these, a heading that elsewhere names another part only structures the text.
_CLOSED: dict[Part, set[Part]] = {
    Part.TESTS: {Part.TESTS},
    Part.VALIDATION: {Part.LEVEL, Part.CHECKLIST, Part.ANTI_PATTERNS, Part.CONFIDENCE},
    Part.TASKS: {Part.TASK, Part.TASKS, Part.PATTERNS, Part.VALIDATION, Part.LEVEL},
    Part.TASK: {Part.TASK},
    Part.CRITERIA: {Part.CRITERIA, Part.CHECKLIST},
    Part.CHECKLIST: {Part.CHECKLIST},
    Part.CONFIDENCE: set(),
    Part.RESULTS: set(),
}


def find_blocks(lines: Sequence[Line]) -> list[Block]:
    """Return the document's blocks in its order; together they hold every line."""
    blocks: list[Block] = []
    stack: list[tuple[int, Part | None, int]] = []
    start = 0
    for index, section in enumerate(split_sections(lines)):
        size = section.last_line - section.line + 1
        own_lines = tuple(lines[start : start + size])
        start += size
        while stack and stack[-1][0] >= section.depth:
            stack.pop()
        parent, top = (stack[-1][1], stack[-1][2]) if stack else (None, index)
        own = part_of(section.heading) if section.depth > (1 if not blocks else 0) else None
        own = _allowed(own, parent, section)
        if own is not None or parent is None:
            top = index
        part = own or parent
        blocks.append(Block(part=part, own=own, section=section, lines=own_lines, top=top))
        # The title heads everything; what it happens to name is not inherited.
        stack.append((section.depth, None if section.depth == 1 and not own else part, top))
    return blocks


def _allowed(own: Part | None, parent: Part | None, section: Section) -> Part | None:
    if own is Part.LEVEL and parent not in (Part.VALIDATION, Part.LEVEL, None):
        return None
    if own is Part.TESTS and parent is Part.LEVEL:
        # What a level walks through: `#### Test case 1` below "Level 3".
        return None
    if parent in TASK_PARTS and own is None and _NUMBERED.match(section.heading):
        return Part.TASK
    if parent in _CLOSED and own not in _CLOSED[parent]:
        return None
    return own


_NUMBERED = re.compile(r"#?\d+[.)]")


def lines_of(blocks: Iterable[Block], part: Part) -> list[Line]:
    """Return the lines of a part, headings included."""
    return [line for block in blocks if block.part is part for line in block.lines]


def lines_within(blocks: Sequence[Block], part: Part, inner: Collection[Part]) -> list[Line]:
    """Return the lines of a part with those of others that stand below it.

    Patterns that are shown in the context are context.
    """
    found: list[Line] = []
    above: list[tuple[int, Part | None]] = []
    for block in blocks:
        while above and above[-1][0] >= block.section.depth:
            above.pop()
        if block.part is part or (block.part in inner and any(outer is part for _, outer in above)):
            found += block.lines
        above.append((block.section.depth, block.part))
    return found


def has_words(block: Block) -> bool:
    """Return whether there is anything below the heading."""
    return bool(block.section.body.strip())


def whole(blocks: Sequence[Block], part: Part) -> Section | None:
    """Return the first section of a part with everything below it."""
    first = next((i for i, b in enumerate(blocks) if b.own is part), None)
    if first is None:
        return None
    below = [b for b in blocks[first:] if b.top == first]
    head = blocks[first].section
    body = text_of(line for b in below for line in b.lines)
    return Section(
        heading=head.heading,
        depth=head.depth,
        line=head.line,
        last_line=below[-1].section.last_line,
        body=body.partition("\n")[2].strip("\n"),
    )


def sections(blocks: Sequence[Block], part: Part) -> tuple[Section, ...]:
    """Return the sections of a part that say something."""
    return tuple(b.section for b in blocks if b.part is part and has_words(b))
