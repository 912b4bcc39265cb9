"""Shell lines joined to commands: continuations, quotes, here-documents, `if` and `for` blocks."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from agent.prp.here import here_word, open_quote
from agent.prp.lines import Line, text_of
from agent.prp.signs import has_any


class Command(NamedTuple):
    """One command of a fence, with the comments around it."""

    text: str
    line: int
    last_line: int
    before: str = ""
    """The comment line directly above it."""
    behind: str = ""
    """The comment on its own line."""


class Remark(NamedTuple):
    """A comment line, or an empty one, between commands."""

    text: str
    line: int
    indented: bool = False


_OPENS = re.compile(
    r"(?:^\s*|[;&|]\s*|\b(?:do|then|else)\s+)(?:if|for|while|until|case)\b|\{(?:\s+#\s.*)?\s*$|(?:^|\s|mcp__\w+)\(\s*$"
)
_CLOSES = re.compile(r"(?:^|[;&|]|\b(?:do|then|else)\b)\s*(?:fi|done|esac)\b|^\s*[})]")
_PROMPT = re.compile(r"^\$\s+")
_BEHIND = re.compile(r"(?<=\s)#\s+(?P<words>.*)$")


def split_commands(lines: Sequence[Line]) -> list[Command | Remark]:
    """Return the commands and remarks of a shell fence, in order."""
    parts: list[Command | Remark] = []
    index = 0
    patience = 20
    is_prompted = _is_prompted(lines)
    while index < len(lines):
        words = _unmarked(lines[index].text.strip())
        if is_prompted and words and words[0] not in "$#":
            words = ""  # What the command above printed.
        if not words or words.startswith(("#", "//")):
            indented = lines[index].text[:1].isspace()
            parts.append(Remark(text=words, line=lines[index].number, indented=indented))
            index += 1
            continue
        end, is_whole = _end_of(lines, index, window=400 if patience else 20)
        patience -= not is_whole and patience > 0
        above = parts[-1].text if parts and isinstance(parts[-1], Remark) else ""
        parts.append(_command(lines[index : end + 1], above))
        index = end + 1
    return parts


def _is_prompted(lines: Sequence[Line]) -> bool:
    """Return whether a fence shows a terminal, with a prompt before each command."""
    first = next((line.text for line in lines if line.text.strip()[:1] not in ("", "#")), "")
    return first.lstrip().startswith("$ ")


def _unmarked(words: str) -> str:
    """Return a line with what is expected, or done when it fails, as a comment."""
    name, colon, rest = words.partition(": ") if words[:1] in _MARKS else ("", "", "")
    if not colon or name not in _REMARKED:
        return words
    return f"# {_REMARKED[name]}: {rest}"


_REMARKED = {"EXPECT": "Expected", "EXPECTED": "Expected", "FIX": "Fix", "IF_FAIL": "Fix"}
_MARKS = ("E", "F", "I")


def _command(lines: Sequence[Line], above: str) -> Command:
    text = text_of(lines).strip().removeprefix("VALIDATE: ")
    text = _PROMPT.sub("", text) if text.startswith("$") else text
    behind = ""
    found = _BEHIND.search(text) if "#" in text and len(lines) == 1 else None
    if found and _balanced(text[: found.start()]):
        text, behind = text[: found.start()].rstrip(), found["words"]
    return Command(
        text=text.strip(),
        line=lines[0].number,
        last_line=lines[-1].number,
        before=above.lstrip("#/ "),
        behind=behind,
    )


_QUOTED = re.compile(r"'[^']*(?:'|$)|\"(?:\\.|[^\"\\])*(?:\"|$)")


def _end_of(lines: Sequence[Line], start: int, *, window: int) -> tuple[int, bool]:
    """Return the index of a command's last line, and whether the command ends there.

    A block, quote or here-document that does not end within the window of lines is cut where the
    line would end without it.
    """
    quote, depth, waiting = "", 0, ""
    without_block = start
    for index in range(start, min(len(lines), start + window)):
        text = lines[index].text
        if waiting:
            if text.strip() == waiting:
                waiting = ""
            if waiting or depth > 0:
                continue
            return index, True
        was_quoted = bool(quote)
        waiting = here_word(text, quote)
        quote = open_quote(text, quote)
        if not was_quoted:
            depth += _deeper(text)
        if quote or waiting or text.rstrip().endswith(("\\", "&&", "||", "|")):
            continue
        if depth <= 0:
            return index, True
        without_block = without_block if without_block > start else index
    return without_block, False


def _deeper(text: str) -> int:
    """Return by how many blocks a line goes deeper."""
    if not _may_nest(text):
        return 0
    plain = _QUOTED.sub("", text)
    if not has_any(plain, _BLOCK_PARTS):
        return 0
    return len(_OPENS.findall(plain)) - len(_CLOSES.findall(plain))


def _may_nest(text: str) -> bool:
    """Return whether a line may begin or end a block: one command in plain words does neither."""
    return (
        text.lstrip().startswith(_BLOCK_WORDS)
        or _BLOCK_SIGN.search(text) is not None
        or has_any(text, _BEFORE_BLOCK_WORDS)
    )


_BLOCK_WORDS = ("if", "for", "while", "until", "case", "fi", "done", "esac")
_BLOCK_PARTS = ("{", "}", "(", ")", *_BLOCK_WORDS)
_BEFORE_BLOCK_WORDS = ("do", "then", "else")
# A quoted text may stand in front of a word as well.
_BLOCK_SIGN = re.compile(r"[;&|{}()'\"]")


def _balanced(text: str) -> bool:
    return not open_quote(text, "")
