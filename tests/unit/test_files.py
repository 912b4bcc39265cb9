"""Files beneath a root that somebody hostile may write in."""

import os
from pathlib import Path

import pytest

from agent.workspace import FileProblem
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
    assert search(root, "outside") == "no match"
    with pytest.raises(FileProblem, match="not a regular expression"):
        search(root, "(")
