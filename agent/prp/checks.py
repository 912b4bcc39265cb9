"""Checks: the commands of the validation loops and of checklists, with kind and expectation."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.prp.commands import Command, Remark, split_commands
from agent.prp.expected import expectation_of, expected_words
from agent.prp.kinds import can_fail, changes_the_shell, kinds_of
from agent.prp.lines import Line, Role, fences
from agent.prp.model import Check, CheckKind, Expectation, ExpectationKind

_SHELLS = {"bash", "sh", "shell", "console", "zsh", "shell-session", "terminal", "fish"}
_OTHER_SHELLS = {"powershell", "pwsh", "ps1", "cmd", "bat", "batch"}
_PROGRAMS = (
    "npm npx pnpm yarn bun node deno tsc jest vitest eslint prettier playwright cypress next vite "
    "python python3 pytest ruff mypy black isort flake8 pyright bandit coverage tox nox uv uvx pip "
    "poetry pdm pipenv pre-commit alembic go gofmt golangci-lint cargo rustc rustfmt mvn gradle "
    "./gradlew ./mvnw java javac dotnet make just task cmake ctest docker docker-compose podman "
    "kubectl helm terraform git grep rg find test ls cat curl wget bash sh sed awk jq bundle rake "
    "rails rspec ruby php composer phpunit mix elixir godot swift xcodebuild flutter dart psql "
    "sqlite3 redis-cli http tree wc diff cd export source timeout echo locust safety pip-audit"
).split()
_LOOKS_LIKE_SHELL = re.compile(
    r"^\s*(?:\$\s+)?(?:\w+=\S+\s+)*(?:"
    + "|".join(re.escape(p) for p in _PROGRAMS)
    + r"|\./[\w./-]+)(?:\s|$)"
)
_INLINE = re.compile(r"`([^`\n]+)`")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


def level_checks(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of a validation loop's lines, without ids."""
    checks = []
    for fence in fences(lines):
        if _is_shell(fence.language, fence.lines):
            checks += fence_checks(fence.lines, level=level)
        elif fence.language in _OTHER_SHELLS:
            checks += [
                replace(c, kinds=(CheckKind.NOT_SHELL,))
                for c in fence_checks(fence.lines, level=level)
            ]
    checks += inline_checks(lines, level=level)
    words = _prose_expectation(lines)
    return [_with(check, words) for check in sorted(checks, key=lambda check: check.line)]


def fence_checks(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of one shell fence: one shell, so what changes it holds for the rest."""
    setup: list[str] = []
    checks: list[Check] = []
    paragraph = 0
    for part in split_commands(lines):
        if isinstance(part, Remark):
            words = expected_words(part.text) if part.text else None
            if words is not None:
                checks = [*checks[:paragraph], *_expecting(checks[paragraph:], words, part.line)]
                paragraph = len(checks)
            elif not part.text:
                paragraph = len(checks)
            continue
        if changes_the_shell(part.text):
            setup.append(part.text)
            continue
        checks.append(_check(part, level=level, setup=setup))
    return checks


def inline_checks(lines: Iterable[Line], *, level: int) -> list[Check]:
    """Return the commands in backticks of list items and table rows."""
    checks = []
    for line in lines:
        words = line.text
        in_list = _LIST_ITEM.match(words) or words.lstrip().startswith("|") or "VALIDATE" in words
        if line.role is not Role.TEXT or not in_list:
            continue
        for code in _INLINE.findall(words):
            if _LOOKS_LIKE_SHELL.match(code) and " " in code.strip():
                command = Command(text=code.strip(), line=line.number, last_line=line.number)
                checks.append(_check(command, level=level, setup=()))
    return checks


def number(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Return checks with their ids: `L2.1` within a level, `X.1` outside of all."""
    counts: dict[int, int] = {}
    numbered = []
    for check in checks:
        counts[check.level] = counts.get(check.level, 0) + 1
        prefix = f"L{check.level}" if check.level else "X"
        numbered.append(replace(check, id=f"{prefix}.{counts[check.level]}"))
    return tuple(numbered)


def _is_shell(language: str, lines: Sequence[Line]) -> bool:
    if language in _SHELLS:
        return True
    words = [
        line.text for line in lines if line.text.strip() and not line.text.strip().startswith("#")
    ]
    return (
        language in ("", "text") and bool(words) and _LOOKS_LIKE_SHELL.match(words[0]) is not None
    )


def _check(command: Command, *, level: int, setup: Sequence[str]) -> Check:
    words = expected_words(command.behind) if command.behind else None
    comment = command.behind
    expectation = Expectation()
    if words is not None:
        expectation = expectation_of(words, line=command.line, command=command.text)
    elif comment:
        # Said only in English behind the command: narrow forms count, other prose is a comment.
        hinted = expectation_of(comment, line=command.line, command=command.text)
        if hinted.kind in (ExpectationKind.EXIT_NONZERO, ExpectationKind.EMPTY_OUTPUT):
            expectation = hinted
    return Check(
        id="",
        command=command.text,
        line=command.line,
        last_line=command.last_line,
        level=level,
        setup=tuple(setup),
        kinds=kinds_of(command.text),
        expectation=expectation,
        can_fail=can_fail(command.text),
        comment=comment,
    )


def _expecting(checks: Sequence[Check], words: str, line: int) -> list[Check]:
    """Give a paragraph's checks what the line behind it expects; numbers go to the last one."""
    if not checks:
        return []
    last = expectation_of(words, line=line, command=checks[-1].command)
    for_all = last.kind in (ExpectationKind.EXIT_ZERO, ExpectationKind.UNJUDGED)
    return [
        replace(check, expectation=last)
        if check.expectation.line == 0 and (for_all or check is checks[-1])
        else check
        for check in checks
    ]


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
        return replace(check, expectation=expectation)
    return check
