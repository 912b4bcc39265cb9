"""A checkout of its own for each run, so that the person's files are never touched."""

import contextlib
import itertools
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import cast

from agent.errors import EnvironmentProblem, Refused
from agent.shown import printable_lines
from agent.steps import step, to_its_end
from agent.workspace.entries import add_entry, drop_entries, entries, entry_of
from agent.workspace.files import read_bytes
from agent.workspace.git import Git, GitFailed, settled_in
from agent.workspace.locks import release
from agent.workspace.obstacles import clear_obstacles
from agent.workspace.passing import clear_passing, held, taken_over
from agent.workspace.repository import FileStatus, Repository
from agent.workspace.shell import clip

_MOST_FILES = 20_000
_LARGEST = 5 * 1024 * 1024


@dataclass(kw_only=True)
class Worktree:
    """A checked-out branch. Only this program commits to it, never what runs inside."""

    path: Path
    branch: str
    base: str
    repository: Repository
    git: Git
    at: str
    """The commit that the work has come to: a run that is taken up begins at its base again."""
    was_lost: bool = False
    """Whether the folder was gone, and is made again from the branch."""
    stays: bool = False
    """Whether the folder is left as it is, for the run to be taken up."""
    follow: Callable[[str], None] | None = None
    """Takes each commit to where others see it, before the run goes on."""
    _tree: tuple[str, str] = ("", "")
    """A commit and its tree, the last that was asked for."""

    @property
    def ref(self) -> str:
        """Return the name that git gives what the worktree's commits are added to."""
        return f"refs/heads/{self.branch}"

    def head(self) -> str:
        """Return the commit that the work has come to."""
        return self.at

    def tip(self) -> str:
        """Return the branch's commit.

        Raises:
            EnvironmentProblem: Somebody deleted the branch.

        """
        try:
            return self.git.text("rev-parse", "--verify", self.ref).strip()
        except GitFailed:
            raise EnvironmentProblem(
                f"The branch {self.branch} is gone",
                hint=f"Bring it back: git branch {self.branch} {self.at[:12]}",
            ) from None

    def blobs(self) -> dict[str, str]:
        """Return the hash of each file's content at the base commit."""
        return self.repository.blobs(self.base)

    def changed(self, since: str | None = None) -> tuple[FileStatus, ...]:
        """Return the files that the branch changes since a commit, by default the base."""
        return self.repository.changed(since or self.base, self.head())

    def diff(self, *, limit: int = 1_000_000) -> str:
        """Return what the branch changes since the base commit, `limit` characters of it."""
        return clip(self.repository.diff(self.base, self.head()), limit=limit)

    async def commit_once(self, message: str, *, body: str = "") -> str | None:
        """Commit as a step: a run that is taken up gets the same commit again; see `commit`."""

        def do() -> str | None:
            made = self.commit(message, body=body)
            if made and self.follow:
                self.follow(made)
            return made

        made = cast("str | None", await step("commit", partial(to_its_end, do), settles=True))
        if made:
            self.at = made
        return made

    def commit(self, message: str, *, body: str = "") -> str | None:
        """Commit everything that is safe to commit; None where nothing changed.

        Left out are nested repositories, links that leave the tree and files over 5 MB.

        Raises:
            EnvironmentProblem: The branch is gone or moved: somebody else committed to it.
            Refused: Over 20,000 files changed.

        """
        self._stage()
        return self.commit_tree(self.git.text("write-tree").strip(), message, body=body)

    def commit_tree(self, tree: str, message: str, *, body: str = "") -> str | None:
        """Commit a tree that git has; None where it is what the branch holds already.

        Raises:
            EnvironmentProblem: The branch is gone or moved: somebody else committed to it.

        """
        if tree == self._tree_of(self.at):
            return None
        # Models word it, and `git log` shows it to terminals.
        words = printable_lines(f"{message}\n\n{body}").strip() + "\n"
        made = self.git.text(
            "commit-tree", tree, "-p", self.at, stdin=words.encode("utf-8", "replace")
        ).strip()
        try:
            self.git("update-ref", self.ref, made, self.at)
        except GitFailed:
            if (made := self.tip()) == self.at:
                raise
            self._require_ours(made, tree)
        self.at, self._tree = made, (made, tree)
        return made

    def _require_ours(self, tip: str, tree: str) -> None:
        """Make sure that a commit was made just before a crash, and not by somebody else."""
        parents = self.git.text("rev-parse", f"{tip}^@").split()
        if parents != [self.at] or self._tree_of(tip) != tree:
            raise EnvironmentProblem(
                f"The branch {self.branch} was moved to {tip[:12]}; the run left it at "
                f"{self.at[:12]}",
                hint=f"Put it back: git update-ref refs/heads/{self.branch} {self.at[:12]}; "
                "keep what you committed on a branch of your own. Or go on from what it holds now: "
                "prp resume RUN --afresh.",
            )

    def _tree_of(self, commit: str) -> str:
        if self._tree[0] != commit:
            self._tree = commit, self.git.text("rev-parse", f"{commit}^{{tree}}").strip()
        return self._tree[1]

    def go_on_from(self, commit: str) -> None:
        """Let the branch end with a commit that was made elsewhere on top of its own."""
        self._clear_obstacles()
        if self.tip() != commit:
            self.git("update-ref", self.ref, commit, self.at)
        self.git("read-tree", "--reset", "-u", commit)
        self.at = commit

    def deliver(self, commit: str) -> None:
        """Make the branch end with a commit; later commits are kept under `refs/prp/`."""
        head = self.tip()
        if head != commit:
            self._clear_obstacles()
            kept = f"refs/prp/{self.branch.removeprefix('prp/')}/{head[:12]}"
            self.git("update-ref", kept, head)
            self.git("update-ref", f"refs/heads/{self.branch}", commit, head)
            self.git("reset", "-q", "--hard", commit)
        self.at = commit

    def restore(self) -> None:
        """Bring the files to the commit that the work has come to, whatever the branch holds.

        A commit that was made just before a crash is not known yet: it comes again.
        """
        self._clear_obstacles()
        self.git("read-tree", "--reset", "-u", self.at)

    def take_back(self, commit: str) -> None:
        """Undo a commit of unfinished work: its changes stay in the folder, to go on with."""
        parent = self.git.text("rev-parse", "--verify", f"{commit}^").strip()
        self.git("update-ref", f"refs/heads/{self.branch}", parent, commit)
        self.git("read-tree", parent)

    def _clear_obstacles(self) -> None:
        clear_obstacles(self.path, self.git.notice)

    def _stage(self) -> None:
        self._clear_obstacles()
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
            return _stays_below(self.path, place)
        return stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST


