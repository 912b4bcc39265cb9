"""Fences in fences of the same marks: where the outer one ends.

Markdown knows no such thing: the first bare marks close the outer fence, and everything below is
turned inside out. People write it all the same, mostly a Markdown file with examples in it.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Marks(NamedTuple):
    """A line of marks."""

    line: int
    character: str
    length: int
    indent: int
    info: str
    """What follows the marks: a language, or nothing."""


def nested_end(marks: Sequence[Marks], opening: int) -> int | None:
    """Return the line that closes a fence with others inside, None where there are none.

    Args:
        marks: All lines of marks of the document.
        opening: Index of the marks that open the fence.

    Both readings are followed for a while; the one counts in which fewer fences hold a line that
    looks like the beginning of another.

    """
    first = marks[opening]
    following = (
        one
        for one in marks[opening + 1 : opening + _FAR]
        if one.character == first.character and one.length >= first.length
    )
    second = next(following, None)
    if second is None or second.info in ("", "text"):
        return None
    ahead = [second, *following]
    indents = [first.indent]
    for index, one in enumerate(ahead):
        if one.info:
            indents.append(one.indent)
            continue
        # Marks further out than a fence that was left open close what is around it.
        while len(indents) > 1 and indents[-1] > one.indent and indents[-2] >= one.indent:
            indents.pop()
        indents.pop()
        if not indents:
            after = ahead[index + 1 :]
            odd = min(_turned(after, inside=False), _unlikely(after))
            return one.line if odd < _turned(ahead, inside=True) else None
    return None


# Lines of marks that are looked at from each fence: enough for one file inside of another.
_FAR = 120


def _turned(marks: Sequence[Marks], *, inside: bool) -> int:
    """Return how many fences would hold a line that looks like the beginning of another."""
    count = 0
    for one in marks:
        count += bool(inside and one.info)
        inside = one.info != "text" if inside and one.info else not inside
    return count + inside


def _unlikely(marks: Sequence[Marks]) -> int:
    """Return how many fences would be nested in code, or left open, if all others nest as well."""
    count = 0
    around: list[str] = []
    for one in marks:
        if one.info:
            count += bool(around) and around[-1] not in _OF_TEXT
            around.append(one.info.lower())
        elif around:
            around.pop()
        else:
            around.append("")
    return count + len(around)


# What may hold other fences.
_OF_TEXT = frozenset(("", "markdown", "md", "text"))
