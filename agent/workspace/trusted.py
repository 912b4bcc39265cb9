"""Programs that `prp` itself starts on the host: the system's, never the repository's."""

import os
import shutil
from pathlib import Path


def trusted_program(name: str) -> str | None:
    """Return the path of a program that no repository can have brought.

    The system's own comes first. Of the person's PATH only absolute folders outside of the
    current one count: an activated environment, or `.`, would let a repository decide what runs.
    """
    here = Path.cwd()
    outside = [
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder.startswith("/") and not Path(folder).resolve().is_relative_to(here)
    ]
    return shutil.which(name, path=os.defpath) or shutil.which(name, path=os.pathsep.join(outside))
