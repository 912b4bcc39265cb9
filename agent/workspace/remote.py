"""A repository on a server, and commits as a file: how work reaches other machines."""

import base64
import contextlib
import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.errors import EnvironmentProblem, Refused
from agent.workspace.git import Git, GitFailed
from agent.workspace.repository import Repository

_HERE = ("127.0.0.1", "localhost", "::1")


class PushDeclined(GitFailed):
    """The server did not take a branch: it moved meanwhile, or may not be written."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A repository on a server, reached with one token."""

    url: str
    git: Git

    @classmethod
    def of(cls, repository: Repository, url: str, *, token: str) -> "Remote":
        """Reach a server by https, by http only where it is this machine; or a path, without token.

        Raises:
            EnvironmentProblem: The address is of another kind.

        """
        parts = urlsplit(url)
        if url.startswith("/") or parts.scheme == "file":
            git = dataclasses.replace(repository.git, further={"protocol.file.allow": "always"})
            return cls(url=url, git=git)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
            raise EnvironmentProblem(f"{url} is no address that a token may be sent to")
        server = f"{parts.scheme}://{parts.netloc}/"
        word = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        further = {
            f"protocol.{parts.scheme}.allow": "always",
            "http.followRedirects": "false",
        }
        if token:
            further[f"http.{server}.extraHeader"] = f"Authorization: Basic {word}"
        return cls(url=url, git=dataclasses.replace(repository.git, further=further))

    def refs(self, *patterns: str) -> dict[str, str]:
        """Return the names of refs on the server, and the hashes that they stand for."""
        listed = self.git.text("ls-remote", "--", self.url, *patterns)
        pairs = (line.split("\t") for line in listed.splitlines())
        return {name: commit for commit, name in pairs}

    def fetch(self, *specs: str) -> None:
        """Bring refs here, as `+refs/heads/x:refs/prp-in/x`."""
        self.git("fetch", "-q", "--no-tags", "--no-write-fetch-head", "--", self.url, *specs)

    def push(self, *specs: str, lease: str = "") -> None:
        """Take commits there, as `HASH:refs/heads/x`; all refs move, or none.

        Args:
            specs: What goes where.
            lease: `REF:HASH` of a ref that must be at a commit, empty for one that is not there;
                only then it may also move backwards.

        Raises:
            PushDeclined: The server did not take them.

        """
        try:
            held = [f"--force-with-lease={lease}"] if lease else []
            self.git("push", "-q", "--atomic", "--no-verify", *held, "--", self.url, *specs)
        except GitFailed as error:
            raise PushDeclined(("push",), error.status, error.words) from None


@dataclass(frozen=True, kw_only=True)
class Published:
    """A branch on a server that follows one here, as long as nobody else moves it."""

    remote: Remote
    branch: str

    def claim(self, commit: str) -> bool:
        """Make the branch there; return whether it was free."""
        try:
            self._move("", commit)
        except PushDeclined:
            if not self._there():
                raise
            return False
        return True

    def follow(self, commit: str) -> None:
        """Bring the branch there to a commit that comes before or after the one it is at.

        Raises:
            EnvironmentProblem: Somebody else moved it, for instance the machine that took the run
                over.

        """
        there = self._there()
        if there == commit:
            return
        words = "" if not there or self._is_of_one_line(there, commit) else f"it is at {there[:12]}"
        try:
            if not words:
                self._move(there, commit)
        except PushDeclined as error:
            words = " ".join(error.words.split())
        if words:
            raise EnvironmentProblem(
                f"{self.branch} can't be moved on {self.remote.url}: {words}",
                hint="Another machine may have taken the run over: see prp queue.",
            )

    def _there(self) -> str:
        name = f"refs/heads/{self.branch}"
        return self.remote.refs(name).get(name, "")

    def _is_of_one_line(self, one: str, other: str) -> bool:
        git = self.remote.git
        for older, newer in ((one, other), (other, one)):
            with contextlib.suppress(GitFailed):
                git("merge-base", "--is-ancestor", older, newer)
                return True
        return False

    def _move(self, old: str, new: str) -> None:
        name = f"refs/heads/{self.branch}"
        self.remote.push(f"{new}:{name}", lease=f"{name}:{old}")


def write_bundle(repository: Repository, file: Path, *, ref: str, since: Sequence[str]) -> None:
    """Write the commits of a ref into a file, without those that `since` holds already."""
    repository.git("bundle", "create", "-q", str(file), ref, *(f"^{commit}" for commit in since))


def read_bundle(repository: Repository, file: Path, *, largest: int) -> tuple[str, str]:
    """Take the commits of a file into a repository, without any name for them.

    Args:
        repository: Must hold the commits that the file builds on.
        file: Written by anybody.
        largest: Bytes that the file may have.

    Returns:
        Name and commit of its only ref.

    Raises:
        Refused: It is too large, no bundle, builds on something else, or holds several refs.

    """
    if not file.is_file() or file.is_symlink():
        raise Refused(f"There is no {file.name}")
    if (size := file.stat().st_size) > largest:
        raise Refused(f"{file.name} has {size:,} bytes; {largest:,} are allowed")
    try:
        repository.git("bundle", "verify", "-q", str(file))
        heads = repository.git.text("bundle", "list-heads", str(file)).splitlines()
        if len(heads) != 1:
            raise Refused(f"{file.name} holds {len(heads)} refs, not one")
        repository.git("bundle", "unbundle", str(file))
    except GitFailed as error:
        raise Refused(f"{file.name} can't be read: {' '.join(error.words.split())}") from None
    commit, _, ref = heads[0].partition(" ")
    return ref, commit


