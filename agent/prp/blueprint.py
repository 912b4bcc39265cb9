"""Which sections hold the tasks: the blueprint's own, else those that show them in their form."""

import re
from collections.abc import Sequence

from agent.prp.blocks import Block
from agent.prp.choice import list_beside_phases, without_lists_elsewhere
from agent.prp.headings import Part, normalise
from agent.prp.lines import Line
from agent.prp.model import Task
from agent.prp.tasks import bold_phases, find_tasks, headed_changes, listed_tasks, tabled_tasks


def tasks_of(blocks: Sequence[Block]) -> list[Task]:
    """Return the tasks of the blueprint, else those that other sections show in their form."""
    ours = {Part.TASKS, Part.TASK}
    if listed_apart := list_beside_phases(blocks):
        return listed_tasks(listed_apart)
    blocks = [b for b in without_lists_elsewhere(blocks) if not _is_connected(b)]
    wanted = ours if any(b.part in ours for b in blocks) else {Part.BLUEPRINT}
    found = find_tasks([line for b in blocks if b.part in wanted for line in b.lines])
    if found:
        return _listed_instead(found, blocks) or found
    others = {Part.BLUEPRINT, Part.TASKS, Part.TASK, Part.PATTERNS, Part.WHAT, None}
    elsewhere = [line for b in blocks if b.part in others for line in b.lines]
    # A numbered list in the tasks' own section is the list of tasks, whatever else looks like one.
    lines = [line for b in blocks if b.part in ours for line in b.lines]
    own = bold_phases(lines) or listed_tasks(lines) or tabled_tasks(lines)
    if len(own) > 1:
        return own
    listed = [line for b in blocks if b.part in ours or _is_sequence(b) for line in b.lines]
    planned = [line for b in blocks if b.part in {*ours, Part.BLUEPRINT} for line in b.lines]
    return (
        headed_changes(planned)
        or _not_only_sections(_without_sections(find_tasks(elsewhere), blocks), elsewhere)
        or listed_tasks(listed)
        or headed_changes(elsewhere)
        or tabled_tasks(planned)
        or listed_tasks([line for b in blocks if b.own is Part.BLUEPRINT for line in b.lines])
        or bold_phases(
            [line for b in blocks if _IS_TIMELINE.search(b.section.heading) for line in b.lines]
        )
    )


def _listed_instead(found: Sequence[Task], blocks: Sequence[Block]) -> list[Task]:
    """Return the items of the tasks' own list where all that was found are changes of files.

    The changes stand in other sections, or each below its item: `1. Add the till`, `CREATE till.py`.
    """
    if not all(_CHANGE.match(_words_at(task.line, blocks)) for task in found):
        return []
    lines = [line for b in blocks if b.part is Part.TASKS for line in b.lines]
    items = listed_tasks(lines)
    numbers = {line.number for line in lines}
    first = next((task.line for task in found if task.line in numbers), None)
    is_whole = len(items) >= max(len(found), 2) and (first is None or items[0].line < first)
    return items if is_whole else []


def _words_at(number: int, blocks: Sequence[Block]) -> str:
    for block in blocks:
        place = number - block.section.line
        if 0 <= place < len(block.lines):
            return block.lines[place].text
    return ""


_CHANGE = re.compile(
    r"[\s#*`-]*(?:create|modify|update|add|delete|remove|rename|move|extend|replace|refactor)\b",
    re.IGNORECASE,
)


def _without_sections(tasks: Sequence[Task], blocks: Sequence[Block]) -> list[Task]:
    """Leave out numbered sections of the document: `## 7. Constraints` beside `## 3. Success Criteria`."""
    numbered = [b for b in blocks if _NUMBERED.match(b.section.heading)]
    depths = {b.section.depth for b in numbered if b.own not in (None, Part.TASK, Part.PATTERNS)}
    sections = {b.section.line for b in numbered if b.section.depth in depths}
    return [task for task in tasks if task.line not in sections]


_NUMBERED = re.compile(r"\W*\d{1,2}[.)]?\s")


def _not_only_sections(tasks: list[Task], lines: Sequence[Line]) -> list[Task]:
    """Return tasks unless all are but numbered sections: `### 1.2 Audience` below `## 1. Shop`."""
    words = {line.number: line.text for line in lines}
    numbers = [_SECTION.match(words[task.line]) for task in tasks]
    tops = {found["top"] for text in words.values() if (found := _TOP.match(text))}
    parts = [found["top"] in tops for found in numbers if found and found["part"]]
    return [] if all(numbers) and parts and all(parts) else tasks


_SECTION = re.compile(r"#{2,6}\s+(?P<top>\d{1,2})(?P<part>(?:\.\d{1,2})*)[.)]?\s")
_TOP = re.compile(r"#{1,5}\s+(?P<top>\d{1,2})[.)]?\s")


def _is_connected(block: Block) -> bool:
    """Return whether a section lists what the work is connected with: its items have names, too."""
    return block.own is None and normalise(block.section.heading).lower() == "integration points"


_SEQUENCE = re.compile(
    r"\b(steps?|order|plan|changes( required| made)?|instructions|approach|strategy|files to (modify|change|create))\b",
    re.IGNORECASE,
)


def _is_sequence(block: Block) -> bool:
    free = block.part in (Part.BLUEPRINT, Part.PATTERNS, Part.WHAT, None)
    name = block.section.heading
    return free and bool(_SEQUENCE.search(name)) and not _AFTERWARDS.search(name)


_IS_TIMELINE = re.compile(r"\b(?:timeline|roadmap)\b", re.IGNORECASE)
# What comes when the work is done, or has failed.
_AFTERWARDS = re.compile(
    r"\b(?:next steps?|future|follow(?:ed|.ups?)?|roll.?back|recovery|mitigation)\b", re.IGNORECASE
)
