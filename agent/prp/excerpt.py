"""The parts of a document that somebody asked for."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agent.prp.headings import normalise
from agent.prp.lines import Role, heading, scan

_Numbered = tuple[int, str]


def excerpt(
    text: str,
    *,
    sections: Sequence[str] = (),
    span: tuple[int, int] | None = None,
    limit: int = 40_000,
    name: str = "",
) -> str:
    """Return the parts of a document that somebody asked for, and a line about what is left out.

    Args:
        text: The document.
        sections: Names of its headings as somebody wrote them; those that are not there are
            ignored, and where none is found the whole is returned.
        span: First and last line wanted; some around them come along.
        limit: Characters at most; a longer text is cut at a line's end.
        name: What it can be read as, with `:from-to` for lines; empty where it can't.

    """
    lines = list(enumerate(text.splitlines(), 1))
    if span:
        first, last = span[0] - _AROUND, span[1] + _AROUND
        chosen = [line for line in lines if first <= line[0] <= last]
    else:
        chosen = _chosen(text, sections, name)
    chosen = chosen or lines
    kept = _fitting(chosen, limit)
    if len(kept) == len(lines) and len(text) <= max(limit, 1) + 1:
        return text
    body = "\n".join(words for _, words in kept)[:limit]
    if not name:
        left = len(chosen) - len(kept)
        return f"{body}\n[{left} more lines left out]" if left else body
    return f"{body}\n{_left_out([number for number, _ in kept], len(lines), name)}"


_AROUND = 5
_TOLD_GAPS = 4


def _fitting(lines: Sequence[_Numbered], limit: int) -> Sequence[_Numbered]:
    """Return the first lines that fit; never none."""
    size = 0
    for index, (_, words) in enumerate(lines):
        size += len(words) + 1
        if size > limit + 1:
            return lines[: max(index, 1)]
    return lines


def _left_out(kept: Sequence[int], count: int, name: str) -> str:
    """Return which lines are missing, and how to read them."""
    edges = pairwise([0, *kept, count + 1])
    gaps = [(before + 1, after - 1) for before, after in edges if after > before + 1]
    if not gaps:
        return f"[of its lines not everything; read {name}]"
    told = ", ".join(f"{first}-{last}" for first, last in gaps[:_TOLD_GAPS])
    further = ", ..." if len(gaps) > _TOLD_GAPS else ""
    places = ", ".join(f"{name}:{first}-{last}" for first, last in gaps[:_TOLD_GAPS])
    return f"[lines {told}{further} of {count} left out; to see them, read {places}]"


def has_sections(path: str) -> bool:
    """Return whether a file is of a kind whose headings are known: Markdown, reStructuredText."""
    return path.endswith((*_MARKDOWN, *_UNDERLINED))


_MARKDOWN = (".md", ".mdx", ".markdown")
_UNDERLINED = (".rst", ".rest")


def has_section(text: str, name: str, *, path: str = "") -> bool:
    """Return whether a document has a heading that a section's name means."""
    return bool(_chosen(text, [name], path)) if name.strip() else True


_HIDDEN = dict.fromkeys(
    [
        *(n for n in range(0x20) if chr(n) not in "\n\t"),
        *range(0x7F, 0xA0),
        *(0xAD, 0x061C, 0x180E, 0xFEFF),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x206A),
        *range(0xE0000, 0xE0080),
    ]
)


def without_hidden(text: str) -> str:
    """Return a text without characters that a reader would not see but a model would."""
    return text.translate(_HIDDEN)


def _chosen(text: str, names: Sequence[str], path: str) -> list[_Numbered]:
    names = [name.casefold() for name in names if name.strip()]
    if not names:
        return []
    # As headings are read: without marks and numbers.
    names = [*names, *filter(None, (normalise(name).casefold() for name in names))]
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    heads = {
        number: (depth, normalise(words).casefold())
        for number, depth, words in (
            _underlined(lines) if path.endswith(_UNDERLINED) else _marked(text)
        )
    }
    kept: list[_Numbered] = []
    depth = 0
    for number, words in enumerate(lines, 1):
        if number in heads:
            own, title = heads[number]
            wanted = any(name in title or title in name for name in names if title)
            if depth and own <= depth:
                depth = 0
            if wanted and not depth:
                depth = own
        if depth:
            kept.append((number, words))
    return kept


def _marked(text: str) -> Iterator[tuple[int, int, str]]:
    """Return line, depth and words of the headings of a Markdown document."""
    for line in scan(text)[0]:
        if line.role is Role.HEADING:
            yield (line.number, *heading(line))


def _underlined(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Return line, depth and words of the headings of a reStructuredText document.

    Which mark stands for which depth its first use decides; a line of marks above makes another.
    """
    depths: dict[str, int] = {}
    for number, (words, below) in enumerate(pairwise(lines), 1):
        if not (
            words[:1].strip() and _MARKS.fullmatch(below) and len(below) >= len(words.rstrip())
        ):
            continue
        is_between = number > 1 and lines[number - 2] == below
        if not _MARKS.fullmatch(words):
            mark = below[0] * (1 + is_between)
            yield number, depths.setdefault(mark, len(depths) + 1), words.strip()


_MARKS = re.compile(r"([^\w\s])\1{2,}")
