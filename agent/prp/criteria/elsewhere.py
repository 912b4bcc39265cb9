"""Criteria outside of their own sections: checkboxes, gates and what tasks are accepted by."""

import re
from collections.abc import Collection, Sequence

from agent.prp.blocks import Block
from agent.prp.headings import OTHER_CRITERIA, TASK_PARTS, Part, normalise, unaccented
from agent.prp.items import BOX, BULLET, Found, is_label, matching
from agent.prp.lines import Line, Role
from agent.prp.manual import ordered_steps


def promised_elsewhere(blocks: Sequence[Block]) -> tuple[list[Found], list[Line]]:
    """Return the criteria of other parts, and the lines that they stand among."""
    said = [
        line
        for b in blocks
        if b.part in _PROMISING and not _CHOICES.match(b.section.heading)
        for line in _said(b.lines, _OF_LISTS if b.part in _CHECKING else _OF_TEXT)
    ]
    said += _acceptance(blocks)
    accepted, around = _accepted(blocks)
    labelled = [
        *_below_a_label(blocks, (*_CHECKING, Part.METADATA, None, Part.GOAL, Part.WHAT)),
    ]
    around += [line for line, _ in labelled]
    found = [
        *_gates(blocks),
        *labelled,
        *accepted,
        *matching(BOX, said),
    ]
    return found, [*said, *around]


# Parts whose checkboxes are promises as well.
_PROMISING = (Part.GOAL, Part.WHAT, Part.VALIDATION, Part.LEVEL)

# Sections whose checkboxes choose among possibilities: which kind of program, with which service.
_CHOICES = re.compile(
    r"(?:[\w-]+ )?(?:type|agent|server) classification$|model provider requirements?$|external integrations?$",
    re.IGNORECASE,
)


def _said(lines: Sequence[Line], languages: Collection[str]) -> list[Line]:
    """Return the lines of text, those in fences of some languages included."""
    found: list[Line] = []
    is_said = False
    for line in lines:
        if line.role is Role.OPENS:
            is_said = line.text.strip().strip("`~ ").lower() in languages
        elif line.role is Role.TEXT or (line.role is Role.INSIDE and is_said):
            found.append(line)
    return found


_CHECKING = (Part.VALIDATION, Part.LEVEL)
_OF_TEXT = ("markdown", "md")
_OF_LISTS = (*_OF_TEXT, "yaml", "yml", "text", "")


def _acceptance(blocks: Sequence[Block]) -> list[Line]:
    """Return the checkboxes below a label such as "Acceptance Criteria", in tasks above all."""
    found: list[Line] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in _ACCEPTING else ():
            if line.role is Role.HEADING or (line.role is Role.TEXT and is_label(line.text)):
                label = unaccented(line.text)
                is_task = block.part in TASK_PARTS
                is_below = bool(_ACCEPTANCE.match(label) or (is_task and _CHECKED.match(label)))
            elif is_below and line.role is Role.TEXT and line.text.strip():
                is_box = bool(BOX.match(line.text))
                is_below = is_box or line.text[:1].isspace()
                found += [line] if is_below else []
    return found


# Where checkboxes alone promise nothing; None is what no heading that we know names.
_ACCEPTING = (Part.TASK, Part.TASKS, Part.CONTEXT, Part.WHY, Part.BLUEPRINT, None)
_CRITERIA = rf"(?:acceptance|success|completion|exit) criteria|{unaccented(OTHER_CRITERIA)}"
_WORDS = rf"(?:{_CRITERIA}|success definition|definition of (?:done|success))"
_ACCEPTANCE = re.compile(rf"^[\W_]*{_WORDS}[\W_]*$", re.IGNORECASE)

# What a task is checked by; elsewhere such a label begins a list of commands.
_CHECKED = re.compile(
    r"^\W*\*\*(?:(?:validation|verification|quality)(?: gates?)?|done when)\W*$", re.IGNORECASE
)


def _accepted(blocks: Sequence[Block]) -> tuple[list[Found], list[Line]]:
    """Return the list items of tasks below a bold "Acceptance Criteria", and all lines there."""
    groups: list[list[Line]] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in TASK_PARTS else ():
            if line.role is not Role.TEXT or is_label(line.text):
                is_below = line.role is Role.TEXT and _is_acceptance(line.text)
                groups += [[]] if is_below else []
            elif is_below and line.text.strip():
                is_below = bool(BULLET.match(line.text)) or line.text[:1].isspace()
                groups[-1] += [line] if is_below else []
    ours = [group for group in groups if not matching(BOX, group)]
    around = [line for group in ours for line in group]
    return matching(BULLET, around), around


def _is_acceptance(words: str) -> bool:
    return "**" in words and bool(_ACCEPTANCE_LABEL.match(unaccented(words)))


_ACCEPTANCE_LABEL = re.compile(
    rf"^\W*\*\*(?:{_WORDS}|exito|sucesso|succes|erfolg|successo)\W*$", re.IGNORECASE
)


def _gates(blocks: Sequence[Block]) -> list[Found]:
    """Return what must hold at the gates of the validation, where they say no command."""
    found: list[Found] = []
    for block in blocks:
        heading_ = normalise(blocks[block.top].section.heading)
        if block.part is not Part.VALIDATION or not holds_at_gates(heading_):
            continue
        if any(line.role is Role.OPENS for line in block.lines):
            continue
        # `### Visual Validation` below "Validation Gates": orders to a person are checks.
        if not holds_at_gates(normalise(block.section.heading)) and ordered_steps(block.lines):
            continue
        # Beside commands only those count that say of which part of the work they are.
        form = _GATE_OF_A_PART if any("`" in line.text for line in block.lines) else _GATE
        found += matching(form, block.lines)
    return found


def holds_at_gates(title: str) -> bool:
    """Return whether a section says what must hold, and not what is to be done."""
    return _GATES.match(title) is not None


_GATES = re.compile(
    r"^(?:validation|quality|acceptance|final) (?:gates?|checkpoints?)(?: (?:&|and) (?:success|acceptance) criteria)?$",
    re.IGNORECASE,
)
_GATE_OF_A_PART = re.compile(
    r"^(?:[-*+]|\d+[.)])\s+(?P<words>\*\*(?:Task|Phase|Step|Stage|Milestone)\s\d[^`]*)$"
)
_GATE = re.compile(r"^(?:[-*+]|\d+[.)])\s+(?!\[.?\]\s)(?P<words>\S.*)$")


def _below_a_label(blocks: Sequence[Block], parts: Collection[Part | None]) -> list[Found]:
    """Return the list items of parts that stand below a label such as `**Success Criteria**:`."""
    found: list[Found] = []
    for block in blocks:
        is_below = False
        for line in block.lines if block.part in parts else ():
            if line.role is not Role.TEXT or is_label(line.text):
                is_below = line.role is Role.TEXT and bool(
                    _ACCEPTANCE_LABEL.match(unaccented(line.text))
                )
            elif is_below and line.text.strip():
                item = BULLET.match(line.text)
                is_below = bool(item) or line.text[:1].isspace()
                # Checkboxes are promises wherever they stand.
                found += [(line, item)] if item and not BOX.match(line.text) else []
    return found
