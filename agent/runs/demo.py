"""The bundled example: a small project, a PRP on it, and the answers of a recorded run."""

import shutil
import tempfile
from pathlib import Path

from agent.errors import EnvironmentProblem
from agent.journal import Record
from agent.runs.desk import Order, bundled_tools
from agent.runs.ending import Done
from agent.runs.start import run_order
from agent.workspace import create_repository

_NEEDED = ("pytest", "ruff", "mypy")
_AS_RECORDED = {
    "holdout_tests": 8,
    "plan": "asked",
    "jobs": 1,
    "candidates": 1,
    "max_attempts": 3,
    "strict": False,
}


def run_demo(folder: Path | None, *, model: str | None, listen: Record) -> Done:
    """Execute the bundled PRP on a copy of the bundled project.

    Args:
        folder: Where to put the copy; it must not exist yet. A temporary folder by default.
        model: A model to ask instead of the recording.
        listen: Is told of every event.

    Raises:
        EnvironmentProblem: A tool of the sample project is missing, or the folder is taken.

    """
    tools = bundled_tools()
    missing = [name for name in _NEEDED if shutil.which(name, path=str(tools)) is None]
    if missing:
        raise EnvironmentProblem(
            f"The sample project checks itself with {', '.join(missing)}, not installed beside prp",
            hint='Install them: pip install "prp-agent[demo]".',
        )
    source = _bundled()
    project = _copy(source / "project", folder)
    (document,) = sorted((project / "PRPs").glob("*.md"))
    order = Order(
        prp=document,
        folder=project,
        tools=(tools,),
        yes=True,
        flags={
            "model": model or f"replay:{source / 'recording.jsonl'}",
            "fetch_urls": bool(model),
            # What the sample project needs is installed beside prp.
            "setup": "none",
            # Enough to show what mutants are, in a demo of about a minute.
            "max_mutants": 4,
            # A person's own settings must not lead it away from what was recorded.
            **({} if model else _AS_RECORDED),
        },
    )
    return run_order(order, listen=listen)


def _copy(source: Path, folder: Path | None) -> Path:
    project = folder or Path(tempfile.mkdtemp(prefix="prp-demo-")) / "project"
    if project.exists() and any(project.iterdir()):
        raise EnvironmentProblem(
            f"{project} exists already and is not empty", hint="Name a new folder."
        )
    shutil.copytree(
        source, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    create_repository(project, message="The sample project")
    return project


def _bundled() -> Path:
    # A wheel carries the example inside of the package; a checkout has it beside.
    package = Path(__file__).parents[1]
    inside = package / "demo"
    return inside if inside.is_dir() else package.parent / "PRPs" / "examples" / "demo"
