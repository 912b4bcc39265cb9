"""Steps for a person that stand as comments in a shell's fence: `# 1. Click save -> ...`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from agent.prp.checks import is_shell_fence
from agent.prp.commands import Command, Remark, split_commands
from agent.prp.lines import Fence, Line, Role, fences
from agent.prp.manual import MANUAL, is_order

_A_LIST = 2


def commented_steps(lines: Sequence[Line]) -> dict[int, str]:
    """Return the steps in the comments of shell fences, by their lines.

    Numbered comments that follow each other without a command are what a person walks through,
    and so are those with bullets below `# Verify:`, with boxes, and all below `# Manual
    verification`; directly above a command they only say what that does. Elsewhere those count that
    give orders (`# Test the till`), and in a fence of comments below "Manual testing" all of them.
    """
    return {
        step.line: found["words"] if (found := _ITEM.match(step.text)) else step.text.lstrip("# ")
        for fence, is_manual in _fences_below(lines)
        if (is_manual or _may_list(fence.lines)) and is_shell_fence(fence)
        for step in _all_steps(split_commands(fence.lines), is_manual=is_manual)
        if not _EXPECTED.match(step.text)
    }


_EXPECTED = re.compile(r"#[\s\d.)*•-]*expected\b", re.IGNORECASE)


def _fences_below(lines: Sequence[Line]) -> Iterator[tuple[Fence, bool]]:
    """Return the fences, each with whether the heading above it says that a person is to test."""
    found = {fence.line: fence for fence in fences(lines)}
    is_manual = False
    for line in lines:
        if line.role is Role.HEADING:
            is_manual = MANUAL.search(line.text) is not None
        elif line.role is Role.OPENS and line.number in found:
            yield found[line.number], is_manual


def _may_list(lines: Sequence[Line]) -> bool:
    """Return whether a fence has a list, a title or orders among its comments: few have."""
    said = [line.text for line in lines if line.text[:1] == "#"]
    opens = _VISIT if len(said) < len(lines) else _OPENING
    return (
        sum(_ITEM.match(words) is not None for words in said) >= _A_LIST
        or sum(is_order(words) for words in said) >= _A_LIST
        or any(map(is_order, said[-2:]))
        or any(_TITLE.match(words) or opens.match(words) for words in said)
    )


def _all_steps(parts: Sequence[Remark | Command], *, is_manual: bool) -> Iterator[Remark]:
    if is_manual and all(isinstance(part, Remark) for part in parts):
        yield from _spoken([part for part in parts if isinstance(part, Remark)])
    yield from _steps(parts)
    yield from _below_titles(parts)
    *between, (at_end, above) = _left_alone(parts)
    for remarks, command in between:
        yield from _orders(remarks, is_alone=not command)
    yield from _orders(at_end, is_alone=not above) or _last_order(at_end)


def _spoken(remarks: Iterable[Remark]) -> Iterator[Remark]:
    """Return comments without titles, and without what they say will be seen."""
    is_told = False
    for remark in remarks:
        is_told = bool(remark.text) and (
            is_told or _TELLS_WHAT_COMES.match(remark.text) is not None
        )
        if not is_told and _SAYS_A_STEP.match(remark.text):
            yield remark


# `# Search tests:` is a title.
_SAYS_A_STEP = re.compile(r"#.*\w.*[^:\s-]\s*$")
_TELLS_WHAT_COMES = re.compile(r"#\W*(?:expect|note|result|success|if)\w*\b", re.IGNORECASE)


def _left_alone(
    parts: Sequence[Remark | Command],
) -> Iterator[tuple[list[Remark], Command | None]]:
    """Return the comments that no command stands directly below, with the command above them.

    What stands directly above a command says what that does.
    """
    run: list[Remark] = []
    above: Command | None = None
    for part in parts:
        if isinstance(part, Remark):
            run.append(part)
            continue
        if above and not _is_directly_above(run, part):
            yield run, above
        run, above = [], part
    yield run, above


def _is_directly_above(remarks: Sequence[Remark], command: Command) -> bool:
    return bool(remarks) and bool(remarks[-1].text) and command.line <= remarks[-1].line + 1


def _orders(remarks: Sequence[Remark], *, is_alone: bool) -> Sequence[Remark]:
    """Return the comments that tell a person what to do.

    Above a list an order is the list's title.

    Args:
        remarks: Comments that follow each other.
        is_alone: Whether nothing else stands in their fence. One that says what to open is enough
            there (`# Open the till`), below a command one with an address (`# Visit http://...`).

    """
    found: list[Remark] = []
    for title, items in _titled(remarks):
        if items and _are_steps(items, is_alone=is_alone):
            found += items
        elif not items:
            found.append(title)
    first = next((remark.text for remark in remarks if remark.text), "")
    is_list = len(found) >= _A_LIST and not _NOT_MEANT.match(first)
    visits = _OPENING if is_alone else _VISIT
    is_visit = any(visits.match(remark.text) for remark in found[:1])
    return found if is_list or is_visit else ()


def _last_order(remarks: Sequence[Remark]) -> Sequence[Remark]:
    """Return the order that ends a fence: `# Check the browser's console` below all commands."""
    said = [r for r in remarks if r.text and not _EXPECTED.match(r.text)]
    if not said or _NOT_MEANT.match(said[0].text):
        return ()
    return said[-1:] if is_order(said[-1].text) else ()


def _titled(remarks: Iterable[Remark]) -> Iterator[tuple[Remark, list[Remark]]]:
    """Return the orders among comments, each with the list that stands below it."""
    title = _EMPTY
    items: list[Remark] = []
    for remark in (*remarks, _EMPTY):
        if title.text and _ITEM.match(remark.text):
            items += [] if items and _is_deeper(remark, items[-1]) else [remark]
            continue
        if title.text:
            yield title, items
        title, items = (remark if is_order(remark.text) else _EMPTY), []


def _are_steps(items: Sequence[Remark], *, is_alone: bool) -> bool:
    """Return whether a list below an order tells what to do, and not what it is about."""
    found = [words for item in items if (words := _ITEM.match(item.text))]
    return is_alone or any(each["number"] or is_order(each["words"]) for each in found)


_OPENING = re.compile(r"#\s?(?:Open|Visit|Navigate|Go to|Launch)\b")
_VISIT = re.compile(r"#\s?(?:Open|Visit|Navigate|Go to)\b:?.*(?:https?://|localhost)")
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
    """Return the comments that are items of lists of things to do."""
    run: list[Remark] = []
    label = command = ""
    for part in parts:
        if isinstance(part, Command):
            is_above = bool(run) and part.line <= run[-1].line + 1
            yield from () if is_above and not _LISTS.search(label) else _listed(run, label, command)
            run, label, command = [], "", part.text
        elif found := _ITEM.match(part.text):
            if not (run and not found["number"] and _is_deeper(part, run[-1])):
                run.append(part)
        elif not (run and _GOES_ON.match(part.text)):
            yield from _listed(run, label, command)
            run, label = [], part.text
    yield from _listed(run, label, command)


def _is_deeper(remark: Remark, above: Remark) -> bool:
    """Return whether a comment's bullet stands below the number of the one above it."""
    return (
        _NUMBERED.match(above.text) is not None and _BELOW_A_NUMBER.match(remark.text) is not None
    )


