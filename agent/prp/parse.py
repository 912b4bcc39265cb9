"""Markdown in, `Prp` out. Pure, linear, and it never fails on what a document says."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.prp.checks import inline_checks, level_checks, number
from agent.prp.context import find_references
from agent.prp.headings import Part, normalise, part_of
from agent.prp.lines import Line, Role, heading, scan, split_sections
from agent.prp.model import (
    Check,
    Confidence,
    Criterion,
    Finding,
    Level,
    Prp,
    Section,
    Severity,
    Text,
)
from agent.prp.tasks import find_tasks
from agent.prp.tests_spec import find_test_specs


@dataclass(frozen=True, kw_only=True)
class _Block:
    """A heading with the lines below it up to the next heading, and what it is part of."""

    part: Part | None
    own: Part | None
    """The part that its own heading names; None where it inherits."""
    section: Section
    lines: tuple[Line, ...]
    top: int
    """Index of the block whose part it inherits; its own where it has one."""


def parse_prp(text: str, *, path: Path) -> Prp:
    """Read a PRP in any dialect.

    Args:
        text: The whole document.
        path: Where it came from; names the run and prefixes messages.

    Returns:
        The document as values, in its own order. What is not recognised is in `remainder`.

    Source: the grammar in docs/prp-format.md.

    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    lines, findings = scan(text)
    blocks = _blocks(lines)
    levels, loose = _checks(blocks)
    criteria = _criteria(blocks, Part.CRITERIA, "C")
    prp = Prp(
        path=path,
        text=text,
        title=_title(lines, path),
        metadata=_metadata(lines, blocks),
        goal=_whole(blocks, Part.GOAL),
        why=_whole(blocks, Part.WHY),
        what=_whole(blocks, Part.WHAT),
        criteria=criteria,
        references=tuple(find_references(_lines_of(blocks, Part.CONTEXT))),
        current_tree=_whole(blocks, Part.CURRENT_TREE),
        desired_tree=_whole(blocks, Part.DESIRED_TREE),
        desired_files=tuple(_tree_files(_lines_of(blocks, Part.DESIRED_TREE))),
        gotchas=_sections(blocks, Part.GOTCHAS),
        test_specs=tuple(
            spec
            for block in blocks
            if block.part is Part.TESTS
            for spec in find_test_specs(block.lines, heading=block.section.heading)
        ),
        tasks=tuple(find_tasks(_task_lines(blocks))),
        patterns=_sections(blocks, Part.PATTERNS),
        levels=levels,
        loose_checks=loose,
        checklist=_criteria(blocks, Part.CHECKLIST, "D"),
        anti_patterns=tuple(_items(_lines_of(blocks, Part.ANTI_PATTERNS))),
        confidence=_confidence(lines, blocks),
        remainder=tuple(b.section for b in blocks if b.part is None and _has_words(b)),
        findings=findings,
    )
    return prp if prp.goal else _with_goal_from_text(prp, blocks)


_INHERIT_ONLY = {Part.TASK, Part.LEVEL}
# Within these, a heading that elsewhere names another part only structures the text.
_CLOSED = {
    Part.TESTS: {Part.TESTS},
    Part.VALIDATION: {Part.LEVEL, Part.CHECKLIST, Part.ANTI_PATTERNS, Part.CONFIDENCE},
    Part.TASKS: {Part.TASK, Part.TASKS, Part.PATTERNS, Part.VALIDATION, Part.LEVEL},
    Part.TASK: {Part.TASK},
    Part.CONFIDENCE: set(),
}


def _blocks(lines: Sequence[Line]) -> list[_Block]:
    blocks: list[_Block] = []
    stack: list[tuple[int, Part | None, int]] = []
    start = 0
    for index, section in enumerate(split_sections(lines)):
        size = section.last_line - section.line + 1
        own_lines = tuple(lines[start : start + size])
        start += size
        while stack and stack[-1][0] >= section.depth:
            stack.pop()
        parent, top = (stack[-1][1], stack[-1][2]) if stack else (None, index)
        own = part_of(section.heading) if section.depth > (1 if not blocks else 0) else None
        own = _allowed(own, parent, section)
        if own is not None or parent is None:
            top = index
        part = own or parent
        blocks.append(_Block(part=part, own=own, section=section, lines=own_lines, top=top))
        # The title heads everything; what it happens to name is not inherited.
        stack.append((section.depth, None if section.depth == 1 and not own else part, top))
    return blocks


def _allowed(own: Part | None, parent: Part | None, section: Section) -> Part | None:
    if own is Part.LEVEL and parent not in (Part.VALIDATION, Part.LEVEL, None):
        return None
    if (
        parent in (Part.TASKS, Part.TASK)
        and own is None
        and re.match(r"^#?\d+[.)]", section.heading)
    ):
        return Part.TASK
    if parent in _CLOSED and own not in _CLOSED[parent]:
        return None
    return own


def _lines_of(blocks: Iterable[_Block], part: Part) -> list[Line]:
    return [line for block in blocks if block.part is part for line in block.lines]


