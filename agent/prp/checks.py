"""Checks: the commands of the validation loops and of checklists, with kind and expectation."""

import re
from collections.abc import Iterable, Iterator, Sequence

from agent.prp.changed import changed
from agent.prp.commands import Command, Remark, split_commands
from agent.prp.commented import as_commented
from agent.prp.expected import (
    expectation_of,
    expected_above,
    expected_words,
    hinted,
    hinted_above,
    hinted_status,
    is_seen,
)
from agent.prp.kinds import Effect, can_fail, effect_of, kinds_of
from agent.prp.lines import Fence, Line, fences
from agent.prp.model import Check, CheckKind, Expectation, ExpectationKind
from agent.prp.scratch import scratch_names, with_plain_tmp, with_scratch_paths
from agent.prp.serving import Servers, noted_by

SHELLS = {"bash", "sh", "shell", "console", "zsh", "shell-session", "terminal", "fish"}
OTHER_SHELLS = {"powershell", "pwsh", "ps1", "cmd", "bat", "batch"}
_PROGRAMS = (
    "npm npx pnpm yarn bun node deno tsc jest vitest eslint prettier playwright cypress next vite "
    "python python3 pytest ruff mypy black isort flake8 pyright bandit coverage tox nox uv uvx pip "
    "poetry pdm pipenv pre-commit alembic go gofmt golangci-lint cargo rustc rustfmt mvn gradle "
    "./gradlew ./mvnw java javac dotnet make just task cmake ctest docker docker-compose podman "
    "kubectl helm terraform git grep rg find test ls cat curl wget bash sh sed awk jq bundle rake "
    "rails rspec ruby php composer phpunit mix elixir godot swift xcodebuild flutter dart psql "
    "sqlite3 redis-cli http tree wc diff cd export source timeout echo locust safety pip-audit "
    "zsh fish gh zig tsx ts-node ng nx turbo biome oxlint dprint knip madge depcheck newman k6 lhci "
    "pylint vulture codespell sqlfluff dbt mkdocs yamllint shellcheck hadolint actionlint tflint "
    "markdownlint markdownlint-cli2 markdown-link-check semgrep trivy gitleaks checkov ansible-lint "
    "bazel ninja meson sbt lein cabal ktlint swiftlint bats busted luacheck stylua perl lua julia "
    "azd bicep pulumi supabase netlify vercel wrangler firebase prisma "
    "claude Rscript wasm-opt shasum sha256sum stat du head tail readlink"
).split()
LOOKS_LIKE_SHELL = re.compile(
    r"^\s*(?:\$\s+)?(?:\w+=(?!\[)\S+\s+)*(?:"
    + "|".join(re.escape(p) for p in _PROGRAMS)
    + r"|\./[\w./-]+)(?:\s|$)"
)


def fence_checks_of(lines: Sequence[Line], *, level: int) -> list[Check]:
    """Return the checks of all shell fences among lines."""
    checks: list[Check] = []
    for fence in fences(lines):
        checks += _of_fence(fence, level=level)
    return checks


def _of_fence(fence: Fence, *, level: int) -> list[Check]:
    language, lines = _language(fence)
    is_shell = _is_shell(language, lines)
    if not (is_shell or language in OTHER_SHELLS) or _is_tree(fence):
        return []
    checks = fence_checks(lines, level=level)
    if is_shell:
        return checks
    return [c if is_plain_command(c.command) else _of_another(c) for c in checks]


def _of_another(check: Check) -> Check:
    """Return a command as one that bash must not get."""
    return changed(check, kinds=(CheckKind.NOT_SHELL,))


_TREE = re.compile(r"^[^\S\n]*(?:[│|][^\S\n]*)?[├└]──", re.MULTILINE)


def _is_tree(fence: Fence) -> bool:
    """Return whether a fence shows files: a drawing looks like commands to `tree`."""
    return any("──" in line.text for line in fence.lines) and bool(_TREE.search(fence.code))


