"""Takes commits of a run's branch into the person's own checkout: whole, or not at all."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import EnvironmentProblem
from agent.workspace.git import Git, GitFailed
from agent.workspace.repository import Repository

How = Literal["merge", "cherry-pick", "squash"]
_FILTER = re.compile(rb"^(?!\s*#).*\sfilter=", re.MULTILINE)
_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The person's own checkout: what stands in it is theirs, and stays as it is."""

    repository: Repository
    git: Git

    @classmethod
    def of(cls, repository: Repository) -> "Checkout":
        """Return the checkout that a repository was found in, a linked worktree too."""
        git = repository.git
        pointer = repository.root / ".git"
        own = None
        if pointer.is_file():
            name = pointer.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            own = repository.root / name
        with_tree = Git(
            common_dir=git.common_dir,
            git_dir=own,
            work_tree=repository.root,
            identity=git.identity,
        )
        return cls(repository=repository, git=with_tree)

    @property
    def branch(self) -> str:
        """Return the name of the branch that is checked out, `HEAD` where none is."""
        return self.git.text("rev-parse", "--abbrev-ref", "HEAD").strip()

    def has(self, base: str, head: str) -> bool:
        """Return whether what two commits differ in is checked out already, however it came."""
        files = [file.path for file in self.repository.changed(base, head)]
        tip = self._tip()
        return bool(files) and not self.git("diff-tree", "-r", tip, head, "--", *files)

    def commits(self, base: str, head: str) -> int:
        """Return how many commits lead from one commit to another."""
        return int(self.git.text("rev-list", "--count", f"{base}..{head}"))

    def require_free(self) -> None:
        """Make sure that nothing of the person's could be mixed up with what comes.

        Raises:
            EnvironmentProblem: Files are changed, another operation is under way, or the
                repository has programs of its own for what git would do here.

        """
        folder = self.git.git_dir or self.git.common_dir
        for name in _UNDER_WAY:
            if (folder / name).exists():
                raise EnvironmentProblem(
                    f"{self.repository.root} is in the middle of something: {name}",
                    hint="End it first: git status says how.",
                )
        changed = self.git.text("status", "--porcelain", "--untracked-files=no").splitlines()
        if changed:
            raise EnvironmentProblem(
                f"{self.repository.root} has changes that are not committed: "
                f"{', '.join(line[3:] for line in changed[:5])}",
                hint="Commit them or put them aside (git stash), then try again.",
            )

    def require_plain(self, head: str, *, by_hand: str) -> None:
        """Make sure that git does here what it would do with the programs of the person's.

        Args:
            head: The commit that is to come.
            by_hand: The command that does it with them.

        Raises:
            EnvironmentProblem: Files pass through filters, as those of git LFS do.

        """
        for commit in (self._tip(), head):
            for path in self.repository.files(commit):
                if path.rpartition("/")[2] != ".gitattributes":
                    continue
                if _FILTER.search(self.repository.read(commit, path)):
                    raise EnvironmentProblem(
                        f"{path} asks for filters (as git LFS does), which prp does not run",
                        hint=f"Do it by hand: {by_hand}",
                    )

    def join(self, base: str, head: str, how: How, message: str) -> str:
        """Take commits in and return the new commit of the checkout.

        Raises:
            EnvironmentProblem: They do not fit; the checkout is as it was.

        """
        before = self._tip()
        try:
            self._take(base, head, how, message)
        except GitFailed as error:
            clashing = self.git.names("diff", "--name-only", "--diff-filter=U", "-z")
            self._put_back(how, before)
            where = f" in {', '.join(clashing[:10])}" if clashing else f": {error.words.strip()}"
            raise EnvironmentProblem(
                f"The branch does not fit onto {self.branch}{where}",
                hint=f"Nothing was changed. By hand: {by_hand(how, base, head)}",
            ) from None
        return self._tip()

    def _tip(self) -> str:
        return self.git.text("rev-parse", "HEAD").strip()

    def _take(self, base: str, head: str, how: How, message: str) -> None:
        if how == "cherry-pick":
            self.git("cherry-pick", "--allow-empty", f"{base}..{head}")
            return
        options: Sequence[str] = ("--squash",) if how == "squash" else ("-m", message)
        self.git("merge", "--quiet", *options, head)
        if how == "squash":
            self.git("commit", "--quiet", "-m", message)

    def _put_back(self, how: How, before: str) -> None:
        with contextlib.suppress(GitFailed):
            if how == "squash":
                # There is nothing that `merge --abort` would find; all was committed before.
                self.git("reset", "--quiet", "--merge", before)
            else:
                self.git(how, "--abort")


def by_hand(how: How, base: str, head: str) -> str:
    """Return the git command that a person would type for it."""
    short = head[:12]
    if how == "cherry-pick":
        return f"git cherry-pick {base[:12]}..{short}"
    return f"git merge --squash {short} && git commit" if how == "squash" else f"git merge {short}"
