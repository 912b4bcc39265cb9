"""What git knows of worktrees: one entry each, never seen half made, one writer at a time.

`git worktree add` writes the files of an entry one after another. Whoever lists worktrees at that
moment, and that is every fetch, push, gc and `git branch`, dies of what is not there yet; where git
was killed between, everybody does so from then on.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import EnvironmentProblem
from agent.workspace.git import Git, GitFailed

# Names in the common git directory that nobody but us uses, for what is not in its place yet or
# any more: a folder moves in one step, so nobody sees half of it.
_ASIDE = "prp-entry-"
# Settings under which git writes more into an entry than the four files.
_MORE = r"^(extensions\.(?!objectformat)|core\.sparsecheckout$)"
_OURS = "a run of prp"
_WAIT_SECONDS = 60.0
# git writes an entry within milliseconds.
_MAKING_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.02


def add_entry(git: Git, folder: Path, target: str) -> None:
    """Make an empty worktree of a folder that is not there, locked against `git worktree prune`.

    Args:
        git: Of the repository.
        folder: Is made.
        target: The name of a branch, or the hash of a commit to be detached at.

    Raises:
        EnvironmentProblem: The branch is checked out in another folder.

    """
    branch = "" if re.fullmatch(r"[0-9a-f]{40,64}", target) else target
    needs_git = _needs_git(git)
    with _alone(git):
        if branch:
            _forget_moved(git, branch)
        if branch and (other := _checked_out_at(git, branch)):
            raise EnvironmentProblem(
                f"{branch} can't be checked out for the run: another folder has it, {other}",
                hint="Switch to another branch there.",
            )
        if needs_git:
            how = (str(folder), branch) if branch else ("--detach", str(folder), target)
            git("worktree", "add", "-q", "--lock", "--no-checkout", *how)
        else:
            _make(git.common_dir, folder, f"ref: refs/heads/{branch}" if branch else target)


def entry_of(git: Git, folder: Path) -> Path | None:
    """Return git's own directory for a worktree; what stands in the worktree is not believed."""
    real = folder.resolve()
    return next((entry for entry, place in entries(git) if place == real), None)


def entries(git: Git) -> list[tuple[Path, Path]]:
    """Return git's directory of each worktree, and the worktree's folder."""
    found = []
    for pointer in git.common_dir.glob("worktrees/*/gitdir"):
        with contextlib.suppress(OSError):
            place = Path(pointer.read_text(encoding="utf-8", errors="surrogateescape").strip())
            found.append((pointer.parent, place.parent))
    return found


def drop_entries(git: Git, folder: Path) -> None:
    """Make git forget a worktree, whether its folder is there or not."""
    with _alone(git):
        while entry := entry_of(git, folder):
            _take_away(git.common_dir, entry)


def mend_entries(git: Git) -> None:
    """Take away what a killed git left, which every other git would die of."""
    with _alone(git):
        pass


@contextmanager
def _alone(git: Git) -> Iterator[None]:
    """Be the only prp that changes worktrees of a repository, and find them all whole."""
    handle = os.open(git.common_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _locked(handle, git.common_dir):
            for rest in git.common_dir.glob(f"{_ASIDE}*"):
                shutil.rmtree(rest, ignore_errors=True)
        _mend(git.common_dir)
        yield
    finally:
        os.close(handle)


def _locked(handle: int, folder: Path) -> bool:
    """Lock a folder; return False where its file system knows no locks of folders."""
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise EnvironmentProblem(
                    f"Another program has held the lock on {folder} for {_WAIT_SECONDS:.0f} s",
                    hint=f"See which: fuser -v {folder}",
                ) from None
            time.sleep(_LOOK_AGAIN_SECONDS)
        except OSError as error:
            if error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP):
                raise
            return False
        else:
            return True


def _mend(common_dir: Path) -> None:
    """Bring entries in order that git would die of, once it is sure that nobody is making them."""
    if _stays(common_dir, _is_cut_short):
        for entry in _those(common_dir, _is_cut_short):
            # Only its last file is missing, and that holds the same in every entry.
            (entry / "commondir").write_text("../..\n")
    if _stays(common_dir, _is_half_made):
        for entry in _those(common_dir, _is_half_made):
            _take_away(common_dir, entry)


def _stays(common_dir: Path, is_so: Callable[[Path], bool]) -> bool:
    """Return whether there are entries of a kind that stay so."""
    until = time.monotonic() + _MAKING_SECONDS
    while found := _those(common_dir, is_so):
        if time.monotonic() > until:
            return bool(found)
        time.sleep(_LOOK_AGAIN_SECONDS)
    return False


def _those(common_dir: Path, is_so: Callable[[Path], bool]) -> list[Path]:
    return [entry for entry in common_dir.glob("worktrees/*") if is_so(entry)]


def _is_cut_short(entry: Path) -> bool:
    """Return whether a whole entry lost what it held to a power failure."""
    return _has_head(entry) and _text(entry / "gitdir") != "" and _text(entry / "commondir") == ""


def _is_half_made(entry: Path) -> bool:
    """Return whether an entry never came so far that anything could be checked out."""
    return entry.is_dir() and not _has_head(entry)


def _has_head(entry: Path) -> bool:
    head = _text(entry / "HEAD")
    return head.startswith("ref: ") or bool(head.strip("0"))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return "?"  # somebody else's


def _checked_out_at(git: Git, branch: str) -> Path | None:
    """Return the folder in which a branch is checked out already."""
    head = f"ref: refs/heads/{branch}"
    if _text(git.common_dir / "HEAD") == head:
        return git.common_dir.parent
    return next((place for entry, place in entries(git) if _text(entry / "HEAD") == head), None)


def _forget_moved(git: Git, branch: str) -> None:
    """Take away a run's entry for a branch whose folder is gone: its state was moved elsewhere."""
    for entry, place in entries(git):
        is_ours = _text(entry / "locked") == _OURS
        if is_ours and _text(entry / "HEAD") == f"ref: refs/heads/{branch}" and not place.exists():
            _take_away(git.common_dir, entry)


def _needs_git(git: Git) -> bool:
    try:
        names = git.text("config", "--name-only", "--get-regexp", r"^(extensions|core)\.")
    except GitFailed:
        return False  # nothing is set
    return any(re.match(_MORE, name) for name in names.lower().splitlines())


def _make(common_dir: Path, folder: Path, head: str) -> None:
    """Write the files that git's own documentation names, and put them into their place at once."""
    name = f"{folder.name}-{secrets.token_hex(4)}"
    entry = common_dir / "worktrees" / name
    making = common_dir / f"{_ASIDE}{name}"
    making.mkdir()
    folder.mkdir()
    content = {
        "HEAD": f"{head}\n",
        "commondir": "../..\n",
        "gitdir": f"{folder.resolve() / '.git'}\n",
        "locked": f"{_OURS}\n",
    }
    for file, text in content.items():
        (making / file).write_bytes(os.fsencode(text))
    (folder / ".git").write_bytes(os.fsencode(f"gitdir: {entry}\n"))
    entry.parent.mkdir(exist_ok=True)
    making.rename(entry)


def _take_away(common_dir: Path, entry: Path) -> None:
    gone = common_dir / f"{_ASIDE}{entry.name}-{secrets.token_hex(4)}"
    entry.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
    # As git does: a repository without worktrees has no folder for them.
    with contextlib.suppress(OSError):
        entry.parent.rmdir()
