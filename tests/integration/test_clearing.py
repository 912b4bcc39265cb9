"""Folders of worktrees are out of the way at once, and deleted while others go on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.runs.folder import RunFolder, new_run_folder
from agent.workspace import Repository, checkout
from tests.support.project import Project


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.open(Project(tmp_path / "project", {"README": "x\n"}).root)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_run_folder(tmp_path / "state", "x")


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Path]:
    """Make a folder that nobody can delete, not even root."""
    place = tmp_path / "stubborn"
    place.mkdir()
    (place / "file").write_text("x\n")
    change, keep, let_go = ("chattr", "+i", "-i") if os.geteuid() == 0 else ("chmod", "500", "700")
    if subprocess.run([change, keep, place], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be kept from being deleted here")
    yield place
    subprocess.run([change, let_go, place], check=False)


def test_a_name_is_free_at_once_and_the_files_are_gone_at_the_end(
    repository: Repository, folder: RunFolder
) -> None:
    """Given a checkout that is done with, then another takes its place while it is deleted."""
    heard: list[str] = []
    place = folder.path / "room"
    with repository.clearing.meanwhile(folder.trash, notice=heard.append):
        for _ in range(3):
            with checkout(repository, place, repository.resolve("HEAD")) as room:
                (room / "made").mkdir()
            assert not place.exists()
            assert not repository.git.text("worktree", "list").count("room")
        assert folder.trash.is_dir()
    assert not folder.trash.exists()
    assert heard == []


def test_what_a_killed_run_left_is_deleted_by_the_next_one(
    repository: Repository, folder: RunFolder, tmp_path: Path
) -> None:
    """Given a run that died amid deleting, and another run begins, then nothing is left of it."""
    (folder.trash / "left" / "deep").mkdir(parents=True)
    (folder.trash / "left" / "deep" / "file").write_text("x\n")
    later = new_run_folder(tmp_path / "state", "y")
    with repository.clearing.meanwhile(later.trash, left=later.left_trash(), notice=pytest.fail):
        pass
    assert not (folder.trash / "left").exists()


def test_what_can_not_be_deleted_is_told(
    repository: Repository, folder: RunFolder, stubborn: Path
) -> None:
    """Given a folder that stays whatever is done, then it is named at the end."""
    heard: list[str] = []
    with repository.clearing.meanwhile(folder.trash, left=[stubborn], notice=heard.append):
        pass
    assert len(heard) == 1
    assert f"rm -rf {stubborn}" in heard[0]


def test_outside_of_a_run_nothing_is_left_for_later(repository: Repository, tmp_path: Path) -> None:
    """Given a checkout outside of a run, then its files are gone as soon as it is left."""
    with checkout(repository, tmp_path / "room", repository.resolve("HEAD")):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]