@dataclass(frozen=True, kw_only=True)
class Entry:
    """How one file differs between a commit and its parent."""

    path: str
    status: str
    """`A`, `M`, `D` or `T`."""
    before: str
    """Mode, for instance `100644`; `000000` where there was none."""
    after: str
    size: int
    """Bytes of the file as it is afterwards; 0 where it is gone."""


def commits_between(repository: Repository, base: str, head: str) -> list[str]:
    """Return the commits from one to another, the oldest first.

    Raises:
        Refused: They do not follow one another: the second does not descend from the first, or
            other lines of work were merged in between.

    """
    found, commit = [], head
    listed = repository.git.text("rev-list", "--parents", f"{base}..{head}")
    parents = {words[0]: words[1:] for words in map(str.split, listed.splitlines())}
    while commit != base:
        if len(parents.get(commit, ())) != 1:
            raise Refused(f"{head[:12]} does not follow from {base[:12]} commit by commit")
        found.append(commit)
        commit = parents[commit][0]
    return found[::-1]


def entries(repository: Repository, before: str, after: str) -> list[Entry]:
    """Return what differs between two commits, with modes and sizes."""
    words = repository.git.names("diff-tree", "-r", "-z", "--raw", "--no-renames", before, after)
    blobs = [head.split(" ")[3] for head in words[::2]]
    sizes = _sizes(repository, blobs)
    return [
        Entry(
            path=path,
            before=head.split(" ")[0].removeprefix(":"),
            after=head.split(" ")[1],
            status=head.split(" ")[4],
            size=sizes.get(blob, 0),
        )
        for head, path, blob in zip(words[::2], words[1::2], blobs, strict=True)
    ]


def _sizes(repository: Repository, blobs: Sequence[str]) -> Mapping[str, int]:
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    told = repository.git.text("cat-file", "--batch-check", stdin=asked)
    return {name: int(size) for name, size in re.findall(r"^(\w+) blob (\d+)$", told, re.MULTILINE)}


def message_of(repository: Repository, commit: str) -> str:
    """Return the words of a commit."""
    return repository.git.text("log", "-1", "--format=%B", commit)


def keep_files(
    repository: Repository, files: Mapping[str, bytes], *, parents: Sequence[str], message: str
) -> str:
    """Make a commit that holds just these files, and return its hash."""
    lines = []
    for name, content in sorted(files.items()):
        blob = repository.git.text("hash-object", "-w", "--stdin", stdin=content).strip()
        lines.append(f"100644 blob {blob}\t{name}\n")
    tree = repository.git.text("mktree", stdin="".join(lines).encode()).strip()
    return _committed(repository, tree, parents=parents, message=message)


def add_file(
    repository: Repository, path: str, content: bytes, *, parent: str, message: str
) -> str:
    """Make a commit that adds one file to another commit's, and return its hash."""
    blob = repository.git.text("hash-object", "-w", "--stdin", stdin=content).strip()
    tree = _with_blob(repository, f"{parent}^{{tree}}", path.split("/"), blob)
    return _committed(repository, tree, parents=(parent,), message=message)


def _with_blob(repository: Repository, tree: str, path: Sequence[str], blob: str) -> str:
    """Return a tree with a file put into it; only the folders on its way are made anew."""
    listed = repository.git.names("ls-tree", "-z", tree) if tree else []
    kept = {line.partition("\t")[2]: line for line in listed}
    name, *rest = path
    if rest:
        inner = kept.get(name, "").split(" ")
        below = inner[2].partition("\t")[0] if inner[1:2] == ["tree"] else ""
        made = _with_blob(repository, below, rest, blob)
        kept[name] = f"040000 tree {made}\t{name}"
    else:
        kept[name] = f"100644 blob {blob}\t{name}"
    whole = "".join(f"{line}\0" for line in kept.values())
    return repository.git.text(
        "mktree", "-z", stdin=whole.encode("utf-8", "surrogateescape")
    ).strip()


def reworded(
    repository: Repository, commits: Sequence[str], words: Mapping[str, str], *, base: str
) -> str:
    """Make commits anew with other messages, and return the last one's hash.

    Args:
        repository: Where they are.
        commits: One after the other, the oldest first.
        words: Commit to message.
        base: What the first one follows.

    """
    parent = base
    for commit in commits:
        tree = f"{commit}^{{tree}}"
        parent = _committed(repository, tree, parents=(parent,), message=words[commit])
    return parent


def _committed(repository: Repository, tree: str, *, parents: Sequence[str], message: str) -> str:
    named = [word for parent in parents for word in ("-p", parent)]
    tree = repository.git.text("rev-parse", "--verify", tree).strip()
    text = (message.strip() + "\n").encode("utf-8", "replace")
    return repository.git.text("commit-tree", tree, *named, stdin=text).strip()
