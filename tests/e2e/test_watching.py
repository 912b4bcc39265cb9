"""A run can be looked at, waited for and ended from another terminal."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from agent.runs.alive import holder
from agent.runs.cancelling import cancel
from agent.runs.folder import RunFolder
from tests.support.project import PRP, Project
from tests.support.provider import Provider
from tests.support.scripts import GREET_PRP, crew

SLOW_PRP = GREET_PRP.replace("ruff check .", "sleep 60")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP whose first check takes a minute, and one that is quick."""
    return Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "PRPs/slow.md": SLOW_PRP})


def begun(project: Project) -> "subprocess.Popen[bytes]":
    """Start a run that will not end by itself soon; return when its journal begins."""
    arguments = ["execute", "PRPs/slow.md", "--model", "openai-chat:x"]
    process = subprocess.Popen(
        [str(PRP), *arguments, "--base-url", "http://127.0.0.1:9/v1"],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (project.runs and (project.runs[-1] / "events.jsonl").is_file()):
        assert process.poll() is None
        time.sleep(0.05)
    return process


def test_a_run_that_has_ended_is_listed_and_told(project: Project) -> None:
    """In short, at length, for machines, and its events again as they were."""
    assert project.prp("status").out == "Nothing was executed yet.\n"
    with Provider(crew()) as provider:
        url = ("--base-url", provider.url)
        project.prp("execute", "PRPs/greet.md", "--model", "openai-chat:x", *url)
    (folder,) = project.runs
    assert f"{folder.name}  proven         2 proven" in project.prp("status").out
    assert "every criterion holds" in project.prp("status", "greet").out
    (seen,) = project.prp("status", "--json").json
    assert (seen["state"], seen["exit_status"], seen["criteria"]) == ("proven", 0, {"proven": 2})
    assert project.prp("wait").status == 0
    lines = project.prp("events", "--json").out.splitlines()
    assert [json.loads(line)["type"] for line in lines] == [e["type"] for e in project.events()]
    assert "attempt 1: L1.1 passed" in project.prp("events", "greet").out
    gone = project.prp("cancel")
    assert (gone.status, "has ended: proven" in gone.err) == (14, True)


def test_a_run_that_works_can_be_waited_for_and_ended(project: Project) -> None:
    """It ends in order: told, reported, with the status of a signal."""
    process = begun(project)
    assert project.prp("status", "--json").json[0]["state"] == "running"
    assert project.prp("wait", "slow", "--timeout", "0.3").status == 75
    assert project.prp("cancel", "slow").status == 0
    assert project.prp("wait", "slow", "--timeout", "20").status == 143
    assert process.wait(20) == 143
    assert "cancelled" in project.prp("status").out
    assert project.events()[-1]["outcome"] == "cancelled"
    assert "has ended" in project.prp("resume").err


def test_a_run_that_was_killed_is_called_broken_off(project: Project) -> None:
    """Whatever number of a process it left behind."""
    process = begun(project)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    assert project.prp("status", "--json").json[0]["state"] == "broken off"
    waited = project.prp("wait")
    assert (waited.status, f"prp resume {project.runs[-1].name}" in waited.err) == (1, True)
    assert project.prp("status", "-n", "0").status == 2
    elsewhere = Project(project.root.parent / "elsewhere", {"a": "b\n"})
    refused = elsewhere.prp("cancel")
    assert (refused.status, "Nothing was executed in" in refused.err) == (4, True)
    assert project.prp("cancel").status == 0
    assert project.prp("status", "--json").json[0]["state"] == "cancelled"


def test_a_run_is_ended_in_its_very_first_moment(project: Project) -> None:
    """Given a signal before anything of it is told, then it ends as cancelled all the same."""
    arguments = ["execute", "PRPs/slow.md", "--model", "openai-chat:x", "--no-setup", "-q"]
    process = subprocess.Popen([str(PRP), *arguments], cwd=project.root, env=project.environment())
    while not (project.runs and holder(run := RunFolder(id="x", path=project.runs[-1]))):
        assert process.poll() is None
    cancel(run)
    assert process.wait(60) == 143
    assert project.prp("status", "--json").json[0]["state"] == "cancelled"


def test_a_run_that_told_nothing_is_ended(project: Project) -> None:
    """Killed before its first event, it is no different from others."""
    process = begun(project)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    (project.runs[-1] / "events.jsonl").unlink()
    assert project.prp("cancel").status == 0
    assert project.prp("status", "--json").json[0]["state"] == "cancelled"
    assert "has ended: cancelled" in project.prp("resume").err


@pytest.mark.parametrize("command", ["status", "wait", "events", "cancel", "report"])
def test_a_run_that_is_not_there_is_named(project: Project, command: str) -> None:
    """With what to do."""
    ran = project.prp(command, "gone")
    assert ran.status == 4
    assert "There is no run 'gone'" in ran.err


def test_the_latest_is_that_of_the_project_at_hand(project: Project, tmp_path: Path) -> None:
    """Given a later run elsewhere and a later verdict here, then neither is diffed or reported."""
    other = Project(tmp_path / "other", {"PRPs/other.md": GREET_PRP})
    for place, prp in ((project, "PRPs/greet.md"), (other, "PRPs/other.md")):
        with Provider(crew()) as provider:
            model = ("--model", "openai-chat:x", "--base-url", provider.url, "--max-mutants", "0")
            assert place.prp("execute", prp, *model, "-q").status == 0
    own, elsewhere = project.runs
    assert "PRPs/greet.md" in project.prp("report").out
    assert project.prp("open", "--path").out.startswith(str(own))
    verdict = project.prp("verify", "PRPs/greet.md", "--branch", "prp/greet", "-q")
    assert verdict.status != 5, verdict.err
    # What changed is a run's, and its verdict the latest that there is to report.
    assert "greet.py" in project.prp("diff", "--stat").out
    assert own.name not in project.prp("open", "--path").out
    # The list has all, and says what is not a run of this project.
    (last, foreign, first) = project.prp("status").out.splitlines()
    assert last.endswith("by prp verify")
    assert (foreign.split()[0], foreign.endswith(f"in {other.root}")) == (elsewhere.name, True)
    assert str(project.root) not in first
    told = {
        run["run"]: (run["kind"], run["repository"]) for run in project.prp("status", "--json").json
    }
    assert told[own.name] == ("run", str(project.root))
    assert told[elsewhere.name] == ("run", str(other.root))
