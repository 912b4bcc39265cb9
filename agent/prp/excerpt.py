"""The parts of a document that somebody asked for."""

from collections.abc import Sequence

from agent.prp.headings import normalise
from agent.prp.lines import Role, heading, scan


def excerpt(text: str, *, sections: Sequence[str] = (), limit: int = 40_000) -> str:
    """Return the sections of a Markdown document whose headings hold the names.

    Args:
        text: The document.
        sections: Names as somebody wrote them; those that no heading holds are ignored, and where
            none is found the whole document is returned.
        limit: Characters at most; a longer text is cut at a line's end and says so.

    """
    chosen = _chosen(text, [name.casefold() for name in sections if name.strip()]) or text
    if len(chosen) <= limit:
        return chosen
    kept = chosen[:limit].rpartition("\n")[0] or chosen[:limit]
    left = chosen.count("\n") - kept.count("\n")
    return f"{kept}\n[{left} more lines left out]"


def has_section(text: str, name: str) -> bool:
    """Return whether a Markdown document has a heading that a section's name means."""
    return bool(_chosen(text, [name.casefold()])) if name.strip() else True


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


def _chosen(text: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    # As headings are read: without marks and numbers.
    names = [*names, *filter(None, (normalise(name).casefold() for name in names))]
    lines, _ = scan(text)
    kept: list[str] = []
    depth = 0
    for line in lines:
        if line.role is Role.HEADING:
            own, words = heading(line)
            title = normalise(words).casefold()
            wanted = any(name in title or title in name for name in names if title)
            if depth and own <= depth:
                depth = 0
            if wanted and not depth:
                depth = own
        if depth:
            kept.append(line.text)
    return "\n".join(kept)
