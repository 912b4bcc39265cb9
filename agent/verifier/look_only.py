"""What is run for a check where that is not its command as it was written.

A check must not repair what it checks: the result would belong to no commit. And one that only
says whether something was printed must say what: `test -z "$(gofmt -l .)"` helps nobody.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.prp import Check, CheckKind


def as_run(check: Check) -> str:
    """Return what is run for a check."""
    return look_only(check.command) if check.kind is CheckKind.MUTATING else telling(check.command)


_IS_EMPTY = re.compile(r"""(test|\[) -z "\$\(([^()`"']+)\)"( \])?""")


def telling(command: str) -> str:
    """Return a command that asks whether another prints nothing so that one sees what it prints."""
    found = _IS_EMPTY.fullmatch(command.strip())
    if found is None or bool(found[3]) is not (found[1] == "["):
        return command
    return f'{found[1]} -z "$({{ {found[2].strip()}; }} | tee /dev/stderr)"{found[3] or ""}'


def look_only(command: str) -> str:
    """Return the form of a formatter or fixer that only looks, where there is one."""
    words = _words(command)
    form = next((form for form in _CHECKING if form.names(words)), None)
    return form.rewrite(command, words) if form else command


@dataclass(frozen=True)
class _Form:
    """How a tool that repairs is made to look only."""

    tool: tuple[str, ...]
    drop: tuple[str, ...] = ()
    add: str = ""

    def names(self, words: Sequence[str]) -> bool:
        size = len(self.tool)
        return any(tuple(words[i : i + size]) == self.tool for i in range(len(words)))

    def rewrite(self, command: str, words: Sequence[str]) -> str:
        kept = [word for word in words if word not in self.drop]
        if len(kept) != len(words):
            command = re.sub(_any_of(self.drop), "", command)
        if self.add and self.add not in words:
            last = self.tool[-1]
            command = re.sub(
                rf"(?<!\S){re.escape(last)}(?!\S)", f"{last} {self.add}", command, count=1
            )
        return command


def _any_of(words: Iterable[str]) -> str:
    return r"[ \t]+(?:" + "|".join(re.escape(word) for word in words) + r")(?!\S)"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


_CHECKING = (
    _Form(("ruff", "check"), drop=("--fix", "--unsafe-fixes", "--fix-only")),
    _Form(("ruff", "format"), add="--check"),
    _Form(("black",), add="--check"),
    _Form(("isort",), add="--check-only"),
    _Form(("eslint",), drop=("--fix",)),
    _Form(("prettier",), drop=("--write", "-w"), add="--check"),
    _Form(("gofmt",), drop=("-w",), add="-l"),
    _Form(("cargo", "fmt"), add="--check"),
    _Form(("npm", "run", "lint"), drop=("--fix",)),
)
