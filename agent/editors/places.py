"""What an editor or coding tool may name: documents of its projects, and runs of these projects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import Refused, SettingsError
from agent.runs.finding import find_run
from agent.runs.folder import RunFolder
from agent.settings import load_settings
from agent.workspace.surroundings import find_root


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders that a client works in; nothing outside of them is read or run for it."""

    roots: tuple[Path, ...]
    """Resolved; the first is the project where the server was started."""

    def covers(self, path: Path) -> bool:
        """Return whether a path lies in one of the folders, links followed."""
        whole = path.resolve()
        return any(whole.is_relative_to(root) for root in self.roots)

    def document(self, name: str) -> Path:
        """Return where a document is.

        Args:
            name: Absolute, or relative to the project.

        Raises:
            Refused: It lies outside.

        """
        if "\0" in name or not name.strip():
            raise Refused(f"{name!r} is no path", hint="Give a path such as PRPs/FILE.md.")
        path = self.roots[0] / name
        if not self.covers(path):
            raise Refused(
                f"{name} lies outside of {', '.join(map(str, self.roots))}",
                hint="Name a PRP below the project, or open the one that it belongs to.",
            )
        return path.resolve()

    def root_of(self, document: Path) -> Path:
        """Return the folder that a document of `document` lies in, the innermost one."""
        around = [root for root in self.roots if document.is_relative_to(root)]
        return max(around, key=lambda root: len(root.parts))

    def with_roots(self, *folders: Path) -> "Places":
        """Return these places and further folders that the client has open."""
        return places_of(*self.roots, *folders) if folders else self

    @property
    def state(self) -> Path:
        """Return where runs are kept."""
        return load_settings({}, root=self.roots[0]).state_dir

    def run(self, name: str) -> RunFolder:
        """Return a run of these projects by its id, a part of it, or `latest`.

        Raises:
            SettingsError: There is none, or more than one.

        """
        if name == "latest":
            found = next(self.runs(), None)
            if found is None:
                raise SettingsError(
                    "Nothing was executed in this project yet", hint="Execute a PRP first."
                )
            return found
        folder = find_run(self.state, name)
        if not self._is_ours(folder):
            raise SettingsError(
                f"Run {folder.id} belongs to another project",
                hint="Ask for it where that project is open.",
            )
        return folder

    def runs(self) -> Iterator[RunFolder]:
        """Yield the runs of these projects, the newest first."""
        runs = self.state / "runs"
        names = sorted((p.name for p in runs.iterdir()), reverse=True) if runs.is_dir() else []
        folders = (RunFolder(id=name, path=runs / name) for name in names)
        return (folder for folder in folders if self._is_ours(folder))

    def _is_ours(self, folder: RunFolder) -> bool:
        root = _repository_of(folder)
        return root is not None and self.covers(root)


def places_of(*folders: Path) -> Places:
    """Return the places for folders that are open: of each the repository that it belongs to."""
    found = (find_root(folder.resolve()) or folder.resolve() for folder in folders)
    return Places(roots=tuple(dict.fromkeys(found)))


def _repository_of(folder: RunFolder) -> Path | None:
    """Return the checkout that a run is about; None where neither order nor journal says it."""
    try:
        if folder.order.is_file():
            return Path(json.loads(folder.order.read_text(encoding="utf-8"))["root"])
        with folder.journal.open(encoding="utf-8") as file:
            return Path(json.loads(file.readline())["repository"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
