"""Commands that are values of a map: `validation_commands:` with `lint: "..."` below it."""

import re
from collections.abc import Sequence

from agent.prp.inline import bare_check, is_surely_a_command
from agent.prp.lines import Line, Role
from agent.prp.model import Check
from agent.prp.scalars import unquoted
from agent.prp.signs import has_any

_MAP = re.compile(
    r"(?P<indent>\s*)(?:-\s+)?(?:validation|verification|test|check|quality)_(?:commands|checks|gates)\s*:\s*$",
    re.IGNORECASE,
)
_VALUE = re.compile(r"(?P<indent>\s*)(?:-\s+)?(?:[\w-]+\s*:\s+|(?<=-\s))(?P<value>\S.*)$")


_KEYS = ("_commands:", "_checks:", "_gates:")


def may_map(text: str) -> bool:
    """Return whether a section may hold such a map; hardly any does."""
    return has_any(text, _KEYS)


def mapped_checks(lines: Sequence[Line]) -> list[Check]:
    """Return the commands of maps in fences whose key says that they validate."""
    checks: list[Check] = []
    within: int | None = None
    for line in lines:
        if line.role is not Role.INSIDE:
            within = None
        elif within is None:
            found = _MAP.match(line.text) if line.text.endswith(":") else None
            within = len(found["indent"]) if found else None
        elif line.text.strip():
            found = _VALUE.match(line.text)
            depth = len(line.text) - len(line.text.lstrip())
            within = within if depth > within or line.text.lstrip().startswith("-") else None
            command = unquoted(found["value"]) if found and within is not None else ""
            checks += [bare_check(command, line, 0)] if is_surely_a_command(command) else []
    return checks
