"""What commands find inside of the sandbox: tools, environment, and words about both."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from agent.masking import Mask
from agent.workspace.reporting import REPORTERS, reporting
from agent.workspace.sandbox.confinement import Confinement, Sandbox
from agent.workspace.sandbox.proxy import proxy_variables

_SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# A tool below one of these needs what lies beside it: a shim its versions, a compiler its library.
_WHOLE = frozenset(
    (".pyenv", ".nvm", ".rustup", ".rbenv", ".volta", ".bun", ".deno", ".sdkman", "go")
)
_WORTH_NAMING = (
    *("python3", "pytest", "ruff", "mypy", "uv", "node", "npm", "pnpm", "yarn", "tsc", "go"),
    *("cargo", "java", "mvn", "gradle", "dotnet", "make", "git", "rg", "jq"),
)


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """Tools and environment for the commands of one run."""

    path: tuple[str, ...]
    """Folders of PATH inside, in order."""
    binds: tuple[Path, ...]
    """Folders to show inside, read-only."""
    home: str
    shell_timeout: float
    variables: Mapping[str, str] = field(default_factory=dict)
    """What else the environment says: where installed packages are."""
    laid: tuple[tuple[Path, str], ...] = ()
    """Folders of packages to show at a path below the worktree."""
    network: Path | None = None
    """Socket of the proxy; None for no network."""
    mask: Mask = field(default_factory=Mask)
    """Takes secrets out of what commands print."""
    hosts: tuple[str, ...] = ()
    """What the proxy serves, in words."""

    def confine(
        self,
        tree: Path,
        *,
        writable: bool = True,
        protect: Sequence[str] = (),
        reports: Path | None = None,
    ) -> Confinement:
        """Return the confinement of a command in a worktree.

        Args:
            tree: The worktree.
            writable: Whether the command may change it.
            protect: Paths in it that stay as they are.
            reports: An empty folder that test runners write what came of each test to.

        """
        environment = self._environment(tree)
        if reports is not None:
            environment |= reporting(reports)
        return Confinement(
            tree=tree,
            writable=writable,
            protect=tuple(protect),
            tools=self.binds if reports is None else (*self.binds, REPORTERS),
            environment=environment,
            reports=reports,
            network=self.network,
            laid=self.laid,
            mask=self.mask,
        )

    def describe(self, sandbox: Sandbox, *, writable: bool = True) -> str:
        """Return what a model needs to know about the place where its commands run.

        Args:
            sandbox: Where they run.
            writable: Whether they may change the worktree.

        """
        tools = self.programs(_WORTH_NAMING)
        net = (
            f"Of the network only {', '.join(self.hosts)} can be reached, through the proxy that "
            "HTTPS_PROXY names."
            if self.network
            else "There is no network."
        )
        # Where nothing is mounted over it, the machine's own is nobody's to write to.
        scratch = "$TMPDIR (not /tmp)" if sandbox.name in _WITHOUT_TMP else "/tmp"  # noqa: S108
        room = (
            f"Only the worktree and {scratch}, empty for each command, can be written; .git and "
            "frozen files are read-only"
            if writable
            else f"The worktree is read-only, only {scratch}, empty for each command, can be "
            "written"
        )
        walls = (
            f"{net} {room}, so git can show but not commit."
            if sandbox.name != "none"
            else "Leave everything outside of the worktree alone."
        )
        return (
            f"Commands run in bash at the worktree's root. On the path: {', '.join(tools)}. "
            f"{walls} A command may take {self.shell_timeout:.0f} s unless it asks for more. "
            "PYTHONPATH holds the worktree and its src folder: Python code needs no installation."
        )

    def programs(self, names: Iterable[str]) -> list[str]:
        """Return those of some programs that are on the path."""
        stamps = tuple(_stamp(folder) for folder in self.path)
        return list(_found(tuple(names), self.path, stamps))

    def _environment(self, tree: Path) -> dict[str, str]:
        return {
            **_QUIET,
            **(proxy_variables() if self.network else _OFFLINE),
            "PATH": os.pathsep.join(self.path),
            "HOME": self.home,
            # An editable install in the person's environment points at the person's checkout.
            "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)]),
            **_roots(self.binds),
            **self.variables,
        }


def _stamp(folder: str) -> int:
    """Return when something was last added to a folder; 0 where there is none."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


# Each task is told anew, and to look for twenty programs in ten folders takes milliseconds.
@lru_cache(maxsize=16)
def _found(
    names: tuple[str, ...],
    path: tuple[str, ...],
    _stamps: tuple[int, ...],
) -> tuple[str, ...]:
    search = os.pathsep.join(path)
    return tuple(name for name in names if shutil.which(name, path=search))


