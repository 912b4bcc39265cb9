"""Replace text in a file's content: exactly, then tolerantly, and never in the wrong place."""

import ast
import difflib
import json
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

_CLOSE = 0.9
_LARGEST = 5 * 1024 * 1024
# Characters of a text that is looked for by likeness: that costs their square.
_LONGEST = 20_000
# Characters of what was replaced although it was not what was asked for.
_MOST_SHOWN = 1_000
# Seconds to look for something like the text that was asked for.
_PATIENCE = 2.0


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """What came of an edit."""

    text: str | None
    """The new content; None where nothing was replaced."""
    message: str
    """What happened, or why nothing did and what to do, for whoever asked."""


def apply_edit(text: str, old: str, new: str, *, replace_all: bool = False) -> EditResult:
    """Replace `old` by `new`.

    Tried in turn: the exact text where it occurs once; the same lines but for white space,
    re-indented; lines that differ in at most a tenth of their characters. Each must be the only
    place of its kind.
    """
    if old == new:
        return EditResult(text=None, message="old and new are the same: nothing to do.")
    if not old.strip():
        return EditResult(text=None, message="old is empty: use write for a new file.")
    count = text.count(old)
    if len(text) + count * (len(new) - len(old)) > _LARGEST:
        return EditResult(text=None, message="the file would have more than 5 MiB: not edited.")
    if count == 1 or (count and replace_all):
        line = text[: text.index(old)].count("\n") + 1
        places = f"{count} places" if count > 1 else f"line {line}"
        return EditResult(text=text.replace(old, new), message=f"edited at {places}")
    if count:
        lines = ", ".join(str(n) for n in _lines_of(text, old))
        return EditResult(
            text=None,
            message=f"old occurs {count} times, at lines {lines}. Give more lines around the one "
            "you mean, or set every.",
        )
    if len(new.strip()) >= 10 and new.strip() in text:
        return EditResult(
            text=None,
            message="old is not in the file, but new is: the edit seems to be made already.",
        )
    return _by_lines(text, old, new) or EditResult(text=None, message=_why_not(text, old))


def _by_lines(text: str, old: str, new: str) -> EditResult | None:
    lines, wanted = text.splitlines(keepends=True), old.strip("\n").splitlines()
    size = len(wanted)
    starts = range(len(lines) - size + 1)
    joined = "\n".join(line.strip() for line in wanted)
    loose = _first_two("\n".join(line.strip() for line in lines), joined)
    if len(loose) == 1:
        note = "the white space differed"
        return _replaced(lines, loose[0], wanted, new, note)
    if loose or len(joined) > _LONGEST:
        return None
    latest = time.monotonic() + _PATIENCE
    close = [i for i in starts if time.monotonic() < latest and _alike(lines[i : i + size], joined)]
    if time.monotonic() > latest:
        return None  # what was not looked at could be another place of its kind
    if len(close) == 1 and len(joined) >= 10:
        place = close[0]
        done = _replaced(lines, place, wanted, new, "a close match, look at the result")
        there = "".join(lines[place : place + size]).rstrip("\n")[:_MOST_SHOWN]
        return EditResult(text=done.text, message=f"{done.message}; it replaced\n{there}")
    return None


def _first_two(text: str, wanted: str) -> list[int]:
    """Return the numbers, from 0, of the lines at which whole lines occur; two at most."""
    text, wanted = f"\n{text}\n", f"\n{wanted}\n"
    first = text.find(wanted)
    second = text.find(wanted, first + 1) if first >= 0 else -1
    return [text.count("\n", 0, place) for place in (first, second) if place >= 0]


def _alike(lines: Sequence[str], wanted: str) -> bool:
    found = "\n".join(line.strip() for line in lines)
    if abs(len(found) - len(wanted)) > len(wanted) * (1 - _CLOSE):
        return False
    matcher = difflib.SequenceMatcher(None, found, wanted, autojunk=False)
    return matcher.quick_ratio() >= _CLOSE and matcher.ratio() >= _CLOSE


def _replaced(
    lines: Sequence[str], start: int, wanted: Sequence[str], new: str, note: str
) -> EditResult:
    end = start + len(wanted)
    shift = _indent(lines[start]), _indent(wanted[0])
    fresh = [_shifted(line, *shift) for line in new.strip("\n").splitlines()]
    closing = "\n" if lines[end - 1].endswith("\n") else ""
    body = "\n".join(fresh) + closing if fresh else ""
    return EditResult(
        text="".join([*lines[:start], body, *lines[end:]]),
        message=f"edited at lines {start + 1}-{end} ({note})",
    )


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())].rstrip("\n")


def _shifted(line: str, there: str, here: str) -> str:
    if not line.strip():
        return ""
    return there + line[len(here) :] if line.startswith(here) else line


def _why_not(text: str, old: str) -> str:
    lines, wanted = text.splitlines(), old[:_LONGEST].strip("\n").splitlines()
    best, place = 0.0, 0
    latest = time.monotonic() + _PATIENCE
    for i in range(max(len(lines) - len(wanted) + 1, 1)):
        if time.monotonic() > latest:
            break
        ratio = difflib.SequenceMatcher(
            None, "\n".join(lines[i : i + len(wanted)]), "\n".join(wanted)
        ).quick_ratio()
        if ratio > best:
            best, place = ratio, i
    if best < 0.5:
        return "old is not in the file, and nothing like it. Read the file again."
    near = "\n".join(lines[place : place + len(wanted)])
    return f"old is not in the file. Nearest are lines {place + 1}-{place + len(wanted)}:\n{near}"


def _lines_of(text: str, old: str) -> list[int]:
    found: list[int] = []
    start = text.find(old)
    while start >= 0 and len(found) < 20:
        found.append(text.count("\n", 0, start) + 1)
        start = text.find(old, start + len(old))
    return found


def syntax_problem(path: str, text: str) -> str:
    """Return what keeps a file from being parsed, as `line N: why`; nothing where it parses.

    Python, JSON and TOML are looked at; every other file passes.
    """
    try:
        if path.endswith((".py", ".pyi")):
            ast.parse(text)
        elif path.endswith(".json"):
            json.loads(text)
        elif path.endswith(".toml"):
            tomllib.loads(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "it is nested too deeply"
    return ""
