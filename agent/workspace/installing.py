"""Packages of the repository, installed before anything else and read-only from then on.

Installing is the one time when commands reach a network that nobody typed: the registries' hosts,
through the proxy. It happens in a folder of its own, named by the hash of everything that decides
what is installed, and never in the person's checkout or on the host.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.hosts import HostRule, parse_rule
from agent.journal import Event, HostAsked, Record, SetupFinished
from agent.workspace.recipes import Recipe
from agent.workspace.registries import ASKING, hosts_in
from agent.workspace.repository import Repository
from agent.workspace.sandbox.confinement import Sandbox
from agent.workspace.sandbox.outward import CACHES
from agent.workspace.sandbox.proxy import NetworkPolicy, open_proxy
from agent.workspace.shell import Finished, clip, run
from agent.workspace.toolchain import Toolchain
from agent.workspace.worktree import checkout

_SCHEMA = 1
_KEPT_SECONDS = 30 * 24 * 3600
_DEEPEST = 3


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What later commands are given of installed packages."""

    path: tuple[str, ...] = ()
    """Folders of programs, before all others."""
    binds: tuple[Path, ...] = ()
    laid: tuple[tuple[Path, str], ...] = ()
    """Folders to show at a path below the worktree."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: "Installed") -> "Installed":
        """Return both."""
        return Installed(
            path=self.path + other.path,
            binds=self.binds + other.binds,
            laid=self.laid + other.laid,
            variables={**self.variables, **other.variables},
        )

    def in_front_of(self, toolchain: Toolchain) -> Toolchain:
        """Return a toolchain whose commands find these packages first."""
        return replace(
            toolchain,
            path=(*self.path, *toolchain.path),
            binds=(*toolchain.binds, *self.binds),
            laid=(*toolchain.laid, *self.laid),
            variables={**toolchain.variables, **self.variables},
        )


@dataclass(kw_only=True)
class _Reach:
    """What an installation could reach, and what it asked for in vain."""

    hosts: tuple[str, ...] = ()
    missed: list[HostAsked] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Installer:
    """Installs by recipes, each in a folder below `place`."""

    place: Path
    """Folder of all installed environments."""
    repository: Repository
    commit: str
    sandbox: Sandbox
    toolchain: Toolchain
    private: Sequence[HostRule]
    seconds: float
    record: Record

    async def install(self, recipe: Recipe) -> Installed:
        """Install, or find what was installed before; what fails is recorded and costs nothing."""
        key = self.name_of(recipe)
        folder = self.place / key
        self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(self.place / f"{key}.lock"):
            started = time.monotonic()
            if (ready := folder / "ready.json").is_file():
                os.utime(ready)
                self._tell(recipe, "cached", started)
                return _of(folder)
            reach = _Reach()
            finished = await self._made(recipe, folder, reach)
            if finished.status:
                shutil.rmtree(folder, ignore_errors=True)
                self._tell_failure(recipe, finished, started, reach)
                return Installed()
            ready.write_text(json.dumps({"kind": recipe.kind, "shown": recipe.shown}))
            self._tell(recipe, "installed", started, reach.hosts)
        forget_old(self.place)
        return _of(folder)

    def name_of(self, recipe: Recipe) -> str:
        """Return a name that changes with everything that decides what is installed.

        The repository is a part of it: while packages are installed code of its own may run, as its
        build does, and what that leaves would be found by another one of the same manifests.
        """
        place = str(self.repository.git.common_dir)
        parts = [str(_SCHEMA), repr(recipe), os.pathsep.join(self.toolchain.path), place]
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape"))
        for path in recipe.inputs:
            digest.update(self.repository.read(self.commit, path) + b"\0")
        return f"{recipe.kind}-{digest.hexdigest()[:24]}"

    async def _made(self, recipe: Recipe, folder: Path, reach: _Reach) -> Finished:
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("cache", "tmp"):
            (folder / name).mkdir(parents=True, mode=0o700)
        with checkout(self.repository, folder / "project", self.commit):
            # Whoever could write it would decide what git does on the host.
            (folder / "project" / ".git").unlink()
            finished = await self._fetched(recipe, folder, reach)
            if not finished.status and recipe.build:
                built = await self._run(recipe, folder, recipe.build, network=None)
                if built.status:
                    self._tell_half(recipe, built)
            if not finished.status:
                _keep_packages(folder)
        for name in ("cache", "tmp"):
            shutil.rmtree(folder / name, ignore_errors=True)
        return finished

    async def _fetched(self, recipe: Recipe, folder: Path, reach: _Reach) -> Finished:
        def record(event: Event) -> None:
            if isinstance(event, HostAsked) and event.state != "allowed":
                reach.missed.append(event)
            self.record(event)

        reach.hosts = await self._registries(recipe, folder)
        rules = tuple(parse_rule(host) for host in reach.hosts)
        policy = NetworkPolicy(hosts=rules, private=tuple(self.private))
        async with open_proxy(policy, stage="setup", record=record) as socket:
            return await self._run(recipe, folder, recipe.fetch, network=socket)

    async def _registries(self, recipe: Recipe, folder: Path) -> tuple[str, ...]:
        """Return the hosts that the recipe's tools take packages from, and those of the person."""
        found: list[str] = []
        for kind in recipe.registries:
            asking = f'cd "$TMPDIR" && {ASKING[kind]}'
            found += hosts_in((await self._run(recipe, folder, asking, network=None)).output)
        return tuple(dict.fromkeys((*found, *recipe.hosts)))

    async def _run(
        self, recipe: Recipe, folder: Path, script: str, *, network: Path | None
    ) -> Finished:
        toolchain = replace(
            self.toolchain,
            network=network,
            path=(str(folder / "venv" / "bin"), *self.toolchain.path),
            variables={**self.toolchain.variables, **_while_installing(folder)},
        )
        finished = await run(
            script,
            confinement=toolchain.confine(folder),
            sandbox=self.sandbox,
            setup=(f"cd ./project/{_quoted(recipe.folder)}",),
            timeout=self.seconds,
        )
        _clear_strangers(folder)
        return finished

    def _tell(
        self,
        recipe: Recipe,
        state: str,
        started: float,
        hosts: tuple[str, ...] = (),
        **more: str,
    ) -> None:
        self.record(
            SetupFinished(
                kind=recipe.kind,
                state=state,
                command=_shown(recipe),
                hosts=hosts,
                reason=more.get("reason", ""),
                seconds=round(time.monotonic() - started, 3),
                output=more.get("output", ""),
            )
        )

    def _tell_failure(
        self, recipe: Recipe, finished: Finished, started: float, reach: _Reach
    ) -> None:
        how = (
            f"it took more than {self.seconds:.0f} s"
            if finished.ended == "timeout"
            else f"exit status {finished.status}"
        )
        reason = f"{how}{_about(reach)}. {_WITHOUT}"
        output = clip(finished.output, limit=4000)
        self._tell(recipe, "failed", started, reach.hosts, reason=reason, output=output)

    def _tell_half(self, recipe: Recipe, built: Finished) -> None:
        words = "packages are there, but scripts of theirs failed without the network"
        self.record(
            SetupFinished(
                kind=recipe.kind,
                state="failed",
                command=recipe.build,
                hosts=(),
                reason=f"exit status {built.status}: {words}",
                seconds=round(built.seconds, 3),
                output=clip(built.output, limit=4000),
            )
        )


