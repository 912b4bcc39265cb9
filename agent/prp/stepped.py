"""Steps for a person that stand as comments in a shell's fence: `# 1. Click save -> ...`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from agent.prp.checks import is_shell_fence
from agent.prp.commands import Command, Remark, split_commands
from agent.prp.lines import Line, fences

_A_LIST = 2


def commented_steps(lines: Sequence[Line]) -> dict[int, str]:
    """Return the steps in the comments of shell fences, by their lines.

    Numbered comments that follow each other without a command are what a person walks through,
    and so are those with bullets below `# Verify:`, with boxes, and all below `# Manual
    verification`; directly above a command they only say what that does. In a fence without any
    command those count that give orders (`# Test the till`).
    """
    return {
        step.line: found["words"] if (found := _ITEM.match(step.text)) else step.text.lstrip("# ")
        for fence in fences(lines)
        if _may_list(fence.lines) and is_shell_fence(fence)
        for step in _all_steps(split_commands(fence.lines))
    }


def _may_list(lines: Sequence[Line]) -> bool:
    """Return whether a fence has items among its comments, a title, or nothing else: few have."""
    said = [line.text for line in lines if line.text[:1] == "#"]
    if len(said) < _A_LIST:
        return False
    items = sum(_ITEM.match(words) is not None for words in said)
    return (
        items >= _A_LIST
        or any(_TITLE.match(words) for words in said)
        or all(line.text[:1] == "#" or not line.text.strip() for line in lines)
    )


def _all_steps(parts: Sequence[Remark | Command]) -> Iterator[Remark]:
    yield from _steps(parts)
    yield from _below_titles(parts)
    if not any(isinstance(part, Command) for part in parts):
        yield from _orders([part for part in parts if isinstance(part, Remark)])


def _orders(remarks: Sequence[Remark]) -> Sequence[Remark]:
    """Return the comments that tell a person what to do, in a fence that holds nothing else.

    Above a list an order is the list's title.
    """
    found: list[Remark] = []
    is_below = False
    for remark, following in pairwise([*remarks, _EMPTY]):
        if _ITEM.match(remark.text):
            found += [remark] if is_below else []
        else:
            is_below = _ORDER.match(remark.text) is not None
            found += [remark] if is_below and not _ITEM.match(following.text) else []
    first = next((remark.text for remark in remarks if remark.text), "")
    return found if len(found) >= _A_LIST and not _NOT_MEANT.match(first) else ()


_ORDER = re.compile(
    r"#\s?(?:Test|Verify|Validate|Check|Confirm|Ensure|Open|Visit|Click|Navigate|Try|Inspect|Review|"
    r"Load|Complete|Simulate)\s.*[^:]$"
)
# `# N/A: ...`, `# If tests fail: ...`
_NOT_MEANT = re.compile(r"#\W*(?:n/a|none|no|not|if|when|tbd|todo|optional)\b", re.IGNORECASE)


def _below_titles(parts: Iterable[Remark | Command]) -> Iterator[Remark]:
    """Return the comments below one that says that a person is to test, up to an empty line."""
    below: list[Remark] = []
    is_below = False
    for part in (*parts, _EMPTY):
        if is_below and isinstance(part, Remark) and part.text:
            below.append(part)
            continue
        if isinstance(part, Remark):
            yield from below
        below = []
        is_below = isinstance(part, Remark) and _TITLE.match(part.text) is not None


_EMPTY = Remark(text="", line=0)
# `# 5. Manual verification`
_TITLE = re.compile(
    r"#\s*(?:\d{1,2}[.)]\s+)?manual(?:ly)?\s+(?:verif\w+|test\w*|check\w*|validation|steps)\W*$",
    re.IGNORECASE,
)


def _steps(parts: Iterable[Remark | Command]) -> Iterator[Remark]:
    run: list[Remark] = []
    label = command = ""
    for part in parts:
        if isinstance(part, Command):
            is_above = bool(run) and part.line <= run[-1].line + 1
            yield from () if is_above else _listed(run, label, command)
            run, label, command = [], "", part.text
        elif _ITEM.match(part.text):
            run.append(part)
        elif not (run and _GOES_ON.match(part.text)):
            yield from _listed(run, label, command)
            run, label = [], part.text
    yield from _listed(run, label, command)


def _listed(run: Sequence[Remark], label: str, command: str) -> Sequence[Remark]:
    """Return the comments of a run where they are a list of things to do.

    Args:
        run: Comments that follow each other.
        label: The comment directly above them.
        command: The last command above them.

    """
    items = [found for step in run if (found := _ITEM.match(step.text))]
    marks = [found["number"] for found in items]
    if len(run) < _A_LIST:
        return ()
    if all(found["box"] for found in items):
        return run
    if not any(marks):
        asks = _IS_MANUAL if _REPORTS.search(command) else _ASKS
        return run if asks.match(label) else ()
    is_list = all(a and b and int(b) == int(a) + 1 for a, b in pairwise(marks))
    return run if is_list and not _TELLS.search(label) else ()


_ITEM = re.compile(
    r"#\s{0,4}(?:(?P<number>\d{1,2})[.)]|[-*•])\s+(?P<box>\[.?\]\s+)?(?P<words>\S.*)$"
)
# Above a list of what a person has to see: bullets stand below anything else, too.
_MANUAL = r"manual(?:ly)?\b.{0,80}"
_ASKS = re.compile(rf"#\W*(?:(?:then\s+)?(?:verify|confirm)|{_MANUAL})\s*:\s*$", re.IGNORECASE)
_IS_MANUAL = re.compile(rf"#\W*{_MANUAL}\s*:\s*$", re.IGNORECASE)
# "Verify: no test fails" below a run of tests or of a compiler is what that says itself.
_REPORTS = re.compile(r"\b(?:\w*test|tsc|lint|check|mypy|build)\b")
_GOES_ON = re.compile(r"#\s{2,}\S")
# Above a list of what will be seen, of what a script covers, or of what to mend.
_TELLS = re.compile(
    r"\b(?:expect\w*|should|will|output|fix\w*|common|errors?|fail\w*|if|options?|covers?|"
    r"checks for|tests for)\b",
    re.IGNORECASE,
)
