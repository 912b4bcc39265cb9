"""The place of a document, looked at for `prp lint`: files, links, tools, bash's own parser."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from agent.prp.known import KnownFiles
from agent.prp.lint.surroundings import Nature, Surroundings
from agent.workspace.git import Git, GitFailed
from agent.workspace.repository import Repository
from agent.workspace.toolchain import find_toolchain
from agent.workspace.trusted import trusted_program

_LARGE = 1024 * 1024
_MARK = ": __prp_command__"
_MOST_ERRORS = 50


def look_around(document: Path, *, search_path: str, home: Path) -> Surroundings | None:
    """Return the surroundings of a document.

    Args:
        document: Its path; the file need not exist.
        search_path: The person's PATH.
        home: The person's home.

    Returns:
        None where it lies in no git repository.

    """
    here = Path.cwd()
    root = find_root(document.absolute().parent) or find_root(here)
    if root is None:
        return None
    place = document.absolute().parent.resolve()
    is_outside = not place.is_relative_to(root)
    return Surroundings(
        known=_known(root),
        nature=lambda path: _nature(root, path),
        read=lambda path: _read(root, path),
        has_tool=_tools(root, search_path, home),
        syntax_errors=syntax_errors,
        folder="" if is_outside else _below(place, root),
        is_link=document.is_symlink(),
        is_outside=is_outside,
    )


def at_commit(repository: Repository, commit: str, *, document: Path) -> Surroundings:
    """Return the surroundings of a run: the files of a commit and those that lie beside them.

    Tools and syntax are left to the baseline, which runs the checks.
    """
    known = KnownFiles([*repository.files(commit), *repository.untracked()])
    place = document.absolute().parent.resolve()
    is_inside = place.is_relative_to(repository.root)
    return Surroundings(
        known=known,
        nature=lambda path: _nature_of(known, path),
        read=_no_text,
        has_tool=lambda _: True,
        syntax_errors=lambda _: {},
        folder=_below(place, repository.root) if is_inside else "",
    )


def _nature_of(known: KnownFiles, path: str) -> Nature:
    if path in known:
        return Nature.FILE
    return Nature.FOLDER if known.is_folder(path) else Nature.NOTHING


def _no_text(path: str) -> str:
    raise ValueError(f"{path} is not read here")


def _below(place: Path, root: Path) -> str:
    return "" if place == root else place.relative_to(root).as_posix()


def find_root(start: Path) -> Path | None:
    """Return the top of the checkout around a folder; None where there is none."""
    real = start.resolve()
    return next((folder for folder in (real, *real.parents) if _git_dir(folder)), None)


def _git_dir(root: Path) -> Path | None:
    """Return the repository's own git directory, that of a linked worktree resolved."""
    try:
        return _common_dir(root)
    # What can't be read, is no text, or names no place is no repository of ours.
    except (OSError, ValueError):
        return None


def _common_dir(root: Path) -> Path | None:
    if (root / ".git" / "HEAD").is_file():
        return root / ".git"
    own = _linked(root)
    if own is None or not (own / "HEAD").is_file():
        return None
    common = own / "commondir"
    found = own / common.read_text(encoding="utf-8").strip() if common.is_file() else own
    return found.resolve() if found.is_dir() else None


def _linked(root: Path) -> Path | None:
    """Return what a `.git` file points to; None where it is none."""
    entry = root / ".git"
    words = entry.read_text(encoding="utf-8").strip() if entry.is_file() else ""
    return root / words.removeprefix("gitdir:").strip() if words.startswith("gitdir:") else None


def look_anew() -> None:
    """Forget what was found: whoever lives long must see files and tools that came since."""
    _known.cache_clear()
    _tools.cache_clear()


@cache
def _known(root: Path) -> KnownFiles:
    own = _git_dir(root)
    if own is None:
        return KnownFiles(())
    # A linked worktree has an index of its own.
    linked = _linked(root)
    git = Git(
        common_dir=own.resolve(),
        git_dir=linked.resolve() if linked else None,
        work_tree=root,
        seconds=_PATIENCE,
    )
    try:
        return KnownFiles(git.names("ls-files", "-z", "-co", "--exclude-standard"))
    except (GitFailed, OSError):
        return KnownFiles(())


# The largest repositories list their files in a few seconds.
_PATIENCE = 20.0


def _nature(root: Path, path: str) -> Nature:
    place = root / path
    try:
        real = place.resolve()
        if not real.is_relative_to(root):
            return Nature.OUTSIDE if os.path.lexists(place) else Nature.NOTHING
        found = real.stat()
    except (OSError, ValueError, RuntimeError):
        return Nature.NOTHING
    if stat.S_ISDIR(found.st_mode):
        return Nature.FOLDER
    if not stat.S_ISREG(found.st_mode):
        return Nature.SPECIAL
    return Nature.LARGE if found.st_size > _LARGE else Nature.FILE


def _read(root: Path, path: str) -> str:
    if _nature(root, path) is not Nature.FILE:
        raise ValueError("it is no plain file")
    try:
        return (root / path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ValueError(error.strerror or "it can't be read") from None


@cache
def _tools(root: Path, search_path: str, home: Path) -> Callable[[str], bool]:
    folders = find_toolchain(root, search_path=search_path, home=home).path
    where = os.pathsep.join(folders)
    return cache(lambda name: shutil.which(name, path=where) is not None)


def syntax_errors(commands: Sequence[str]) -> Mapping[int, str]:
    """Return what bash can't parse, by the command's place; bash reads and runs nothing.

    Many commands are read at once, and halved only where something is wrong.
    """
    bash = trusted_program("bash")
    if bash is None or not commands:
        return {}
    errors: dict[int, str] = {}
    left = [range(len(commands))]
    while left and len(errors) < _MOST_ERRORS:
        places = left.pop()
        words = _error(bash, f"\n{_MARK}\n".join(commands[place] for place in places))
        if words and len(places) == 1:
            errors[places[0]] = words
        elif words:
            middle = len(places) // 2
            left += [places[middle:], places[:middle]]
    return errors


def _error(bash: str, script: str) -> str:
    """Return bash's words about a script; empty where it can parse it."""
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-n"],
        input=script.replace("\0", "").encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    if done.returncode == 0:
        return ""
    first = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
    return re.sub(r"^.*?: line \d+: ", "", first)[:200]
