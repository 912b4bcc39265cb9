"""Markdown in, `Prp` out. Pure, linear, and it never fails on what a document says."""

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.prp.blocks import Block, find_blocks, has_words, lines_of, lines_within, sections, whole
from agent.prp.blueprint import tasks_of
from agent.prp.context import find_references
from agent.prp.criteria import find_checklist, find_criteria
from agent.prp.headings import Part
from agent.prp.items import BULLET
from agent.prp.levels import find_checks
from agent.prp.lines import Line, Role, scan
from agent.prp.metadata import find_confidence, find_metadata, find_title
from agent.prp.model import Finding, Prp, Text
from agent.prp.rules import finding
from agent.prp.tests_spec import find_test_specs
from agent.prp.trees import tree_files


def parse_prp(text: str, *, path: Path) -> Prp:
    """Read a PRP in any dialect.

    Args:
        text: The whole document.
        path: Where it came from; names the run and prefixes messages.

    Returns:
        The document as values, in its own order. What is not recognised is in `remainder`.

    Source: the grammar in docs/prp-format.md.

    """
    with _uncollected():
        return _parsed(text, path)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: a document is thousands of values that stay, and no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parsed(text: str, path: Path) -> Prp:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lone = _lone_returns(text)
    text = text.replace("\r", "\n")
    lines, findings = scan(text)
    blocks = find_blocks(lines)
    levels, loose = find_checks(blocks)
    prp = Prp(
        path=path,
        text=text,
        title=find_title(lines, path),
        metadata=find_metadata(lines, blocks),
        goal=whole(blocks, Part.GOAL),
        why=whole(blocks, Part.WHY),
        what=whole(blocks, Part.WHAT),
        criteria=find_criteria(blocks),
        references=tuple(
            find_references(
                lines_within(blocks, Part.CONTEXT, _IN_CONTEXT),
                [line for block in blocks if block.part in _EXPLAINED for line in block.lines],
            )
        ),
        current_tree=whole(blocks, Part.CURRENT_TREE),
        desired_tree=whole(blocks, Part.DESIRED_TREE),
        desired_files=tuple(tree_files(lines_of(blocks, Part.DESIRED_TREE))),
        gotchas=sections(blocks, Part.GOTCHAS),
        test_specs=tuple(
            spec
            for block in blocks
            if block.part is Part.TESTS
            for spec in find_test_specs(block.lines, heading=block.section.heading)
        ),
        tasks=tuple(tasks_of(blocks)),
        patterns=sections(blocks, Part.PATTERNS),
        levels=levels,
        loose_checks=loose,
        checklist=find_checklist(blocks),
        anti_patterns=tuple(_avoided(lines_of(blocks, Part.ANTI_PATTERNS))),
        confidence=find_confidence(blocks),
        remainder=tuple(
            b.section for b in blocks if b.part in (None, Part.RESULTS) and has_words(b)
        ),
        findings=(*lone, *findings),
    )
    return prp if prp.goal else _with_goal_from_text(prp, blocks)


# Parts that are context where they stand in it: `## Resources`, `### Requirements analysis`.
_IN_CONTEXT = (Part.PATTERNS, Part.GOAL, Part.WHY, Part.WHAT)
# Parts beside the context in which entries with a reason are references.
_EXPLAINED = (
    None,
    Part.METADATA,
    Part.GOAL,
    Part.WHY,
    Part.WHAT,
    Part.GOTCHAS,
    Part.BLUEPRINT,
    Part.PATTERNS,
)


def _lone_returns(text: str) -> tuple[Finding, ...]:
    if "\r" not in text:
        return ()
    line = len(re.findall(r"[\r\n]", text[: text.index("\r")])) + 1
    return (
        finding(
            "I10",
            line,
            "A line ends with a carriage return alone; it is taken for a line's end",
            "Save the document with one kind of line end.",
        ),
    )


def _avoided(lines: Iterable[Line]) -> list[Text]:
    return [
        Text(text=re.sub(r"^[❌✗✘🚫⛔️\s]+", "", found["words"]), line=line.number)
        for line in lines
        if line.role in (Role.TEXT, Role.INSIDE) and (found := BULLET.match(line.text))
    ]


def _with_goal_from_text(prp: Prp, blocks: Sequence[Block]) -> Prp:
    """Take the text below the title for the goal where no section is called so."""
    first = next((b for b in blocks if b.part is None and has_words(b)), None)
    if first is None:
        return prp
    note = finding(
        "R19",
        first.section.line,
        "No section is called Goal; the text below the title is taken for it",
        "Add `## Goal`.",
    )
    return replace(prp, goal=first.section, findings=(*prp.findings, note))
