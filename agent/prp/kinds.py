"""What running a command would mean, read from its words. Doubt goes to the safer side."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from agent.prp.inner import is_destructive_code, shell_texts, undisguised, without_programs
from agent.prp.kind_rules import PROGRAMS, RULES, Rule
from agent.prp.model import CheckKind

# The first word of each simple command; what may stand before it is consumed, the word is not.
_HEAD = re.compile(
    r"(?:^|[;&|({\n]\s*|\b\w+=\S*\s+|\b(?:do|then|else|time|env|exec|xargs|sudo|nohup|command|"
    r"builtin|busybox|timeout|nice|ionice|chrt|stdbuf|setsid|parallel|watch|unbuffer|flock)\s+"
    r"(?:(?:-\S+|\d\S*)\s+)*)"
    r"(?=(?:[^\s;&|(){}]*/)?(?P<name>[\w.-]+)(?=\s|$|;))"
)
_SCRATCH = (
    r"(?:\"?/tmp/(?!\S*\.\.)[\w./*-]*\w\"?|\"?\$\{?(?:TMP|TMPDIR|tmp|tmpdir|tmp_dir|TMPROOT)\}?\"?|"
    r"(?![/~]|\S*\.\.)(?:\S*/)?(?:dist|build|target|coverage|\.coverage|__pycache__|\.pytest_cache|"
    r"\.mypy_cache|\.ruff_cache|htmlcov|\.next|node_modules/\.cache)/?)"
)
# Removing what a build or the command itself made, stopping one's own child, listing.
_HARMLESS = re.compile(
    rf"\brm\s+(?:-\w+\s+)*{_SCRATCH}(?:\s+{_SCRATCH})*(?=\s*(?:$|[;&|)\n]))|"
    r"\bkill\s+(-\w+\s+)?(%\d|\"?\$!|\"?\$\{?\w*PID\}?\"?)|\bgit\s+stash\s+list\b|"
    r"\bgit\s+(tag|branch)\s*(-l|--list)?$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def kinds_of(command: str) -> tuple[CheckKind, ...]:
    """Return every kind that applies, the most restrictive first; plain `run` where none does."""
    whole = without_bodies(command)
    if len(whole) > _LONGEST or max(map(len, whole.split("\n"))) > _WIDEST:
        return (CheckKind.MANUAL,)
    return _kinds(whole, depth=0)


def _kinds(whole: str, *, depth: int) -> tuple[CheckKind, ...]:
    bare = undisguised(whole)
    words = without_programs(bare)
    unquoted = _PATTERN_TEXT.sub(_without_quoted, words)
    calmed = _HARMLESS.sub("true", bare)
    started = _kinds_of_programs(words, calmed)
    lower = whole.lower()
    vocabulary = set(_WORD.findall(lower))
    found = tuple(
        kind
        for kind, rules in RULES
        if kind in started
        or _matches(rules, _subject(kind, words, calmed, unquoted), vocabulary, lower)
    )
    if CheckKind.DESTRUCTIVE not in found and (
        (("|" in calmed or ">" in calmed) and _DESTRUCTIVE_SYNTAX.search(_without_quotes(calmed)))
        or _destroys_inside(bare, depth=depth)
    ):
        found = tuple(sorted({*found, CheckKind.DESTRUCTIVE}, key=list(CheckKind).index))
    return found or (CheckKind.RUN,)


# What these mean in quotes is for the program to decide that gets them.
_DESTRUCTIVE_SYNTAX = re.compile(
    r"(?<![0-9&<>=-])>{1,2}\s*(~|/(?!tmp/|dev/(?:null|stdout|stderr|tty|fd)\b))|"
    r"\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\s*(?:$|[-;&|\n])"
)
_DEEPEST = 3


def _destroys_inside(whole: str, *, depth: int) -> bool:
    """Return whether text that a shell or an interpreter gets would destroy something."""
    return is_destructive_code(whole) or (
        depth < _DEEPEST
        and any(
            CheckKind.DESTRUCTIVE in _kinds(text, depth=depth + 1) for text in shell_texts(whole)
        )
    )


# A person looks at what is longer: some rules take time that grows with the square of a line.
_LONGEST, _WIDEST = 4_000, 1_000


def _kinds_of_programs(words: str, calmed: str) -> set[CheckKind]:
    heads = set(_HEAD.findall(words))
    kinds = {kind for kind, names in PROGRAMS if not names.isdisjoint(heads)}
    risky = {head.lower() for head in (heads if calmed == words else _HEAD.findall(calmed))}
    is_destructive = not PROGRAMS[0][1].isdisjoint(risky) or any(
        head.startswith("mkfs") for head in risky
    )
    return kinds - {CheckKind.DESTRUCTIVE} | ({CheckKind.DESTRUCTIVE} if is_destructive else set())


# What looks like a placeholder in a pattern or a format is part of it.
_PATTERN_TEXT = re.compile(
    r"\b(?:e?grep|rg|sed|awk|jq|printf|perl|fish|test|find|ack|ag|git grep|go list)\b[^|\n]*|^\[ .*"
)
_ANY_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def _without_quoted(found: re.Match[str]) -> str:
    return _without_quotes(found[0])


def _without_quotes(text: str) -> str:
    return _ANY_QUOTED.sub("''", text)


_WORD = re.compile(r"[a-z0-9]+")


def _matches(rules: Sequence[Rule], text: str, words: Collection[str], lower: str) -> bool:
    # A loop, because this is called a hundred times a document and a generator costs.
    for rule in rules:  # noqa: SIM110
        if rule.matches(text, words=words, lower=lower):
            return True
    return False


def _subject(kind: CheckKind, words: str, calmed: str, unquoted: str) -> str:
    if kind is CheckKind.DESTRUCTIVE:
        return calmed.lower()
    return unquoted if kind is CheckKind.PLACEHOLDER else words


_CANNOT_FAIL = re.compile(
    r"\|\|\s*(true|:|echo\b.*|exit\s+0|printf\b.*)\s*$|;\s*(true|exit\s+0|echo\b[^;|&]*)\s*$|"
    r"^\s*(echo|printf|true|:|sleep|cd|export|pwd|ls\s*$|cat\s*<<)(\s[^|;&]*)?$|^set \+e\b|"
    r"\|\s*(tee|head|tail|cat|less|sort|wc|column|jq\s+\.|grep\s+-c)\b[^|]*$",
    re.MULTILINE,
)


def can_fail(command: str) -> bool:
    """Return False where a command hides its exit status, or only talks."""
    last = command.strip().splitlines()[-1] if command.strip() else ""
    return not (
        _CANNOT_FAIL.search(command.strip()) if "\n" not in command else _CANNOT_FAIL.search(last)
    )


_STATE = re.compile(r"^\s*(cd|export|source|\.|set|unset|alias|pushd|popd|\w+=\S*\s*$|\w+=\$\()")


def changes_the_shell(command: str) -> bool:
    """Return whether a command only changes the shell that those after it run in."""
    return bool(_STATE.match(command)) and "&&" not in command and "\n" not in command.strip()


def without_bodies(command: str) -> str:
    """Return a command without here-documents: their lines are data, not commands."""
    return _BODY.sub(r"\1", command).strip() if "<<" in command else command.strip()


_BODY = re.compile(r"(<<-?\s*['\"]?(\w+)['\"]?[^\n]*)\n.*?\n\s*\2\s*$", re.DOTALL | re.MULTILINE)
