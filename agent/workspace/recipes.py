"""How a repository's packages are installed, recognised from its manifests and lock files."""

import shlex
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from agent.workspace.registries import ASKING


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to install: commands that run in a copy of the repository."""

    kind: str
    """`uv`, `pip`, `npm`, `go`, `cargo`, or `own`."""
    folder: str
    """Where they run, relative to the repository's root; empty for the root."""
    program: str
    """What must be on the path for it."""
    shown: str
    """What is done, in the one line that a person knows it by."""
    fetch: str
    """bash, with the hosts within reach."""
    build: str = ""
    """bash, without any network: what the packages themselves want to run."""
    registries: tuple[str, ...] = ()
    """Kinds of registries that may be reached, by the keys of `registries.ASKING`."""
    hosts: tuple[str, ...] = ()
    """Further hosts that may be reached, which the person named."""
    inputs: tuple[str, ...] = ()
    """Files that decide what is installed."""
    locked: bool = True
    """Whether a lock file says exactly what is installed."""


def find_recipes(files: Collection[str], read: Callable[[str], str]) -> tuple[Recipe, ...]:
    """Return how a repository's packages are installed.

    Args:
        files: Paths of all files of the commit.
        read: Returns a file's text; raises ValueError where that can't be had.

    """
    known = frozenset(files)
    return (*_python(known, read), *_node(known, read), *_go(known), *_cargo(known))


def own_recipe(command: str, *, hosts: tuple[str, ...], files: Collection[str]) -> Recipe:
    """Return the person's own command as a recipe; every registry is within its reach."""
    names = {"package.json", "go.mod", "go.sum", "Cargo.toml", "setup.py", "setup.cfg"}
    inputs = [
        path
        for path in files
        if (name := PurePosixPath(path).name) in names
        or name.endswith((".lock", "-lock.json", "-lock.yaml", "lock.toml"))
        or (name.startswith("requirements") and name.endswith(".txt"))
        or name == "pyproject.toml"
    ]
    return Recipe(
        kind="own",
        folder="",
        program="bash",
        shown=command,
        fetch=f"{_VENV}\n{command}",
        registries=tuple(ASKING),
        hosts=hosts,
        inputs=tuple(sorted(inputs)),
    )


# What the person has installed for all projects stays usable where a project does not name it.
_VENV = """\
if command -v uv >/dev/null 2>&1; then
  uv venv --quiet --allow-existing --system-site-packages "$VIRTUAL_ENV"
else
  python3 -m venv --system-site-packages "$VIRTUAL_ENV"
fi || exit
"""
_PIP = """\
if command -v uv >/dev/null 2>&1; then
  install() { uv pip install --quiet "$@"; }
else
  install() { "$VIRTUAL_ENV/bin/python" -m pip install --quiet "$@"; }
fi
"""


def _python(known: frozenset[str], read: Callable[[str], str]) -> Iterator[Recipe]:
    folder = _one_folder(known, ("uv.lock", "pyproject.toml", "requirements.txt", "setup.py"))
    if folder is None:
        return
    here = {path for path in known if _parent(path) == folder}
    names = {PurePosixPath(path).name: path for path in here}
    project = _toml(names.get("pyproject.toml", ""), read)
    manifests = [
        names[name] for name in ("pyproject.toml", "setup.py", "setup.cfg") if name in names
    ]
    if "uv.lock" in names and "pyproject.toml" in names:
        whole = "uv sync --frozen --quiet --all-extras --all-groups"
        yield Recipe(
            kind="uv",
            folder=folder,
            program="uv",
            shown=whole.replace(" --quiet", ""),
            fetch=f"{_VENV}\n{whole} || {whole.replace(' --all-extras', '')} --no-install-project",
            registries=("pip",),
            inputs=(names["uv.lock"], *manifests),
        )
        return
    lists = _requirements(known, folder)
    own = _own_package(project, names)
    if not lists and not own:
        return
    if lists:
        words = " ".join(f"-r {shlex.quote(_below(path, folder))}" for path in lists)
        shown = f"pip install {words}"
        # The package's own code is on the path anyway; that it can't be built costs nothing else.
        script = f"install {words} || exit\n{'install --no-deps -e . || true' if own else ''}"
    else:
        shown = f"pip install {own}"
        script = f"install {own} || uv pip install --quiet -r pyproject.toml --all-extras"
    yield Recipe(
        kind="pip",
        folder=folder,
        program="python3",
        shown=shown,
        fetch=f"{_VENV}{_PIP}{script}",
        registries=("pip",),
        inputs=(*lists, *manifests),
        locked=bool(lists) and all(_is_pinned(path, read) for path in lists),
    )


