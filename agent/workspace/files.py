"""Files below a folder that untrusted code can write: no link is ever followed out of it."""

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.errors import PrpError

_LARGEST = 5 * 1024 * 1024
_SKIPPED = {".git", "node_modules", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache"}
_SEARCH_SECONDS = 10.0
_MOST_HITS = 100
_LONGEST_PATH = 1_000
_MOST_FILES = 1_000
_LONGEST_PATTERN = 1_000


class FileProblem(PrpError):  # noqa: N818 - an answer for whoever asked for the file
    """A file can't be read or written, and why."""


def read_bytes(root: Path, path: str) -> bytes:
    """Return a file's content.

    Raises:
        FileProblem: It is missing, no plain file, outside of `root` or larger than 5 MiB.

    """
    with _opened_folder(root, path, create=False) as (folder, name):
        handle = _opened(folder, name, os.O_RDONLY, path)
        with os.fdopen(handle, "rb") as file:
            if os.fstat(handle).st_size > _LARGEST:
                raise FileProblem(f"{path} is larger than 5 MiB")
            return file.read(_LARGEST)


def read_text(root: Path, path: str) -> str:
    """Return a text file's content, line ends as they are.

    Raises:
        FileProblem: As `read_bytes`, or it is not UTF-8.

    """
    try:
        return read_bytes(root, path).decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem(f"{path} is not a UTF-8 text file") from None


def write_text(root: Path, path: str, text: str) -> None:
    """Write a text file whole or not at all; see `write_bytes`."""
    write_bytes(root, path, text.encode("utf-8", "surrogatepass"))


def write_bytes(root: Path, path: str, content: bytes) -> None:
    """Write a file whole or not at all, folders made as needed, its mode kept.

    Raises:
        FileProblem: The path leaves `root`, goes through a link, or names something else.

    """
    with _opened_folder(root, path, create=True) as (folder, name):
        mode = _mode_of(folder, name, path)
        partial = f".{name[:100]}.{secrets.token_hex(4)}"
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(handle, mode)
            os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(partial, dir_fd=folder)
            raise


class FileMissing(FileProblem):
    """There is no such file."""


class FileTaken(FileProblem):
    """A file is there that was to be new."""


def write_new(root: Path, path: str, text: str) -> None:
    """Write a text file that is not there yet, whole or not at all, folders made as needed.

    Raises:
        FileTaken: Something is there.
        FileProblem: The path leaves `root`, or goes through a link.

    """
    with _opened_folder(root, path, create=True) as (folder, name):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            handle = os.open(name, flags, 0o644, dir_fd=folder)
        except FileExistsError:
            raise FileTaken(f"{path} exists already") from None
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))
        except BaseException:
            os.unlink(name, dir_fd=folder)
            raise


def remove(root: Path, path: str) -> None:
    """Delete a file if it is there.

    Raises:
        FileProblem: The path leaves `root`, goes through a link, or names a folder.

    """
    try:
        with _opened_folder(root, path, create=False) as (folder, name):
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileProblem(f"{path}: {_WORDS.get(error.errno or 0, error.strerror)}") from None


def list_files(root: Path, glob: str = "**") -> list[str]:
    """Return the files that match, sorted; at most 1,000, then a line that says so.

    Raises:
        FileProblem: The glob is wrong or takes too long.

    """
    matches = _Pattern(_of_glob(glob)).is_whole
    found = sorted(path for path in every_file(root) if matches(path))
    more = len(found) - _MOST_FILES
    return [*found[:_MOST_FILES], *([f"[{more} more: narrow the glob]"] if more > 0 else [])]


def search(root: Path, pattern: str, *, glob: str | None = None) -> str:
    """Return the lines that match a regular expression as `path:line: text`.

    Raises:
        FileProblem: The expression is wrong or takes too long.

    """
    expression, matches = _Pattern(pattern), _Pattern(_of_glob(glob or "**")).is_whole
    hits: list[str] = []
    for path in sorted(path for path in every_file(root) if matches(path)):
        if expression.is_late:
            return "\n".join([*hits, "[stopped after 10 s: narrow the glob]"])
        hits += _hits(root, path, expression)
        if len(hits) > _MOST_HITS:
            return "\n".join([*hits[:_MOST_HITS], "[more than 100 hits: narrow pattern or glob]"])
    return "\n".join(hits) or "no match"


