"""Files of a run's folder that are cut off, empty, no text or gone: said, and never guessed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lives import FILES, Coder, Undisturbed, call_killed, options, tree_of
from tests.support.project import Project
from tests.support.provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(Coder()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, provider: Provider) -> Project:
    """A project whose run was killed after its first task was committed."""
    made = Project(tmp_path / "project", FILES)
    assert call_killed(made, "17", "execute", "PRPs/greet.md", *options(provider)) == -9
    return made


def test_F24_steps_that_are_broken_make_room_for_new_ones(
    project: Project, provider: Provider
) -> None:
    """Given a person who goes on without them, then they are put aside, and not asked again."""
    for file in project.runs[-1].glob("steps.sqlite*"):
        file.write_bytes(b"no database at all" * 1000)
    done = project.prp("resume", "-q", "--afresh")
    assert done.status == 0, done.out + done.err
    assert len([r for r in provider.requests if "submit_plan" in r.tools]) == 1


@pytest.mark.parametrize("left", ["", '{"v": 1, "prp": "/a', "[]", '{"v": 1}', "\udcff\0"])
def test_an_order_that_cannot_be_read_is_said_and_can_be_ended(project: Project, left: str) -> None:
    """Without its name, too: it is the project's, as its journal says."""
    run = project.runs[-1]
    (run / "order.json").write_text(left, encoding="utf-8", errors="surrogateescape")
    for command in (("resume",), ("resume", "greet")):
        refused = project.prp(*command)
        assert (refused.status, "Traceback" in refused.err) == (5, False), refused.err
        assert f"{run / 'order.json'}" in refused.err
        assert f"prp cancel {run.name}" in refused.err
    assert project.prp("cancel").status == 0
    assert project.prp("status", "--json").json[0]["state"] == "cancelled"
    assert "has ended: cancelled" in project.prp("resume").err
    assert not (run / "steps.sqlite").exists()


def test_what_a_run_without_an_order_had_begun_is_kept_when_it_is_ended(project: Project) -> None:
    """It is no verdict, which has neither an order nor anything to keep."""
    run = project.runs[-1]
    (run / "order.json").unlink()
    (run / "worktree/greet.py").write_text("half = done\n")
    assert project.prp("cancel", "greet").status == 0
    assert project.git("show", "prp/greet:greet.py") == "half = done\n"


@pytest.mark.parametrize("left", ["", "# PRP: Greet\n\n## Goal\nHalf", "\udcff\0", None])
def test_a_damaged_copy_of_the_document_is_made_again(
    project: Project, provider: Provider, tmp_path: Path, left: str | None
) -> None:
    """Given that the person's own still says what the run was begun with, then nothing is lost."""
    copy = project.runs[-1] / "prp.md"
    copy.unlink()
    if left is not None:
        copy.write_text(left, encoding="utf-8", errors="surrogateescape")
    done = project.prp("resume", "-q")
    assert (done.status, done.err) == (0, "")
    expected = Undisturbed(tmp_path)
    assert tree_of(project) == expected.tree
    assert len(provider.requests) == expected.asked


@pytest.mark.parametrize("how", [(), ("--keep-prp",), ("--accept-prp-change", "--yes")])
def test_half_a_document_never_counts(
    project: Project, provider: Provider, how: tuple[str, ...]
) -> None:
    """Given that the person's own says something else by now, then nobody knows what was asked."""
    copy, own = project.runs[-1] / "prp.md", project.root / "PRPs/greet.md"
    copy.write_text(copy.read_text().partition("### Level 2")[0])
    own.write_text(own.read_text() + "\nMore.\n")
    asked = len(provider.requests)
    refused = project.prp("resume", "-q", *how)
    assert (refused.status, "is damaged" in refused.err) == (5, True), refused.err
    assert str(own) in refused.err
    assert len(provider.requests) == asked


def test_a_conversation_that_is_no_text_stops_nobody(project: Project) -> None:
    """It is there to be read by people."""
    (project.runs[-1] / "conversation.jsonl").write_bytes(b"\xff\xfe{\n[]\n{}\n\xf0\n{half")
    done = project.prp("resume", "-q")
    assert (done.status, done.err) == (0, "")
    assert "Repaired." in project.prp("report", "--format", "md").out


@pytest.mark.parametrize("left", [b"", b"\xff\n\xfe\n" * 500, None])
def test_a_journal_that_is_lost_is_said(
    project: Project, provider: Provider, tmp_path: Path, left: bytes | None
) -> None:
    """Its steps are kept, so no answer is asked twice."""
    journal = project.runs[-1] / "events.jsonl"
    journal.unlink()
    if left is not None:
        journal.write_bytes(left)
    assert "nothing is told of it" in project.prp("status", "greet").out
    done = project.prp("resume", "-q")
    assert done.status == 0, done.err
    assert "the journal of this run was lost" in done.err
    assert len(provider.requests) == Undisturbed(tmp_path).asked


def test_a_journal_that_cannot_be_read_hides_no_other_run(project: Project) -> None:
    """Given one that is somebody else's, or on a broken disk, then the others are listed."""
    other = project.runs[-1].with_name("20200101-000000000-greet-0000")
    (other / "events.jsonl").mkdir(parents=True)
    listed = project.prp("status")
    assert listed.status == 0, listed.err
    assert f"{project.runs[-1].name}  broken off" in listed.out
    assert f"{other.name}  unreadable" in listed.out