def _has_words(block: _Block) -> bool:
    return bool(block.section.body.strip())


def _whole(blocks: Sequence[_Block], part: Part) -> Section | None:
    """Return the first section of a part with everything below it."""
    first = next((i for i, b in enumerate(blocks) if b.own is part), None)
    if first is None:
        return None
    below = [b for b in blocks[first:] if b.top == first]
    head = blocks[first].section
    body = "\n".join(line.text for b in below for line in b.lines)
    return Section(
        heading=head.heading,
        depth=head.depth,
        line=head.line,
        last_line=below[-1].section.last_line,
        body=body.partition("\n")[2].strip("\n"),
    )


def _sections(blocks: Sequence[_Block], part: Part) -> tuple[Section, ...]:
    return tuple(b.section for b in blocks if b.part is part and _has_words(b))


def _title(lines: Sequence[Line], path: Path) -> Text:
    for line in lines:
        if line.role is Role.HEADING and heading(line)[0] == 1:
            words = re.sub(
                r"^(?:PRP|Product Requirements? Prompt)\b\s*[:\-–—]*\s*", "", heading(line)[1]
            )
            return Text(text=words.strip() or heading(line)[1], line=line.number)
    for line in lines[:20]:
        if found := re.match(r"^name\s*:\s*[\"']?(?P<words>.+?)[\"']?\s*$", line.text):
            return Text(text=found["words"], line=line.number)
    first = next((line for line in lines if line.role is Role.HEADING), None)
    return (
        Text(text=heading(first)[1], line=first.number) if first else Text(text=path.stem, line=1)
    )


_PAIR = re.compile(r"^\s*(?:[-*>]\s+)?\*\*(?P<key>[^*:]{1,40}):?\*\*\s*:?\s*(?P<value>\S.*)$")
_FRONT = re.compile(r"^(?P<key>[A-Za-z][\w -]{0,30}):\s*(?P<value>.*)$")


def _metadata(lines: Sequence[Line], blocks: Sequence[_Block]) -> tuple[tuple[Text, Text], ...]:
    first = next((i for i, line in enumerate(lines) if line.role is Role.HEADING), len(lines))
    front = [
        _pair(found, line) for line in lines[: min(first, 40)] if (found := _FRONT.match(line.text))
    ]
    top = blocks[0].lines if blocks and blocks[0].section.depth else ()
    second = blocks[1].lines if len(blocks) > 1 and blocks[1].section.depth == 1 else ()
    bold = [
        _pair(found, line)
        for line in (*top, *second, *_lines_of(blocks, Part.METADATA))
        if (found := _PAIR.match(line.text))
    ]
    return (*front, *bold)


def _pair(found: re.Match[str], line: Line) -> tuple[Text, Text]:
    return (
        Text(text=found["key"].strip(), line=line.number),
        Text(text=found["value"].strip(), line=line.number),
    )


_BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[(?P<tick>[ xX~✓✔]?)\]\s*(?P<words>\S.*)$")
_BULLET = re.compile(r"^\s{0,3}(?:[-*+•]|\d+[.)]|[✅☐✔✓])\s+(?P<words>\S.*)$")


def _criteria(blocks: Sequence[_Block], part: Part, prefix: str) -> tuple[Criterion, ...]:
    """Return the checkboxes of a part, or its list items where it has no box."""
    lines = [line for line in _lines_of(blocks, part) if line.role is Role.TEXT]
    boxes = [(line, found) for line in lines if (found := _BOX.match(line.text))]
    plain = boxes or [(line, found) for line in lines if (found := _BULLET.match(line.text))]
    joined = [_continued(lines, line, found["words"]) for line, found in plain]
    return tuple(
        Criterion(
            id=f"{prefix}{index}",
            text=words,
            line=line.number,
            ticked=bool(boxes) and found["tick"] not in ("", " "),
        )
        for index, ((line, found), words) in enumerate(zip(plain, joined, strict=True), 1)
    )


def _continued(lines: Sequence[Line], first: Line, words: str) -> str:
    """Return an item with the lines that go on with it."""
    parts = [words]
    indent = len(first.text) - len(first.text.lstrip())
    place = next(i for i, line in enumerate(lines) if line is first)
    for line in lines[place + 1 : place + 10]:
        deeper = len(line.text) - len(line.text.lstrip()) > indent
        if not line.text.strip() or not deeper or _BULLET.match(line.text) or _BOX.match(line.text):
            break
        parts.append(line.text.strip())
    return " ".join(parts)


def _items(lines: Iterable[Line]) -> list[Text]:
    return [
        Text(text=re.sub(r"^[❌✗✘🚫⛔️\s]+", "", found["words"]), line=line.number)
        for line in lines
        if line.role in (Role.TEXT, Role.INSIDE) and (found := _BULLET.match(line.text))
    ]


