"""What was left of a template: words in brackets that nobody has filled in."""

import re
from collections.abc import Iterator, Sequence

from agent.prp.lines import Line, Role
from agent.prp.model import Finding, Prp, Severity, Text
from agent.prp.rules import finding

_PLACEHOLDER = re.compile(r"\[[^\]\n]{1,120}\](?![(\[:])")
_TEMPLATE_WORD = re.compile(
    r"\[(?:feature|name|title|component|module|file|path|table|endpoint|resource|topic|author|date|"
    r"YYYY-MM-DD|1-10|insert|describe|description|your|todo|tbd|fill|what|who|when|how|specific)\b"
    r"[^\]\n]{0,100}\](?![(\[:])",
    re.IGNORECASE,
)
# `- **Type**: [API/Agent/Library]` and nothing else; a bracket of its own may be a link or a mark.
_UNFILLED_FIELD = re.compile(
    r"^\s*(?:[-*+]\s+)?\*{0,2}[A-Z][\w /-]{1,30}\*{0,2}:\*{0,2}\s+"
    r"(?P<value>\[[^\]\[\n]{2,120}\])\s*$"
)
_UNFILLED_LINE = re.compile(r"^\s*(?:[-*+]\s+)?\[[A-Z][^\]\[\n]+ [^\]\[\n]{3,120}\]\s*$")
_PATH_OF_A_TEMPLATE = re.compile(
    r"(?<![\w\[])[\w/.-]*\[(?:feature|module|component|resource|entity)\][\w/-]*\.\w{1,5}\b",
    re.IGNORECASE,
)


def about_placeholders(prp: Prp, lines: Sequence[Line]) -> Iterator[Finding]:
    """Return what nobody filled in, all of it at once.

    It is an error where the document says what to do, and a warning anywhere else.
    """
    prose = {line.number for line in lines if line.role is Role.TEXT}
    spoken = list(_spoken(prp, prose))
    left = [text for text in spoken if _is_placeholder(text.text)]
    paths = [
        Text(text=change.path, line=change.line)
        for task in prp.tasks
        for change in task.changes
        if _TEMPLATE_WORD.search(change.path)
    ]
    seen: set[int] = set()
    for text in (*left, *paths):
        if text.line not in seen:
            seen.add(text.line)
            yield _never_filled_in(text)
    commands = {line for check in prp.checks for line in range(check.line, check.last_line + 1)}
    # Commands have a rule of their own.
    told = seen | commands
    for line in lines:
        if line.number not in told and _is_left(line):
            yield _never_filled_in(Text(text=line.text, line=line.number), Severity.WARNING)
    if _is_untouched(prp, left) or (len(left) > 4 and 2 * len(left) >= len(spoken)):
        yield finding(
            "I48",
            prp.title.line,
            "This is a template that nobody has filled in",
            "Fill it in; `prp draft` can write a first version.",
        )


def _never_filled_in(text: Text, severity: Severity | None = None) -> Finding:
    return finding(
        "I47",
        text.line,
        f"A placeholder was never filled in: {text.text.strip()[:120]}",
        "Write what is meant, or delete the line.",
        severity=severity,
    )


def _is_left(line: Line) -> bool:
    if "[" not in line.text or line.role is Role.HEADING:
        return False
    if line.role is Role.TEXT:
        field = _UNFILLED_FIELD.match(line.text)
        # One word alone, such as [DONE], may be what was meant.
        if field and (re.search(r"[ /]", field["value"]) or _TEMPLATE_WORD.match(field["value"])):
            return True
        if _UNFILLED_LINE.match(line.text):
            return True
    return _PATH_OF_A_TEMPLATE.search(line.text) is not None


def _is_untouched(prp: Prp, left: Sequence[Text]) -> bool:
    """Return whether title and goal still are what the template says."""
    lines = {text.line for text in left}
    goal = prp.goal
    return (
        prp.title.line in lines
        and goal is not None
        and any(goal.line < line <= goal.last_line for line in lines)
    )


def _is_placeholder(text: str) -> bool:
    words = text.strip()
    if _PLACEHOLDER.fullmatch(words):
        return True
    # What stands in quotes is spoken of, as in: names follow "should [verb] [feature]".
    unquoted = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "", words)
    return bool(_TEMPLATE_WORD.search(unquoted)) and len(words) < 200


def _spoken(prp: Prp, prose: set[int]) -> Iterator[Text]:
    """Return the texts that say what to do; a placeholder among them leaves nothing to execute."""
    yield prp.title
    if prp.goal:
        first = prp.goal.body.split("\n")
        for number, words in enumerate(first, prp.goal.line + 1):
            if words.strip() and number in prose:
                yield Text(text=words, line=number)
    yield from (Text(text=c.text, line=c.line) for c in prp.promises)
    yield from (Text(text=task.title, line=task.line) for task in prp.tasks)