# Some writers name the language in the first line of a fence instead of behind its marks.
_LANGUAGES = SHELLS | {"python", "javascript", "typescript", "yaml", "json", "sql", "toml", "html"}


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
    said: Remark | Command | None = None
    is_first = True
    parts = split_commands(lines)
    is_said_only = all(_is_banner(part) for part in parts)
    for part in _asked(parts):
        above, said = said, part
        opens, is_first = is_first, len(checks) == paragraph
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
        if up.are_tidied_by(part.text, setup) or (_is_banner(part) and not is_said_only):
            continue
        setup = up.setup_for(setup, part.text)
        effect = effect_of(part.text) if len(setup) < _MOST_SETUP else Effect.NONE
        if effect is Effect.ONLY:
            setup.append(part.text)
            continue
        check = check_of(part, level=level, setup=setup)
        check = as_commented(check, part.before, part.behind, lines)
        check = up.take(_with_above(check, above, opens=opens))
        setup = [*setup, *noted_by(check)][:_MOST_SETUP]
        if effect is Effect.SOME:
            setup.append(_silent(part.text))
        if checks and sample and _goes_on(checks[-1], check):
            checks[-1] = changed(
                checks[-1],
                command=f"{checks[-1].command}\n{check.command}",
                last_line=check.last_line,
            )
            continue
        sample = check.kind is CheckKind.SAMPLE_CODE
        checks.append(check)
    return checks


def _is_banner(part: Remark | Command) -> bool:
    """Return whether a part of a fence only says something: `echo "=== Build ==="`."""
    return isinstance(part, Remark) or _BANNER.match(part.text) is not None


_BANNER = re.compile(r"echo\s+(?:-e\s+)?(?:\"[^\"$`]*\"|'[^']*')\s*$")


def _asked(parts: Iterable[Remark | Command]) -> Iterator[Remark | Command]:
    """Return the parts of a fence without the bullets below `# Expected outcomes:`, up to a gap."""
    is_told = False
    for part in parts:
        if isinstance(part, Remark):
            is_told = _TELLS.match(part.text) is not None
        if not (is_told and part.text.startswith(("- ", "* "))):
            yield part


_TELLS = re.compile(r"#\s*expect\w*\b[^:]{0,40}:\s*$", re.IGNORECASE)


def _with_above(check: Check, above: Remark | Command | None, *, opens: bool) -> Check:
    """Give a check what the comment, or the message, on the line above it expects.

    Args:
        check: The check.
        above: What stands before it.
        opens: Whether no command of its paragraph stands above that, so that it speaks of this one.

    """
    if check.expectation.line or above is None or above.line != check.line - 1:
        return check
    if isinstance(above, Command) and not above.text.startswith("echo "):
        return check
    expectation = hinted_above(above.text, line=above.line, command=check.command)
    if opens and not expectation and isinstance(above, Remark):
        expectation = expected_above(above.text, line=above.line, command=check.command)
    if expectation is None:
        return check
    can_fail = _can_fail(check.command, expectation)
    return changed(check, expectation=expectation, can_fail=can_fail)


# Every check of a fence carries what stands before it; more than this is no set-up but a program.
_MOST_SETUP = 100


def _goes_on(sample: Check, check: Check) -> bool:
    """Return whether a line still belongs to the program that a fence turned out to hold."""
    return check.kind in (CheckKind.SAMPLE_CODE, CheckKind.NOT_SHELL) or not (
        LOOKS_LIKE_SHELL.match(check.command) and check.line > sample.last_line + 1
    )


def number(checks: Sequence[Check], *, level: int) -> tuple[Check, ...]:
    """Return the checks of a level with their ids: `L2.1`, or `X.1` outside of all levels."""
    prefix = f"L{level}" if level else "X"
    return tuple(
        changed(check, level=level, id=f"{prefix}.{index}") for index, check in enumerate(checks, 1)
    )


def is_shell_fence(fence: Fence) -> bool:
    """Return whether a fence holds commands of a shell."""
    return _is_shell(*_language(fence))


