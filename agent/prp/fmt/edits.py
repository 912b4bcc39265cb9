"""Replacing lines of a text."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Lines that take the place of others."""

    first: int
    """First line to replace, counted from 1."""
    last: int
    """Last line to replace; `first - 1` inserts before the first line."""
    lines: tuple[str, ...]
    may_lose: frozenset[str] = frozenset()
    """Words that only named the form, such as those of a heading that gets its usual name."""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made, none of which overlap."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda edit: (edit.first, edit.last), reverse=True):
        lines[edit.first - 1 : edit.last] = edit.lines
    return "\n".join(lines)
