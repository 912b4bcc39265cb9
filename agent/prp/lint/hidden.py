"""What a document holds that its reader does not see, or must not hold."""

import re
from collections.abc import Iterator

from agent.prp.lines import Line, Role
from agent.prp.lint.search import find_at, line_counter
from agent.prp.lint.secret_text import find_secrets
from agent.prp.model import Finding, Prp, Severity
from agent.prp.rules import finding

_ESCAPES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_JOINERS = r"\u200d\ufe0e\ufe0f"
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\ufe00-\ufe0f\U000e0000-\U000e0fff]"
)
# A picture that is made of several: its joiners and its variant are seen.
_PICTURE = re.compile(
    r"(?:[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff#*0-9]"
    rf"[{_JOINERS}\u20e3\U0001f3fb-\U0001f3ff]*)+"
)
_NAMES = {
    0x00AD: "a soft hyphen",
    0x200B: "a zero-width space",
    0x200C: "a zero-width non-joiner",
    0x200D: "a zero-width joiner",
    0x2060: "a word joiner",
    0xFEFF: "a byte order mark",
}


def about_hidden(prp: Prp, lines: tuple[Line, ...]) -> Iterator[Finding]:
    """Return findings about characters, comments, secrets and orders in the text."""
    if not prp.text.isascii() or _ESCAPES.search(prp.text):
        commands = {
            number for check in prp.checks for number in range(check.line, check.last_line + 1)
        }
        commands |= {change.line for task in prp.tasks for change in task.changes}
        commands |= {reference.line for reference in prp.references}
        for line in lines:
            if not line.text.isascii() or _ESCAPES.search(line.text):
                yield from _characters(line, in_use=line.number in commands)
        yield from _look_alikes(prp)
    yield from _comments(lines)
    yield from _secrets(prp)
    yield from _orders(prp.text)


def _characters(line: Line, *, in_use: bool) -> Iterator[Finding]:
    if found := _ESCAPES.search(line.text):
        yield finding(
            "I53",
            line.number,
            f"The line holds the control character U+{ord(found[0]):04X}, which a terminal obeys",
            "Delete it.",
        )
    plain = _PICTURE.sub(lambda picture: re.sub(f"[{_JOINERS}]", "", picture[0]), line.text)
    if found := _UNSEEN.search(plain):
        matters = in_use or line.role is Role.HEADING
        where = "a command, a path or a heading" if matters else "the text"
        yield finding(
            "I54",
            line.number,
            f"There is {_name(ord(found[0]))} in {where}; nobody sees it",
            "Delete it, or write the line anew.",
            severity=Severity.ERROR if matters else None,
        )


def _name(code: int) -> str:
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or code in (0x200E, 0x200F, 0x061C):
        return f"a mark that turns the writing direction (U+{code:04X})"
    if 0xE0000 <= code <= 0xE007F:
        return f"a tag character (U+{code:05X})"
    return f"{_NAMES.get(code, 'an invisible character')} (U+{code:04X})"


_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13ff]")


def _look_alikes(prp: Prp) -> Iterator[Finding]:
    places = [(c.path, c.line) for task in prp.tasks for c in task.changes]
    places += [(reference.target, reference.line) for reference in prp.references]
    for path, line in dict.fromkeys(places):
        for part in re.split(r"[/\\]", path):
            if (found := _FOREIGN.search(part)) and re.search(r"[A-Za-z]", part):
                yield finding(
                    "I55",
                    line,
                    f"The path `{path}` mixes alphabets: `{found[0]}` is U+{ord(found[0]):04X}, "
                    "which looks like a Latin letter",
                    "Write the path in one alphabet.",
                )
                break


def _comments(lines: tuple[Line, ...]) -> Iterator[Finding]:
    opened = 0
    for line in lines:
        if line.role is not Role.TEXT:
            continue
        rest = line.text
        while rest:
            if opened:
                _, mark, rest = rest.partition("-->")
                opened = 0 if mark else opened
                if not mark:
                    break
            elif "<!--" in rest:
                opened = line.number
                rest = rest.partition("<!--")[2]
                yield finding(
                    "I56",
                    line.number,
                    "An HTML comment: models read it, and people who look at the page don't",
                    "Write it as text, or delete it.",
                )
            else:
                break


def _secrets(prp: Prp) -> Iterator[Finding]:
    for secret in find_secrets(prp.text):
        yield finding(
            "I57",
            secret.line,
            f"The text holds {secret.what}: {secret.masked}",
            "Revoke it, and write the name of an environment variable instead.",
        )


_ORDERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("ignore", "disregard", "forget", "override"),
        r"\w+\b.{0,30}\b(previous|prior|above|earlier|all|your|system)\b.{0,30}"
        r"\b(instructions?|rules?|prompts?|guidelines?|directions?)\b",
    ),
    (("you are now", "you are no longer"), r"you are (now|no longer)\b"),
    (("system prompt", "developer prompt"), r"\w+ prompt\b.{0,40}\b(reveal|print|show|ignore)\b"),
    (
        ("<|im_start", "<|im_end", "<|system", "<|endoftext", "<im_start", "<system>"),
        r"<\|?\w+\|?>",
    ),
    (("do not ", "don't "), r"\S+ \S*\s?(tell|inform|mention (this|it) to) the user\b"),
    (
        ("mark ", "report ", "claim "),
        r"\w+ .{0,30}\b(as )?(passed|proven|successful)\b.{0,30}\b(regardless|anyway|even if)\b",
    ),
)
_ORDERS_COMPILED = tuple((words, re.compile(form, re.IGNORECASE)) for words, form in _ORDERS)


def _orders(text: str) -> Iterator[Finding]:
    lowered = text.lower()
    line_of = line_counter(text)
    seen: set[int] = set()
    for words, pattern in _ORDERS_COMPILED:
        for found in find_at(text, lowered, words, pattern):
            line = line_of(found.start())
            if line not in seen:
                seen.add(line)
                yield finding(
                    "I58",
                    line,
                    f"This reads like an order to a model: `{found[0][:80]}`",
                    "Say what to build instead; prp gives it to models as data.",
                )
