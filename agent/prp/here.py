"""Here-documents and quotes over lines: which text of a command is data and which is shell."""

import re
from dataclasses import dataclass

# A quote that is not closed again is a slip of the pen; the word is meant all the same.
_HERE = re.compile(r"(?<!<)<<-?(?![<=])\s*(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w*)(?P=quote)?")


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a here-document hands to a command."""

    opener: str
    """The line with `<<WORD`."""
    text: str


def here_word(line: str, quote: str = "") -> str:
    """Return the word that ends the here-document which a line begins, empty where none begins.

    Args:
        line: A line of shell.
        quote: The quote that is open at its start.

    `<<` in quotes, in comments, in arithmetic and in `<<<` begins none.

    """
    if "<<" not in line:
        return ""
    for found in _HERE.finditer(line):
        before = line[: found.start()]
        in_sum = before.rfind("((") > before.rfind("))")
        if not in_sum and not open_quote(before, quote) and not is_comment(before, quote):
            return found["word"]
    return ""


def split_bodies(command: str) -> tuple[str, tuple[Body, ...]]:
    """Return a command without the lines of its here-documents, and these."""
    if "<<" not in command:
        return command.strip(), ()
    kept: list[str] = []
    bodies: list[Body] = []
    inside: list[str] = []
    waiting = opener = quote = ""
    for line in command.split("\n"):
        if waiting and line.strip() == waiting:
            bodies.append(Body(opener=opener, text="\n".join(inside)))
            waiting, inside = "", []
        elif waiting:
            inside.append(line)
        else:
            kept.append(line)
            waiting, opener = here_word(line, quote), line
            quote = open_quote(line, quote)
    # One that never ends was none: its lines are commands.
    return "\n".join([*kept, *inside]).strip(), tuple(bodies)


def open_quote(text: str, quote: str) -> str:
    """Return the quote that is open at the end of a line, given the one open at its start."""
    return _state(text, quote)[0]


def is_comment(text: str, quote: str = "") -> bool:
    """Return whether what follows a beginning of a line is a comment."""
    return "#" in text and _state(text, quote)[1]


def _state(text: str, quote: str) -> tuple[str, bool]:
    free = 0
    for found in _SIGN.finditer(text):
        place, sign = found.start(), found[0]
        if place < free:
            continue
        if sign == "\\":
            free = place if quote == "'" else place + 2
        elif quote:
            quote = "" if sign == quote else quote
        elif sign != "#":
            quote = sign
        elif place == 0 or text[place - 1].isspace():
            return "", True
    return quote, False


# What decides; all between is passed over without a look at each character.
_SIGN = re.compile(r"[\\'\"#]")