_WITHOUT = (
    "The run goes on without these packages; install them in your checkout, or name a command with "
    "--setup, or leave this step away with --no-setup"
)


def _about(reach: _Reach) -> str:
    """Return what the network had to do with a failure, and what to do about that."""
    if not reach.hosts:
        return "; its tool does not say where packages come from (name the hosts: --allow-host)"
    if not reach.missed:
        return ""
    last = reach.missed[-1]
    words = f"; {last.host}:{last.port} was not reached: {last.reason}"
    if "private network" in last.reason:
        return f"{words} (if it is a mirror of your own: PRP_PRIVATE_HOSTS={last.host})"
    if last.state == "refused":
        return f"{words} (if you trust it: --allow-host {last.host})"
    return words


def _shown(recipe: Recipe) -> str:
    return f"cd {recipe.folder} && {recipe.shown}" if recipe.folder else recipe.shown


def _quoted(folder: str) -> str:
    return "'" + folder.replace("'", "'\\''") + "'" if folder else ""


def _while_installing(folder: Path) -> dict[str, str]:
    cache = folder / "cache"
    return {
        **_where(folder),
        # What a home in memory has no room for.
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(cache),
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "npm_config_cache": str(cache / "npm"),
        "UV_PYTHON_DOWNLOADS": "never",
        # A repository's .npmrc may name any program as git; npm's registry takes uploads.
        "npm_config_git": "/bin/false",
        "GOVCS": "*:off",
        "GOTOOLCHAIN": "local",
        # There is no history of git, which some packages take their version from.
        "SETUPTOOLS_SCM_PRETEND_VERSION": "0",
        # Without a network that is there they shall not wait for minutes.
        "PIP_RETRIES": "1",
        "UV_HTTP_RETRIES": "1",
        "npm_config_fetch_retries": "1",
        "CARGO_NET_RETRY": "1",
        "PYTHONPATH": "",
    }


