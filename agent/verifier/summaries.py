"""Whether a test runner came to its end: an exit status alone says nothing of what ran."""

import re

from agent.prp.programs import programs_of

_RUNS_PYTEST = re.compile(r"(?:^|[;&|(]\s*|\s-m\s+|\brun\s+|/)pytest(?=\s|$)")
# Not the whole output, or none of it on purpose.
_QUIET = re.compile(
    r"(?<!\S)(?:-q\w*q\w*|--co|--collect-only|--version|-V|--help|-h|--fixtures|--markers|"
    r"--setup-plan|--no-summary)\b|(?<!\S)-q\b.*(?<!\S)-q\b|[|>]|\$\("
)
_SUMMARY = re.compile(
    r"\b\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)\b|no tests ran"
)


_RUNNERS = frozenset("pytest python python3 uv poetry pdm hatch coverage tox".split())


def runs_pytest(command: str) -> bool:
    """Return whether a command runs tests with pytest and shows what came of them."""
    if "pytest" not in command or not _RUNS_PYTEST.search(command) or _QUIET.search(command):
        return False
    return not _RUNNERS.isdisjoint(programs_of(command))


def ended_early(command: str, output: str) -> bool:
    """Return whether pytest ended without the line that says what passed.

    Code under test can end the process with status 0 before a test has failed.
    """
    return runs_pytest(command) and not _SUMMARY.search(output)
