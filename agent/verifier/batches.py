"""Which checks of a level run at the same time: those that only read, in the place where they are.

Tests and builds write: what they leave may be what the next check rests on, or in its way. They
run alone, as do servers and whatever else is not known to read only.
"""

import re
from collections.abc import Iterator, Sequence

from agent.prp import Check, CheckKind
from agent.prp.programs import commands_of
from agent.verifier.look_only import as_run

# More at once would only make each of them slower.
_MOST = 4
_WITH_CACHE = frozenset(
    "ruff mypy flake8 pylint pyright basedpyright black isort eslint prettier tsc bandit".split()
)
_PLAIN = frozenset(
    "grep egrep fgrep rg test [ [[ ls cat head tail wc diff cmp stat true false echo printf cd "
    "export set source . yamllint shellcheck".split()
)
_NEEDS = {
    "black": ("--check", "--diff"),
    "isort": ("--check", "--check-only", "-c", "--diff"),
    "prettier": ("--check", "-c", "--list-different", "-l"),
    "tsc": ("--noEmit",),
}
_WRITES = re.compile(
    r"^(?:--fix\S*|--unsafe-fixes|--write|-w|-o|-o\S+|--output\S*|--install-types|--junit\S*|"
    r"--\S*report\S*|--add-noqa|--exit-zero-on-write|--cache\S*|--incremental)$"
)
# A substitution runs what nobody has looked at; a redirection writes.
_OPAQUE = re.compile(r"\$\(|`|<\(|>(?!\s*/dev/null|&\d)")


def batches(checks: Sequence[Check]) -> Iterator[tuple[Check, ...]]:
    """Yield the checks of a level in their order, those together that may run at once."""
    together: list[Check] = []
    tools: frozenset[str] = frozenset()
    for check in checks:
        own = _reads_with(check)
        if together and (own is None or len(together) == _MOST or own & tools):
            yield tuple(together)
            together, tools = [], frozenset()
        if own is None:
            yield (check,)
        else:
            together.append(check)
            tools |= own
    if together:
        yield tuple(together)


def _reads_with(check: Check) -> frozenset[str] | None:
    """Return the tools with a cache that a check reads with; None where it may do more than read.

    Two of the same tool would meet in its cache.
    """
    if check.kind not in (CheckKind.RUN, CheckKind.MUTATING) or check.servers:
        return None
    command = as_run(check)
    tools: set[str] = set()
    for text in (*check.setup, command):
        if _OPAQUE.search(text) or not (commands := commands_of(text)):
            return None
        for words in commands:
            if (tool := _reader(words)) is None:
                return None
            tools.add(tool)
    return frozenset(tools & _WITH_CACHE)


def _reader(words: Sequence[str]) -> str | None:
    """Return the program of a simple command that only reads; None for any other."""
    rest = [word for word in words if word not in ("!", ">", ">&", "&>", "/dev/null")]
    if rest[:2] in (["python", "-m"], ["python3", "-m"]):
        rest = rest[2:]
    if not rest or any(_WRITES.match(word) for word in rest[1:]):
        return None
    name, needed = rest[0], _NEEDS.get(rest[0])
    if name == "ruff":
        checks = rest[1:2] == ["check"] or (rest[1:2] == ["format"] and _has(rest, _NEEDS["black"]))
        return name if checks else None
    if needed and not _has(rest, needed):
        return None
    return name if name in _WITH_CACHE or name in _PLAIN else None


def _has(words: Sequence[str], any_of: Sequence[str]) -> bool:
    return any(word in any_of for word in words)
