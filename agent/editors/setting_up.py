"""What `prp init` writes into a repository, and how to call it afterwards."""

import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.editors.entries import enter, take_out
from agent.editors.files import Change, State, changes_of, install, uninstall
from agent.editors.skills import TOOLS, Tool, chosen, files_for, in_use
from agent.errors import SettingsError

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person wants to have written."""

    agents: str = "auto"
    """See `skills.chosen`."""
    mcp: bool = False
    """Whether `prp mcp` is entered among the servers of the tools that are found."""
    further: Mapping[str, str] = field(default_factory=dict)
    """Path to content of files that others give."""


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """What became of it."""

    changes: Sequence[Change]
    words: Sequence[str]
    """How to go on, a line each."""


def set_up(root: Path, wish: Wish, *, remove: bool = False, dry_run: bool = False) -> SetUp:
    """Write the files, or take them away.

    Args:
        root: Top of the repository.
        wish: What to write.
        remove: Whether to take away what nobody has edited; of all tools, also of those that are
            not found any more.
        dry_run: Whether to say only what would be done.

    Raises:
        SettingsError: A tool is unknown.
        FileProblem: A path leads out of the repository, or can't be written.

    """
    try:
        tools = chosen(
            "all" if remove and wish.agents == "auto" else wish.agents, root, is_installed=_is_there
        )
    except KeyError as error:
        raise SettingsError(
            f"No tool is called {error.args[0]!r}",
            hint=f"Known are {', '.join(TOOLS)}; or auto, all, none.",
        ) from None
    servers = tools if remove or wish.agents != "auto" else _with_servers(root)
    files = {**files_for(tools), **_own(root), **wish.further}
    if dry_run:
        changes = changes_of(root, files, remove=remove)
    else:
        changes = (uninstall if remove else install)(root, files)
    if wish.mcp:
        changes += (take_out if remove else enter)(root, servers, dry_run=dry_run)
    if dry_run:
        return SetUp(changes=changes, words=())
    return SetUp(changes=changes, words=() if remove else _words(tools, changes))


def _with_servers(root: Path) -> dict[str, Tool]:
    """Return the tools in use, and Claude Code, whose `.mcp.json` others read as well."""
    return {"claude": TOOLS["claude"], **in_use(root, is_installed=_is_there)}


def _is_there(program: str) -> bool:
    return shutil.which(program) is not None


def _own(root: Path) -> dict[str, str]:
    """Return the files of `prp` itself."""
    files = {
        "PRPs/templates/prp.md": _bundled("PRPs/templates/base.md", "template.md"),
        ".env.example": _bundled(".env.example", "env.example"),
    }
    if not _has_table(root / "pyproject.toml"):
        files["prp.toml"] = (_TEMPLATES / "prp.toml").read_text(encoding="utf-8")
    return files


def _bundled(in_checkout: str, in_package: str) -> str:
    """Read a file inside of the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / in_package
    place = inside if inside.is_file() else package.parent / in_checkout
    return place.read_text(encoding="utf-8")


def _has_table(project: Path) -> bool:
    """Return whether settings stand in `pyproject.toml`: there may be one place of the two."""
    try:
        return "prp" in tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False


def _words(tools: Mapping[str, Tool], changes: Sequence[Change]) -> list[str]:
    calls = [f"{name}: {tool.call.replace('NAME', 'execute')}" for name, tool in tools.items()]
    lines = [f"in {call} PRPs/FILE.md" for call in calls]
    written = any(
        change.state in (State.WRITTEN, State.UPDATED, State.ENTERED) for change in changes
    )
    return ["", *lines, "Commit these files for everybody who works here."] if written else []
