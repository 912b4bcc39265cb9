"""What a sandbox is asked for, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """What one command may see and do."""

    tree: Path
    """The worktree: the only place on disk that outlives the command."""
    writable: bool = True
    protect: tuple[str, ...] = ()
    """Paths below `tree` that stay as they are."""
    tools: tuple[Path, ...] = ()
    """Folders outside of the system's own that hold tools; read-only."""
    environment: Mapping[str, str] = field(default_factory=dict)
    reports: Path | None = None
    """An empty folder outside of `tree` that the command may write: reports of test runners."""
    network: Path | None = None
    """Socket of the proxy that serves the allowed hosts; None for no network at all."""
    mask: Callable[[str], str] = str
    """Takes secrets out of what it prints, before anybody keeps or reads it."""
    home: Path | None = None
    """Folder that stands for the person's home, for a program that keeps things there; None for
    an empty one that is gone afterwards."""
    laid: tuple[tuple[Path, str], ...] = ()
    """Folders shown read-only at a path below `tree`: installed packages."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start a command so that it is confined."""

    argv: tuple[str, ...]
    """`{alive}` in it stands for a file descriptor that is at its end once prp is gone."""
    environment: Mapping[str, str]
    arguments: bytes = b""
    """To be readable under the file descriptor that `{fd}` in `argv` stands for."""


class Sandbox(Protocol):
    """A way to confine commands."""

    name: str
    lacks: str
    """What it does not promise and bubblewrap does, as part of a sentence."""

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script confined."""
        ...


SHELL = ("/bin/bash", "--noprofile", "--norc", "-o", "pipefail", "-c")
