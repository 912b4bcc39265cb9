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


def ended_early(command: str, output: str) -> bool:
    """Return whether pytest ended without the line that says what passed.

    Code under test can end the process with status 0 before a test has failed.
    """
    if "pytest" not in command or not _RUNS_PYTEST.search(command) or _QUIET.search(command):
        return False
    known = {"pytest", "python", "python3", "uv", "poetry", "pdm", "hatch", "coverage", "tox"}
    return not known.isdisjoint(programs_of(command)) and not _SUMMARY.search(output)
