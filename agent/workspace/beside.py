"""Worktrees beside a run's own, for work that goes on at the same time, and how it is joined."""

import contextlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agent.errors import PrpError
from agent.steps import Json, Keeper, begin_again_with, keeper, step, to_its_end
from agent.workspace.git import GitFailed
from agent.workspace.passing import passing_folder
from agent.workspace.repository import Repository
from agent.workspace.worktree import (
    Worktree,
    _check_out,
    _git_of,
    _is_checked_out,
    _remove,
)

_FILES = ("100644", "100755")


@dataclass(kw_only=True)
class Beside(Worktree):
    """A checkout without a branch; its folder is made when something is first done in it."""

    start: str
    """The commit that it was checked out at."""
    kept_by: Keeper | None = None
    """Who keeps the steps of what is done in it."""
    _here: str
    """A commit that is known to be here."""

    @property
    def ref(self) -> str:
        """Return the name that git gives what its commits are added to."""
        return "HEAD"

    async def commit_once(self, message: str, *, body: str = "") -> str | None:
        """Commit as a step; what only another machine has is made again, the commit included."""

        async def do() -> Json:
            made = await to_its_end(lambda: self.commit(message, body=body))
            self._here = made or self._here
            return made

        async def again() -> None:
            self.at = self.tip()
            self.commit(message, body=body)

        made = cast("str | None", await step("commit", do, redo=again))
        self.at = made or self.at
        if self.kept_by and await self._is_here():
            self.kept_by.settle()
        return made

    async def require(self) -> None:
        """Make sure that its commit is here: where another machine made it, it is made again."""
        if self.kept_by and not await self._is_here():
            await self.kept_by.bring_back()

    async def _is_here(self) -> bool:
        if self._here != self.at and await to_its_end(lambda: _has(self.repository, self.at)):
            self._here = self.at
        return self._here == self.at

    def keep(self, commit: str = "") -> str:
        """Keep a commit for people below `refs/prp/`, its own by default; return the name."""
        name = f"refs/prp/{self.branch.removeprefix('prp/')}/{self.path.name}"
        self.repository.git("update-ref", name, commit or self.at)
        return name

    def keep_unfinished(self) -> None:
        """Keep what no commit holds yet for people; for the run it stays as it is."""
        self._stage()
        tree, tip = self.git.text("write-tree").strip(), self.tip()
        words = b"Keep unfinished work\n"
        self.keep(self.git.text("commit-tree", tree, "-p", tip, stdin=words).strip())

    def make(self) -> None:
        """Check its last commit out that is here, anew where a folder was left half-made."""
        if self.at != self._here:
            self.at = self.at if _has(self.repository, self.at) else self.start
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.git = _check_out(self.repository, self.path, self.at)

    def close(self) -> None:
        """Take its folder away."""
        if self.path.exists():
            _remove(self.repository, self.path)


def open_beside(tree: Worktree, folder: Path, *, at: str) -> Beside:
    """Check a commit out in a folder of its own, beside the worktree that it is meant for.

    Where a crash left the folder, it is taken as it was left. What was lost is made again before
    the next step that is new, with what the steps so far did to it.
    """
    beside = Beside(
        path=folder,
        branch=tree.branch,
        base=tree.base,
        repository=tree.repository,
        git=tree.repository.git,
        at=at,
        start=at,
        kept_by=keeper.get(),
        _here=at,
    )
    if folder.is_dir() and _is_checked_out(tree.repository, folder):
        beside.git = _git_of(tree.repository, folder)
        for name in ("index.lock", "HEAD.lock"):
            # The run's lock is held, so nobody else works here: a crash left it behind.
            if beside.git.git_dir:
                (beside.git.git_dir / name).unlink(missing_ok=True)
    elif beside.kept_by:
        beside.was_lost = True
        begin_again_with(beside.make)
    else:
        beside.make()
    return beside


def take_in(
    tree: Worktree, since: str, made: str, *, as_committed: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Bring to a worktree's files what another one's commit changes, without a commit.

    Args:
        tree: The worktree; what no commit of it holds is given up.
        since: The commit that both began at.
        made: The other one's commit.
        as_committed: Whether files and index are known to be those of the worktree's commit.

    Returns:
        The tree that came of it, for a commit, and nothing; or nothing and the paths that both
        changed in ways that do not fit: then the files are as they were.

    """
    if not as_committed:
        tree.restore()
    try:
        tree.git("read-tree", "-m", "-u", "--aggressive", since, tree.at, made)
        with contextlib.suppress(GitFailed):
            # It fails where git could not decide on everything.
            return tree.git.text("write-tree").strip(), ()
        clashing = [p for p, sides in _unmerged(tree).items() if not _merge(tree, p, sides)]
    except GitFailed:
        # A file in the place of a folder, or one that no commit holds in the place of a new one.
        clashing = _both_changed(tree, since, made)
    if clashing:
        tree.restore()
        return "", tuple(clashing)
    return tree.git.text("write-tree").strip(), ()


def _has(repository: Repository, commit: str) -> bool:
    with contextlib.suppress(GitFailed):
        repository.git("cat-file", "-e", f"{commit}^{{commit}}")
        return True
    return False


def _both_changed(tree: Worktree, since: str, made: str) -> list[str]:
    ours = {file.path for file in tree.repository.changed(since, tree.at)}
    theirs = [file.path for file in tree.repository.changed(since, made)]
    return [path for path in theirs if path in ours] or theirs


def _unmerged(tree: Worktree) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the paths that git could not decide, with mode and blob by side: 1 base, 2 ours."""
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for line in tree.git.names("ls-files", "--unmerged", "-z"):
        entry, _, path = line.partition("\t")
        mode, blob, side = entry.split()
        found[path][side] = (mode, blob)
    return found


def _merge(tree: Worktree, path: str, sides: dict[str, tuple[str, str]]) -> bool:
    """Put both changes of one file together, line by line; say whether they fit."""
    modes = {mode for mode, _ in sides.values()}
    if len(sides) != 3 or not modes <= set(_FILES):
        return False
    with passing_folder("merge") as folder:
        places = [folder / side for side in ("2", "1", "3")]
        for place in places:
            place.write_bytes(tree.git("cat-file", "blob", sides[place.name][1]))
        try:
            merged = tree.git("merge-file", "-p", *map(str, places))
        except GitFailed:
            return False
    blob = tree.git.text("hash-object", "-w", "--no-filters", "--stdin", stdin=merged).strip()
    base, ours, theirs = (sides[side][0] for side in ("1", "2", "3"))
    entry = f"{theirs if ours == base else ours} {blob} 0\t{path}\0"
    tree.git("update-index", "-z", "--index-info", stdin=entry.encode("utf-8", "surrogateescape"))
    tree.git("checkout-index", "-q", "-f", "--", path)
    return True


def keep_aside(tree: Worktree, folder: Path) -> None:
    """Keep what stands in worktrees beside a run's own: commits under `refs/prp/`, for people.

    Where that fails the run's folders stay.
    """
    for place in sorted(folder.glob("*")):
        if not _is_checked_out(tree.repository, place):
            continue
        try:
            open_beside(tree, place, at=tree.head()).keep_unfinished()
        except (PrpError, OSError, ValueError):
            tree.stays = True
