"""What `--help` says, as a person sees it."""

import pytest
import typer
from typer.testing import CliRunner

from agent.cli.app import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined] # a group


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_shows_its_examples_line_by_line(name: str) -> None:
    """A wrapped example can't be copied."""
    told = CliRunner().invoke(app, [name, "--help"]).output
    assert "\\b" not in told
    assert "\b" not in told
    for line in told.partition("Examples:")[2].partition("Options:")[0].splitlines():
        assert line.count("prp ") <= 1, line
