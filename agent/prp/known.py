"""The files of a repository, asked by path, by folder and by the end of another machine's path."""

from collections.abc import Iterable
from pathlib import PurePosixPath


class KnownFiles:
    """An index of paths below a repository's root."""

    def __init__(self, files: Iterable[str]) -> None:
        """Index paths as git lists them."""
        self._files = frozenset(files)
        self._folders: set[str] = set()
        self._by_name: dict[str, list[str]] = {}
        for file in self._files:
            folder = file.rpartition("/")[0]
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = folder.rpartition("/")[0]

    def __contains__(self, path: str) -> bool:
        """Return whether there is such a file."""
        return path in self._files

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._files)

    def is_folder(self, path: str) -> bool:
        """Return whether files lie below a path."""
        return path.rstrip("/") in self._folders

    def by_end(self, path: str) -> str:
        """Return the file or folder that an absolute path of another machine ends with.

        Returns:
            The longest end that is here; empty where none is.

        """
        parts = PurePosixPath(path.replace("\\", "/")).parts
        for start in range(1, len(parts)):
            end = "/".join(parts[start:])
            if end in self._files or end in self._folders:
                return end
        return ""

    def further_down(self, path: str) -> tuple[str, ...]:
        """Return the files whose path ends with a path: those of a monorepo's packages."""
        if not self._by_name:
            for file in sorted(self._files):
                self._by_name.setdefault(file.rpartition("/")[2], []).append(file)
        name = path.rpartition("/")[2]
        return tuple(file for file in self._by_name.get(name, ()) if file.endswith(f"/{path}"))


def is_absolute(path: str) -> bool:
    """Return whether a path is absolute on any system, that with drive letters included."""
    return path.startswith(("/", "\\\\")) or (path[1:3] in (":\\", ":/") and path[:1].isalpha())
