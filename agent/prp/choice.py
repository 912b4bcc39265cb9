"""Which of several lists in a document is the one of its tasks.

People write more than one that looks like it: a strategy in phases above the tasks, sketches of
code below them, a status, a migration that follows. The section that is called the tasks decides,
and of what stands in it the finest.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agent.prp.blocks import Block
from agent.prp.headings import TASK_PARTS, Part, normalise
from agent.prp.items import BOX
from agent.prp.lines import Line, Role
from agent.prp.listed import ITEM

_A_LIST = 2


def list_beside_phases(blocks: Sequence[Block]) -> list[Line]:
    """Return the section that lists the tasks, where all other tasks are phases elsewhere."""
    ours = [b for b in blocks if _lists_tasks(b)]
    if len(ours) != 1:
        return []
    (own,) = ours
    lines = [line for b in blocks if b.top == own.top for line in b.lines]
    others = [b for b in blocks if b.own is Part.TASK and b is not own]
    phases = [b for b in others if _PHASE.match(_name(b))]
    if not phases or len(phases) + sum(_is_part(b) for b in others) < len(others):
        return []
    if any(b.section.line > own.section.line for b in others):
        return []
    labels = [
        int(found["label"])
        for line in lines
        if line.role is Role.TEXT and (found := ITEM.match(line.text))
    ]
    boxes = [line for line in lines if line.role is Role.TEXT and BOX.match(line.text)]
    # Steps below phases are told by the list, and not both of them.
    most = max(Counter(_word_of(phase) for phase in phases).values())
    is_list = labels == list(range(1, len(labels) + 1)) and len(labels or boxes) >= max(
        _A_LIST, most
    )
    return lines if is_list else []


def _word_of(phase: Block) -> str:
    return _name(phase).partition(" ")[0].lower()


def _lists_tasks(block: Block) -> bool:
    """Return whether a section is called the tasks, perhaps as a last phase of its own."""
    if block.own is Part.TASK:
        return _PHASE_OF_TASKS.match(_name(block)) is not None
    return block.own is Part.TASKS and _CALLED_TASKS.search(_name(block)) is not None


_PHASE_OF_TASKS = re.compile(
    r"(?:phase|stage) \d{1,2}\W+(?:implementation )?(?:tasks\b|task list\b)", re.IGNORECASE
)
_CALLED_TASKS = re.compile(r"\btasks?\b", re.IGNORECASE)
_PHASE = re.compile(r"(?:phase|stage|milestone|step)\b", re.IGNORECASE)


def _is_part(block: Block) -> bool:
    """Return whether a heading is a part of a phase: `1.2 The trait`."""
    return _PART.match(block.section.heading) is not None


_PART = re.compile(r"\W*\d{1,3}\.\d{1,3}\b")


def _name(block: Block) -> str:
    return normalise(block.section.heading)


def without_lists_elsewhere(blocks: Sequence[Block]) -> Sequence[Block]:
    """Leave out what looks like tasks outside of the sections that list them.

    Steps and phases elsewhere tell a strategy, the requirements, a status, or what comes after the
    work, unless their numbers go on with the list or the list is one of phases and they are finer;
    tasks elsewhere count unless all of them are told in the list.
    """
    ours, others = _listed_work(blocks)
    if len(ours) < _A_LIST or not others:
        return blocks
    told = {(work.rank, work.label) for work in ours}
    finest = max(_STEP_RANK, min(work.rank for work in ours))
    has_own_tasks = any(
        work.rank == 0 and not work.is_sketch and (0, work.label) not in told for work in others
    )
    left_out: set[int] = set()
    for work in others:
        is_list = work.rank >= finest and (work.label in _FIRST_LABELS or left_out)
        is_again = work.rank or work.is_sketch or not has_own_tasks
        if is_list or ((work.rank, work.label) in told and is_again):
            left_out.add(work.block)
    return [block for block in blocks if block.top not in left_out]


class _Work(NamedTuple):
    """What a heading or a line calls a task, a step or a phase."""

    block: int
    """Index of the block that it heads, or that the section of its line inherits from."""
    rank: int
    """0 for a task, 1 for a step and a number alone, 2 for what groups steps."""
    label: str
    is_sketch: bool
    """Whether it stands among patterns, pseudocode or details, which speak of tasks again."""


def _listed_work(blocks: Sequence[Block]) -> tuple[list[_Work], list[_Work]]:
    """Return the work within the sections for tasks, and that elsewhere."""
    ours: list[_Work] = []
    others: list[_Work] = []
    above: list[Block] = []
    for index, block in enumerate(blocks):
        while above and above[-1].section.depth >= block.section.depth:
            above.pop()
        above.append(block)
        if block.part in TASK_PARTS:
            is_sketch = any(_is_sketch(outer) for outer in above)
            is_ours = not is_sketch and any(outer.own is Part.TASKS for outer in above)
            (ours if is_ours else others).extend(_work_of(block, index, is_sketch=is_sketch))
    return ours, others


def _is_sketch(block: Block) -> bool:
    return block.own is Part.PATTERNS or _DETAILS.search(block.section.heading) is not None


_DETAILS = re.compile(r"\bpseudo-?code\b|\btask (?:implementation )?details\b", re.IGNORECASE)


def _work_of(block: Block, index: int, *, is_sketch: bool) -> list[_Work]:
    work = [_Work(block.top, 0, found["label"], is_sketch) for found in _tasks_on(block)]
    if work or block.own is not Part.TASK:
        return work
    found = _WORK.match(_name(block))
    word, label = (found["word"], found["label"]) if found else ("", "")
    return [_Work(index, _RANKS.get((word or "").lower(), _STEP_RANK), label, is_sketch)]


def _tasks_on(block: Block) -> Iterator[re.Match[str]]:
    for line in block.lines:
        if "ask" in line.text[:20].lower() and (found := _TASK_LINE.match(line.text)):
            yield found


_STEP_RANK = 1
_RANKS = {"phase": 2, "stage": 2, "milestone": 2}
_FIRST_LABELS = ("", "0", "1")
_WORK = re.compile(
    r"(?:(?P<word>step|phase|stage|milestone)s?\s*#?)?(?P<label>\d{0,3})", re.IGNORECASE
)
_TASK_LINE = re.compile(r"[\W_x]{0,12}task\s*#?(?P<label>\d{1,3})\b", re.IGNORECASE)
