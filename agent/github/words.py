"""Foreign text made harmless on GitHub: it links, calls and closes nothing."""

import re

from agent.deliver.marks import code as as_code
from agent.deliver.marks import fence as as_fence
from agent.deliver.marks import plain as as_plain
from agent.shown import printable, printable_lines

LONGEST = 60_000
"""Characters of a comment or of a pull request's text; GitHub takes 65,536."""


def neutral(text: str) -> str:
    """Return text in which nothing is a mention, a reference to an issue, or an address.

    GitHub links these after it has read the Markdown, so that escapes do not help.
    """
    text = re.sub(r"(?<!\w)@(?=\w)", "\N{FULLWIDTH COMMERCIAL AT}", text)
    text = re.sub(r"#(?=\d)", "\N{FULLWIDTH NUMBER SIGN}", text)
    text = re.sub(r"\b(GH)-(?=\d)", "\\1\N{NON-BREAKING HYPHEN}", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\w)://", "[:]//", text)
    return re.sub(r"\bwww\.", "www[.]", text, flags=re.IGNORECASE)


def plain(text: str) -> str:
    """Return text on one line that GitHub shows as it is."""
    return as_plain(neutral(printable(text)))


def code(text: str) -> str:
    """Return text as inline code."""
    return as_code(printable(text))


def fence(text: str) -> str:
    """Return text as a block of code that nothing in it can close."""
    return as_fence(printable_lines(text))


def title(text: str) -> str:
    """Return text as a title: titles are no Markdown, but they do call people."""
    return " ".join(neutral(printable(text)).split())[:200] or "PRP"


def within(sections: list[str], *, most: int = LONGEST) -> str:
    """Join sections of Markdown, and leave out those from the end that do not fit."""
    kept: list[str] = []
    size = 0
    for section in filter(None, sections):
        size += len(section) + 2
        if size > most - 200:
            kept.append("*Something was left out here for its length; the report has all of it.*")
            break
        kept.append(section)
    return "\n\n".join(kept)


def calls_somebody(message: str) -> bool:
    """Return whether words of a commit would close an issue, link one or call somebody."""
    return neutral(message) != message


def details(summary: str, body: str) -> str:
    """Return a part that is folded until somebody opens it."""
    return f"<details><summary>{plain(summary)}</summary>\n\n{body}\n\n</details>"
