"""Find a sandbox that works on this machine."""

import shutil
import tempfile
from pathlib import Path

from agent.errors import EnvironmentProblem
from agent.workspace.sandbox.bubblewrap import Bubblewrap, advice_for
from agent.workspace.sandbox.confinement import Confinement, Sandbox
from agent.workspace.sandbox.unconfined import Unconfined
from agent.workspace.shell import probe

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def find_sandbox(choice: str, *, state: Path, search: str = _SYSTEM_PATH) -> Sandbox:
    """Return a sandbox, tried out with its real flags.

    Args:
        choice: `auto` or `bubblewrap`; `none` only where the person typed it.
        state: Folder for the sandbox's own files.
        search: Where its program may be, as in PATH.

    Raises:
        EnvironmentProblem: None works; the hint says how to get one.

    """
    if choice == "none":
        return Unconfined()
    if choice not in ("auto", "bubblewrap"):
        raise EnvironmentProblem(
            f"There is no sandbox {choice!r}", hint="Choose `auto` or `bubblewrap`."
        )
    # A folder of the repository on PATH must not bring its own bwrap.
    program = shutil.which("bwrap", path=search)
    if program is None:
        raise EnvironmentProblem(
            "There is no sandbox: bubblewrap is not installed, and no command was run",
            hint="Install it: sudo apt-get install bubblewrap, dnf install bubblewrap or pacman "
            "-S bubblewrap. To run commands without one, type --no-sandbox.",
        )
    sandbox = Bubblewrap(program, state=state)
    with tempfile.TemporaryDirectory(prefix="prp-probe-") as folder:
        status, words = probe(sandbox.launch(Confinement(tree=Path(folder)), "true"))
    if status:
        raise EnvironmentProblem(
            f"bubblewrap does not work here: {words.strip() or f'exit status {status}'}",
            hint=advice_for(words),
        )
    return sandbox
