"""Validation loops, and the checks that stand outside of every loop."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agent.prp.blocks import Block
from agent.prp.changed import changed
from agent.prp.checks import LOOKS_LIKE_SHELL, fence_checks_of, number
from agent.prp.criteria import criteria_in_code, holds_at_gates
from agent.prp.expected import expectation_of, expected_words
from agent.prp.headings import TASK_PARTS, Part, normalise
from agent.prp.inline import inline_checks
from agent.prp.lines import Line, Role
from agent.prp.manual import (
    MANUAL,
    described_steps,
    labelled_steps,
    listed_steps,
    ordered_steps,
    step_of,
)
from agent.prp.mapped import mapped_checks, may_map
from agent.prp.model import Check, CheckKind, ExpectationKind, Level
from agent.prp.proving import is_work, proving_checks
from agent.prp.serving import with_servers, with_servers_above
from agent.prp.signs import has_any
from agent.prp.stepped import commented_steps

_QUIET = {Part.CRITERIA, Part.CHECKLIST, Part.CONTEXT, Part.TESTS, Part.ANTI_PATTERNS}
_ABOUT_CHECKING = re.compile(
    r"\b(tests?|testing|verif\w+|validat\w+|checks?|commands?|gates?|lint\w*|build|qa|smoke|"
    r"acceptance|reproduc\w+|how to run)\b"
)


class _Part(NamedTuple):
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
    loose = _loose(blocks) + [
        c for b in blocks if may_map(b.section.body) for c in mapped_checks(b.lines)
    ]
    if not levels:
        known = {check.line for check in loose}
        about = [b for b in blocks if b.part not in _QUIET]
        fenced = _fenced(b for b in about if _is_about_checking(b.section.heading))
        if not fenced and not loose:
            fenced = [check for b in about for check in _not_only_work(_fenced([b]))]
        loose += [check for check in fenced if check.line not in known]
    in_levels = (check for level in levels for check in level.checks)
    loose = with_servers_above(sorted(loose, key=lambda check: check.line), in_levels)
    return levels, number(loose, level=0)


def _is_about_checking(heading: str) -> bool:
    return _speaks_of_checking(heading) and not _ABOUT_MAKING.search(heading)


def _speaks_of_checking(heading: str) -> bool:
    lower = heading.lower()
    return has_any(lower, _STEMS_OF_CHECKING) and _ABOUT_CHECKING.search(lower) is not None


_STEMS_OF_CHECKING = (
    *("test", "verif", "validat", "check", "command", "gate", "lint", "build", "qa", "smoke"),
    *("acceptance", "reproduc", "how to run"),
)


# A step that makes the build, one way of several, and what the product will do.
_ABOUT_MAKING = re.compile(
    r"^\W*(?:(?:task|step|phase)?\s*[\d.]+\W*)?"
    r"(?:create|update|configure|set ?up|add|install|rebuild)\b|"
    r"\b(?:solution|option|alternative|approach) [a-f\d]\b|\bone.command\b",
    re.IGNORECASE,
)


def _not_only_work(checks: Sequence[Check]) -> Sequence[Check]:
    """Return checks unless all of them install, build up, tear down or are of unknown programs."""
    return checks if any(_is_known_to_run(check) for check in checks) else ()


def _is_known_to_run(check: Check) -> bool:
    # What else a document shows in a shell is how its product is used.
    return check.kind is CheckKind.RUN and LOOKS_LIKE_SHELL.match(check.command) is not None


def _parts(blocks: Sequence[Block]) -> list[_Part]:
    parts: list[_Part] = []
    manual_depth = _NO_DEPTH
    for index, block in enumerate(blocks):
        if block.section.depth <= manual_depth:
            is_manual = MANUAL.search(block.section.heading) is not None
            manual_depth = block.section.depth if is_manual else _NO_DEPTH
        title, line = normalise(block.section.heading), block.section.line
        if block.own is Part.LEVEL:
            digit = re.search(r"\d{1,3}", title)
            lines = [line for b in blocks[index:] if b.top == index for line in b.lines]
            checks = tuple(_level_checks(lines, level=0) or ordered_steps(lines))
            wanted = int(digit[0]) if digit else len(parts) + 1
            parts.append(_Part(wanted=wanted, title=title, line=line, checks=checks))
        elif block.part is Part.VALIDATION:
            is_below = block.section.depth > manual_depth
            found = _level_checks(block.lines, level=0, is_below_manual=is_below)
            is_told = holds_at_gates(title) or _IS_A_STRATEGY.search(title)
            found = found or ([] if is_told else ordered_steps(block.lines))
            parts += _by_comment(found, title, line)
        elif block.part is Part.CRITERIA and (
            _IS_CHECKING.search(title) or criteria_in_code(block.lines)
        ):
            found = with_servers(fence_checks_of(block.lines, level=0))
            parts += _by_comment(found, title, line)
    return parts


# `### Functional Testing` below "Success Validation"
_IS_CHECKING = re.compile(r"\b(?:testing|validation|verification)\s*$", re.IGNORECASE)
# What tests there will be, and not what to do.
_IS_A_STRATEGY = re.compile(r"\b(?:strategy|approach|tests|scenarios|cases)\b", re.IGNORECASE)
# Deeper than any heading.
_NO_DEPTH = 99


def _level_checks(
    lines: Sequence[Line], *, level: int, is_below_manual: bool = False
) -> list[Check]:
    """Return the checks of a validation section's lines, without ids.

    Below a comment such as `# Level 2: unit tests` in a fence, checks belong to that level.

    Args:
        lines: Lines of the section.
        level: The level that they belong to.
        is_below_manual: Whether a heading above the section's own says that a person is to test.

    """
    checks = fence_checks_of(lines, level=level)
    # A fence's `VALIDATE: make test` is told by both.
    told = {(check.line, check.command) for check in checks}
    inline = inline_checks(lines, level=level, everywhere=True)
    checks += [check for check in inline if (check.line, check.command) not in told]
    said = commented_steps(lines)
    items = listed_steps(lines, is_below_manual=is_below_manual) | described_steps(lines)
    items |= labelled_steps(lines) | said
    checks = [_played(check) if check.last_line + 1 in said else check for check in checks]
    known = {check.line for check in checks}
    checks += [step_of(words, line) for line, words in items.items() if line not in known]
    in_order = _walked(with_servers(sorted(checks, key=lambda check: check.line)), items)
    words = _prose_expectation(lines)
    return [_with(check, words) for check in in_order]


def _played(check: Check) -> Check:
    """Return a program of the repository as one that waits for whoever walks through the steps."""
    is_own = check.command.startswith("./") and check.kinds == (CheckKind.RUN,)
    return changed(check, kinds=(CheckKind.INTERACTIVE,)) if is_own else check


def _walked(checks: Sequence[Check], items: Mapping[int, str]) -> list[Check]:
    """Return checks with those as steps for a person that are only a part of what one does."""
    asked = {server.line for check in checks for server in check.servers}
    found: list[Check] = []
    for check in checks:
        words = items.get(check.line, "")
        is_left_alone = CheckKind.SERVER in check.kinds and check.line not in asked
        before = words.partition(check.command)[0]
        if words and (is_left_alone or _AFTER_ANOTHER.search(before)):
            if not found or found[-1].line != check.line:
                found.append(step_of(words, check.line))
        else:
            found.append(check)
    return found


# "Rename `.env` and run `npm test`": the first part is no command.
_AFTER_ANOTHER = re.compile(
    r"(?:,|;|\band|\bthen)\s+(?:re-?)?(?:run|execute|start)\s+\W*$", re.IGNORECASE
)


def _prose_expectation(lines: Iterable[Line]) -> tuple[str, int] | None:
    for line in lines:
        if line.role is Role.TEXT and (words := expected_words(line.text)):
            return words, line.number
    return None


def _with(check: Check, words: tuple[str, int] | None) -> Check:
    if words is None or check.expectation.line:
        return check
    expectation = expectation_of(words[0], line=words[1], command=check.command)
    if expectation.kind in (ExpectationKind.EXIT_ZERO, ExpectationKind.UNJUDGED):
        return changed(check, expectation=expectation)
    return check


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
    for part in sorted(parts, key=lambda part: part.wanted == 0):
        free = max(levels, default=0) + 1
        place = part.wanted if part.wanted and part.wanted not in levels else free
        checks = number(part.checks, level=place)
        levels[place] = Level(number=place, title=part.title, line=part.line, checks=checks)
    return tuple(levels[place] for place in sorted(levels))


def _loose(blocks: Iterable[Block]) -> list[Check]:
    checks: list[Check] = []
    for block in blocks:
        if block.part in _NOT_LOOSE:
            continue
        in_list = block.part in _LISTS or (
            block.part is not Part.METADATA and _speaks_of_checking(block.section.heading)
        )
        found = inline_checks(block.lines, level=0, everywhere=in_list)
        steps = listed_steps(block.lines, is_below_manual=False)
        if in_list:
            steps |= commented_steps(block.lines) | labelled_steps(block.lines)
        further = [step_of(words, line) for line, words in steps.items()]
        if block.part is Part.CHECKLIST and _speaks_of_checking(block.section.heading):
            further += _fenced([block])
        if _TEST_CASE.match(normalise(block.section.heading)):
            further += ordered_steps(block.lines)
        # One line is one check, whichever way it was found.
        by_line = {check.line: check for check in reversed(further)}
        known = {check.line for check in found}
        found += [check for line, check in by_line.items() if line not in known]
        if block.part not in TASK_PARTS:
            found = [check for check in found if not _is_only_named(block, check)]
        else:
            found = [check for check in found if not is_work(check)]
            known = {check.line for check in found}
            found += [c for c in proving_checks(block.lines) if c.line not in known]
        checks += found
    return checks


# `#### Test Case 2: Upload`
_TEST_CASE = re.compile(r"(?:test (?:case|scenario)|scenario) \d", re.IGNORECASE)
_NOT_LOOSE = (Part.VALIDATION, Part.LEVEL, Part.CONTEXT, Part.ANTI_PATTERNS, Part.RESULTS)
_LISTS = (Part.CRITERIA, Part.CHECKLIST)


def _is_only_named(block: Block, check: Check) -> bool:
    """Return whether a table of tools names a command: `command: npm test` below `RUNNER:`."""
    line = block.lines[check.line - block.lines[0].number]
    return line.role is Role.INSIDE and _NAMES_A_TOOL.match(line.text) is not None


_NAMES_A_TOOL = re.compile(r"\s*(?:-\s+)?command:")


def _fenced(blocks: Iterable[Block]) -> list[Check]:
    return [check for block in blocks for check in fence_checks_of(block.lines, level=0)]
