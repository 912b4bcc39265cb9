"""The person's repository: read, never changed but for branches and worktrees of our own."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import EnvironmentProblem
from agent.workspace.clearing import Clearing
from agent.workspace.git import Git, GitFailed, git_program


@dataclass(frozen=True, kw_only=True)
class FileStatus:
    """How one file differs between two commits."""

    status: str
    """`A` added, `M` modified, `D` deleted, `T` type changed."""
    path: str


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A git repository with at least one commit and a checkout."""

    root: Path
    """Top of the person's checkout."""
    git: Git
    clearing: Clearing = field(default_factory=Clearing, repr=False, compare=False)
    """Takes its worktrees' folders away."""

    @classmethod
    def open(cls, start: Path, *, may_be_empty: bool = False) -> "Repository":
        """Find the repository around a folder.

        Args:
            start: The folder.
            may_be_empty: Whether no commit is asked for.

        Raises:
            EnvironmentProblem: No repository, a bare one, no commit yet, or no git.

        """
        gitpython = load_gitpython()
        try:
            found = gitpython.Repo(start, search_parent_directories=True)
        except (gitpython.InvalidGitRepositoryError, gitpython.NoSuchPathError):
            raise EnvironmentProblem(
                f"{start} is not in a git repository",
                hint="Change into your project, or make one: git init && git add -A && "
                "git commit -m 'First commit'.",
            ) from None
        with found:
            if found.bare or found.working_tree_dir is None:
                raise EnvironmentProblem(
                    f"{start} is a bare repository", hint="Run prp in a checkout of it."
                )
            if not (may_be_empty or found.head.is_valid()):
                raise EnvironmentProblem(
                    f"{found.working_tree_dir} has no commit yet",
                    hint="Work starts from a commit: git add -A && git commit -m 'First commit'.",
                )
            root = Path(found.working_tree_dir)
            git = Git(common_dir=Path(found.common_dir).resolve(), identity=_identity(found))
        _require_own_configuration(git, root)
        return cls(root=root, git=git)

    def resolve(self, ref: str) -> str:
        """Return the full hash of a commit.

        Raises:
            EnvironmentProblem: There is no such commit.

        """
        name = self._head() if ref == "HEAD" else ref
        try:
            return self.git.text(
                "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"
            ).strip()
        except GitFailed:
            raise EnvironmentProblem(
                f"There is no commit {ref!r} in {self.root}", hint="Name a branch, a tag or a hash."
            ) from None

    def merge_base(self, one: str, other: str) -> str:
        """Return the commit that two commits both come from, empty where there is none."""
        with contextlib.suppress(GitFailed):
            return self.git.text("merge-base", one, other).strip()
        return ""

    def free_branch(self, name: str) -> str:
        """Return the branch name, numbered where it is taken: `prp/x`, `prp/x-2`, ..."""
        listed = self.git.text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
        taken = set(listed.splitlines())
        candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, 10_000))
        return next(candidate for candidate in candidates if candidate not in taken)

    def claim_branch(self, name: str, commit: str) -> str:
        """Make a branch that nobody else has, numbered where the name is taken; return its name."""
        while True:
            branch = self.free_branch(name)
            try:
                # An empty old value: it must not be there.
                self.git("update-ref", f"refs/heads/{branch}", commit, "")
            except GitFailed:
                if not self.has_branch(branch):
                    raise
            else:
                return branch

    def has_branch(self, name: str) -> bool:
        """Return whether there is a branch of exactly this name."""
        found = self.git.text("for-each-ref", "--format=%(refname)", f"refs/heads/{name}")
        return f"refs/heads/{name}" in found.split("\n")

    def files(self, commit: str) -> list[str]:
        """Return the paths of all files of a commit."""
        return self.git.names("ls-tree", "-r", "--name-only", "-z", "--full-tree", commit)

    def blobs(self, commit: str) -> dict[str, str]:
        """Return the hash of each file's content at a commit; of links and submodules, nothing."""
        listed = self.git.names("ls-tree", "-r", "-z", "--full-tree", commit)
        entries = (entry.partition("\t") for entry in listed)
        return {path: what[12:] if what.startswith("100") else "" for what, _, path in entries}

    def contents(self, hashes: Iterable[str], *, largest: int) -> dict[str, bytes]:
        """Return contents by their hashes; those that are larger, or not here, are left out."""
        asked = "".join(f"{one}\n" for one in hashes)
        sizes = self.git.text("cat-file", "--batch-check", stdin=asked.encode()).splitlines()
        # One that is not here is told in two words.
        told = (words for line in sizes if len(words := line.split()) == 3)
        fit = [name for name, kind, size in told if kind == "blob" and int(size) <= largest]
        raw = self.git("cat-file", "--batch", stdin="".join(f"{one}\n" for one in fit).encode())
        found, at = {}, 0
        for name in fit:
            begins = raw.index(b"\n", at) + 1
            ends = begins + int(raw[at : begins - 1].rpartition(b" ")[2])
            found[name] = raw[begins:ends]
            at = ends + 1
        return found

    def untracked(self) -> list[str]:
        """Return the files of the checkout that git neither tracks nor ignores, links left out."""
        git = Git(common_dir=self.git.common_dir, work_tree=self.root)
        listed = git.names("ls-files", "-z", "--others", "--exclude-standard")
        return [name for name in listed if not name.endswith("/")]

    def read(self, commit: str, path: str) -> bytes:
        """Return a file's content at a commit.

        Raises:
            GitFailed: There is no such file.

        """
        return self.git("cat-file", "blob", f"{commit}:{path}")

    def versions(self, path: str, *, most: int) -> Iterator[bytes]:
        """Return the contents that the checkout's history gave a file, the latest first."""
        head = self.resolve("HEAD")
        commits = self.git.text("log", "-z", "--format=%H", f"-n{most}", head, "--", path)
        for commit in filter(None, commits.split("\0")):
            with contextlib.suppress(GitFailed):  # the commit that took it away
                yield self.read(commit, path)

    def changed(self, base: str, head: str) -> tuple[FileStatus, ...]:
        """Return the files that differ between two commits."""
        words = self.git.names("diff-tree", "-r", "-z", "--name-status", "--no-renames", base, head)
        pairs = zip(words[::2], words[1::2], strict=True)
        return tuple(FileStatus(status=status, path=path) for status, path in pairs)

    def changed_lines(self, base: str, head: str, *, suffix: str) -> dict[str, frozenset[int]]:
        """Return the numbers of the lines, from 1, that the second commit changed or added.

        Only files are looked at whose path ends with `suffix`.
        """
        files = [f.path for f in self.changed(base, head) if f.status in "AM"]
        return {path: self._lines(base, head, path) for path in files if path.endswith(suffix)}

    def _lines(self, base: str, head: str, path: str) -> frozenset[int]:
        options = ("-p", "-U0", "--text", "--no-renames", "--no-ext-diff", "--no-textconv")
        raw = self.git("diff-tree", "-r", *options, base, head, "--", path)
        # A line of content begins with a sign, so that none can look like one of these.
        hunks = re.findall(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", raw, re.MULTILINE)
        counted = ((int(first), int(count or 1)) for first, count in hunks)
        return frozenset(line for first, count in counted for line in range(first, first + count))

    def diff(self, base: str, head: str) -> str:
        """Return the differences between two commits as a patch."""
        raw = self.git("diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", base, head)
        return raw.decode("utf-8", "replace")

    def patch(self, base: str, head: str, form: str = "--binary") -> bytes:
        """Return the differences as git takes them again, every byte of them."""
        return self.git("diff-tree", "-r", form, "--no-ext-diff", "--no-textconv", base, head)

    def is_tracked(self, path: str) -> bool:
        """Return whether the last commit of the checkout holds a file, or anything in a folder."""
        with contextlib.suppress(GitFailed):
            self.git("cat-file", "-e", f"{self.resolve('HEAD')}:{path}")
            return True
        return False

    def _head(self) -> str:
        # In a linked worktree HEAD of the common directory is somebody else's.
        pointer = self.root / ".git"
        if pointer.is_dir():
            return "HEAD"
        own = Path(pointer.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
        return (
            Git(common_dir=self.git.common_dir, git_dir=self.root / own)
            .text("rev-parse", "--verify", "HEAD")
            .strip()
        )


def hash_of(content: bytes, *, like: str) -> str:
    """Return git's hash of a file's content, in the format that another hash of git has."""
    form = "sha1" if len(like) == _LENGTH_OF_SHA1 else "sha256"
    written = b"blob %d\0" % len(content) + content
    return hashlib.new(form, written, usedforsecurity=False).hexdigest()


_LENGTH_OF_SHA1 = 40


def _require_own_configuration(git: Git, root: Path) -> None:
    """Refuse a repository whose configuration lies where commits can change it."""
    try:
        found = git("config", "-z", "--show-origin", "--get-regexp", r"^include(if\..*)?\.path$")
    except GitFailed:
        return  # there is no include
    words = found.decode("utf-8", "surrogateescape").split("\0")
    for origin, entry in zip(words[::2], words[1::2], strict=False):
        path = entry.partition("\n")[2]
        file = git.common_dir / origin.removeprefix("file:")
        place = (file.parent / Path(path).expanduser()).resolve()
        if place.is_relative_to(root.resolve()) and not place.is_relative_to(git.common_dir):
            raise EnvironmentProblem(
                f"git's configuration includes {path}, which lies in the checkout",
                hint="A commit could change what git runs on your machine. Move the file out of "
                f"the repository, or: git -C {root} config --local --unset-all include.path",
            )


def create_repository(folder: Path, *, message: str) -> None:
    """Make a repository of a folder with all its files in a first commit."""
    gitpython = load_gitpython()

    with gitpython.Repo.init(folder, initial_branch="main") as made:
        person = gitpython.Actor("prp", "prp@localhost")
        made.git.add(all=True)
        made.index.commit(message, author=person, committer=person, skip_hooks=True)


def init_repository(folder: Path, *, branch: str) -> Git:
    """Make an empty repository of a folder, or take the one that is there; return its git."""
    with load_gitpython().Repo.init(folder, initial_branch=branch) as made:
        return Git(common_dir=Path(made.common_dir).resolve(), identity=_identity(made))


def _identity(repository: object) -> dict[str, str]:
    """Read who commits, once; a machine without a name still commits, as `prp`."""
    reader = repository.config_reader()  # type: ignore[attr-defined] # GitPython is imported late
    with reader:
        name = str(reader.get_value("user", "name", "prp"))
        mail = str(reader.get_value("user", "email", "prp@localhost"))
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": mail,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": mail,
    }


def load_gitpython() -> Any:
    """Return GitPython, told which git to use: on import it looks for one on the PATH."""
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = git_program()
    import git as gitpython  # noqa: PLC0415 - costs 0.3 s, needed by runs only

    return gitpython