class _Pattern:
    """A regular expression that somebody else wrote: it may take for ever, so it has a clock."""

    def __init__(self, pattern: str) -> None:
        import regex  # noqa: PLC0415 - needed by runs only

        if len(pattern) > _LONGEST_PATTERN:
            raise FileProblem(f"the pattern has {len(pattern):,} characters: too many")
        try:
            self._expression = regex.compile(pattern)
        except (regex.error, RecursionError) as error:
            raise FileProblem(f"not a regular expression: {error}") from None
        self._deadline = time.monotonic() + _SEARCH_SECONDS

    @property
    def is_late(self) -> bool:
        """Return whether its time is over."""
        return time.monotonic() > self._deadline

    def occurs(self, text: str) -> bool:
        return self._asked(self._expression.search, text)

    def is_whole(self, text: str) -> bool:
        return self._asked(self._expression.fullmatch, text)

    def _asked(self, how: Callable[..., object], text: str) -> bool:
        left = max(self._deadline - time.monotonic(), 0.001)
        try:
            # Without the interpreter's lock: a person's Ctrl-C must not wait for it.
            return how(text, timeout=left, concurrent=True) is not None
        except TimeoutError:
            raise FileProblem(
                f"the pattern took longer than {_SEARCH_SECONDS:.0f} s", hint="Use a simpler one."
            ) from None


def _hits(root: Path, path: str, expression: _Pattern) -> list[str]:
    try:
        text = read_text(root, path)
    except FileProblem:
        return []
    lines = enumerate(text.splitlines(), 1)
    return [f"{path}:{n}: {line[:300]}" for n, line in lines if expression.occurs(line[:2000])]


def every_file(root: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder, those of caches and of git left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _SKIPPED)
        below = os.path.relpath(folder, root)
        for name in names:
            if name != ".git":
                yield name if below == "." else f"{below}/{name}"


def _of_glob(glob: str) -> str:
    """Return the expression for a glob in which `**` crosses folders and `*` does not."""
    glob = glob.removeprefix("./") or "**"
    if "/" not in glob and "**" not in glob:
        glob = f"**/{glob}"
    words = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\]|\{[^{}]*,[^{}]*\})", glob)
    return "".join(map(_of_word, words))


_KNOWN = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _of_word(word: str) -> str:
    if word.startswith("{") and word.endswith("}"):
        # `*.{py,toml}`: one of several.
        return f"(?:{'|'.join(map(re.escape, word[1:-1].split(',')))})"
    return _KNOWN.get(word) or (word.replace("[!", "[^") if word[:1] == "[" else re.escape(word))


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or path.startswith("/") or "\0" in path or ".." in parts:
        raise FileProblem(
            f"{path!r} is not a path inside of the repository",
            hint="Give it relative to the repository's root, without `..`.",
        )
    if any(part.rstrip(" .").lower() == ".git" for part in parts):
        raise FileProblem(f"{path} is git's own and off limits")
    return parts


@contextlib.contextmanager
def _opened_folder(root: Path, path: str, *, create: bool) -> Iterator[tuple[int, str]]:
    """Walk to a path's folder part by part; a link on the way is refused."""
    if len(path) > _LONGEST_PATH:
        raise FileProblem(f"a path has at most {_LONGEST_PATH} characters")
    *folders, name = _parts(path)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            below = _opened(folder, part, os.O_RDONLY | os.O_DIRECTORY, path)
            os.close(folder)
            folder = below
        yield folder, name
    finally:
        os.close(folder)


def _opened(folder: int, name: str, flags: int, path: str) -> int:
    # A FIFO would block for ever without O_NONBLOCK.
    try:
        handle = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        kind = FileMissing if error.errno == errno.ENOENT else FileProblem
        raise kind(f"{path}: {_WORDS.get(error.errno or 0, error.strerror)}") from None
    found = os.fstat(handle)
    wanted = stat.S_ISDIR if flags & os.O_DIRECTORY else stat.S_ISREG
    if not wanted(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1):
        os.close(handle)
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "not a plain file"
        raise FileProblem(f"{path} is {what}")
    return handle


_WORDS = {
    errno.ENOENT: "there is no such file",
    errno.ELOOP: "a symbolic link is not followed",
    errno.ENOTDIR: "a part of the path is no folder, or a symbolic link",
    errno.EACCES: "no permission",
    errno.ENAMETOOLONG: "the name is too long",
}


def _mode_of(folder: int, name: str, path: str) -> int:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return 0o644
    except OSError as error:
        raise FileProblem(f"{path}: {_WORDS.get(error.errno or 0, error.strerror)}") from None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise FileProblem(f"{path} is not a plain file")
    return stat.S_IMODE(found.st_mode) & 0o777
