"""Files that decide what checks say, watched while commands run: code under test can write too.

What a branch brings along is looked at when it is checked out. But the code that a check runs could
rewrite a test that is collected later, or plant a `conftest.py` for the next check.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.verifier.contract import Contract, is_configuration
from agent.workspace import FileProblem
from agent.workspace.files import read_bytes, remove, write_bytes

BENT = "bent"
"""Name of the report with the paths that a command changed, one a line."""

# They count wherever tests are, and at the top.
_PLANTED = (
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "pytest.py",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "setup.cfg",
    ".coveragerc",
)
_SOURCES = (".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".go", ".rs", ".rb", ".php", ".sh")
_SETTINGS = (".ini", ".toml", ".cfg", ".coveragerc")
_MOST_FILES = 5_000


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Over the tests and the configuration of one checkout."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    seen: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Path to what the file system says of it; who changes a file can't keep that."""
    absent: tuple[str, ...] = ()
    """Paths that would decide how checks end, if anything stood there."""

    @classmethod
    def over(cls, tree: Path, *, files: Iterable[str]) -> "Watch":
        """Return a watch over those of some files that are sources or settings, 5,000 at most.

        Configuration comes first: one such file decides about many tests. What tests keep beside
        them, such as snapshots and databases, is theirs to write.
        """
        found = (path for path in files if path.endswith((*_SOURCES, *_SETTINGS)))
        watched = sorted(found, key=lambda path: (not is_configuration(path), path))[:_MOST_FILES]
        contents = {p: content for p in watched if (content := _content(tree, p)) is not None}
        folders = {""} | {path.rpartition("/")[0] for path in contents}
        could = (f"{folder}/{name}".lstrip("/") for folder in folders for name in _PLANTED)
        return cls(
            contents=contents,
            seen={path: _look(tree, path) for path in contents},
            absent=tuple(path for path in sorted(could) if not os.path.lexists(tree / path)),
        )

    @classmethod
    def over_frozen(cls, tree: Path, contract: Contract) -> "Watch":
        """Return a watch over the frozen files that no sandbox keeps from being written."""
        over = cls.over(tree, files=contract.files.keys() - set(contract.protected))
        return replace(over, absent=())

    def put_back(self, tree: Path, *, unless_in: str = "") -> tuple[str, ...]:
        """Put everything back as it was, and return the paths that were not.

        Args:
            tree: The checkout.
            unless_in: The command that ran; what it names itself is its own to write.

        """
        bent = [
            path
            for path in self.absent
            if os.path.lexists(tree / path) and path.rpartition("/")[2] not in unless_in
        ]
        for path in bent:
            _take_away(tree, path)
        for path, content in self.contents.items():
            if _look(tree, path) == self.seen[path]:
                continue
            if _content(tree, path) != content:
                bent.append(path)
                _take_away(tree, path)
                with contextlib.suppress(FileProblem):
                    write_bytes(tree, path, content)
            self.seen[path] = _look(tree, path)
        return tuple(bent)


def _take_away(tree: Path, path: str) -> None:
    # A folder in its place is no configuration, and what can't be mended has been told.
    with contextlib.suppress(FileProblem):
        remove(tree, path)


def _look(tree: Path, path: str) -> tuple[int, ...]:
    try:
        found = (tree / path).lstat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def _content(tree: Path, path: str) -> bytes | None:
    try:
        return read_bytes(tree, path)
    except (FileProblem, OSError):
        return None
