"""`prp doctor` says what a run would lack, and what to do about it."""

from pathlib import Path

import pytest

from tests.support.project import Project, Ran


def states(ran: Ran) -> dict[str, str]:
    """Return the state of each thing that was looked at."""
    return {one["name"]: one["state"] for one in ran.json}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a commit."""
    return Project(tmp_path / "project", {"a.txt": "a\n"})


def test_a_machine_that_can_execute(project: Project) -> None:
    """Everything is named, no key is shown, nothing is kept."""
    ran = project.prp("doctor", "--json", PRP_MODEL="openai:gpt-5", OPENAI_API_KEY="sesame-1234")
    assert ran.status == 0
    assert set(states(ran).values()) == {"good"}
    assert "OPENAI_API_KEY" in ran.out
    assert "sesame" not in ran.out
    assert project.runs == []


def test_what_is_missing_for_every_run_ends_with_five(project: Project, tmp_path: Path) -> None:
    """A state folder that can't be written; each line says what to do."""
    place = tmp_path / "file"
    place.write_text("")
    ran = project.prp("doctor", PRP_STATE_DIR=str(place / "state"))
    assert ran.status == 5
    assert "✗ state folder" in ran.out
    assert "PRP_STATE_DIR" in ran.out


def test_what_only_some_runs_need_is_told_and_no_failure(tmp_path: Path) -> None:
    """No repository, no key, no model."""
    folder = Project(tmp_path / "empty", {}, commit=False)
    ran = folder.prp("doctor", "--json", OPENAI_API_KEY="")
    assert ran.status == 0
    lacking = {name for name, state in states(ran).items() if state == "lacking"}
    assert lacking == {"repository", "keys", "planner", "coder", "verifier"}
    assert all(one["fix"] for one in ran.json if one["state"] == "lacking")


def test_a_wrong_setting_is_named(project: Project) -> None:
    """With the file that holds it."""
    project.write("prp.toml", "max_attempts = 'many'\n")
    ran = project.prp("doctor")
    assert ran.status == 5
    assert "prp.toml: max_attempts" in ran.out
