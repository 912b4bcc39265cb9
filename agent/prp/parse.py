"""Markdown in, `Prp` out. Pure, linear, and it never fails on what a document says."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.prp.blocks import Block, find_blocks, has_words, lines_of, lines_within, sections, whole
from agent.prp.context import find_references
from agent.prp.headings import Part, normalise
from agent.prp.levels import find_checks
from agent.prp.lines import Line, Role, heading, scan
from agent.prp.listed import list_beside_phases, without_phases_of_requirements
from agent.prp.model import (
    Confidence,
    Criterion,
    Finding,
    Prp,
    Task,
    Text,
)
from agent.prp.rules import finding
from agent.prp.scalars import unquoted
from agent.prp.tasks import find_tasks, headed_changes, listed_tasks
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
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lone = _lone_returns(text)
    text = text.replace("\r", "\n")
    lines, findings = scan(text)
    blocks = find_blocks(lines)
    levels, loose = find_checks(blocks)
    criteria = _criteria(blocks, Part.CRITERIA, "C")
    prp = Prp(
        path=path,
        text=text,
        title=_title(lines, path),
        metadata=_metadata(lines, blocks),
        goal=whole(blocks, Part.GOAL),
        why=whole(blocks, Part.WHY),
        what=whole(blocks, Part.WHAT),
        criteria=criteria,
        references=tuple(
            find_references(
                lines_within(blocks, Part.CONTEXT, Part.PATTERNS),
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
        tasks=tuple(_tasks(blocks)),
        patterns=sections(blocks, Part.PATTERNS),
        levels=levels,
        loose_checks=loose,
        checklist=_criteria(blocks, Part.CHECKLIST, "D"),
        anti_patterns=tuple(_items(lines_of(blocks, Part.ANTI_PATTERNS))),
        confidence=_confidence(lines, blocks),
        remainder=tuple(b.section for b in blocks if b.part is None and has_words(b)),
        findings=(*lone, *findings),
    )
    return prp if prp.goal else _with_goal_from_text(prp, blocks)


# Parts beside the context in which entries with a reason are references.
_EXPLAINED = (None, Part.GOAL, Part.WHY, Part.WHAT, Part.GOTCHAS, Part.BLUEPRINT, Part.PATTERNS)


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


def _metadata(lines: Sequence[Line], blocks: Sequence[Block]) -> tuple[tuple[Text, Text], ...]:
    first = next((i for i, line in enumerate(lines) if line.role is Role.HEADING), len(lines))
    front = _front(lines[: min(first, 40)])
    top = blocks[0].lines if blocks and blocks[0].section.depth else ()
    second = blocks[1].lines if len(blocks) > 1 and blocks[1].section.depth == 1 else ()
    bold = [
        _pair(found, line)
        for line in (*top, *second, *lines_of(blocks, Part.METADATA))
        if (found := _PAIR.match(line.text))
    ]
    return (*front, *bold)


def _front(lines: Sequence[Line]) -> list[tuple[Text, Text]]:
    """Return the pairs of the front matter; a text that spans lines is joined."""
    pairs: list[tuple[Text, Text]] = []
    for line in lines:
        if found := _FRONT.match(line.text):
            pairs.append(_pair(found, line))
        elif pairs and line.text.startswith((" ", "\t")) and (words := line.text.strip()):
            key, value = pairs[-1]
            before = "" if value.text in ("", "|", ">", "|-", ">-") else f"{value.text} "
            pairs[-1] = (key, Text(text=before + words, line=value.line))
    return pairs


def _pair(found: re.Match[str], line: Line) -> tuple[Text, Text]:
    return (
        Text(text=found["key"].strip(), line=line.number),
        Text(text=unquoted(found["value"]), line=line.number),
    )


_BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[(?P<tick>[ xX~✓✔]?)\]\s*(?P<words>\S.*)$")
# A mark in front of a line stands for a bullet, and says something.
_BULLET = re.compile(r"^\s{0,3}(?:(?:[-*+•]|\d+[.)])\s+|(?=[✅☐✔✓]\s))(?P<words>\S.*)$")


def _criteria(blocks: Sequence[Block], part: Part, prefix: str) -> tuple[Criterion, ...]:
    """Return the checkboxes of a part, or its list items where it has no box.

    Success criteria also stand as checkboxes in the goal and in the validation's levels.
    """
    lines: list[Line] = []
    plain: list[_Found] = []
    for section in _sections_of(blocks, part):
        ours = [block for block in section if not _MARK.search(block.section.heading)]
        own = [line for block in ours for line in block.lines if line.role is Role.TEXT]
        lines += own
        boxes = _matching(_BOX, own)
        tables = [row for block in ours for row in _rows_alone(block)] if boxes else []
        plain += sorted([*boxes, *tables], key=_line_of) or _by_id(own) or _promises(own)
    if part is Part.CRITERIA:
        others = [line for b in blocks if b.part in _PROMISING for line in _said(b.lines)]
        others += _acceptance(blocks)
        accepted, around = _accepted(blocks)
        plain += _gates(blocks) + _below_a_label(blocks) + accepted
        plain = sorted((*plain, *_matching(_BOX, others)), key=lambda found: found[0].number)
        lines = sorted({*lines, *others, *around})
    places = {line.number: place for place, line in enumerate(lines)}
    joined = [_continued(lines, places[line.number], found["words"]) for line, found in plain]
    return tuple(
        Criterion(
            id=f"{prefix}{index}",
            text=words,
            line=line.number,
            ticked=found.re is _BOX and found["tick"] not in ("", " "),
        )
        for index, ((line, found), words) in enumerate(zip(plain, joined, strict=True), 1)
    )


_Found = tuple[Line, re.Match[str]]


def _sections_of(blocks: Sequence[Block], part: Part) -> Iterable[list[Block]]:
    """Return the blocks of a part, those below one heading together."""
    sections: dict[int, list[Block]] = {}
    for block in blocks:
        if block.part is part:
            sections.setdefault(block.top, []).append(block)
    return sections.values()


def _by_id(lines: Sequence[Line]) -> list[_Found]:
    """Return paragraphs such as `**SC1**: it is fast`, where there are several."""
    found = _matching(_WITH_ID, lines)
    return found if len(found) > 1 else []


_WITH_ID = re.compile(
    r"^\s{0,3}\*\*(?:[A-Z]{1,4}[-. ]?\d{1,3}(?:\.\d{1,3})?)(?:\*\*\s*[:—–-]|\s*[:—–-]\s*\*\*)\s*(?P<words>\S.*)$"
)


def _promises(lines: Sequence[Line]) -> list[_Found]:
    """Return list items, else rows, but not those with which the author judges the document."""
    ours: list[Line] = []
    is_judged = False
    for line in lines:
        is_judged = not _DONE.match(line.text) and (is_judged or bool(_SCORE.search(line.text)))
        ours += [] if is_judged else [line]
    return _matching(_BULLET, ours) or _rows(ours)


# `### Security Score: 9/10` among the success metrics
_MARK = re.compile(r"\bscore\b\W{0,12}\d+(?:\.\d+)?\s*/\s*10\b", re.IGNORECASE)
_DONE = re.compile(
    r"^[\W_]*(?:definition of done|(?:acceptance|success|completion|exit) (?:criteria|metrics))\W*$",
    re.IGNORECASE,
)


_GATES = re.compile(
    r"^(?:validation|quality|acceptance|final) (?:gates?|checkpoints?)$", re.IGNORECASE
)


def _gates(blocks: Sequence[Block]) -> list[_Found]:
    """Return what must hold at the gates of the validation, where they say no command."""
    found: list[_Found] = []
    for block in blocks:
        heading_ = normalise(blocks[block.top].section.heading)
        if block.part is not Part.VALIDATION or not _GATES.match(heading_):
            continue
        if all(line.role is not Role.OPENS and "`" not in line.text for line in block.lines):
            found += _matching(_GATE, block.lines)
    return found


def _below_a_label(blocks: Sequence[Block]) -> list[_Found]:
    """Return the list items of the validation that stand below `**Success Criteria**:`."""
    found: list[_Found] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in (Part.VALIDATION, Part.LEVEL) else ():
            if line.role is not Role.TEXT or _LABEL.match(line.text):
                is_below = line.role is Role.TEXT and bool(_ACCEPTANCE_LABEL.match(line.text))
            elif is_below and line.text.strip():
                item = _BULLET.match(line.text)
                is_below = bool(item) or line.text[:1].isspace()
                # Checkboxes are promises wherever they stand.
                found += [(line, item)] if item and not _BOX.match(line.text) else []
    return found


_GATE = re.compile(r"^(?:[-*+]|\d+[.)])\s+(?!\[.?\]\s)(?P<words>\S.*)$")


def _said(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of text, those in fences of Markdown included."""
    found: list[Line] = []
    is_markdown = False
    for line in lines:
        if line.role is Role.OPENS:
            is_markdown = line.text.strip().strip("`~ ").lower() in ("markdown", "md")
        elif line.role is Role.TEXT or (line.role is Role.INSIDE and is_markdown):
            found.append(line)
    return found


