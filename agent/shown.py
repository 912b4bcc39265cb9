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


# What readers of Markdown do not see, the joiners of pictures left alone.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def seen(text: str) -> str:
    r"""Return what readers of Markdown see of it: no comments, nothing hidden, `\n` line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    while (start := text.find("<!--")) >= 0:
        end = text.find("-->", start)
        # A comment that nobody closes hides everything behind it.
        text = text[:start] + (text[end + 3 :] if end >= 0 else "")
    return _CONTROL.sub("", _UNSEEN.sub("", text)).strip() + "\n"
