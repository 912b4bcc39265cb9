"""Text of documents, models and tools made safe to show, in a terminal and as JSON."""

import json
import re
import unicodedata
from typing import Any

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def printable(text: str) -> str:
    """Return text on one line that can't drive a terminal: control characters become visible."""
    text = _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _visible(c) for c in text)


def printable_lines(text: str) -> str:
    """Return text of several lines, each as safe as `printable` makes it, tabs as blanks."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


def _visible(character: str) -> str:
    if character in "\n\t ":
        return " "
    if unicodedata.category(character) in ("Zs", "Zl", "Zp"):
        return " "
    return character.encode("unicode_escape").decode("ascii")


# What JSON may hold as it is, and what a terminal or a reader should not get that way.
_UNSAFE = re.compile(
    "[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON whose control, invisible and lone surrogate characters are escaped."""
    return _UNSAFE.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=indent))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
