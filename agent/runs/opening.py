"""Before a run's first check: packages are installed, and the network opens as far as allowed."""

import dataclasses
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agent.hosts import parse_rule
from agent.journal import Record, SetupFinished
from agent.runs.desk import Desk
from agent.workspace.git import GitFailed
from agent.workspace.installing import Installed, Installer
from agent.workspace.recipes import Recipe, find_recipes, own_recipe
from agent.workspace.sandbox.proxy import NetworkPolicy, open_proxy


@asynccontextmanager
async def opened(desk: Desk, *, commit: str, record: Record) -> AsyncIterator[Desk]:
    """Return the desk with its packages, and with the allowed hosts within reach of commands.

    Args:
        desk: As it was checked.
        commit: Whose lock files count.
        record: Is told of each installation and of each host that is asked for.

    """
    installed = await _installed(desk, commit=commit, record=record)
    toolchain = installed.in_front_of(desk.toolchain)
    hosts = desk.settings.allow_hosts
    if not hosts or desk.sandbox.name == "none":
        yield dataclasses.replace(desk, toolchain=toolchain)
        return
    policy = NetworkPolicy(
        hosts=tuple(map(parse_rule, hosts)),
        private=tuple(map(parse_rule, desk.settings.private_hosts)),
    )
    async with open_proxy(policy, stage="run", record=record) as socket:
        reaching = dataclasses.replace(toolchain, network=socket, hosts=hosts)
        yield dataclasses.replace(desk, toolchain=reaching)


async def _installed(desk: Desk, *, commit: str, record: Record) -> Installed:
    settings = desk.settings
    installed = _brought(desk)
    recipes = _recipes(desk, commit)
    minutes = settings.max_minutes
    installer = Installer(
        place=settings.state_dir / "environments",
        repository=desk.repository,
        commit=commit,
        sandbox=desk.sandbox,
        toolchain=desk.toolchain,
        private=tuple(map(parse_rule, settings.private_hosts)),
        seconds=min(settings.setup_timeout, minutes * 60 if minutes else settings.setup_timeout),
        record=record,
    )
    for recipe in recipes:
        if reason := _why_not(desk, recipe):
            record(_skipped(recipe, reason))
        else:
            installed += await installer.install(recipe)
    return installed


def _recipes(desk: Desk, commit: str) -> tuple[Recipe, ...]:
    files = desk.repository.files(commit)
    if desk.settings.setup == "none":
        return ()
    if desk.settings.setup != "auto":
        hosts = desk.settings.allow_hosts
        return (own_recipe(desk.settings.setup, hosts=hosts, files=files),)
    return find_recipes(files, _reader(desk, commit))


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
    if own and os.path.isdir(desk.repository.root / recipe.folder / own):  # noqa: PTH112 - as it is
        return f"the {own} of your checkout is used, read-only"
    if desk.sandbox.name == "none":
        return "packages are installed in a sandbox or not at all; there is none"
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
    if packages.is_dir() and not packages.is_symlink():
        return Installed(laid=((packages, "node_modules"),))
    return Installed()
