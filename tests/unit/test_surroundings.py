"""The place of a document, whatever somebody has put where git looks."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import EnvironmentProblem
from agent.workspace.git import Git
from agent.workspace.surroundings import find_root, look_around


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository with a file that git does not know yet."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.py").touch()
    return tmp_path


def _pipe_as_ignore_file(root: Path) -> None:
    os.mkfifo(root / ".gitignore")


def _pipe_as_exclude_file(root: Path) -> None:
    exclude = root / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.unlink(missing_ok=True)
    os.mkfifo(exclude)


def _pipe_as_included_file(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with (root / ".git" / "config").open("a") as config:
        config.write("[include]\n\tpath = ../pipe\n")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_pipe_as_ignore_file, id=".gitignore"),
        pytest.param(_pipe_as_exclude_file, id="exclude"),
        pytest.param(_pipe_as_included_file, id="include"),
    ],
)
def test_a_pipe_where_git_reads_is_an_error_in_time(
    checkout: Path, spoil: Callable[[Path], None]
) -> None:
    """It would wait for ever for somebody who writes."""
    spoil(checkout)
    git = Git(common_dir=checkout / ".git", work_tree=checkout, seconds=0.5)
    with pytest.raises(EnvironmentProblem, match="did not answer within"):
        git.names("ls-files", "-z", "-co", "--exclude-standard")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"gitdir: \xff\xfe", id="no text"),
        pytest.param(b"gitdir: a\0b", id="NUL"),
        pytest.param(b"gitdir: /nowhere/at/all", id="dangling"),
        pytest.param(b"gitdir: " + b"a/" * 4000, id="too long"),
        pytest.param(b"nothing of the kind", id="other words"),
    ],
)
def test_a_git_file_that_names_no_repository_is_none(tmp_path: Path, words: bytes) -> None:
    """The document is linted without its surroundings."""
    (tmp_path / ".git").write_bytes(words)
    assert find_root(tmp_path) is None


@pytest.mark.parametrize("common", [b"/nowhere/at/all", b"\xff", b"a/" * 4000])
def test_a_worktree_without_its_repository_is_none(tmp_path: Path, common: bytes) -> None:
    """Its `commondir` points nowhere, or is no text."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_bytes(common)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / ".git").write_text(f"gitdir: {own}\n")
    assert find_root(tmp_path / "tree") is None


def test_a_worktree_has_its_own_files(checkout: Path, tmp_path: Path) -> None:
    """A linked one as well."""
    around = look_around(checkout / "x.md", search_path="", home=tmp_path)
    assert around is not None
    assert "a.py" in around.known
