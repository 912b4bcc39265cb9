"""sandbox-exec of macOS: a profile that allows what is listed and denies the rest."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.workspace.sandbox.bubblewrap import kept_and_pinned
from agent.workspace.sandbox.confinement import SHELL, Confinement, Launch
from agent.workspace.sandbox.landlock import guarded, moved_environment

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/System", "/opt", "/private/etc", "/private/var/db/dyld"),
    *("/Library/Developer", "/Library/Frameworks", "/Library/Java", "/private/var/select"),
    *("/Applications/Xcode.app", "/private/var/db/timezone"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_START = """\
(version 1)
(deny default)
(allow process-fork process-exec process-info*)
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow file-read* (literal "/"))
(allow file-ioctl (literal "/dev/null"))
(allow ipc-posix-sem)
(allow mach-lookup
  (global-name "com.apple.system.opendirectoryd.libinfo")
  (global-name "com.apple.system.logger"))
(allow network-bind network-inbound (local ip "localhost:*"))
(allow network-outbound (remote ip "localhost:*"))
"""


class Seatbelt:
    """Confines by `/usr/bin/sandbox-exec`. Nobody has seen it run yet: see docs/security.md."""

    name = "sandbox-exec"
    lacks = (
        "it was never tried on a Mac, commands can't use git and see that other processes exist, "
        "and memory and processes are not bounded"
    )

    def __init__(self, program: str = "/usr/bin/sandbox-exec", *, state: Path) -> None:
        """Use the program; `state` holds the private folders of commands while they run."""
        self._program = program
        self._private = state.resolve() / "private"
        self._private.mkdir(parents=True, exist_ok=True)

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script under the profile."""
        limited = f"ulimit -c 0 -f {2 * 1024**2} -n 4096; {script}"
        return guarded(
            {
                "argv": [self._program, "-p", profile(confinement), *SHELL, limited],
                "environment": moved_environment(confinement),
                "private": str(self._private),
            }
        )


def profile(confinement: Confinement) -> str:
    """Return the profile for a command; what comes later wins over what came before."""
    tree = Path(os.path.realpath(confinement.tree))
    readable = [*_SYSTEM, *confinement.tools, tree]
    writable = ["{private}", *([tree] if confinement.writable else ())]
    writable += [one for one in (confinement.reports, confinement.home) if one]
    kept, pinned = kept_and_pinned(tree, confinement.protect)
    lines = [
        f"(allow file-read* {_all('subpath', readable)} {_all('subpath', writable)})",
        f"(allow file-read* file-write-data {_all('literal', _DEVICES)})",
        f"(allow file-write* {_all('subpath', writable)})",
        f"(deny file-write* {_all('subpath', [tree / '.git', *(tree / one for one in kept)])})",
    ]
    # A folder that could be moved away could be replaced with all that is frozen in it.
    folders = [tree, *(tree / one for one in pinned)]
    lines.append(f"(deny file-write-unlink {_all('literal', folders)})")
    return _START + "\n".join(lines) + "\n"


def _all(kind: str, paths: Iterable[object]) -> str:
    return " ".join(f"({kind} {text})" for text in _quoted(paths))


def _quoted(paths: Iterable[object]) -> Iterator[str]:
    for path in paths:
        text = str(path)
        real = text if text.startswith("{") else os.path.realpath(text)
        yield '"' + real.replace("\\", "\\\\").replace('"', '\\"') + '"'
