"""What commands may see of git: the history of their own commit, and nothing of other branches.

A repository often holds the very answer: on another branch, in the reflog, among objects that
nothing names any more. So commands get a repository made for the commit that they stand on, with
the objects that it comes from and the tags that name these.
"""

import contextlib
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from agent.workspace.git import Git, GitFailed

_KEPT_SECONDS = 3 * 24 * 3600.0
# A commit of a run is a few steps away from one that was shown before.
_NEAR = 200


@dataclass(frozen=True, kw_only=True)
class Histories:
    """The repositories that commands are shown, each made once and kept for some days."""

    place: Path

    def of(self, common: Path, own: Path) -> Path | None:
        """Return the folder of a worktree's history, None where there is none to show.

        Args:
            common: The repository's git directory.
            own: The worktree's directory below it; what its HEAD names is the commit.

        """
        commit = _commit_of(common, own)
        if commit is None:
            return None
        every = self.place / sha256(os.fsencode(common)).hexdigest()[:16]
        view = every / commit
        if not view.is_dir():
            every.mkdir(parents=True, exist_ok=True)
            _forget_old(every)
            made = every / f".{secrets.token_hex(6)}"
            try:
                _make(made, Git(common_dir=common), commit, every)
                made.rename(view)
            except (GitFailed, OSError):
                shutil.rmtree(made, ignore_errors=True)
                return view if view.is_dir() else None
        with contextlib.suppress(OSError):
            os.utime(view)
        return view


def _commit_of(common: Path, own: Path) -> str | None:
    """Return the commit that a worktree stands on, as its files say."""
    try:
        head = (own / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref: ")
        if name != head:
            loose = common / name
            head = loose.read_text(encoding="utf-8").strip() if loose.is_file() else ""
            head = head or _packed(common, name)
    except (OSError, UnicodeError):
        return None
    return head if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", head) else None


def _packed(common: Path, name: str) -> str:
    lines = (common / "packed-refs").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


def _make(made: Path, git: Git, commit: str, every: Path) -> None:
    """Write a bare repository with a commit, all that it comes from, and the tags on the way."""
    packs = made / "objects" / "pack"
    packs.mkdir(parents=True)
    near = _near(git, commit, every)
    for pack in (near / "objects" / "pack").iterdir() if near else ():
        os.link(pack, packs / pack.name)
    listed = git.text(
        "for-each-ref", f"--merged={commit}", "--format=%(objectname) %(refname)", "refs/tags"
    ).splitlines()
    wanted = [commit, *(line.split(" ", 1)[0] for line in listed)]
    known = [f"^{near.name}"] if near else []
    git(
        *("pack-objects", "-q", "--revs", "--delta-base-offset", "--missing=allow-any"),
        str(packs / "pack"),
        stdin="\n".join([*wanted, *known, ""]).encode(),
    )
    (made / "HEAD").write_text(f"{commit}\n", encoding="utf-8")
    (made / "packed-refs").write_text("".join(f"{line}\n" for line in listed), encoding="utf-8")
    (made / "shallow").write_bytes(_content(git.common_dir / "shallow"))


def _near(git: Git, commit: str, every: Path) -> Path | None:
    """Return the history of a commit that this one comes from and that was shown before."""
    last = git.text("rev-list", "--first-parent", f"--max-count={_NEAR}", commit).split()
    return next((every / name for name in last if (every / name).is_dir()), None)


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def _forget_old(every: Path) -> None:
    for folder in every.iterdir():
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