def is_plain(lines: Sequence[Line]) -> bool:
    """Return whether commands for another shell are the same in ours: programs and their words."""
    words = [bare for line in lines if (bare := line.text.strip())[:1] not in ("", "#")]
    return bool(words) and all(map(is_plain_command, words))


def is_plain_command(words: str) -> bool:
    """Return whether a command is the same for every shell: a program that we know, and words."""
    return bool(_PLAIN.match(words) and LOOKS_LIKE_SHELL.match(words))


_PLAIN = re.compile(r"[\w ./:=@,+*~-]+(?:\s#.*)?$")


def _is_shell(language: str, lines: Sequence[Line]) -> bool:
    if language in SHELLS:
        return True
    if language in OTHER_SHELLS:
        return is_plain(lines)
    if language in ("python", "py"):
        return _is_mislabelled(lines)
    if language not in ("", "text"):
        return False
    words = (line.text for line in lines if line.text.strip()[:1] not in ("", "#"))
    return LOOKS_LIKE_SHELL.match(next(words, "")) is not None


def _is_mislabelled(lines: Sequence[Line]) -> bool:
    """Return whether a fence for Python holds nothing but command lines: `pytest tests/ -v`."""
    words = [bare for line in lines if (bare := line.text.strip())[:1] not in ("", "#")]
    is_command = bool(words) and _OF_PYTHON.match(words[0]) is not None
    return is_command and all(_PLAIN.match(text) and " = " not in text for text in words)


_OF_PYTHON = re.compile(r"(?:pytest|python3? -m|ruff|mypy|uv run|npm|npx|pnpm|make)\s+[\w./-]")


_NOTHING_SAID = Expectation()


def check_of(command: Command, *, level: int, setup: Sequence[str]) -> Check:
    words = expected_words(command.behind) if command.behind else None
    comment = command.behind
    expectation = _NOTHING_SAID
    if words is not None:
        expectation = expectation_of(words, line=command.line, command=command.text)
    elif comment:
        # Said only in English behind the command: narrow forms count, other prose is a comment.
        expectation = hinted(comment, line=command.line, command=command.text) or expectation
    spoken = "" if words is not None else f"{comment or command.before}"
    if status := hinted_status(spoken, line=command.line, command=command.text):
        expectation = status
    kinds = kinds_of(_as_classified(command.text, setup))
    if kinds[0] is CheckKind.MANUAL and not expectation.line:
        expectation = hinted(command.text, line=command.line, command="") or expectation
    return Check(
        id="",
        command=command.text,
        line=command.line,
        last_line=command.last_line,
        level=level,
        setup=tuple(setup),
        kinds=kinds,
        expectation=expectation,
        can_fail=_can_fail(command.text, expectation),
        comment=comment,
    )


def _can_fail(command: str, expectation: Expectation) -> bool:
    speaks = command.startswith(("echo", "printf"))
    return can_fail(command) or (is_seen(expectation) and not speaks)


def _silent(command: str) -> str:
    """Return a command that runs again for what it leaves: it said what it had to say before."""
    return f"{{ {command}\n}} >/dev/null 2>&1"


def _as_classified(command: str, setup: Sequence[str]) -> str:
    """Return a command as its kind is told: what its fence made for itself may be changed."""
    command = with_plain_tmp(command)
    if not ("rm " in command or ">" in command) or not any(
        "mktemp" in each for each in (*setup, command)
    ):
        return command
    return with_scratch_paths(command, scratch_names((*setup, command)))


def _expecting(checks: Sequence[Check], words: str, line: int) -> list[Check]:
    """Give a paragraph's checks what the line behind it expects; numbers go to the last one."""
    if not checks:
        return []
    last = expectation_of(words, line=line, command=checks[-1].command)
    for_all = last.kind in (ExpectationKind.EXIT_ZERO, ExpectationKind.UNJUDGED)
    return [
        changed(check, expectation=last, can_fail=_can_fail(check.command, last))
        if check.expectation.line == 0 and (for_all or check is checks[-1])
        else check
        for check in checks
    ]
