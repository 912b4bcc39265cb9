"""Programs that `prp` itself starts on the host: the system's, never the repository's."""

import os
import shutil
from pathlib import Path


def trusted_program(name: str) -> str | None:
    """Return the path of a program that no repository can have brought.

    The system's own comes first. Of the person's PATH only absolute folders outside of the
    current repository count: an activated environment, or `.`, would let it decide what runs.
    """
    return shutil.which(name, path=os.defpath) or shutil.which(name, path=_outside())


def _outside() -> str:
    here = _repository_around(Path.cwd())
    return os.pathsep.join(
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder.startswith("/") and not Path(folder).resolve().is_relative_to(here)
    )


def _repository_around(folder: Path) -> Path:
    """Return the repository that a folder lies in, the folder itself where it lies in none."""
    return next((f for f in (folder, *folder.parents) if (f / ".git").exists()), folder)
