"""Items and headings around the tasks: lists that go on over phases, headings that only hold."""

import re
from collections.abc import Container, Sequence

from agent.prp.headings import Part, part_of
from agent.prp.lines import Line, Role, heading

ITEM = re.compile(r"^(?P<label>\d{1,3})[.)]\s+(?:\[.?\]\s+)?(?P<title>\S.*)$")
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
    return _STEP.match(line.text) or ITEM.match(line.text)


_STEP = re.compile(r"^\*\*Step\s+(?P<label>\d{1,3})\s*[:.–—-]+\s*(?P<title>[^*]+)\*\*\s*:?\s*$")


def title_of(line: Line) -> str:
    """Return the words of a numbered item."""
    found = _numbered(line)
    return found["title"] if found else ""


def holders(lines: Sequence[Line], begins: Container[int]) -> set[int]:
    """Return the places of headings that hold a section for tasks with some in it, its own too.

    Args:
        lines: Lines of the blueprint.
        begins: Where tasks seem to begin.

    """
    found: set[int] = set()
    above: list[tuple[int, int, bool]] = []
    for index, line in enumerate(lines):
        is_heading = line.role is Role.HEADING
        depth, words = heading(line) if is_heading else (0, "")
        while is_heading and above and above[-1][1] >= depth:
            above.pop()
        if index in begins:
            last = max((i for i, (_, _, lists) in enumerate(above) if lists), default=-1)
            found.update(at for at, _, _ in above[: last + 1])
        if is_heading:
            above.append((index, depth, part_of(words) is Part.TASKS))
    return found
