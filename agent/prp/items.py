"""List items, labels and rows of tables, by the form of one line."""

import re
from collections.abc import Sequence

from agent.prp.lines import Line

BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[(?P<tick>[ xX~✓✔]?)\]\s*(?P<words>\S.*)$")
"""A checkbox, with what ticks it."""
BULLET = re.compile(r"^\s{0,3}(?:(?:[-*+•]|\d+[.)])\s+|(?=[✅☐✔✓]\s))(?P<words>\S.*)$")
"""A list item that is not indented as code is; a mark in front stands for a bullet, and is kept."""
LABEL = re.compile(r"^\s{0,3}(?:\*\*[^*]+\*\*\s*:?|\w[\w ]{2,30}:)\s*$")
"""What begins something else: `**Files**:`, `Steps:`."""


def is_label(words: str) -> bool:
    """Return whether a line is a label; most don't end as one."""
    return words.rstrip()[-1:] in _ENDS_OF_LABELS and LABEL.match(words) is not None


_ENDS_OF_LABELS = frozenset(":*")

Found = tuple[Line, re.Match[str]]
"""A line, and what the groups of its form hold."""


def matching(form: re.Pattern[str], lines: Sequence[Line]) -> list[Found]:
    """Return the lines of a form."""
    return [(line, found) for line in lines if (found := form.match(line.text))]


def rows(lines: Sequence[Line]) -> list[Found]:
    """Return the rows of tables, without their heads and rules."""
    rules = {line.number for line in lines if _RULE.match(line.text)}
    return [
        (line, found)
        for line, found in matching(ROW, lines)
        if line.number not in rules and line.number + 1 not in rules
    ]


ROW = re.compile(r"^\s*\|\s*(?P<words>.*?[^|\s])[\s|]*\|\s*$")
_RULE = re.compile(r"^\s*\|[\s:|-]+\|\s*$")
