"""Checks: the commands of the validation loops and of checklists, with kind and expectation."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.prp.commands import Command, Remark, split_commands
from agent.prp.expected import expectation_of, expected_words, hinted_status
from agent.prp.kinds import Effect, can_fail, effect_of, kinds_of
from agent.prp.lines import Fence, Line, Role, fences
from agent.prp.model import Check, CheckKind, Expectation, ExpectationKind
from agent.prp.scratch import scratch_names, with_scratch_paths
from agent.prp.serving import Servers, noted_by, with_servers

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
_INLINE = re.compile(r"`(?!\s)([^`\n]+)(?<!\s)`([^`\n]*)")
_ITEM_MARKS = frozenset("-*+0123456789")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


def level_checks(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of a validation section's lines, without ids.

    Below a comment such as `# Level 2: unit tests` in a fence, checks belong to that level.
    """
    checks = fence_checks_of(lines, level=level)
    checks += inline_checks(lines, level=level, everywhere=True)
    words = _prose_expectation(lines)
    in_order = with_servers(sorted(checks, key=lambda check: check.line))
    return [_with(check, words) for check in in_order]


def fence_checks_of(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of all shell fences among lines."""
    checks: list[Check] = []
    for fence in fences(lines):
        checks += _of_fence(fence, level=level)
    return checks


_TREE = re.compile(r"^[^\S\n]*(?:[│|][^\S\n]*)?[├└]──", re.MULTILINE)


def _of_fence(fence: Fence, *, level: int) -> list[Check]:
    if _TREE.search(fence.code):
        return []
    language, lines = _language(fence)
    if _is_shell(language, lines):
        return fence_checks(lines, level=level)
    if language in _OTHER_SHELLS:
        return [
            replace(check, kinds=(CheckKind.NOT_SHELL,))
            for check in fence_checks(lines, level=level)
        ]
    return []


# Some writers name the language in the first line of a fence instead of behind its marks.
_LANGUAGES = _SHELLS | {"python", "javascript", "typescript", "yaml", "json", "sql", "toml", "html"}


def _language(fence: Fence) -> tuple[str, Sequence[Line]]:
    first = next((i for i, line in enumerate(fence.lines) if line.text.strip()), None)
    if first is not None and fence.language in ("", "text"):
        word = fence.lines[first].text.strip()
        if word in _LANGUAGES and len(fence.lines) > first + 1:
            return word, fence.lines[first + 1 :]
    return fence.language, fence.lines


_LEVEL_COMMENT = re.compile(r"^#\W*(?:Level|Loop|Gate|Stage)\s+(?P<digit>\d)\b", re.IGNORECASE)


def fence_checks(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of one shell fence: one shell, so what changes it holds for the rest."""
    setup: list[str] = []
    checks: list[Check] = []
    paragraph = 0
    sample = False
    up = Servers()
    for part in split_commands(lines):
        if isinstance(part, Remark):
            sample = sample and not (part.text.startswith("#") and not part.indented)
            words = expected_words(part.text) if part.text else None
            if words is not None:
                checks = [*checks[:paragraph], *_expecting(checks[paragraph:], words, part.line)]
                paragraph = len(checks)
            elif not part.text:
                paragraph = len(checks)
            elif found := _LEVEL_COMMENT.match(part.text):
                level = int(found["digit"])
            continue
        if up.are_tidied_by(part.text):
            continue
        setup = up.setup_for(setup, part.text)
        effect = effect_of(part.text) if len(setup) < _MOST_SETUP else Effect.NONE
        if effect is Effect.ONLY:
            setup.append(part.text)
            continue
        check = up.take(_check(part, level=level, setup=setup))
        setup = [*setup, *noted_by(check)][:_MOST_SETUP]
        if effect is Effect.SOME:
            setup.append(part.text)
        if checks and sample and _goes_on(checks[-1], check):
            checks[-1] = replace(
                checks[-1],
                command=f"{checks[-1].command}\n{check.command}",
                last_line=check.last_line,
            )
            continue
        sample = check.kind is CheckKind.SAMPLE_CODE
        checks.append(check)
    return checks


# Every check of a fence carries what stands before it; more than this is no set-up but a program.
_MOST_SETUP = 100


def _goes_on(sample: Check, check: Check) -> bool:
    """Return whether a line still belongs to the program that a fence turned out to hold."""
    return check.kind in (CheckKind.SAMPLE_CODE, CheckKind.NOT_SHELL) or not (
        _LOOKS_LIKE_SHELL.match(check.command) and check.line > sample.last_line + 1
    )


_LABEL = r"(?:VALIDATE|VALIDATION|VERIFY|VERIFICATION|CHECKS?|TESTS?|RUN|COMMAND|GATES?|PROVES?|ACCEPTANCE)"
_LABELLED = re.compile(rf"\b{_LABEL}\b[^`:]{{0,40}}:", re.IGNORECASE)
_PLAIN_COMMAND = re.compile(
    rf"^\s*(?:[-*]\s+)?\W*{_LABEL}(?:\s+\w+)?\W*:\W*\s(?P<command>[^`]+)$", re.IGNORECASE
)
_BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[.?\]\s")


def inline_checks(lines: Sequence[Line], *, level: int, everywhere: bool) -> list[Check]:
    """Return the commands of checklists, and those behind a label such as `VALIDATE:`.

    Args:
        lines: Lines of one section.
        level: The level that they belong to.
        everywhere: Take the commands of every list item and table row, for sections that are
            about checking.

    """
    checks: list[Check] = []
    labelled = False
    for line in lines:
        words = line.text
        # Most lines hold neither; they only end what a label above them began.
        if not (labelled or "`" in words or ":" in words) or not words.strip():
            continue
        if line.role is Role.TEXT:
            bare = words.lstrip()
            is_item = bare[0] == "|" or (bare[0] in _ITEM_MARKS and bool(_LIST_ITEM.match(words)))
            own_label = ":" in words and _LABELLED.search(words) is not None
            if "`" in words:
                listed = is_item and (everywhere or labelled or _BOX.match(words) is not None)
                checks += _in_backticks(line, level) if listed or own_label else []
            if not is_item:
                labelled = own_label and words.rstrip().rstrip("*").endswith(":")
        elif line.role is not Role.INSIDE or ":" not in words:
            continue
        elif found := _PLAIN_COMMAND.match(words):
            command = found["command"].strip()
            if _is_surely_a_command(command):
                checks.append(_inline(command, line, level))
            else:
                checks += _in_backticks(line, level)
        elif "`" in words and _LABELLED.search(words):
            checks += _in_backticks(line, level)
    return checks


def _in_backticks(line: Line, level: int) -> list[Check]:
    return [
        _inline(found[1].strip(), line, level, behind=found[2])
        for found in _INLINE.finditer(line.text)
        if not _is_forbidden(line.text, found)
        if (_LOOKS_LIKE_SHELL.match(found[1]) and " " in found[1].strip())
        or found[1].strip() in _TEST_TOOLS
    ]


def _is_forbidden(words: str, found: re.Match[str]) -> bool:
    """Return whether words in backticks only speak of a command."""
    command, behind = found[1].strip(), found[2]
    if _SHORTHAND.match(command) or (command in _TEST_TOOLS and _KIND_OF_ERROR.match(behind)):
        return True
    before = words[max(0, found.start() - 30) : found.start()]
    return bool(_NEGATED.search(before) and _NOTHING_MORE.match(behind))


# `go build/vet/test ./...` stands for three commands, `bash -n` for an option.
_SHORTHAND = re.compile(r"(?:go|npm|cargo|make|yarn|pnpm)\s+\w+/\w+|(?:ba|z|fi|da)?sh\s+-\w+$")
_KIND_OF_ERROR = re.compile(r"[\s*]*(?:errors?|warnings?|issues?|failures?|findings?)\b")


# "No `go get`, no `npm install`" says what must not be run.
_NEGATED = re.compile(
    r"(?:\b(?:no|not|don['’]t|never|without|avoid|instead of|rather than))[\s*]*$", re.IGNORECASE
)
_NOTHING_MORE = re.compile(r"[\s*]*(?:$|[;,.)/]|and\b|or\b|needed|required|—|-)", re.IGNORECASE)

_BEHIND = re.compile(r"(?<=\s)(?:(?:→|->|=>|—|–)\s+(?P<said>.*)|\((?P<aside>[^()`$]*)\)\s*)$")


def _inline(text: str, line: Line, level: int, *, behind: str = "") -> Check:
    part = split_commands([line._replace(text=text)])
    command = part[0] if part and isinstance(part[0], Command) else None
    if command is None:
        command = Command(text=text, line=line.number, last_line=line.number)
    said = (command.behind or behind)[:_MOST_SAID]
    if aside := _BEHIND.search(command.text):
        said = aside["said"] or aside["aside"] or said
        command = replace(command, text=command.text[: aside.start()].rstrip())
    said = said.lstrip(" \t→—–=>:-").rstrip().rstrip(",;").rstrip()
    return _check(replace(command, behind=said), level=level, setup=())


# What is expected is said in fewer characters than these, if it is said in a form that counts.
_MOST_SAID = 400


# These are also words of English, and a word behind them makes a sentence.
_AMBIGUOUS = set(
    "find make test go just task source watch time cat ls diff export bash sh http tree echo mix "
    "java node deno next task rails safety black coverage".split()
)
_TEST_TOOLS = set(
    "pytest mypy tox nox tsc eslint jest vitest pyright ruff phpunit rspec ctest flake8".split()
)


def _is_surely_a_command(text: str) -> bool:
    first, _, rest = text.partition(" ")
    if not _LOOKS_LIKE_SHELL.match(text) or first.lower() in _AMBIGUOUS:
        return first in ("go", "make") and rest.split(" ")[0] in _SURE_WORDS
    return bool(rest) or first in _TEST_TOOLS


_SURE_WORDS = {"test", "vet", "build", "check", "lint", "typecheck", "all", "ci"}


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
    spoken = "" if words is not None else f"{comment or command.before}"
    if status := hinted_status(spoken, line=command.line, command=command.text):
        expectation = status
    return Check(
        id="",
        command=command.text,
        line=command.line,
        last_line=command.last_line,
        level=level,
        setup=tuple(setup),
        kinds=kinds_of(_as_classified(command.text, setup)),
        expectation=expectation,
        can_fail=can_fail(command.text),
        comment=comment,
    )


def _as_classified(command: str, setup: Sequence[str]) -> str:
    """Return a command as its kind is told: what its fence made for itself may be removed."""
    if "rm " not in command or not any("mktemp" in each for each in (*setup, command)):
        return command
    return with_scratch_paths(command, scratch_names((*setup, command)))


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
