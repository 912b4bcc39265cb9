"""Where `prp` keeps its own; imports nothing that takes time."""

from collections.abc import Mapping
from pathlib import Path


def default_state_dir(environment: Mapping[str, str]) -> Path:
    """Return the folder for what must last: `$XDG_STATE_HOME/prp`."""
    # The specification of these variables wants relative ones to be left aside.
    named = environment.get("XDG_STATE_HOME", "")
    home = named if named.startswith("/") else f"{environment.get('HOME', '~')}/.local/state"
    return Path(home).expanduser().absolute() / "prp"