_WITHOUT_TMP = ("landlock", "sandbox-exec")
_QUIET: Mapping[str, str] = {
    "USER": "prp",
    "LOGNAME": "prp",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PY_COLORS": "0",
    "CI": "1",
    "TMPDIR": "/tmp",  # noqa: S108 - a private one inside of the sandbox
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "RUFF_CACHE_DIR": "/tmp/ruff",  # noqa: S108
    "MYPY_CACHE_DIR": "/tmp/mypy",  # noqa: S108
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "npm_config_update_notifier": "false",
    # No setting's name: who runs prp in a check would have chosen it.
    "PRP_IN_SANDBOX": "1",
}
# Without them installers wait a long time for a network that is not there.
_OFFLINE: Mapping[str, str] = {
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "npm_config_offline": "true",
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
}


_OWN = {".venv": "bin", "node_modules": ".bin"}


def find_toolchain(
    root: Path,
    *,
    search_path: str,
    home: Path,
    first: Iterable[Path] = (),
    shell_timeout: float = 120.0,
    mask: Mask | None = None,
    tracked: Callable[[str], bool] = lambda _: False,
) -> Toolchain:
    """Find the tools that commands may use.

    Args:
        root: The person's checkout; its `.venv` and `node_modules` are offered, read-only.
        search_path: The person's PATH.
        home: The person's home; what lies directly in it is never shown.
        first: Folders of programs that come before all others.
        shell_timeout: Seconds that a command may take unless it asks for more.
        mask: Takes secrets out of what commands print.
        tracked: Tells whether git tracks anything at a path below `root`. What a repository brings
            is not offered: a link in it could name any folder of the person's to be shown.

    """
    own = [root / name / programs for name, programs in _OWN.items() if not tracked(name)]
    wanted = [*first, *(folder for folder in own if _is_folder(folder))]
    outside = [
        Path(folder)
        for folder in search_path.split(os.pathsep)
        # A folder inside of the repository could bring a program named `git`.
        if folder.startswith("/") and not Path(folder).is_relative_to(root)
    ]
    folders = [f for f in dict.fromkeys([*wanted, *outside]) if _is_folder(f)]
    shown = {f: _to_show(f, home) for f in folders if str(f) not in _SYSTEM}
    usable = [str(f) for f in folders if str(f) in _SYSTEM or shown.get(f)]
    binds = {path for paths in shown.values() for path in paths}
    binds |= {Path(sys.base_prefix)} - {Path("/usr")}
    return Toolchain(
        path=tuple(dict.fromkeys([*usable, "/usr/local/bin", "/usr/bin", "/bin"])),
        binds=tuple(sorted(path for path in binds if _is_folder(path))),
        home=str(home if _is_own(home) else _HOME),
        shell_timeout=shell_timeout,
        mask=mask or Mask(),
    )


def shown_for(program: Path, *, home: Path) -> tuple[Path, ...]:
    """Return the folders that must be visible for a program that is on nobody's PATH to work."""
    real = program.resolve()
    files = [program, real]
    if interpreter := _interpreter(real):
        files += [interpreter, interpreter.resolve()]
    modules = (folder for folder in real.parents if folder.name == "node_modules")
    places = {place for file in files for place in _to_show(file.parent, home)}
    return tuple(sorted(places | set(list(modules)[:1])))


def _interpreter(script: Path) -> Path | None:
    """Return the program that a script names on its first line."""
    try:
        with script.open("rb") as file:
            first = file.readline(512)
    except OSError:
        return None
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    return Path(words[0]) if words and words[0].startswith("/") else None


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where nothing may be looked at


# Where the person's is one of the system's own folders, an empty one cannot be laid over it.
_HOME = "/home/prp"


def _is_own(home: Path) -> bool:
    return len(home.parts) > 2 or str(home) == "/root"


def _to_show(folder: Path, home: Path) -> tuple[Path, ...]:
    """Return what must be visible for the programs of a folder to work; nothing to leave it out."""
    real = folder.resolve()
    for place in (folder, real):
        for parent in (place, *place.parents):
            if parent.name == ".cargo":
                # Beside its programs lie the keys of the package registry.
                return (parent / "bin", parent / "registry", parent.parent / ".rustup")
            if parent.name in _WHOLE and parent != home:
                return (parent,)
    if os.path.isfile(folder.parent / "pyvenv.cfg"):  # noqa: PTH113 - as below
        return (folder.parent, *_behind(folder))
    if home in (folder, folder.parent) or str(real).startswith("/usr/"):
        return ()
    return (folder,)


def _behind(folder: Path) -> tuple[Path, ...]:
    """Return the installation that a virtual environment's Python belongs to."""
    python = (folder / "python").resolve()
    prefix = python.parent.parent
    return () if prefix in (Path("/usr"), Path("/")) else (prefix,)


def _roots(binds: Iterable[Path]) -> dict[str, str]:
    """Return the variables by which shims find their versions."""
    names = {".pyenv": "PYENV_ROOT", ".nvm": "NVM_DIR"}
    names |= {".rustup": "RUSTUP_HOME", ".rbenv": "RBENV_ROOT", ".volta": "VOLTA_HOME"}
    return {names[path.name]: str(path) for path in binds if path.name in names}
