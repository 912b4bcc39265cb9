"""Which checks of a level run at the same time."""

from pathlib import Path

import pytest

from agent.prp import parse_prp
from agent.verifier.batches import batches


def together(*commands: str) -> list[list[str]]:
    """Return the commands of a level as they run: those in one list at the same time."""
    fence = "\n".join(commands)
    text = f"# PRP: X\n\n## Validation Loops\n### Level 1: Syntax\n```bash\n{fence}\n```\n"
    (level,) = parse_prp(text, path=Path("x.md")).levels
    return [[check.command for check in batch] for batch in batches(level.checks)]


def test_what_only_reads_runs_at_once() -> None:
    """Linters, type checkers and searches; tests run alone, in their place."""
    readers = ["ruff check src", "mypy src", "grep -q x README.md"]
    assert together(*readers, "pytest -q", "flake8") == [readers, ["pytest -q"], ["flake8"]]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("ruff format --check .", id="the cache of the same tool"),
        pytest.param("ruff check --fix src && touch fixed", id="it writes a file"),
        pytest.param("mypy --html-report out src", id="it writes a report"),
        pytest.param("flake8 > found.txt", id="a redirection"),
        pytest.param("flake8 $(ls)", id="a substitution"),
        pytest.param("grep -q x y || make", id="a program that nobody knows"),
        pytest.param("python -m pytest", id="tests"),
        pytest.param("black --quiet src && rm -r build", id="it deletes"),
    ],
)
def test_what_may_do_more_runs_alone(second: str) -> None:
    """When in doubt, one after the other."""
    assert together("ruff check src", second) == [["ruff check src"], [second]]
