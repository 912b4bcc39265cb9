"""What bubblewrap shows beyond the walls: the proxy's socket and installed packages."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from agent.workspace.sandbox.confinement import Confinement
from agent.workspace.sandbox.proxy import PROXY_HOST, PROXY_PORT, SOCKET_INSIDE, inside_source


def through_proxy(socket: Path | None) -> tuple[str, ...]:
    """Return the words that come before a command that may ask the proxy; none without one."""
    if socket is None:
        return ()
    start = (str(_python()), "-I", "-S", "-c", inside_source())
    return (*start, SOCKET_INSIDE, PROXY_HOST, str(PROXY_PORT))


def shown_beside(confinement: Confinement) -> Iterable[str]:
    """Return bubblewrap's arguments for the socket, and for packages laid into the worktree."""
    if confinement.network is not None:
        yield from ("--ro-bind", str(confinement.network), SOCKET_INSIDE)
        prefix = Path(sys.base_prefix)
        if prefix != Path("/usr"):
            yield from ("--ro-bind", str(prefix), str(prefix))
    for source, path in confinement.laid:
        if _has_room(confinement, path):
            place = confinement.tree / path
            yield from ("--ro-bind", str(source), str(place))
            yield from _scratch(source, place)


# Where tools of node keep what they would rather not work out again, and fail where they can't.
CACHES = (".cache", ".vite", ".vite-temp")
_CACHE_BYTES = 256 * 1024 * 1024


def _scratch(source: Path, place: Path) -> Iterable[str]:
    """Let caches inside of packages be written: empty for each command, gone with it."""
    for name in CACHES:
        if (source / name).is_dir() and not (source / name).is_symlink():
            yield from ("--size", str(_CACHE_BYTES), "--tmpfs", str(place / name))


def _has_room(confinement: Confinement, path: str) -> bool:
    """Return whether a folder can be laid at a path: no link on the way, nothing else there."""
    place = confinement.tree / path
    real = confinement.tree.resolve() / path
    if place.parent.resolve() != real.parent or not place.parent.is_dir() or place.is_symlink():
        return False
    return place.is_dir() or (confinement.writable and not os.path.lexists(place))


def _python() -> Path:
    return Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
