"""Find a sandbox that works on this machine: the strongest first, and none is never chosen."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.errors import EnvironmentProblem
from agent.workspace.passing import passing_folder
from agent.workspace.sandbox.bubblewrap import Bubblewrap, advice_for
from agent.workspace.sandbox.confinement import Confinement, Launch, Sandbox
from agent.workspace.sandbox.container import Container
from agent.workspace.sandbox.landlock import Landlock
from agent.workspace.sandbox.seatbelt import Seatbelt
from agent.workspace.sandbox.unconfined import Unconfined
from agent.workspace.shell import probe

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A sandbox that does not work here."""

    name: str
    problem: str
    fix: str


def find_sandbox(choice: str, *, state: Path, search: str = _SYSTEM_PATH) -> Sandbox:
    """Return a sandbox, tried out with its real flags.

    Args:
        choice: `auto` for the strongest that works, the name of one that must be it, or `none`
            where the person typed it.
        state: Folder for the sandbox's own files.
        search: Where its program may be, as in PATH.

    Raises:
        EnvironmentProblem: None works; the hint says how to get one.

    """
    if choice == "none":
        return Unconfined()
    if choice != "auto" and choice not in _LADDER:
        raise EnvironmentProblem(
            f"There is no sandbox {choice!r}", hint=f"Choose auto, {', '.join(_LADDER)}."
        )
    passed: list[Passed] = []
    for one in try_sandboxes(choice, state=state, search=search):
        if not isinstance(one, Passed):
            return one
        passed.append(one)
    first, *others = [one for one in passed if one.problem != _ELSEWHERE] or passed
    rest = "".join(f" {one.name}: {one.problem}." for one in others)
    raise EnvironmentProblem(
        f"There is no sandbox, and no command was run. {first.name}: {first.problem}",
        hint=f"{first.fix}{rest} To run commands without one, type --no-sandbox.",
    )


def try_sandboxes(
    choice: str, *, state: Path, search: str = _SYSTEM_PATH
) -> Iterator[Sandbox | Passed]:
    """Try sandboxes in their order, one after the other, until one that works."""
    for name in _LADDER if choice == "auto" else (choice,):
        found = _LADDER[name](state, search)
        yield found
        if not isinstance(found, Passed):
            return


def _bubblewrap(state: Path, search: str) -> Sandbox | Passed:
    # A folder of the repository on PATH must not bring its own bwrap.
    program = shutil.which("bwrap", path=search)
    if program is None:
        return Passed(
            name="bubblewrap",
            problem="it is not installed" if sys.platform == "linux" else _ELSEWHERE,
            fix="Install it: sudo apt-get install bubblewrap, dnf install bubblewrap or pacman "
            "-S bubblewrap.",
        )
    return _tried(Bubblewrap(program, state=state), advice_for)


def _landlock(state: Path, _: str) -> Sandbox | Passed:
    if sys.platform != "linux":
        return Passed(name="landlock", problem=_ELSEWHERE, fix="")
    return _tried(Landlock(state=state), lambda _: "It needs Linux 6.12, or 6.2 and namespaces.")


def _engine(name: str) -> Callable[[Path, str], Sandbox | Passed]:
    def attempt(state: Path, search: str) -> Sandbox | Passed:
        program = shutil.which(name, path=search)
        if program is None or sys.platform != "linux":
            problem = "it is not installed" if sys.platform == "linux" else _ELSEWHERE
            return Passed(name=name, problem=problem, fix=f"Install {name}.")
        engine = Container(program, state=state)
        fix = f"See what `{name} version` says: an engine on this machine has to answer."
        if _status_of(engine.image_is_there)[0]:
            status, words = _status_of(engine.make_image)
            if status:
                return Passed(name=name, problem=_one_line(words), fix=fix)
        return _tried(engine, lambda _: fix)

    return attempt


def _seatbelt(state: Path, _: str) -> Sandbox | Passed:
    program = shutil.which("sandbox-exec", path="/usr/bin")
    if program is None or sys.platform != "darwin":
        return Passed(name="sandbox-exec", problem=_ELSEWHERE, fix="")
    return _tried(Seatbelt(program, state=state), lambda _: "It is a part of macOS.")


_ELSEWHERE = "it is for another system"
_LADDER: dict[str, Callable[[Path, str], Sandbox | Passed]] = {
    "bubblewrap": _bubblewrap,
    "landlock": _landlock,
    "docker": _engine("docker"),
    "podman": _engine("podman"),
    "sandbox-exec": _seatbelt,
}
SANDBOXES = tuple(_LADDER)
"""Their names, the strongest first."""


def _tried(sandbox: Sandbox, fix: Callable[[str], str]) -> Sandbox | Passed:
    """Return a sandbox that runs a command in a folder and lets it write there, and there only."""
    with passing_folder("probe") as folder:
        tree, beside = folder / "tree", folder / "beside"
        tree.mkdir()
        confinement = Confinement(
            tree=tree, environment={"PATH": "/usr/bin:/bin", "HOME": "/home/prp"}
        )
        script = f"echo inside > probe; echo outside > {beside}; true"
        status, words = _status_of(lambda: sandbox.launch(confinement, script))
        if status == 0 and not (tree / "probe").is_file():
            words, status = "what it writes does not reach this machine's files", 1
        if status == 0 and beside.exists():
            words, status = "it lets commands write everywhere", 1
    if status:
        problem = _one_line(words) or f"it ended with exit status {status}"
        return Passed(name=sandbox.name, problem=problem, fix=fix(words))
    return sandbox


def _status_of(launch: Callable[[], Launch]) -> tuple[int, str]:
    try:
        return probe(launch())
    except OSError as error:
        return 1, str(error)


def _one_line(words: str) -> str:
    return " ".join(words.split())[:300]
