"""Files of a run's folder that are cut off, empty, no text or gone: said, and never guessed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lives import FILES, Coder, call_killed, options
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