def _where(folder: Path) -> dict[str, str]:
    return {
        "VIRTUAL_ENV": str(folder / "venv"),
        "UV_PROJECT_ENVIRONMENT": str(folder / "venv"),
        "GOMODCACHE": str(folder / "go"),
        "CARGO_HOME": str(folder / "cargo"),
    }


def _of(folder: Path) -> Installed:
    """Return what an environment's folder offers."""
    made = {name: folder / name for name in ("venv", "go", "cargo") if (folder / name).is_dir()}
    variables = {k: v for k, v in _where(folder).items() if Path(v) in made.values()}
    if "venv" in made:
        # `uv run` takes the environment as it is.
        variables["UV_NO_SYNC"] = "1"
    laid = folder / "laid"
    return Installed(
        path=(str(made["venv"] / "bin"),) if "venv" in made else (),
        binds=tuple(made.values()),
        laid=tuple((found, str(found.relative_to(laid))) for found in _packages(laid)),
        variables=variables,
    )


def _packages(root: Path, depth: int = 0) -> Iterator[Path]:
    """Return the outermost `node_modules` below a folder; links are not followed."""
    if depth > _DEEPEST or not root.is_dir():
        return
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if not entry.is_dir(follow_symlinks=False):
            continue
        if entry.name == "node_modules":
            yield Path(entry.path)
        else:
            yield from _packages(Path(entry.path), depth + 1)


_OWN = ("project", "cache", "tmp", "venv", "go", "cargo")


def _clear_strangers(folder: Path) -> None:
    """Leave only folders that commands were to fill: the host follows and shows what lies here.

    A link in the place of one would lead it to any folder of the person's, and a `.git` to any
    repository.
    """
    for entry in list(os.scandir(folder)):
        if not entry.is_dir(follow_symlinks=False):
            Path(entry.path).unlink()
        elif entry.name not in _OWN:
            shutil.rmtree(entry.path, ignore_errors=True)


def _keep_packages(folder: Path) -> None:
    """Take the packages out of the copy of the project, which goes away."""
    project = folder / "project"
    for found in list(_packages(project)):
        place = folder / "laid" / found.relative_to(project)
        place.parent.mkdir(parents=True, exist_ok=True)
        found.rename(place)
        if place.name == "node_modules":
            # What is not there can't be made writable later: the packages are shown read-only.
            for name in CACHES:
                with contextlib.suppress(FileExistsError):
                    (place / name).mkdir()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other runs from making the same environment meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def forget_old(place: Path, *, now: Callable[[], float] = time.time) -> None:
    """Delete environments that nobody has used for 30 days."""
    for ready in place.glob("*/ready.json"):
        with contextlib.suppress(OSError):
            if now() - ready.stat().st_mtime > _KEPT_SECONDS:
                ready.unlink()
                shutil.rmtree(ready.parent, ignore_errors=True)