def _stays_below(root: Path, link: Path) -> bool:
    """Return whether a link leads to a place below a folder, whatever the links on its way are."""
    target = PurePosixPath(link.readlink())
    # Behind a name `..` is what lies above the place that the name leads to, not the name.
    named = itertools.dropwhile(lambda part: part == "..", target.parts)
    return ".." not in named and Path(os.path.normpath(link.parent / target)).is_relative_to(root)


@contextmanager
def open_worktree(
    repository: Repository,
    folder: Path,
    *,
    branch: str,
    base: str,
    start: str = "",
    notice: Callable[[str], None] = lambda _: None,
) -> Iterator[Worktree]:
    """Check a branch out in a folder of its own, and take the folder away again unless it stays.

    Branch and folder are made, or taken as they were left, however that came. The branch stays: it
    is what a run delivers. One that nobody committed to is deleted. `start` is the commit with
    earlier work that it begins with; empty for the base. `notice` is told what was mended.

    Raises:
        EnvironmentProblem: The branch is checked out elsewhere, or another git works on it.

    """
    repository.git("check-ref-format", "--branch", branch)
    # git remembers where it is, not the links that lead there.
    folder = folder.resolve()
    # Whoever opens it holds the run, so nobody else moves its branch: a crash left the lock behind.
    (repository.git.common_dir / "refs" / "heads" / f"{branch}.lock").unlink(missing_ok=True)
    is_new = not repository.has_branch(branch)
    if is_new:
        repository.git("branch", "--no-track", branch, start or base)
    try:
        tree = _opened(repository, folder, branch, base, start or base, notice)
    except BaseException:
        if is_new:
            _delete_if_empty(repository, branch, base)
        raise
    try:
        yield tree
    finally:
        if not tree.stays:
            _remove(repository, folder)
            _delete_if_empty(repository, branch, base)


