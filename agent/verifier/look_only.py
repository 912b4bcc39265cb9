"""Tools that repair what they find, made to look only.

A check must not repair what it checks: the result would belong to no commit.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