_NUMBERED = re.compile(r"#\s?\d")
_BELOW_A_NUMBER = re.compile(r"#\s{3,}[-*•]")


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
        is_looked_at = _SERVES.search(command) and label and not _TELLS.search(label)
        return run if asks.match(label) or (is_looked_at and not _WITH.search(label)) else ()
    is_list = all(a and b and int(b) == int(a) + 1 for a, b in pairwise(marks))
    return run if is_list and not _TELLS.search(label) else ()


_ITEM = re.compile(
    r"#\s{0,4}(?:(?P<number>\d{1,2})[.)]|[-*•✓✔☐□])\s+(?P<box>\[.?\]\s+)?(?P<words>\S.*)$"
)
# `# Run the game and verify:` above the command that does so
_LISTS = re.compile(r"\band (?:verify|check|confirm)\s*:\s*$", re.IGNORECASE)
# Above a list of what a person has to see: bullets stand below anything else, too.
_MANUAL = r"manual(?:ly)?\b.{0,80}"
_ASKS = re.compile(
    r"#\W*(?:(?:then\s+)?(?:verify|confirm|validate)(?: (?:the )?(?:outputs?|results?))?|"
    rf"{_MANUAL})\s*:\s*$",
    re.IGNORECASE,
)
_WITH = re.compile(r"\bwith\b", re.IGNORECASE)
_SERVES = re.compile(r"(?<![/\w])(?:dev|start|serve|preview|runserver|uvicorn|streamlit)(?![/\w])")
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
