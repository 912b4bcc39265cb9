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


def _chosen(text: str, names: Sequence[str]) -> str:
    if not names:
        return ""
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
