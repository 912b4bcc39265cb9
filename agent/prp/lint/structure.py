"""Whether the document has the parts that a run needs, filled in."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from agent.prp.headings import normalise
from agent.prp.lines import Fence, Line, Role, heading
from agent.prp.model import ExpectationKind, Finding, Prp, Severity, Task
from agent.prp.rules import finding

_MOST_TASKS = 100


def about_structure(prp: Prp, lines: Sequence[Line], fenced: Sequence[Fence]) -> Iterator[Finding]:
    """Return findings about parts that are missing, double, empty or never filled in."""
    yield from _missing(prp)
    yield from _not_understood(prp)
    yield from _double(lines)
    yield from _empty_levels(prp, lines, fenced)
    yield from _order_of_tasks(prp.tasks)
    yield from _confidence(prp)
    yield from _front_matter(lines)
    yield from _open_questions(lines)


def _missing(prp: Prp) -> Iterator[Finding]:
    if prp.goal is None:
        yield finding("I18", 1, "There is no goal", "Add `## Goal` below the title.")
    if not prp.tasks:
        yield finding(
            "I18",
            prp.goal.last_line if prp.goal else 1,
            "There is no task",
            "Add `## Implementation Blueprint` with at least one `Task 1 - TITLE:` and what it "
            "does to which file.",
        )
    if not prp.promises and not prp.checks:
        yield finding(
            "I18",
            prp.tasks[-1].last_line if prp.tasks else 1,
            "There is neither a success criterion nor a validation command: nothing could be "
            "proven",
            "Add `### Success Criteria` with checkboxes, or `## Validation Loops` with a bash "
            "block.",
        )
        return
    if not prp.promises:
        yield finding(
            "R21",
            prp.goal.line if prp.goal else 1,
            "There is no success criterion; only the checks say whether the work is done",
            "Add `### Success Criteria` with one checkbox for each outcome.",
        )
    if not prp.checks:
        yield finding(
            "R20",
            prp.promises[0].line,
            "There is no validation command; nothing can be proven by program",
            "Add `## Validation Loops` with a bash block.",
        )


def _not_understood(prp: Prp) -> Iterator[Finding]:
    """Return which headings say nothing to prp, where a part is missing."""
    lacking = [
        name
        for name, is_there in (
            ("`## Goal`", not any(found.code == "R19" for found in prp.findings)),
            ("`### Success Criteria`", prp.promises),
            ("`## Implementation Tasks`", prp.tasks),
            ("`## Validation Loops`", prp.checks or prp.levels),
        )
        if not is_there
    ]
    unknown = [section for section in prp.remainder if section.depth in _OF_PARTS]
    if not lacking or not unknown:
        return
    names = ", ".join(f"`{section.heading[:40]}`" for section in unknown[:_MOST_NAMED])
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    yield finding(
        "R25",
        unknown[0].line,
        f"Headings that prp does not know: {names}{more}; nothing was found that is called "
        + " or ".join(lacking),
        "Call the section so if it is there; docs/prp-format.md lists the names of all parts.",
        severity=None if len(lacking) > 1 or not prp.tasks else Severity.NOTE,
    )


# The title is no part, and deeper headings divide one.
_OF_PARTS = (2, 3)
_MOST_NAMED = 6


def _double(lines: Sequence[Line]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for line in lines:
        if line.role is not Role.HEADING:
            continue
        depth, words = heading(line)
        if depth != 2:
            continue
        name = normalise(words).lower()
        if name in first:
            yield finding(
                "I19",
                line.number,
                f"The section `{words[:80]}` stands here for the second time, after line "
                f"{first[name]}; both are read",
                "Put them together, so that they can't contradict each other.",
            )
        elif name:
            first[name] = line.number


_COMMAND_LESS = re.compile(r"\S")


def _empty_levels(prp: Prp, lines: Sequence[Line], fenced: Sequence[Fence]) -> Iterator[Finding]:
    meant = _meant_to_be_empty(lines)
    for level in prp.levels:
        if not level.checks and level.line not in meant:
            yield finding(
                "I49",
                level.line,
                f"The validation section `{level.title[:80]}` has no command",
                "Add a bash block, or say in the final checklist what a person has to look at.",
            )
    known = {check.line for check in prp.checks}
    for fence in fenced:
        if fence.language not in ("bash", "sh", "shell", "zsh"):
            continue
        words = [line for line in fence.lines if line.text.strip()]
        expects = [line for line in words if re.match(r"\s*#\s*expect", line.text, re.IGNORECASE)]
        no_command = all(line.text.lstrip().startswith("#") for line in words)
        if expects and no_command and not known & {line.number for line in words}:
            yield finding(
                "I49",
                expects[0].number,
                "The block says what to expect and has no command",
                "Write the command above the expectation.",
            )
    for check in prp.checks:
        stated = check.expectation
        if stated.kind is ExpectationKind.UNJUDGED and not _COMMAND_LESS.search(stated.text):
            yield finding(
                "I49", check.line, "`Expected:` says nothing", "Write what the command prints."
            )


def _meant_to_be_empty(lines: Sequence[Line]) -> set[int]:
    """Return the lines of headings below which stands `None`, perhaps with a reason."""
    meant, head = set(), 0
    for line in lines:
        if line.role is Role.HEADING:
            head = line.number
        elif head and line.text.strip():
            if re.match(r"\s*None\b", line.text):
                meant.add(head)
            head = 0
    return meant


def _order_of_tasks(tasks: Sequence[Task]) -> Iterator[Finding]:
    if len(tasks) > _MOST_TASKS:
        yield finding(
            "I60",
            tasks[_MOST_TASKS].line,
            f"There are {len(tasks)} tasks; a run takes them one after the other",
            "Split the document where a part of it is of use alone.",
        )
    known = {task.number for task in tasks}
    waits = {task.number: set(task.depends_on) & known for task in tasks}
    sorter = TopologicalSorter(waits)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = [task for task in tasks if task.number in error.args[1]]
    else:
        circle = []
    if circle:
        yield finding(
            "I59",
            circle[0].line,
            f"Tasks wait for each other: {', '.join(task.label for task in circle[:10])}",
            "Take out one of the dependencies.",
        )


def _confidence(prp: Prp) -> Iterator[Finding]:
    stated = prp.confidence
    if stated is None:
        return
    if stated.score is None:
        yield finding(
            "I61",
            stated.line,
            f"The confidence score is no number: {stated.text[:80]}",
            "Write a number from 1 to 10, or leave it out; prp goes by its own score.",
        )
    elif not 0 <= stated.score <= 10:
        yield finding(
            "I61",
            stated.line,
            f"The confidence score {stated.score:g} is not between 0 and 10",
            "Write a number from 1 to 10, or leave it out; prp goes by its own score.",
        )


def _front_matter(lines: Sequence[Line]) -> Iterator[Finding]:
    head = [line for line in lines[:60] if line.text.strip()]
    if head and re.match(r"^(name|title|description)\s*:", head[0].text):
        closing = Counter(line.text.strip() for line in head)["---"]
        yield finding(
            "R22",
            head[0].number,
            "The front matter lacks its opening `---`"
            + ("" if closing else " and its closing one"),
            "`prp fmt` writes it as `## Metadata`.",
        )


_QUESTIONS = re.compile(r"^(?:open|unresolved|outstanding|remaining) questions?$")
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+(?:\[ ?\]\s+)?(?P<words>\S.*)$")
_NONE = re.compile(r"^\W*(?:none|nothing|n/?a|no open questions?)\b", re.IGNORECASE)


def _open_questions(lines: Sequence[Line]) -> Iterator[Finding]:
    """Return a finding for each item below a heading such as `Open Questions`."""
    is_below = False
    for line in lines:
        if line.role is Role.HEADING:
            is_below = bool(_QUESTIONS.match(normalise(heading(line)[1]).lower()))
            continue
        found = _ITEM.match(line.text) if is_below and line.role is Role.TEXT else None
        if found and not _NONE.match(found["words"]):
            yield finding(
                "R23",
                line.number,
                f"A question is open: {found['words'].strip().rstrip('.')[:160]}",
                "Answer it in the document, and delete it here.",
            )
