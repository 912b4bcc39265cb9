"""Folders that nobody needs any more: out of the way at once, their files deleted meanwhile.

To delete 100,000 files takes as long as to write them. Nobody has to wait for it in the midst of a
run, and Python would keep everybody else waiting.
"""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.workspace.trusted import trusted_program

# Whoever works goes first.
_NICE = 10


@dataclass(kw_only=True)
class Clearing:
    """Takes folders away: at once, or behind the back of who goes on, where that was agreed on."""

    _place: Path | None = None
    _under_way: "list[tuple[Path, subprocess.Popen[bytes]]]" = field(default_factory=list)

    @contextmanager
    def meanwhile(
        self, place: Path, *, left: Iterable[Path] = (), notice: Callable[[str], None]
    ) -> Iterator[None]:
        """Delete what is taken away inside while others go on; at the end wait for the rest.

        Args:
            place: Folder for what is not deleted yet; gone at the end.
            left: What killed processes left in such folders; it is deleted too.
            notice: Is told of what can't be deleted.

        """
        self._place = place
        for folder in left:
            self._begin(folder)
        try:
            yield
        finally:
            self._place = None
            self._end(notice)
            with contextlib.suppress(OSError):
                place.rmdir()

    def take_away(self, folder: Path) -> None:
        """Free a folder's name, whatever stands there, and have its files deleted."""
        if self._place:
            self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = self._place / secrets.token_hex(8)
            with contextlib.suppress(OSError):  # nothing is there, or it lies on another disk
                folder.rename(aside)
                self._begin(aside)
                return
        if not os.path.lexists(folder):
            return
        _deletion(folder).wait()
        if os.path.lexists(folder):
            # Nobody may look into it, or it is in use: below the run's state.
            folder.rename(folder.with_name(f"{folder.name}-left-{secrets.token_hex(4)}"))

    def _begin(self, folder: Path) -> None:
        self._under_way.append((folder, _deletion(folder)))

    def _end(self, notice: Callable[[str], None]) -> None:
        while self._under_way:
            folder, deletion = self._under_way.pop()
            deletion.wait()
            if os.path.lexists(folder):
                notice(f"{folder} can't be deleted; it holds files of a worktree: rm -rf {folder}")


def _deletion(folder: Path) -> "subprocess.Popen[bytes]":
    """Begin to delete a folder, in a process that ends its work even where this one is killed."""
    begun = subprocess.Popen(
        [trusted_program("rm") or "/bin/rm", "-rf", "--", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
    )
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, begun.pid, _NICE)
    return begun
