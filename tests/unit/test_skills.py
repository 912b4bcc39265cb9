"""Skills and slash commands: valid for every tool, and only of commands that there are."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from agent import __version__
from agent.cli.app import app
from agent.editors.skills import SKILLS, TOOLS, files_for

ROOT = Path(__file__).parents[2]
FILES = files_for(TOOLS)
STANDARD = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
"""Fields of the common standard for skills."""


def front(path: str) -> dict[str, object]:
    """Return a skill's front matter."""
    found: dict[str, object] = yaml.safe_load(FILES[path].split("---\n")[1])
    return found


def words(path: str) -> str:
    """Return what the tool's model is told."""
    if path.endswith(".toml"):
        return str(tomllib.loads(FILES[path])["prompt"])
    return FILES[path].split("---\n", 2)[2]


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith("SKILL.md")])
def test_a_skill_is_called_as_its_folder(path: str) -> None:
    """And says when to use it, in the length that the standard allows."""
    told = front(path)
    assert told["name"] == Path(path).parent.name
    assert 1 <= len(str(told["description"])) <= 1024


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith(".agents/")])
def test_the_common_folder_has_fields_of_the_standard_only(path: str) -> None:
    """Validators refuse others."""
    told = front(path)
    assert told.keys() <= STANDARD
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(told["name"]))
    assert len(str(told["name"])) <= 64
    assert len(str(told["compatibility"])) <= 500
    assert all(isinstance(value, str) for value in told.values())


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_run_or_read_before_the_model_sees_it(path: str) -> None:
    """Tools run what stands in certain marks, or put files in: none of these is there."""
    assert re.findall(r"!`|!\{|@\{|^@|\s@\S", words(path)) == []


@pytest.mark.parametrize("path", FILES)
def test_what_a_person_types_reaches_the_model_once(path: str) -> None:
    """In the mark of the tool; where it has none, the model is told what to look for."""
    marks = {".claude": "$ARGUMENTS", ".gemini": "{{args}}", ".opencod": "$ARGUMENTS"}
    mark = next((mark for start, mark in marks.items() if path.startswith(start)), None)
    assert mark is None or words(path).count(mark) == 1
    assert "{{ " not in words(path)


@pytest.mark.parametrize("path", FILES)
def test_every_command_that_is_named_is_there_with_its_options(path: str) -> None:
    """A skill that names what `prp` does not have leads nowhere."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"`prp (\w+)([^`]*)`", words(path))
    assert named
    for name, rest in named:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known, f"prp {name}{rest}"


def test_only_what_tells_is_allowed_without_a_question() -> None:
    """Given options that allow more or write a file, then a command with them is asked for."""
    for path in (path for path in FILES if path.startswith(".claude/")):
        allowed = str(front(path)["allowed-tools"])
        assert re.findall(r"execute|resume|report|apply|cancel|verify|gh |demo", allowed) == []
        assert "Bash(*)" not in allowed
        assert "Bash(prp *)" not in allowed


def test_a_model_does_not_spend_money_by_itself() -> None:
    """Given a tool that can tell, then only a person's own command begins a run."""
    for name in ("execute", "draft"):
        assert front(f".claude/skills/prp-{name}/SKILL.md")["disable-model-invocation"] is True
    assert "disable-model-invocation" not in front(".claude/skills/prp-status/SKILL.md")


def test_this_repository_has_them_itself() -> None:
    """As they are rendered, so that nobody edits one of them alone."""
    for path in (path for path in FILES if path.startswith((".claude/", ".agents/"))):
        assert (ROOT / path).read_text() == FILES[path], f"make {path} anew: prp init"


def test_the_plugin_names_folder_and_version() -> None:
    """And its marketplace names the plugin."""
    plugin = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())
    market = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text())
    assert plugin["version"] == __version__
    assert [entry["name"] for entry in market["plugins"]] == [plugin["name"]]
    assert {path.name for path in (ROOT / plugin["skills"]).iterdir()} == {
        f"prp-{skill.name}" for skill in SKILLS
    }
