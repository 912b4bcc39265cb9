"""`prp init` writes what a repository needs, and nothing over what a person has edited."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.project import Project

FLOW, FORM = ".github/workflows/prp.yml", ".github/ISSUE_TEMPLATE/prp.yml"


def digest(text: str) -> str:
    """Return the hash that the manifest has of a text."""
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a file."""
    return Project(tmp_path / "project", {"README.md": "x\n"})


def test_written_twice_changes_nothing(project: Project) -> None:
    """And taken away it is as it was."""
    before = project.fingerprint()
    first = project.prp("init", "--github")
    assert (first.status, first.out.count(": written")) == (0, 2), first.err
    written = project.fingerprint()
    again = project.prp("init", "--github")
    assert (again.out.count(": as it was"), project.fingerprint()) == (2, written)
    assert project.prp("init", "--github", "--remove").out.count(": removed") == 2
    assert project.fingerprint() == before


def test_what_a_person_edited_stays(project: Project) -> None:
    """Whether it was written by us before or was there already."""
    project.write(FORM, "mine\n")
    project.prp("init", "--github")
    project.write(FLOW, (project.root / FLOW).read_text() + "# mine\n")
    for arguments in (("init", "--github"), ("init", "--github", "--remove")):
        assert project.prp(*arguments).out.count("edited, left alone") == 2
    assert (project.root / FORM).read_text() == "mine\n"
    assert (project.root / FLOW).read_text().endswith("# mine\n")


def test_what_was_written_before_is_brought_up_to_date(project: Project) -> None:
    """An older version's file, as its manifest knows it."""
    project.prp("init", "--github")
    manifest = project.root / ".prp" / "installed.json"
    flow = project.root / FLOW
    old = flow.read_text()
    flow.write_text("old\n")
    told = manifest.read_text().replace(digest(old), digest("old\n"))
    manifest.write_text(told)
    assert f"{FLOW}: updated" in project.prp("init", "--github").out
    assert flow.read_text() == old


def test_a_link_that_leads_out_is_not_written_through(project: Project, tmp_path: Path) -> None:
    """Nor does a manifest of the repository's own name what is taken away."""
    (tmp_path / "outside").mkdir()
    (project.root / ".github").symlink_to(tmp_path / "outside")
    assert project.prp("init", "--github").status != 0
    assert list((tmp_path / "outside").iterdir()) == []
    project.write(".prp/installed.json", '{"files": {"README.md": "x", "../../x": 1}}')
    project.prp("init", "--github", "--remove")
    assert (project.root / "README.md").exists()


def test_it_wants_to_know_what_to_write(project: Project) -> None:
    """And where."""
    assert project.prp("init").status == 4
