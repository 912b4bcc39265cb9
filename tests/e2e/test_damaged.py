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
