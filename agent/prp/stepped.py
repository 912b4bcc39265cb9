"""Steps for a person that stand as comments in a shell's fence: `# 1. Click save -> ...`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from agent.prp.checks import is_shell_fence
from agent.prp.commands import Command, Remark, split_commands
from agent.prp.lines import Line, fences

_A_LIST = 2


def commented_steps(lines: Sequence[Line]) -> dict[int, str]:
    """Return the steps in the comments of shell fences, by their lines.

    Numbered comments that follow each other without a command are what a person walks through;
    one directly above a command only says what that does.
    """
    return {
        step.line: found["words"]
        for fence in fences(lines)
        if _may_list(fence.lines) and is_shell_fence(fence)
        for step in _steps(split_commands(fence.lines))
        if (found := _NUMBERED.match(step.text))
    }


def _may_list(lines: Sequence[Line]) -> bool:
    """Return whether two numbered comments follow each other: hardly any fence has them."""
    numbered = [line.number for line in lines if _NUMBERED.match(line.text)]
    return len(numbered) >= _A_LIST


def _steps(parts: Iterable[Remark | Command]) -> Iterator[Remark]:
    run: list[Remark] = []
    label = ""
    for part in parts:
        if isinstance(part, Command):
            is_above = bool(run) and part.line <= run[-1].line + 1
            yield from () if is_above else _listed(run, label)
            run, label = [], ""
        elif _NUMBERED.match(part.text):
            run.append(part)
        elif not (run and _GOES_ON.match(part.text)):
            yield from _listed(run, label)
            run, label = [], part.text
    yield from _listed(run, label)


def _listed(run: Sequence[Remark], label: str) -> Sequence[Remark]:
    """Return the comments of a run where they are a list of things to do."""
    numbers = [int(found["number"]) for step in run if (found := _NUMBERED.match(step.text))]
    is_list = len(run) >= _A_LIST and all(b == a + 1 for a, b in pairwise(numbers))
    return run if is_list and not _TELLS.search(label) else ()


_NUMBERED = re.compile(r"#\s?(?P<number>\d{1,2})[.)]\s+(?P<words>\S.*)$")
_GOES_ON = re.compile(r"#\s{2,}\S")
# Above a list of what will be seen, of what a script covers, or of what to mend.
_TELLS = re.compile(
    r"\b(?:expect\w*|should|will|output|fix\w*|common|errors?|fail\w*|if|options?|covers?|"
    r"checks for|tests for)\b",
    re.IGNORECASE,
)
