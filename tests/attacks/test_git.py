"""What a worktree can't make git do on the host. Ids as in the matrix of docs/security.md."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.workspace import open_worktree
from agent.workspace.git import GitFailed
from tests.support.place import Place, a_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree of a fresh repository."""
    with a_place(tmp_path) as place:
        yield place


@pytest.fixture
def evil(tmp_path: Path) -> tuple[Path, Path]:
    """A program that leaves a mark, and the mark."""
    mark, program = tmp_path / "executed", tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, mark


def commit_everything(place: Place) -> None:
    """Do what the host does after a task."""
    (place.tree.path / "new.txt").write_text("new\n")
    place.tree.commit("A task")
    place.tree.changed()
    place.tree.diff()


def plain_git(place: Place, *arguments: str) -> None:
    """Do the same with plain git, to see that the attack works at all."""
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments],
        cwd=place.tree.path,
        capture_output=True,
        check=False,
    )


def test_G01_a_replaced_git_folder_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """An attacker's repository in place of the pointer file, with fsmonitor."""
    program, mark = evil
    (place.tree.path / ".git").unlink()
    subprocess.run(["git", "init", "-q"], cwd=place.tree.path, check=True)
    config = place.tree.path / ".git" / "config"
    config.write_text(config.read_text() + f"[core]\n\tfsmonitor = {program}\n")
    plain_git(place, "status")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G02_a_filter_of_the_repository_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """A clean filter that attributes in the worktree switch on."""
    program, mark = evil
    place.project.git("config", "filter.evil.clean", str(program))
    (place.tree.path / ".gitattributes").write_text("* filter=evil\n")
    (place.tree.path / "a.txt").write_text("a\n")
    plain_git(place, "add", "a.txt")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G03_textconv_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """A diff driver that attributes in the worktree switch on."""
    program, mark = evil
    place.project.git("config", "diff.evil.textconv", str(program))
    (place.tree.path / ".gitattributes").write_text("* diff=evil\n")
    (place.tree.path / "README").write_text("changed\n")
    plain_git(place, "diff")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G06_a_nested_repository_is_not_committed(place: Place) -> None:
    """Neither as a link nor with its files."""
    nested = place.tree.path / "nested"
    nested.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=nested, check=True)
    (nested / "a").write_text("a")
    commit_everything(place)
    listed = place.project.git("ls-tree", "-r", "prp/x")
    assert "160000" not in listed
    assert "nested" not in listed


@pytest.mark.parametrize(
    "hook", ["pre-commit", "post-index-change", "post-commit", "reference-transaction"]
)
def test_G07_hooks_of_the_repository_do_not_run(
    place: Place, evil: tuple[Path, Path], hook: str
) -> None:
    """Whatever core.hooksPath says."""
    program, mark = evil
    folder = place.tree.path / ".husky"
    folder.mkdir()
    (folder / hook).write_text(program.read_text())
    (folder / hook).chmod(0o755)
    place.project.git("config", "core.hooksPath", str(folder))
    (place.tree.path / "b.txt").write_text("b\n")
    plain_git(place, "add", "-A")
    plain_git(place, "commit", "-q", "-m", "x")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["-evil", "a..b", "x.lock", "a b", "a~b", "\N{SNOWMAN}\n"])
def test_G10_a_hostile_branch_name_is_refused(place: Place, name: str, tmp_path: Path) -> None:
    """Names are made by us and checked all the same."""
    repository, folder = place.tree.repository, tmp_path / "second"
    with (
        pytest.raises(GitFailed),
        open_worktree(repository, folder, branch=name, base=place.tree.base),
    ):
        pass
    assert not folder.exists()


@pytest.mark.parametrize("name", ["--output=x", "-n", "a\nb", ":(exclude)c", "*"])
def test_G11_a_hostile_file_name_is_only_a_name(place: Place, name: str) -> None:
    """It is committed like any other."""
    (place.tree.path / name).write_text("x\n")
    assert place.tree.commit("A task") is not None
    assert name in [file.path for file in place.tree.changed()]


def test_a_link_that_leaves_the_tree_is_not_committed(place: Place) -> None:
    """One inside is."""
    (place.tree.path / "out").symlink_to("/etc/passwd")
    (place.tree.path / "in").symlink_to("README")
    commit_everything(place)
    names = [file.path for file in place.tree.changed()]
    assert "out" not in names
    assert "in" in names


def test_F13_a_branch_that_moved_is_not_overwritten(place: Place) -> None:
    """Compare-and-swap refuses."""
    (place.tree.path / "a").write_text("a")
    head = place.tree.head()
    other = place.project.git("commit-tree", f"{head}^{{tree}}", "-p", head, "-m", "x").strip()
    with pytest.raises(GitFailed):
        place.tree.git("update-ref", "refs/heads/prp/x", head, other)


def test_the_environment_of_the_person_does_not_reach_git(
    place: Place, monkeypatch: pytest.MonkeyPatch, evil: tuple[Path, Path]
) -> None:
    """Variables that name programs or folders are left out."""
    program, mark = evil
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    monkeypatch.setenv("GIT_INDEX_FILE", os.devnull)
    commit_everything(place)
    assert not mark.exists()
