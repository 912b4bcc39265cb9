"""docker or podman, where nothing better works: the same view, by their means."""

import os
import secrets
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from agent.workspace.sandbox.bubblewrap import LINKED, Bubblewrap, grouped
from agent.workspace.sandbox.confinement import SHELL, Confinement, Launch
from agent.workspace.sandbox.landlock import guarded

IMAGE = "prp-sandbox:2"
# By itself it would raise the limit to the system's own, which not everybody may.
_FOR_PODMAN = ("--ulimit", "nproc=4096:4096")
# Signals mean less to a container's first process: the command is its child. An engine's own
# `--init` is a package that not everybody has.
_FIRST = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
_SECOND_VERSION = Path("/sys/fs/cgroup/cgroup.controllers")
_ABOUT_THE_CLIENT = ("DOCKER_HOST", "DOCKER_CONTEXT", "HOME", "XDG_RUNTIME_DIR")
_WALLS = (
    *("--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--read-only", "--ulimit", "core=0", "--ulimit", "nofile=4096"),
    *("--ulimit", f"fsize={1024**3}", "--ipc", "private", "--shm-size", "256m"),
    *("--hostname", "prp-sandbox", "--pull", "never", "--log-driver", "none", "--rm"),
)
_BOUNDS = ("--pids-limit", "512", "--memory", "4g", "--memory-swap", "4g")


class Container:
    """Confines by a container that shows the host's own programs, read-only.

    Its image is empty: what bubblewrap would show is shown, so a command finds the same tools.
    """

    lacks = "its walls are the container engine's, which runs as root unless it is set up otherwise"

    def __init__(self, program: str, *, state: Path) -> None:
        """Use docker or podman; `state` is a folder for the few files that are shown inside."""
        self.name = Path(program).name
        self._program = program
        self._inner = Bubblewrap(state=state)
        self._archive = state / "container.tar"

    def image_is_there(self) -> Launch:
        """Return how to ask whether the empty image was made before."""
        return self._client("image", "inspect", IMAGE)

    def make_image(self) -> Launch:
        """Return how to make the empty image; nothing is downloaded."""
        with tarfile.open(self._archive, "w") as archive:
            for name, kind, target in _skeleton():
                entry = tarfile.TarInfo(name)
                # What is mounted on a folder takes its mode, whatever was asked for.
                entry.mode = 0o1777 if name.endswith("tmp") else 0o755
                entry.type, entry.linkname = kind, target
                archive.addfile(entry)
        return self._client("import", str(self._archive), IMAGE)

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script in a container of its own."""
        name = f"prp-{secrets.token_hex(8)}"
        words = self._inner.arguments(replace(confinement, network=None))
        user = f"{os.getuid()}:{os.getgid()}"
        own = _FOR_PODMAN if self.name == "podman" else ()
        rootless = own and os.getuid()
        keep = ("--userns", "keep-id") if rootless else ()
        # Without rights podman can't use the first version of control groups, and every command
        # would begin with its words about that. Its processes are ours: we look at them.
        bounds = () if rootless and not _SECOND_VERSION.exists() else _BOUNDS
        return guarded(
            {
                "argv": [
                    *(self._program, "run", "--name", name, *_WALLS, *bounds),
                    *("--user", user, *own, *keep),
                    *_from_bubblewrap(words),
                    *(IMAGE, *_FIRST, *SHELL, script),
                ],
                "environment": _client_environment(),
                # A killed client leaves its container running.
                "after": [self._program, "rm", "--force", name],
            }
        )

    def _client(self, *words: str) -> Launch:
        return Launch(argv=(self._program, *words), environment=_client_environment())


def _client_environment() -> dict[str, str]:
    about = {name: os.environ[name] for name in _ABOUT_THE_CLIENT if name in os.environ}
    return about | {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def _skeleton() -> Iterator[tuple[str, bytes, str]]:
    for name in ("usr", "etc", "opt", "tmp", "run", "proc", "dev", "sys", "home", "var", "var/tmp"):
        yield name, tarfile.DIRTYPE, ""
    for name in LINKED:
        path = Path("/", name)
        if path.is_symlink():
            yield name, tarfile.SYMTYPE, str(path.readlink())


def _from_bubblewrap(words: Sequence[str]) -> Iterator[str]:
    """Return an engine's words for what bubblewrap's say of files, variables and the folder."""
    size, groups = "", list(grouped(words))
    kept = {group[1] for group in groups if group[0] == "--remount-ro"}
    for flag, *rest in groups:
        if flag == "--size":
            size = f",size={rest[0]}"
        elif flag == "--tmpfs" and rest[0] != "/dev/shm":  # noqa: S108 - has a flag of its own
            mode = "ro" if rest[0] in kept else "rw,exec,mode=1777"
            yield from ("--tmpfs", f"{rest[0]}:{mode}{size}")
        elif flag == "--dir" and rest[0] != "/var/tmp":  # noqa: S108 - is in the image
            yield from ("--tmpfs", f"{rest[0]}:ro,size=4096")
        elif flag in ("--bind", "--ro-bind") or (flag == "--ro-bind-try" and _exists(rest[0])):
            fields = ["type=bind", f"source={rest[0]}", f"target={rest[1]}"]
            fields += ["readonly"] if flag != "--bind" else []
            yield from ("--mount", ",".join(map(_field, fields)))
        elif flag == "--setenv":
            yield from ("--env", f"{rest[0]}={rest[1]}")
        elif flag == "--chdir":
            yield from ("--workdir", rest[0])
        size = size if flag == "--size" else ""


def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - a path that may not be looked at is not there


def _field(text: str) -> str:
    """Return a field as the engines read them: as a line of comma-separated values."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