def _task_lines(blocks: Sequence[_Block]) -> list[Line]:
    wanted = {Part.TASKS, Part.TASK}
    if not any(b.part in wanted for b in blocks):
        wanted = {Part.BLUEPRINT}
    chosen = [line for b in blocks if b.part in wanted for line in b.lines]
    if chosen and any(find_tasks(chosen)):
        return chosen
    return [
        line
        for b in blocks
        if b.part in (Part.BLUEPRINT, Part.TASKS, Part.TASK, Part.PATTERNS, Part.WHAT, None)
        for line in b.lines
    ]


def _checks(blocks: Sequence[_Block]) -> tuple[tuple[Level, ...], tuple[Check, ...]]:
    """Return the validation loops and the checks that stand outside of all of them."""
    parts: list[tuple[int, Section, list[Line]]] = []
    loose: list[Check] = []
    for index, block in enumerate(blocks):
        if block.own is Part.LEVEL:
            below = [b for b in blocks[index:] if b.top == index]
            digit = re.search(r"\d+", normalise(block.section.heading))
            wanted = int(digit[0]) if digit else len(parts) + 1
            parts.append((wanted, block.section, [line for b in below for line in b.lines]))
        elif block.part is Part.VALIDATION:
            if level_checks(block.lines, level=1):
                parts.append((0, block.section, list(block.lines)))
        elif block.part in (Part.CRITERIA, Part.CHECKLIST, Part.TASKS, Part.TASK):
            loose += inline_checks(block.lines, level=0)
    levels = _levels(parts)
    if not levels:
        loose += [
            check
            for block in blocks
            if block.part not in (Part.CRITERIA, Part.CHECKLIST, Part.VALIDATION, Part.CONTEXT)
            for check in level_checks(block.lines, level=0)
            if check.line not in {known.line for known in loose}
        ]
    return levels, number(sorted(loose, key=lambda check: check.line))


def _levels(parts: Sequence[tuple[int, Section, list[Line]]]) -> tuple[Level, ...]:
    """Return the loops numbered as in the document; what has no number comes behind the others."""
    levels: dict[int, Level] = {}
    for wanted, section, lines in parts:
        free = max(levels, default=0) + 1
        place = wanted if wanted and wanted not in levels else free
        checks = number(level_checks(lines, level=place))
        levels[place] = Level(
            number=place, title=normalise(section.heading), line=section.line, checks=checks
        )
    return tuple(levels[place] for place in sorted(levels))


_TREE = re.compile(
    r"^(?P<indent>[\s│|├└─+`\\-]*)(?P<name>[^\s#│├└←]+(?:\s[^\s#│├└←(]+)*?)\s*(?:[#←(].*)?$"
)
_NEW = re.compile(r"\[?\b(?:NEW|CREATE|ADD)\b\]?\s*:?|✨|\+", re.IGNORECASE)


def _tree_files(lines: Iterable[Line]) -> list[Text]:
    """Return the files that a tree drawing names, as paths."""
    found: list[Text] = []
    stack: list[tuple[int, str]] = []
    for line in lines:
        if line.role is not Role.INSIDE or line.text.strip().startswith(("#", "//")):
            continue
        bare = re.sub(r"\[(?:NEW|MODIFIED|MODIFY|UPDATED?|CREATE|EXISTING)\]\s*", "", line.text)
        match = _TREE.match(bare)
        if not match:
            continue
        depth, name = len(match["indent"]), match["name"].strip("`*")
        while stack and stack[-1][0] >= depth:
            stack.pop()
        whole = "/".join([*(folder for _, folder in stack), name]).replace("//", "/")
        if name.endswith("/"):
            stack.append((depth, name.rstrip("/")))
        elif re.search(r"\.\w{1,6}$|^(Makefile|Dockerfile)$", name) and name not in (".", ".."):
            found.append(Text(text=whole.removeprefix("./"), line=line.number))
    return found


_SCORE = re.compile(
    r"confidence(?:\s*(?:score|level))?\W{0,12}(?P<score>\d+(?:\.\d+)?|\[?[xX]\]?)\s*(?:/|out of)\s*10",
    re.IGNORECASE,
)


def _confidence(lines: Sequence[Line], blocks: Sequence[_Block]) -> Confidence | None:
    for line in (*_lines_of(blocks, Part.CONFIDENCE), *lines):
        found = _SCORE.search(line.text) if "onfidence" in line.text or "/10" in line.text else None
        if found:
            number_ = re.fullmatch(r"\d+(?:\.\d+)?", found["score"])
            score = float(number_[0]) if number_ else None
            return Confidence(score=score, line=line.number, text=line.text.strip())
    return None


def _with_goal_from_text(prp: Prp, blocks: Sequence[_Block]) -> Prp:
    """Take the text below the title for the goal where no section is called so."""
    first = next((b for b in blocks if b.part is None and _has_words(b)), None)
    if first is None:
        return prp
    note = Finding(
        code="no-goal-section",
        message="No section is called Goal; the text below the title is taken for it",
        hint="Add `## Goal`.",
        line=first.section.line,
        severity=Severity.WARNING,
    )
    return replace(prp, goal=first.section, findings=(*prp.findings, note))
