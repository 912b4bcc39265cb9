"""Text of documents, models and tools made safe to show."""

import re
import unicodedata

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def printable(text: str) -> str:
    """Return text on one line that can't drive a terminal: control characters become visible."""
    text = _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _visible(c) for c in text)


def _visible(character: str) -> str:
    if character in "\n\t ":
        return " "
    if unicodedata.category(character) in ("Zs", "Zl", "Zp"):
        return " "
    return character.encode("unicode_escape").decode("ascii")
