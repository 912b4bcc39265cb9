"""Tools of other languages, which `make toolchains` installs where it may."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support import postgres

# Read when it is imported: tests see no CI variable.
_IN_CI = bool(os.environ.get("CI"))
PACKAGES = Path(sys.prefix) / "javascript" / "node_modules"
"""Of jest and vitest, with all that they need."""
_EDITORS = Path(sys.prefix) / "editors" / "node_modules"
CLAUDE = next(_EDITORS.glob("@anthropic-ai/claude-code-*/claude"), _EDITORS / "claude")
GEMINI = _EDITORS / "@google" / "gemini-cli" / "bundle" / "gemini.js"
CODEX = _EDITORS / "codex-linux-x64/vendor/x86_64-unknown-linux-musl/codex/codex"
OPENCODE = _EDITORS / "opencode-linux-x64" / "bin" / "opencode"
"""The tests' own copies: a person's, with a person's keys, are never started."""
_COPIES = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI, "opencode": OPENCODE}


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return a mark that leaves tests out where programs are missing, but never in CI."""
    missing = [name for name in programs if not _is_there(name)]
    words = f"{', '.join(missing)} not installed; `make toolchains` says how"
    return pytest.mark.skipif(bool(missing) and not _IN_CI, reason=words)


def _is_there(program: str) -> bool:
    if program in ("jest", "vitest"):
        return shutil.which("node") is not None and (PACKAGES / program).is_dir()
    if program in _COPIES:
        return _COPIES[program].exists()
    if program == "postgres":
        return bool(postgres.program("initdb"))
    return shutil.which(program) is not None


def lay_packages(root: Path) -> None:
    """Give a checkout the packages of jest and vitest, as a package manager that links does."""
    folder = root / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (".bin", "jest", "vitest"):
        (folder / name).symlink_to(PACKAGES / name)
