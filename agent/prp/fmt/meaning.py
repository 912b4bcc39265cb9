"""What a document says, apart from how and where it says it."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from agent.prp.model import Check, Reference, Section, Task
from agent.prp.parse import parse_prp

_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,}).*$", re.MULTILINE)


def meaning(text: str) -> dict[str, Any]:
    """Return what a text says as a PRP: every value that does not depend on its place or form.

    Two texts with the same meaning give the same run: the same tasks, checks, criteria and
    references in the same order, and the same words in every other part.
    """
    prp = parse_prp(text, path=Path("x.md"))
    return {
        "title": prp.title.text,
        "metadata": sorted((key.text, value.text) for key, value in prp.metadata),
        "tasks": [_task(task) for task in prp.tasks],
        "checks": [_check(check) for check in prp.checks],
        "levels": [level.number for level in prp.levels],
        "references": [_reference(reference) for reference in prp.references],
        "criteria": [(c.id, c.text, c.ticked) for c in prp.promises],
        "desired": [text.text for text in prp.desired_files],
        "tests": [
            (spec.kind, spec.language, spec.code, spec.path, [test.text for test in spec.tests])
            for spec in prp.test_specs
        ],
        "anti-patterns": [text.text for text in prp.anti_patterns],
        "confidence": prp.confidence.score if prp.confidence else None,
        "sections": [_section(each) for each in (prp.goal, prp.why, prp.what, prp.current_tree)],
        "parts": [
            [_section(section) for section in group] for group in (prp.gotchas, prp.patterns)
        ],
    }


def _task(task: Task) -> tuple[object, ...]:
    changes = tuple(
        (change.verb, change.path, tuple(_words(bullet.text) for bullet in change.bullets))
        for change in task.changes
    )
    return (task.label, task.title, changes, task.depends_on)


def _check(check: Check) -> tuple[object, ...]:
    expected = check.expectation
    return (
        check.command,
        check.kinds,
        check.level,
        (expected.kind, expected.value, expected.text),
        check.can_fail,
        check.setup,
        tuple((server.command, server.setup) for server in check.servers),
    )


def _reference(reference: Reference) -> tuple[object, ...]:
    said = (reference.why, reference.critical, reference.pattern, reference.gotcha)
    return (
        reference.kind,
        reference.target,
        said,
        reference.sections,
        reference.notes,
        reference.lines,
        reference.declared,
    )


def _section(section: Section | None) -> str:
    return _words(_FENCE.sub("", section.body)) if section else ""


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text))


def lost_words(before: str, after: str) -> Counter[str]:
    """Return the words that a text no longer has, with how many of each."""
    return Counter(_WORD.findall(before)) - Counter(_WORD.findall(after))