_ROW = re.compile(r"^\s*\|\s*(?P<words>.*?[^|\s])[\s|]*\|\s*$")
_RULE = re.compile(r"^\s*\|[\s:|-]+\|\s*$")


def _rows(lines: Sequence[Line]) -> list[tuple[Line, re.Match[str]]]:
    """Return the rows of tables, without their heads and rules."""
    rules = {line.number for line in lines if _RULE.match(line.text)}
    return [
        (line, found)
        for line, found in _matching(_ROW, lines)
        if line.number not in rules and line.number + 1 not in rules
    ]


def _rows_alone(block: Block) -> list[_Found]:
    """Return the rows of a table of criteria that is all that stands below a heading of its own."""
    lines = [line for line in block.lines if line.role is Role.TEXT]
    if block.own is not None or _matching(_BULLET, lines):
        return []
    head = next((line.text for line in lines if _ROW.match(line.text)), "")
    return _rows(lines) if _OF_CRITERIA.match(head) else []


_OF_CRITERIA = re.compile(r"^\s*\|\W*(?:criteri(?:on|a)|metrics?|requirements?)\b", re.IGNORECASE)


def _line_of(found: _Found) -> int:
    return found[0].number


# Parts whose checkboxes are promises as well.
_PROMISING = (Part.GOAL, Part.WHAT, Part.VALIDATION, Part.LEVEL)


