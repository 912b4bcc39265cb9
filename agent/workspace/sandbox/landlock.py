"""Landlock and seccomp: weaker walls, where bubblewrap is missing or kept from working."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.workspace.sandbox.bubblewrap import ETC, LINKED, Bubblewrap, grouped, kept_and_pinned
from agent.workspace.sandbox.confinement import SHELL, Confinement, Launch

_GUARD = Path(__file__).with_name("guard.py")
_LIMITS = {"CORE": 0, "FSIZE": 1024**3, "NOFILE": 4096}
_PRIVATE = "{private}"


class Landlock:
    """Confines by rules about paths that the kernel keeps, not by a view of its own."""

    name = "landlock"
    lacks = (
        "private folders are bounded by the disk only, and commands can write to $TMPDIR, not to "
        "/tmp; where namespaces are forbidden, they "
        "have neither git nor loopback, see that other processes exist, can change permissions "
        "(not contents) of your files, and frozen files only come back in the clean room"
    )

    def __init__(self, *, state: Path, namespaces: bool = True) -> None:
        """Use a folder for the private ones of commands.

        Args:
            state: Holds them while commands run.
            namespaces: Whether to try for a network and processes of its own as well.

        """
        self._private = state / "private"
        self._private.mkdir(parents=True, exist_ok=True)
        self.namespaces = namespaces
        self._view = Bubblewrap(state=state)

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script confined."""
        kept, pinned = kept_and_pinned(confinement.tree, confinement.protect)
        order = {
            "argv": [*SHELL, script],
            "environment": moved_environment(confinement),
            "private": str(self._private),
            "confine": str(_GUARD.with_name("landlocked.py")),
            "policy": {
                "tree": str(confinement.tree),
                "limits": _LIMITS,
                "namespaces": self.namespaces,
                "readable": [str(path) for path in _readable(confinement)],
                "writable": [str(path) for path in _writable(confinement)],
                "pinned": [str(confinement.tree / folder) for folder in pinned],
                "history": list(grouped(self._view.history(confinement.tree))),
                "kept": [str(confinement.tree / path) for path in (".git", *kept)],
            },
        }
        return guarded(order)


def guarded(order: Mapping[str, object]) -> Launch:
    """Return how to start a command that is cleaned up after, whatever happens; see guard.py."""
    return Launch(
        argv=(sys.executable, "-I", "-S", str(_GUARD), "{fd}", "{alive}"),
        environment={"PATH": "/usr/bin:/bin"},
        arguments=json.dumps(order).encode("utf-8", "surrogateescape"),
    )


def moved_environment(confinement: Confinement) -> dict[str, str]:
    """Return the environment with the private folders in place of HOME and /tmp."""
    asked, home = confinement.environment, confinement.home
    moved = {k: re.sub(r"^/tmp(?=(/[\w.-]+)?$)", f"{_PRIVATE}/tmp", v) for k, v in asked.items()}  # noqa: S108
    return moved | {"HOME": str(home or f"{_PRIVATE}/home")}


def _readable(confinement: Confinement) -> Iterator[Path]:
    yield Path("/usr")
    yield from (Path("/", name) for name in (*LINKED, "opt"))
    yield from (Path("/etc", name) for name in ETC)
    yield from confinement.tools
    yield confinement.tree


def _writable(confinement: Confinement) -> Iterator[Path | str]:
    yield _PRIVATE
    if confinement.writable:
        yield confinement.tree
    yield from (one for one in (confinement.reports, confinement.home) if one)
