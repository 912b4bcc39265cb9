"""Items and headings around the tasks: lists that go on over phases, headings that only hold."""

import re
from collections.abc import Container, Iterator, Sequence

from agent.prp.headings import Part, part_of
from agent.prp.items import BOX, is_label
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
    for start, end in _stretches(lines, headings):
        own = [i for i in range(start, end) if _number(lines[i])]
        numbers = [_number(lines[i]) for i in own]
        if not own or numbers != list(range(len(items) + 1, len(items) + len(own) + 1)):
            return []
        items += own
    return items


def titled_items(lines: Sequence[Line], headings: Sequence[int]) -> list[tuple[int, str]]:
    """Return the items of phases that are tasks by their form: a bold title and nothing behind it.

    `1. **Create the store** (app/store.py)` or `- [ ] **Create the store**`, with what it takes
    below it; `1. **Speed**: is what matters` is none.

    Args:
        lines: Lines of the blueprint.
        headings: Where the phases begin, in their order.

    Returns:
        Place and title of every item; none where a phase has none, or items of another form.

    """
    found: list[tuple[int, str]] = []
    for start, end in _stretches(lines, headings):
        own = _own_items(lines, start, end)
        titles = [_TITLED.match(lines[i].text) for i in own]
        if not own or not all(titles):
            return []
        found += [(i, title["title"]) for i, title in zip(own, titles, strict=True) if title]
    return found if len(headings) >= _A_LIST else []


def _stretches(lines: Sequence[Line], headings: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return where each phase begins and ends: at the next one, or another heading of its rank."""
    for start, end in zip(headings, [*headings[1:], len(lines)], strict=True):
        rank = heading(lines[start])[0]
        others = (
            i
            for i in range(start + 1, end)
            if lines[i].role is Role.HEADING and heading(lines[i])[0] <= rank
        )
        yield start, next(others, end)


def _own_items(lines: Sequence[Line], start: int, end: int) -> list[int]:
    """Return the places of a phase's first list: numbered items, or boxes, that are not indented.

    A heading or a bold label begins something else, as the checks of the phase.
    """
    found: list[int] = []
    for index in range(start + 1, end):
        line = lines[index]
        is_text = line.role is Role.TEXT
        if found and (line.role is Role.HEADING or (is_text and is_label(line.text))):
            break
        if is_text and (ITEM.match(line.text) or BOX.match(line.text)):
            found += [] if line.text[:1].isspace() else [index]
    return found


_TITLED = re.compile(
    r"^(?:\d{1,3}[.)]|[-*+]\s+\[.?\])\s+\*\*(?P<title>[^*:]+)\*\*\s*(?:\([^()]*\))?\s*$"
)


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
