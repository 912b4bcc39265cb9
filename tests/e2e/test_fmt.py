"""`prp fmt` at the command line."""

from pathlib import Path

import pytest

from tests.support.project import Project

OLD = "name: x\n---\n\n## Goal\nb\n\n## Validation Gates\n```bash\npytest\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", {"PRPs/old.md": OLD})


def test_a_diff_is_shown_and_nothing_written(project: Project) -> None:
    ran = project.prp("fmt", "PRPs/old.md")
    assert ran.status == 0
    assert "+# PRP: x" in ran.out
    assert "-## Validation Gates" in ran.out
    assert (project.root / "PRPs/old.md").read_text() == OLD


def test_write_replaces_the_document_once(project: Project) -> None:
    assert "PRPs/old.md: rewritten" in project.prp("fmt", "PRPs", "--write").out
    after = (project.root / "PRPs/old.md").read_text()
    assert after.startswith("# PRP: x\n\n## Metadata\n- **name**: x\n")
    again = project.prp("fmt", "PRPs", "--write")
    assert (again.status, again.out) == (0, "")
    assert [path.name for path in (project.root / "PRPs").iterdir()] == ["old.md"]


def test_check_names_what_would_change(project: Project) -> None:
    ran = project.prp("fmt", "PRPs", "--check")
    assert ran.status == 3
    assert ran.out == "PRPs/old.md: would be rewritten\n"


def test_a_document_that_cannot_be_read_is_said_and_the_others_go_on(project: Project) -> None:
    (project.root / "PRPs/bytes.md").write_bytes(b"\xff")
    ran = project.prp("fmt", "PRPs")
    assert ran.status == 3
    assert "[I07]" in ran.err
    assert "+# PRP: x" in ran.out


def test_terminal_escapes_of_a_document_are_shown_not_obeyed(project: Project) -> None:
    project.write("PRPs/bad.md", "# A\n\n## Objective\nb \x1b[31m c\n")
    assert "\x1b" not in project.prp("fmt", "PRPs/bad.md").out


def test_a_read_only_document_is_left_alone_and_the_others_go_on(project: Project) -> None:
    project.write("PRPs/new.md", OLD)
    (project.root / "PRPs/new.md").chmod(0o444)
    ran = project.prp("fmt", "PRPs/new.md", "PRPs/old.md", "--write")
    assert ran.status == 3
    assert "PRPs/new.md can't be written: it is read-only" in ran.err
    assert ran.out == "PRPs/old.md: rewritten\n"
    assert (project.root / "PRPs/new.md").read_text() == OLD


def test_other_names_of_a_document_keep_its_text(project: Project) -> None:
    (project.root / "other.md").hardlink_to(project.root / "PRPs/old.md")
    assert project.prp("fmt", "PRPs", "--write").status == 0
    assert (project.root / "other.md").read_text() == (project.root / "PRPs/old.md").read_text()
    assert (project.root / "other.md").read_text() != OLD
