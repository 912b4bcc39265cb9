"""Validation loops, and the checks that stand outside of every loop."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.prp.blocks import Block
from agent.prp.checks import fence_checks_of, inline_checks, level_checks, number
from agent.prp.headings import Part, normalise
from agent.prp.model import Check, Level

_QUIET = {Part.CRITERIA, Part.CHECKLIST, Part.CONTEXT, Part.TESTS, Part.ANTI_PATTERNS}
_ABOUT_CHECKING = re.compile(
    r"\b(tests?|testing|verif\w+|validat\w+|checks?|commands?|gates?|lint\w*|build|qa|smoke|"
    r"acceptance|reproduc\w+|how to run)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Checks of one level; 0 where the document gives it no number."""

    wanted: int
    title: str
    line: int
    checks: tuple[Check, ...]


def find_checks(blocks: Sequence[Block]) -> tuple[tuple[Level, ...], tuple[Check, ...]]:
    """Return the validation loops and the checks that stand outside of all of them.

    Commands outside of the validation sections count where they stand in a checklist, behind a
    word such as `VALIDATE:`, or, in a document without loops, in a section about checking. Only
    where all of that finds nothing is every shell block of the document taken for checks.
    """
    levels = _levels(_parts(blocks))
    loose = _loose(blocks)
    if not levels:
        known = {check.line for check in loose}
        about = [b for b in blocks if b.part not in _QUIET]
        fenced = _fenced(b for b in about if _ABOUT_CHECKING.search(b.section.heading))
        if not fenced and not loose:
            fenced = _fenced(about)
        loose += [check for check in fenced if check.line not in known]
    return levels, number(sorted(loose, key=lambda check: check.line))


def _parts(blocks: Sequence[Block]) -> list[_Part]:
    parts: list[_Part] = []
    for index, block in enumerate(blocks):
        title, line = normalise(block.section.heading), block.section.line
        if block.own is Part.LEVEL:
            digit = re.search(r"\d{1,3}", title)
            lines = [line for b in blocks[index:] if b.top == index for line in b.lines]
            checks = tuple(level_checks(lines, level=0))
            wanted = int(digit[0]) if digit else len(parts) + 1
            parts.append(_Part(wanted=wanted, title=title, line=line, checks=checks))
        elif block.part is Part.VALIDATION:
            parts += _by_comment(level_checks(block.lines, level=0), title, line)
    return parts


def _by_comment(checks: Sequence[Check], title: str, line: int) -> list[_Part]:
    """Return a part for each `# Level N` comment that the checks stand below."""
    by_level: dict[int, list[Check]] = {}
    for check in checks:
        by_level.setdefault(check.level, []).append(check)
    return [
        _Part(
            wanted=wanted,
            title=f"Level {wanted}" if wanted else title,
            line=below[0].line if wanted else line,
            checks=tuple(below),
        )
        for wanted, below in by_level.items()
    ]


def _levels(parts: Iterable[_Part]) -> tuple[Level, ...]:
    """Return the loops numbered as in the document; what has no number comes behind the others."""
    levels: dict[int, Level] = {}
    for part in parts:
        free = max(levels, default=0) + 1
        place = part.wanted if part.wanted and part.wanted not in levels else free
        checks = number([replace(check, level=place) for check in part.checks])
        levels[place] = Level(number=place, title=part.title, line=part.line, checks=checks)
    return tuple(levels[place] for place in sorted(levels))


def _loose(blocks: Iterable[Block]) -> list[Check]:
    checks: list[Check] = []
    for block in blocks:
        if block.part in (Part.VALIDATION, Part.LEVEL, Part.CONTEXT, Part.ANTI_PATTERNS):
            continue
        in_list = block.part in (Part.CRITERIA, Part.CHECKLIST) or bool(
            block.part is not Part.METADATA and _ABOUT_CHECKING.search(block.section.heading)
        )
        checks += inline_checks(block.lines, level=0, everywhere=in_list)
    return checks


def _fenced(blocks: Iterable[Block]) -> list[Check]:
    return [check for block in blocks for check in fence_checks_of(block.lines, level=0)]