def _opened(
    repository: Repository,
    folder: Path,
    branch: str,
    base: str,
    start: str,
    notice: Callable[[str], None],
) -> Worktree:
    was_lost = not folder.is_dir() or not _is_checked_out(repository, folder)
    git = _check_out(repository, folder, branch) if was_lost else _git_of(repository, folder)
    git = replace(git, notice=notice)
    for name in ("index.lock", "HEAD.lock"):
        # The run's own lock is held: a crash left it behind, or a person's git is at work.
        if git.git_dir:
            release(git.git_dir / name, notice)
    return Worktree(
        path=folder,
        branch=branch,
        base=base,
        repository=repository,
        git=git,
        at=start,
        was_lost=was_lost,
    )


def _is_checked_out(repository: Repository, folder: Path) -> bool:
    """Return whether a folder has come to hold all files of its commit, whatever came later."""
    own = entry_of(repository.git, folder)
    # git writes the index last.
    return own is not None and (own / "index").is_file()


def _check_out(repository: Repository, folder: Path, target: str) -> Git:
    """Make a folder that holds the files of a branch or a commit, and nothing else; return its git.

    What stands there is given up.
    """
    _remove(repository, folder)
    try:
        add_entry(repository.git, folder, target)
        git = _git_of(repository, folder)
        # Outside of the lock: the files of a large repository take their time.
        git("reset", "-q", "--hard")
    except BaseException:
        _remove(repository, folder)
        raise
    return git


def _delete_if_empty(repository: Repository, branch: str, base: str) -> None:
    # Where somebody moved or deleted it meanwhile, it is theirs.
    with contextlib.suppress(GitFailed):
        repository.git("update-ref", "-d", f"refs/heads/{branch}", base)


def clear_worktrees(repository: Repository, folder: Path, *, but: Sequence[Path] = ()) -> None:
    """Take away the worktrees that a crash left below a folder, all but those in some places."""
    folder, but = folder.resolve(), [place.resolve() for place in but]
    for _, place in entries(repository.git):
        if place.is_relative_to(folder) and not any(map(place.is_relative_to, but)):
            _remove(repository, place)


@contextmanager
def checkout(repository: Repository, folder: Path, commit: str) -> Iterator[Path]:
    """Check a commit out in a new folder without a branch, and take the folder away again."""
    folder = folder.resolve()
    for entry, place in entries(repository.git):
        with taken_over(entry, place) as is_left:
            if is_left:
                _remove(repository, place)
    clear_passing()
    with held(folder):
        _check_out(repository, folder, commit)
        try:
            yield folder
        finally:
            _remove(repository, folder)


def _git_of(repository: Repository, folder: Path) -> Git:
    """Return git for a worktree."""
    own = entry_of(repository.git, folder)
    if own is None:
        raise EnvironmentProblem(f"git does not know the worktree {folder}")
    return Git(
        common_dir=repository.git.common_dir,
        git_dir=own,
        work_tree=folder,
        settled=settled_in(own),
        identity=repository.git.identity,
    )


def _remove(repository: Repository, folder: Path) -> None:
    """Take a worktree's folder away, then what git knows of it: a crash between shows as lost."""
    repository.clearing.take_away(folder)
    drop_entries(repository.git, folder)
