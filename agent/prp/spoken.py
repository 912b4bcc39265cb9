"""Commands that a line only speaks of: forbids, counts the errors of, or finds in a file."""

import re

from agent.prp.expected import depends

TEST_TOOLS = set(
    "pytest mypy tox nox tsc eslint jest vitest pyright ruff phpunit rspec ctest flake8".split()
)
"""Tools that are whole commands: alone in backticks they are run."""


def is_only_spoken_of(words: str, found: re.Match[str], behind: str) -> bool:
    """Return whether words in backticks only speak of a command.

    Args:
        words: The whole line.
        found: The match of the words in backticks, which are its first group.
        behind: What stands behind them.

    """
    command = found[1].strip()
    if behind.lstrip(" *").startswith("FAILS") or depends(behind):
        return True
    if _SHORTHAND.match(command) or (_is_short(command) and _KIND_OF_ERROR.match(behind)):
        return True
    before = words[max(0, found.start() - _MOST_BEFORE) : found.start()]
    if _AS_CONTENT.search(before) and _is_short(command):
        return True
    return bool(_NEGATED.search(before) and _NOTHING_MORE.match(behind))


# "`install.sh` has `go build` and a link" tells what a file says.
_AS_CONTENT = re.compile(r"\b(?:has|have|contains?|includes?|mentions?)\s+$")


def _is_short(command: str) -> bool:
    """Return whether a command only names a tool, as in: `go test` failures are expected here."""
    return command in TEST_TOOLS or command in (
        "go test",
        "go vet",
        "go build",
        "npm test",
        "cargo test",
    )


# `go build/vet/test ./...` stands for three commands, `bash -n` for an option.
_SHORTHAND = re.compile(r"(?:go|npm|cargo|make|yarn|pnpm)\s+\w+/\w+|(?:ba|z|fi|da)?sh\s+-\w+$")
_KIND_OF_ERROR = re.compile(r"[\s*]*(?:errors?|warnings?|issues?|failures?|findings?)\b")


# "No `go get`, no `npm install`" says what must not be run.
_NEGATED = re.compile(
    r"(?:\b(?:no|not|don['’]t|never|without|avoid|instead of|rather than))[\s*]*"
    r"(?:`[^`]*`\s*(?:/|,|\bor|\bnor)\s*)*$",
    re.IGNORECASE,
)
_MOST_BEFORE = 80
_NOTHING_MORE = re.compile(
    r"[\s*]*(?:$|[;,.)/]|and\b|or\b|needed|required|invented|"
    r"(?:was|were|is|are) (?:\w+ed|run)\b|—|-)",
    re.IGNORECASE,
)
