"""Before a run's first check: packages are installed, and the network opens as far as allowed."""

import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from agent.hosts import parse_rule
from agent.journal import Noted, Record, SetupFinished
from agent.runs.desk import Desk
from agent.workspace import Repository, Toolchain
from agent.workspace.git import GitFailed
from agent.workspace.installing import Installed, Installer
from agent.workspace.recipes import Recipe, find_recipes, own_recipe
from agent.workspace.sandbox.proxy import NetworkPolicy, open_proxy

# Only here a socket can be shown and everything else kept out of reach.
_CARRYING = ("bubblewrap",)


@asynccontextmanager
async def opened(desk: Desk, *, commit: str, record: Record) -> AsyncIterator[Desk]:
    """Return the desk with its packages, and with the allowed hosts within reach of commands.

    Args:
        desk: As it was checked.
        commit: Whose lock files count at first; `Desk.equip` answers for others.
        record: Is told of each installation and of each host that is asked for.

    """
    hosts = desk.settings.allow_hosts
    if hosts and desk.sandbox.name in _CARRYING:
        policy = NetworkPolicy(
            hosts=tuple(map(parse_rule, hosts)),
            private=tuple(map(parse_rule, desk.settings.private_hosts)),
        )
        async with open_proxy(policy, stage="run", record=record) as socket:
            reaching = dataclasses.replace(desk.toolchain, network=socket, hosts=hosts)
            yield await _equipped(desk, reaching, commit, record)
        return
    if hosts and desk.sandbox.name != "none":
        words = f"sandbox {desk.sandbox.name} can't let single hosts through: none can be reached"
        record(Noted(text=words, warning=True))
    yield await _equipped(desk, desk.toolchain, commit, record)


async def _equipped(desk: Desk, toolchain: Toolchain, commit: str, record: Record) -> Desk:
    """Return the desk with a toolchain for the commit, and the way to get one for others."""
    equip = _equipment(desk, toolchain, record)
    return dataclasses.replace(desk, toolchain=await equip(commit), equip=equip)


def _equipment(
    desk: Desk, toolchain: Toolchain, record: Record
) -> Callable[[str], Awaitable[Toolchain]]:
    """Return what installs for a commit; where its lock files are as they were, nothing happens."""
    known: dict[tuple[str, ...], Toolchain] = {}

    async def equip(commit: str) -> Toolchain:
        # Installed offline or with the registries, never with the hosts of the run's commands.
        installer = _installer(desk, commit, record)
        recipes = _recipes(desk, commit)
        names = tuple(map(installer.name_of, recipes))
        if names not in known:
            installed = _brought(desk)
            for recipe in recipes:
                if reason := _why_not(desk, recipe):
                    record(_skipped(recipe, reason))
                else:
                    installed += await installer.install(recipe)
            known[names] = installed.in_front_of(toolchain)
        return known[names]

    return equip


def _installer(desk: Desk, commit: str, record: Record) -> Installer:
    settings = desk.settings
    minutes = settings.max_minutes
    return Installer(
        place=settings.state_dir / "environments",
        repository=desk.repository,
        commit=commit,
        sandbox=desk.sandbox,
        toolchain=desk.toolchain,
        private=tuple(map(parse_rule, settings.private_hosts)),
        seconds=min(settings.setup_timeout, minutes * 60 if minutes else settings.setup_timeout),
        record=record,
    )


def _recipes(desk: Desk, commit: str) -> Sequence[Recipe]:
    if desk.settings.setup == "none":
        return ()
    files = desk.repository.files(commit)
    if desk.settings.setup != "auto":
        hosts = desk.settings.allow_hosts
        return (own_recipe(desk.settings.setup, hosts=hosts, files=files),)
    return tuple(
        # cargo tells nobody where its packages come from.
        dataclasses.replace(recipe, hosts=desk.settings.allow_hosts)
        if recipe.kind == "cargo"
        else recipe
        for recipe in find_recipes(files, _reader(desk, commit))
    )


def _reader(desk: Desk, commit: str) -> Callable[[str], str]:
    def read(path: str) -> str:
        try:
            return desk.repository.read(commit, path).decode("utf-8")
        except GitFailed as error:
            raise ValueError(str(error)) from None

    return read


_OWN = {"uv": ".venv", "pip": ".venv", "npm": "node_modules"}


def _why_not(desk: Desk, recipe: Recipe) -> str:
    own = _OWN.get(recipe.kind)
    if own and _is_the_persons(desk.repository, f"{recipe.folder}/{own}".lstrip("/")):
        return f"the {own} of your checkout is used, read-only"
    if desk.sandbox.name not in _CARRYING:
        return f"packages are installed in bubblewrap or not at all, not in {desk.sandbox.name}"
    if os.environ.get("CI") and not recipe.locked:
        return (
            f"in CI only locked packages are installed, and {recipe.shown} is not: commit a lock "
            "file (uv.lock, package-lock.json, Cargo.lock, requirements with == for each) or type "
            "--setup 'COMMAND'"
        )
    if recipe.program not in ("bash", *desk.toolchain.programs((recipe.program,))):
        return f"{recipe.program} is not installed"
    return ""


def _skipped(recipe: Recipe, reason: str) -> SetupFinished:
    return SetupFinished(
        kind=recipe.kind,
        state="skipped",
        command=recipe.shown,
        hosts=(),
        reason=reason,
        seconds=0.0,
    )


def _brought(desk: Desk) -> Installed:
    """Return the packages of node that the person's checkout has already."""
    packages = desk.repository.root / "node_modules"
    if _is_the_persons(desk.repository, "node_modules") and not packages.is_symlink():
        return Installed(laid=((packages, "node_modules"),))
    return Installed()


def _is_the_persons(repository: Repository, path: str) -> bool:
    """Return whether a folder of the checkout is there, and not brought by the repository."""
    place = repository.root / path
    return os.path.isdir(place) and not repository.is_tracked(path)  # noqa: PTH112 - as it is
