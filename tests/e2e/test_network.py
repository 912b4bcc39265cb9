"""Hosts that a person allows, in a whole run."""

from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.registries import REGISTRIES
from tests.support.scripts import GREET_PRP

HOST = "api.example.invalid"
PRP = GREET_PRP.replace("```bash\nruff check .", f"```bash\ncurl -sSf https://{HOST}/health")


def verify(project: Project, *options: str, **variables: str) -> str:
    """Return the state of the check that needs the network, in a verdict without a model."""
    arguments = ("verify", "PRPs/greet.md", "--base", "HEAD~1", "--max-mutants", "0", *options)
    ran = project.prp(*arguments, **variables)
    found = [e for e in project.events() if e["type"] == "check-finished" and e["check"] == "L1.1"]
    assert found, ran.err
    return str(found[-1]["state"])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a commit to look at."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": PRP})
    project.write("greet.py", "x = 1\n")
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
    return project


def test_a_check_that_needs_the_network_is_not_run_without_leave(project: Project) -> None:
    """Neither passed nor failed."""
    assert verify(project) == "not run"
    assert not [e for e in project.events() if e["type"] == "host-asked"]


def test_with_leave_it_runs_and_what_it_asks_is_told(project: Project) -> None:
    """In the journal, while it runs, and in the report."""
    assert verify(project, "--allow-host", HOST) == "failed"
    asked = [e for e in project.events() if e["type"] == "host-asked"]
    assert {(e["host"], e["port"], e["state"], e["stage"]) for e in asked} == {
        (HOST, 443, "failed", "run")
    }
    report = (project.runs[-1] / "report.md").read_text(encoding="utf-8")
    assert f"`{HOST}:443` | failed: its name can't be resolved" in report


def test_a_repository_that_names_it_opens_nothing(project: Project) -> None:
    """The person is told what to type."""
    project.write("prp.toml", f"allow_hosts = ['{HOST}']\n")
    assert verify(project) == "not run"
    notes = [e["text"] for e in project.events() if e["type"] == "noted"]
    assert any(f"--allow-host {HOST}" in note for note in notes)


@pytest.mark.skipif(not REGISTRIES, reason="asks PyPI")
def test_a_real_host_is_reached_with_its_own_certificate(project: Project) -> None:
    """Through the tunnel, which nobody can look into."""
    from pip._internal.models.index import PyPI

    project.write("PRPs/greet.md", PRP.replace(f"https://{HOST}/health", PyPI.simple_url))
    private = {} if REGISTRIES == "1" else {"PRP_PRIVATE_HOSTS": REGISTRIES}
    assert verify(project, "--allow-host", PyPI.netloc, **private) == "passed"
