"""Files beneath a root that somebody hostile may write in."""

import contextlib
import os
from pathlib import Path

import pytest

from agent.workspace import FileProblem, files
from agent.workspace.files import list_files, read_text, search, write_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with ways out of it."""
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("outside")
    (root / "src" / "a.py").write_text("x = 1\n")
    (root / "link").symlink_to(tmp_path / "outside.txt")
    (root / "folder").symlink_to(tmp_path)
    os.link(tmp_path / "outside.txt", root / "hard")
    os.mkfifo(root / "pipe")
    return root


OUT = [
    *("../outside.txt", "/etc/passwd", "src/../../outside.txt", "link", "folder/outside.txt"),
    *("hard", "pipe", "src", ".git/config", ".GIT/hooks/x", "src/.git/x", "a\0b", "", "."),
]


@pytest.mark.parametrize("path", OUT)
def test_no_way_leads_out(root: Path, path: str, tmp_path: Path) -> None:
    """Neither to read nor to write."""
    with pytest.raises(FileProblem):
        read_text(root, path)
    with pytest.raises(FileProblem):
        write_text(root, path, "evil")
    assert (tmp_path / "outside.txt").read_text() == "outside"


def test_a_file_is_written_whole_and_keeps_its_mode(root: Path) -> None:
    """New folders are made on the way."""
    (root / "src" / "a.py").chmod(0o755)
    write_text(root, "src/a.py", "x = 2\n")
    write_text(root, "new/deep/b.py", "y\n")
    assert read_text(root, "src/a.py") == "x = 2\n"
    assert (root / "src" / "a.py").stat().st_mode & 0o777 == 0o755
    assert read_text(root, "new/deep/b.py") == "y\n"
    assert sorted(p.name for p in (root / "src").iterdir()) == ["a.py"]


def test_listing_and_search_name_path_and_line(root: Path) -> None:
    """Globs work as people expect."""
    assert list_files(root, "**/*.py") == ["src/a.py"]
    assert list_files(root, "*.py") == ["src/a.py"]
    assert search(root, r"x\s*=", glob="src/*.py") == "src/a.py:1: x = 1"
    assert search(root, r"x\s*=", glob="{src,docs}/*.{py,md}") == "src/a.py:1: x = 1"
    assert search(root, "outside") == "no match"
    with pytest.raises(FileProblem, match="not a regular expression"):
        search(root, "(")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*c", "([^x]*)*x(a*)*y"])
def test_a_pattern_that_takes_for_ever_is_stopped(
    root: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """With an answer that says why."""
    monkeypatch.setattr(files, "_SEARCH_SECONDS", 0.5)
    write_text(root, "long.txt", "a" * 1_500 + "!\n")
    with contextlib.suppress(FileProblem):  # an engine may see that nothing can match
        assert search(root, pattern) == "no match"


def test_a_glob_that_takes_for_ever_is_stopped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it only lists."""
    monkeypatch.setattr(files, "_SEARCH_SECONDS", 0.5)
    write_text(root, "a/" * 200 + "a.txt", "a")
    with contextlib.suppress(FileProblem):  # an engine may see that nothing can match
        assert list_files(root, "**/" * 40 + "*a*a*a*a*a*a*z") == []


@pytest.mark.parametrize("wrong", ["(", "[z-a]", "a" * 2_000, "(?P<1>a)"])
def test_a_wrong_pattern_is_answered(root: Path, wrong: str) -> None:
    """It is the model's mistake, and no end of a run."""
    with pytest.raises(FileProblem):
        search(root, wrong)


def test_a_wrong_glob_is_answered(root: Path) -> None:
    """Like a wrong pattern."""
    with pytest.raises(FileProblem):
        list_files(root, "[z-a]")