def _own_package(project: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the words that install the repository's own package with what its tests want."""
    table = project.get("project", {})
    poetry = project.get("tool", {}).get("poetry", {})
    optional = table.get("optional-dependencies", {})
    groups = project.get("dependency-groups", {})
    if not (table.get("dependencies") or optional or groups or poetry or "setup.py" in names):
        return ""
    extras = ",".join(name for name in _FOR_WORK if name in optional)
    chosen = " ".join(f"--group {name}" for name in _FOR_WORK if name in groups)
    return f"-e '.{f'[{extras}]' if extras else ''}' {chosen}".strip()


_FOR_WORK = ("dev", "test", "tests", "testing", "lint", "typing", "all")
_LISTS = ("requirements", "requirements-dev", "requirements-test", "requirements_dev")
_MORE_LISTS = ("dev-requirements", "test-requirements", "requirements_test", "requirements/dev")


def _requirements(known: frozenset[str], folder: str) -> list[str]:
    wanted = (_joined(folder, f"{name}.txt") for name in (*_LISTS, *_MORE_LISTS))
    return [path for path in wanted if path in known]


def _is_pinned(path: str, read: Callable[[str], str]) -> bool:
    try:
        lines = [line.strip() for line in read(path).splitlines()]
    except ValueError:
        return False
    return all("==" in line for line in lines if line and line[0] not in "#-")


def _node(known: frozenset[str], read: Callable[[str], str]) -> Iterator[Recipe]:
    for folder in sorted({_parent(path) for path in known if _depth(path) <= 2}):
        manifest = _joined(folder, "package.json")
        if manifest not in known:
            continue
        locks = ("package-lock.json", "npm-shrinkwrap.json")
        lock = next((p for name in locks if (p := _joined(folder, name)) in known), "")
        others = ("pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")
        if not lock and any(_joined(folder, name) in known for name in others):
            continue
        if not lock and not _has_packages(manifest, read):
            continue
        how = "ci" if lock else "install --no-package-lock"
        yield Recipe(
            kind="npm",
            folder=folder,
            program="npm",
            shown=f"npm {how} --ignore-scripts; npm rebuild",
            # Scripts of packages run afterwards, when nothing can be reached any more.
            fetch=f"npm {how} --ignore-scripts --no-audit --no-fund --loglevel=error",
            build="npm rebuild --loglevel=error",
            registries=("npm",),
            inputs=tuple(path for path in (lock, manifest) if path),
            locked=bool(lock),
        )


def _has_packages(manifest: str, read: Callable[[str], str]) -> bool:
    try:
        return "ependencies" in read(manifest)
    except ValueError:
        return False


def _go(known: frozenset[str]) -> Iterator[Recipe]:
    if "go.sum" in known:
        yield Recipe(
            kind="go",
            folder="",
            program="go",
            shown="go mod download",
            fetch="go mod download",
            registries=("go",),
            inputs=("go.mod", "go.sum"),
        )


def _cargo(known: frozenset[str]) -> Iterator[Recipe]:
    if "Cargo.toml" in known:
        locked = "Cargo.lock" in known
        yield Recipe(
            kind="cargo",
            folder="",
            program="cargo",
            shown=f"cargo fetch{' --locked' if locked else ''}",
            fetch=f"cargo fetch --quiet{' --locked' if locked else ''}",
            registries=("cargo",),
            inputs=("Cargo.toml", *(("Cargo.lock",) if locked else ())),
            locked=locked,
        )


def _one_folder(known: frozenset[str], names: Collection[str]) -> str | None:
    """Return where the manifests are: the root, or the only folder below it that has some."""
    folders = {_parent(p) for p in known if _depth(p) <= 2 and PurePosixPath(p).name in names}
    if "" in folders:
        return ""
    return folders.pop() if len(folders) == 1 else None


def _toml(path: str, read: Callable[[str], str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(read(path))
    except (ValueError, RecursionError):
        return {}


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _below(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/") if folder else path


def _depth(path: str) -> int:
    return path.count("/") + 1
