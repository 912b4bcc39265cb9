"""What a run would need and whether it is there: looked at by its own means, nothing kept."""

import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.errors import PrpError, SettingsError
from agent.llm.models import KEYS, ModelChoice, check_choice
from agent.runs.folder import require_state_folder
from agent.settings import ROLES, Settings, load_settings
from agent.workspace import Repository, Sandbox, find_toolchain
from agent.workspace.git import git_version
from agent.workspace.passing import passing_folder
from agent.workspace.sandbox.find import Passed, try_sandboxes

_OLDEST_GIT = (2, 30)
_TOOLS = ("bash", "python3", "uv", "pip", "node", "npm", "go", "cargo", "make")


class State(StrEnum):
    """How serious something is."""

    GOOD = "good"
    LACKING = "lacking"
    """A run may do without it, or it belongs to one repository."""
    MISSING = "missing"
    """Nothing can be executed."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """One thing that was looked at."""

    name: str
    state: State
    what: str
    fix: str = ""
    """What to do about it; empty where it is good."""


def examine(folder: Path) -> list[Examined]:
    """Return what a run in a folder would find: programs, sandbox, settings, keys.

    No model is asked, and no command of a repository runs.
    """
    done = [_good("python", f"{platform.python_version()} on {platform.system()}"), _git()]
    repository = _repository(folder)
    done.append(repository)
    root = folder
    if repository.state is State.GOOD:
        root = Repository.open(folder).root
    try:
        settings = load_settings({}, root=root)
    except SettingsError as error:
        return [*done, _from(error, "settings", State.MISSING)]
    done.append(_tried("state folder", lambda: _state_folder(settings)))
    done.append(_sandbox(settings.sandbox))
    done.append(_tools(root))
    done += _models(settings)
    return done


def _good(name: str, what: str) -> Examined:
    return Examined(name=name, state=State.GOOD, what=what)


def _from(error: PrpError, name: str, state: State) -> Examined:
    return Examined(name=name, state=state, what=str(error), fix=error.hint)


def _tried(name: str, look: Callable[[], str], *, state: State = State.MISSING) -> Examined:
    try:
        return _good(name, look())
    except PrpError as error:
        return _from(error, name, state)


def _git() -> Examined:
    def look() -> str:
        words = git_version()
        found = tuple(map(int, re.findall(r"\d+", words)[:2]))
        if found < _OLDEST_GIT:
            raise SettingsError(f"{words} is too old", hint="Install git 2.30 or newer.")
        return words

    return _tried("git", look)


def _repository(folder: Path) -> Examined:
    return _tried("repository", lambda: str(Repository.open(folder).root), state=State.LACKING)


def _state_folder(settings: Settings) -> str:
    require_state_folder(settings.state_dir)
    return str(settings.state_dir)


def _sandbox(choice: str) -> Examined:
    passed: list[Passed] = []
    with passing_folder("doctor") as folder:
        for one in try_sandboxes(choice, state=folder):
            if not isinstance(one, Passed):
                return _found(one, passed)
            passed.append(one)
    there = [one for one in passed if one.fix] or passed
    return Examined(
        name="sandbox",
        state=State.MISSING,
        what="none works. " + "; ".join(f"{one.name}: {one.problem}" for one in there),
        fix=there[0].fix,
    )


def _found(sandbox: Sandbox, passed: Sequence[Passed]) -> Examined:
    what = f"{sandbox.name}, tried with the flags of a run"
    if not sandbox.lacks:
        return _good("sandbox", what)
    why = "".join(f"; {one.name}: {one.problem}" for one in passed[:1])
    return Examined(
        name="sandbox",
        state=State.LACKING,
        what=f"{what}; it is weaker than bubblewrap: {sandbox.lacks}{why}",
        fix=passed[0].fix if passed else "Let prp choose: leave the setting `sandbox` away.",
    )


def _tools(root: Path) -> Examined:
    search = os.environ.get("PATH", os.defpath)
    found = find_toolchain(root, search_path=search, home=Path.home()).programs(_TOOLS)
    absent = [name for name in _TOOLS if name not in found]
    if "bash" not in found:
        what = "bash is not on the path that commands get"
        return Examined(name="tools", state=State.MISSING, what=what, fix="Install bash.")
    rest = f"; not there: {', '.join(absent)}" if absent else ""
    return _good("tools", f"commands find {', '.join(found)}{rest}")


def _models(settings: Settings) -> Iterator[Examined]:
    names = sorted(name for every in KEYS.values() for name in every if name in settings.keys)
    if names:
        yield _good(
            "keys", f"{', '.join(dict.fromkeys(names))} (never shown, never in the sandbox)"
        )
    else:
        yield Examined(
            name="keys",
            state=State.LACKING,
            what="no provider's key is set",
            fix="Set one, for instance ANTHROPIC_API_KEY, in the environment or an untracked .env.",
        )
    for role in ROLES:

        def look(role: str = role) -> str:
            chosen = settings.models_for(role)
            choice = ModelChoice(
                names=chosen,
                base_url=settings.base_url,
                timeout_seconds=settings.model_timeout,
            )
            check_choice(choice, settings.keys)
            return ", ".join(chosen)

        yield _tried(role, look, state=State.LACKING)
