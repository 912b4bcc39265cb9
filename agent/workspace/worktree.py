"""A checkout of its own for each run, so that the person's files are never touched."""

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import Refused
from agent.shown import printable_lines
from agent.workspace.files import read_bytes
from agent.workspace.git import Git, GitFailed, settled_in
from agent.workspace.repository import FileStatus, Repository
from agent.workspace.shell import clip

_MOST_FILES = 20_000
_LARGEST = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Worktree:
    """A checked-out branch. Only this program commits to it, never what runs inside."""

    path: Path
    branch: str
    base: str
    repository: Repository
    git: Git

    def head(self) -> str:
        """Return the branch's commit."""
        return self.git.text("rev-parse", "--verify", f"refs/heads/{self.branch}").strip()

    def files(self) -> list[str]:
        """Return the paths of all files of the base commit."""
        return self.repository.files(self.base)

    def read(self, path: str) -> bytes:
        """Return a file's content at the base commit."""
        return self.repository.read(self.base, path)

    def changed(self, since: str | None = None) -> tuple[FileStatus, ...]:
        """Return the files that the branch changes since a commit, by default the base."""
        return self.repository.changed(since or self.base, self.head())

    def diff(self, *, limit: int = 1_000_000) -> str:
        """Return what the branch changes since the base commit, `limit` characters of it."""
        return clip(self.repository.diff(self.base, self.head()), limit=limit)

    def commit(self, message: str, *, body: str = "") -> str | None:
        """Commit everything that is safe to commit; None where nothing changed.

        Left out are nested repositories, links that leave the tree and files over 5 MB.

        Raises:
            GitFailed: The branch moved meanwhile: somebody else committed to it.
        Refused: Over 20,000 files changed.

        """
        self._stage()
        tree = self.git.text("write-tree").strip()
        parent = self.head()
        if tree == self.git.text("rev-parse", f"{parent}^{{tree}}").strip():
            return None
        # Models word it, and `git log` shows it to terminals.
        words = printable_lines(f"{message}\n\n{body}").strip() + "\n"
        made = self.git.text(
            "commit-tree", tree, "-p", parent, stdin=words.encode("utf-8", "replace")
        ).strip()
        self.git("update-ref", f"refs/heads/{self.branch}", made, parent)
        return made

    def deliver(self, commit: str) -> None:
        """Make the branch end with a commit; later commits are kept under `refs/prp/`."""
        head = self.head()
        if head == commit:
            return
        self.git("update-ref", f"refs/prp/{self.branch.removeprefix('prp/')}/{head[:12]}", head)
        self.git("update-ref", f"refs/heads/{self.branch}", commit, head)
        self.git("reset", "-q", "--hard", commit)

    def _stage(self) -> None:
        listed = self.git.names(
            "ls-files", "-z", "--others", "--modified", "--deleted", "--exclude-standard"
        )
        wanted = [path for path in dict.fromkeys(listed) if self._is_safe(path)]
        names = "\0".join(wanted).encode("utf-8", "surrogateescape")
        if len(wanted) > _MOST_FILES:
            folder = Counter(path.split("/", 1)[0] + "/" for path in wanted).most_common(1)[0][0]
            raise Refused(
                f"{len(wanted):,} files changed, most of them in {folder}: too many for one commit",
                hint=f"Ignore what no commit should hold: echo '{folder}' >> .gitignore",
            )
        if not names:
            return
        try:
            self.git("update-index", "--add", "--remove", "-z", "--stdin", stdin=names)
        except GitFailed:
            # Attributes can ask for what a file is not, for instance another encoding.
            for path in wanted:
                self._stage_alone(path)

    def _stage_alone(self, path: str) -> None:
        """Stage one file, as it is where git can't make of it what its attributes want."""
        try:
            self.git("update-index", "--add", "--remove", "--", path)
        except GitFailed:
            place = self.path / path
            found = place.lstat()
            mode = "100755" if found.st_mode & stat.S_IXUSR else "100644"
            content = read_bytes(self.path, path)
            blob = self.git.text("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
            entry = f"{mode} {blob.strip()}\t{path}\0".encode("utf-8", "surrogateescape")
            self.git("update-index", "-z", "--index-info", stdin=entry)

    def _is_safe(self, path: str) -> bool:
        # git lists a nested repository as a folder; staging it would make a gitlink.
        if path.endswith("/"):
            return False
        place = self.path / path
        try:
            found = place.lstat()
        except OSError:
            return True
        if stat.S_ISLNK(found.st_mode):
            target = Path(os.path.normpath(place.parent / place.readlink()))
            return target.is_relative_to(self.path)
        return stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST


@contextmanager
def open_worktree(
    repository: Repository, folder: Path, *, branch: str, base: str
) -> Iterator[Worktree]:
    """Check a new branch out in a new folder, and take the folder away again.

    The branch stays: it is what a run delivers. One that nobody committed to is deleted.
    """
    repository.git("check-ref-format", "--branch", branch)
    repository.git("worktree", "add", "-q", "--lock", "-b", branch, str(folder), base)
    tree = Worktree(
        path=folder,
        branch=branch,
        base=base,
        repository=repository,
        git=_git_of(repository, folder),
    )
    try:
        yield tree
    finally:
        head = repository.git.text("rev-parse", "--verify", f"refs/heads/{branch}").strip()
        _remove(repository, folder)
        if head == base:
            repository.git("update-ref", "-d", f"refs/heads/{branch}", base)


@contextmanager
def checkout(repository: Repository, folder: Path, commit: str) -> Iterator[Path]:
    """Check a commit out in a new folder without a branch, and take the folder away again."""
    repository.git("worktree", "add", "-q", "--lock", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _remove(repository, folder)


def _git_of(repository: Repository, folder: Path) -> Git:
    """Return git for a worktree that was just made; its pointer file is read this once."""
    pointer = (folder / ".git").read_text(encoding="utf-8")
    own = Path(pointer.removeprefix("gitdir:").strip())
    return Git(
        common_dir=repository.git.common_dir,
        git_dir=own,
        work_tree=folder,
        settled=settled_in(own),
        identity=repository.git.identity,
    )


def _remove(repository: Repository, folder: Path) -> None:
    try:
        repository.git("worktree", "remove", "--force", "--force", str(folder))
    except GitFailed:
        # Files that a command made unreadable, or a folder that somebody took away already.
        import shutil  # noqa: PLC0415 - rare

        # Folders nested a thousand deep stay where they are: below the run's state, not here.
        with contextlib.suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)
        for name in repository.git.text("worktree", "list", "--porcelain").splitlines():
            if name == f"worktree {folder}":
                repository.git("worktree", "unlock", str(folder))
        repository.git("worktree", "prune")