_ACCEPTANCE = re.compile(
    r"^[\W_]*(?:acceptance|success|completion|exit) criteria[\W_]*$", re.IGNORECASE
)


_ACCEPTANCE_LABEL = re.compile(
    r"^\W*\*\*(?:acceptance|success|completion|exit) criteria\W*$", re.IGNORECASE
)


def _acceptance(blocks: Sequence[Block]) -> list[Line]:
    """Return the checkboxes of tasks that stand below "Acceptance Criteria"."""
    found: list[Line] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in (Part.TASK, Part.TASKS) else ():
            if line.role is Role.HEADING or (line.role is Role.TEXT and _LABEL.match(line.text)):
                is_below = bool(_ACCEPTANCE.match(line.text))
            elif is_below and line.role is Role.TEXT and line.text.strip():
                is_box = bool(_BOX.match(line.text))
                is_below = is_box or line.text[:1].isspace()
                found += [line] if is_below else []
    return found


def _accepted(blocks: Sequence[Block]) -> tuple[list[_Found], list[Line]]:
    """Return the list items of tasks below a bold "Acceptance Criteria", and all lines there."""
    groups: list[list[Line]] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in (Part.TASK, Part.TASKS) else ():
            if line.role is not Role.TEXT or _LABEL.match(line.text):
                is_below = line.role is Role.TEXT and bool(_ACCEPTANCE_LABEL.match(line.text))
                groups += [[]] if is_below else []
            elif is_below and line.text.strip():
                is_below = bool(_BULLET.match(line.text)) or line.text[:1].isspace()
                groups[-1] += [line] if is_below else []
    ours = [group for group in groups if not _matching(_BOX, group)]
    around = [line for group in ours for line in group]
    return _matching(_BULLET, around), around


# What begins something else: `**Files**:`, `Steps:`.
_LABEL = re.compile(r"^\s{0,3}(?:\*\*[^*]+\*\*\s*:?|\w[\w ]{2,30}:)\s*$")


def _matching(form: re.Pattern[str], lines: Sequence[Line]) -> list[tuple[Line, re.Match[str]]]:
    return [(line, found) for line in lines if (found := form.match(line.text))]


def _continued(lines: Sequence[Line], place: int, words: str) -> str:
    """Return an item with the lines that go on with it."""
    parts = [words]
    first = lines[place]
    indent = len(first.text) - len(first.text.lstrip())
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


def _tasks(blocks: Sequence[Block]) -> list[Task]:
    """Return the tasks of the blueprint, else those that other sections show in their form."""
    ours = {Part.TASKS, Part.TASK}
    if listed_apart := list_beside_phases(blocks):
        return listed_tasks(listed_apart)
    blocks = without_phases_of_requirements(blocks)
    wanted = ours if any(b.part in ours for b in blocks) else {Part.BLUEPRINT}
    found = find_tasks([line for b in blocks if b.part in wanted for line in b.lines])
    if found:
        return found
    others = {Part.BLUEPRINT, Part.TASKS, Part.TASK, Part.PATTERNS, Part.WHAT, None}
    elsewhere = [line for b in blocks if b.part in others for line in b.lines]
    # A numbered list in the tasks' own section is the list of tasks, whatever else looks like one.
    own = listed_tasks([line for b in blocks if b.part in ours for line in b.lines])
    if len(own) > 1:
        return own
    listed = [line for b in blocks if b.part in ours or _is_sequence(b) for line in b.lines]
    return find_tasks(elsewhere) or listed_tasks(listed) or headed_changes(elsewhere)


_SEQUENCE = re.compile(
    r"\b(steps?|order|plan|changes( required| made)?|instructions|approach|strategy|files to (modify|change|create))\b",
    re.IGNORECASE,
)


def _is_sequence(block: Block) -> bool:
    free = block.part in (Part.BLUEPRINT, Part.PATTERNS, Part.WHAT, None)
    name = block.section.heading
    return free and bool(_SEQUENCE.search(name)) and not _AFTERWARDS.search(name)


# What comes when the work is done.
_AFTERWARDS = re.compile(r"\b(?:next steps?|future|follow(?:ed|.ups?)?)\b", re.IGNORECASE)


_SCORE = re.compile(
    r"confidence(?:\s*(?:score|level))?\W{0,12}(?P<score>\d+(?:\.\d+)?|\[?[xX]\]?)\s*(?:/|out of)\s*10",
    re.IGNORECASE,
)


def _confidence(lines: Sequence[Line], blocks: Sequence[Block]) -> Confidence | None:
    for line in (*lines_of(blocks, Part.CONFIDENCE), *lines):
        found = _SCORE.search(line.text) if "10" in line.text else None
        if found:
            number_ = re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", found["score"])
            score = float(number_[0]) if number_ else None
            return Confidence(score=score, line=line.number, text=line.text.strip())
    return None


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
