"""Lists that hold the tasks themselves, where headings beside them look like tasks, too."""

import re
from collections.abc import Sequence

from agent.prp.blocks import Block
from agent.prp.headings import Part, normalise
from agent.prp.lines import Line, Role

_ITEM = re.compile(r"^(?P<label>\d{1,3})[.)]\s+(?:\[.?\]\s+)?(?P<title>\S.*)$")
_A_LIST = 2


def continued_items(lines: Sequence[Line], headings: Sequence[int]) -> list[int]:
    """Return the numbered items whose numbers go on from one heading's list to the next.

    Args:
        lines: Lines of the blueprint.
        headings: Where the phases begin, in their order.

    Returns:
        The places of all items; none where the numbers begin anew, or a phase has no item.

    """
    if len(headings) < _A_LIST:
        return []
    items: list[int] = []
    ends = [*headings[1:], len(lines)]
    for start, end in zip(headings, ends, strict=True):
        own = [i for i in range(start, end) if _number(lines[i])]
        numbers = [_number(lines[i]) for i in own]
        if not own or numbers != list(range(len(items) + 1, len(items) + len(own) + 1)):
            return []
        items += own
    return items


def _number(line: Line) -> int:
    found = _numbered(line)
    return int(found["label"]) if found else 0


def _numbered(line: Line) -> re.Match[str] | None:
    if line.role is not Role.TEXT:
        return None
    return _STEP.match(line.text) or _ITEM.match(line.text)


_STEP = re.compile(r"^\*\*Step\s+(?P<label>\d{1,3})\s*[:.–—-]+\s*(?P<title>[^*]+)\*\*\s*:?\s*$")


def title_of(line: Line) -> str:
    """Return the words of a numbered item."""
    found = _numbered(line)
    return found["title"] if found else ""


def list_beside_phases(blocks: Sequence[Block]) -> list[Line]:
    """Return the section that lists the tasks, where all other tasks are phases elsewhere."""
    ours = [b for b in blocks if b.own is Part.TASKS and _CALLED_TASKS.search(_name(b))]
    if len(ours) != 1:
        return []
    (own,) = ours
    lines = [line for b in blocks if b.top == own.top for line in b.lines]
    others = [b for b in blocks if b.own is Part.TASK]
    phases = [b for b in others if _PHASE.match(_name(b))]
    if not phases or len(phases) + sum(_is_part(b) for b in others) < len(others):
        return []
    if any(b.section.line > own.section.line for b in others):
        return []
    labels = [
        int(found["label"])
        for line in lines
        if line.role is Role.TEXT and (found := _ITEM.match(line.text))
    ]
    is_list = labels == list(range(1, len(labels) + 1)) and len(labels) >= max(_A_LIST, len(phases))
    return lines if is_list else []


_CALLED_TASKS = re.compile(r"\btasks?\b", re.IGNORECASE)
_PHASE = re.compile(r"(?:phase|stage|milestone)\b", re.IGNORECASE)


def _is_part(block: Block) -> bool:
    """Return whether a heading is a part of a phase: `1.2 The trait`."""
    return _PART.match(block.section.heading) is not None


_PART = re.compile(r"\W*\d{1,3}\.\d{1,3}\b")


def _name(block: Block) -> str:
    return normalise(block.section.heading)


def without_phases_of_requirements(blocks: Sequence[Block]) -> Sequence[Block]:
    """Leave out tasks among the requirements, where a section for tasks holds some of its own."""
    asked: set[int] = set()
    own = 0
    above: list[tuple[int, Part | None]] = []
    for index, block in enumerate(blocks):
        while above and above[-1][0] >= block.section.depth:
            above.pop()
        outer = [part for _, part in above]
        if block.part is Part.TASK and Part.TASKS not in outer and Part.WHAT in outer:
            asked.add(index)
        own += block.own is Part.TASK and Part.TASKS in outer
        above.append((block.section.depth, block.own))
    if own < _A_LIST:
        return blocks
    return [block for index, block in enumerate(blocks) if index not in asked]
