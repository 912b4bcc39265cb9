"""Markdown that nothing in a text can break out of."""

import re
from collections.abc import Iterable, Sequence


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells in Markdown below a heading; nothing where there is no row."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    if not body:
        return ""
    return "\n".join(
        [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body]
    )


def listed(title: str, items: Iterable[str]) -> str:
    """Return a list of plain items below a heading; nothing where there is none."""
    lines = [f"- {plain(item)}" for item in items]
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def plain(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line.

    What a run says comes from documents, repositories and models; none of it may become markup.
    """
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]<>|#!@~&])", r"\\\1", one_line)


def code(text: str) -> str:
    """Return text as inline code, whatever backticks and bars it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * (longest + 1)
    pad = " " if longest else ""
    one_line = " ".join(text.split()).replace("|", "\\|")
    return f"{mark}{pad}{one_line}{pad}{mark}" if one_line else ""


def fence(text: str) -> str:
    """Return text as a fenced block that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}text\n{text}\n{mark}"
