"""Worktrees of one repository that several runs, and the person, use at the same time."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.workspace import Repository, checkout
from agent.workspace.repository import hash_of
from tests.support.project import Project

_ADDS_AND_REMOVES = """
import sys
from pathlib import Path
from agent.workspace import Repository, checkout

repository = Repository.open(Path(sys.argv[1]))
for number in range(12):
    with checkout(repository, Path(sys.argv[2]) / "room", repository.resolve("HEAD")) as room:
        assert (room / "README").read_text() == "x\\n"
        repository.git("rev-list", "HEAD", "--not", "--all")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", {"README": "x\n"})


def half_made(project: Project, *, head: str, gitdir: str = "/nowhere/.git") -> Path:
    """Leave what a `git worktree add` leaves that was killed, or that the power failed under."""
    entry = project.root / ".git" / "worktrees" / "room"
    entry.mkdir(parents=True)
    for name, text in {"locked": "", "gitdir": gitdir, "HEAD": head, "commondir": ""}.items():
        (entry / name).write_text(text + "\n" * bool(text))
    with pytest.raises(subprocess.CalledProcessError):
        project.git("worktree", "list")
    return entry


def test_F01_what_a_killed_git_left_is_taken_away(project: Project, tmp_path: Path) -> None:
    """Given an entry that git dies of, then a run begins, and the person's git works again."""
    entry = half_made(project, head="0" * 40)
    repository = Repository.open(project.root)
    with checkout(repository, tmp_path / "clean", repository.resolve("HEAD")) as room:
        assert (room / "README").exists()
    assert project.git("worktree", "list").count("\n") == 1
    assert not entry.exists()


def test_F01_a_persons_worktree_that_the_power_failed_under_is_mended(
    project: Project, tmp_path: Path
) -> None:
    """It had a commit, so it was whole: it loses nothing."""
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "room"))
    (project.root / ".git" / "worktrees" / "room" / "commondir").write_text("")
    (tmp_path / "room" / "mine").write_text("mine\n")
    repository = Repository.open(project.root)
    with checkout(repository, tmp_path / "clean", repository.resolve("HEAD")):
        pass
    assert project.git("-C", str(tmp_path / "room"), "status", "--short") == "?? mine\n"


def test_F19_an_entry_that_somebody_makes_at_this_moment_is_waited_for(
    project: Project, tmp_path: Path
) -> None:
    """Given git writes it while ours looks, then nobody takes it away."""
    head = project.git("rev-parse", "HEAD").strip()
    entry = half_made(project, head="0" * 40)

    def go_on() -> None:
        (entry / "commondir").write_text("../..\n")
        (entry / "HEAD").write_text(f"{head}\n")

    repository = Repository.open(project.root)
    later = threading.Timer(0.4, go_on)
    later.start()
    with checkout(repository, tmp_path / "clean", head):
        pass
    later.join()
    assert (entry / "HEAD").exists()


def test_F19_several_programs_add_and_remove_worktrees_side_by_side(
    project: Project, tmp_path: Path
) -> None:
    """None of them meets what another has only half made, and nothing is left."""
    processes = []
    for name in "abcd":
        (tmp_path / name).mkdir()
        words = [sys.executable, "-c", _ADDS_AND_REMOVES, str(project.root), str(tmp_path / name)]
        processes.append(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, "\n".join(said)
    assert project.git("worktree", "list").count("\n") == 1


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_content_has_the_hash_that_git_gives_it(tmp_path: Path, form: str) -> None:
    """Given a repository of either format, then ours is the one that its trees name."""
    git = ("git", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q", f"--object-format={form}"], check=True)
    told = subprocess.run(
        [*git, "hash-object", "--stdin"], input=b"a\0b\n", capture_output=True, check=True
    )
    expected = told.stdout.decode().strip()
    assert hash_of(b"a\0b\n", like=expected) == expected
    assert hash_of(b"a\0b", like=expected) != expected
