"""A real repository with files in it, and the installed `prp` run in it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lean import lean_tools

PRP = Path(sys.executable).parent / "prp"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What came of one call of `prp`."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result that it printed as JSON."""
        return json.loads(self.out)


class Project:
    """A git repository of a test's own."""

    def __init__(self, root: Path, files: Mapping[str, str], *, commit: bool = True) -> None:
        """Write the files and commit them."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            self.write(name, content)
        if commit:
            self.git("init", "-q", "-b", "main")
            self.git("add", "-A")
            self.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "first")

    def write(self, name: str, content: str) -> None:
        """Write a file without committing it."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """Run git as the person would."""
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout

    def prp(self, *arguments: str, **variables: str) -> Ran:
        """Run the installed command."""
        return self._run([str(PRP), *arguments], variables)

    def bash(self, command: str) -> Ran:
        """Run a line as the person would type it, with pipes and limits."""
        return self._run(["bash", "-c", command], {})

    def _run(self, words: Sequence[str], variables: Mapping[str, str]) -> Ran:
        done = subprocess.run(
            words,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env=self.environment(**variables),
        )
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr)

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment that the command gets."""
        path = os.pathsep.join([str(lean_tools()), str(PRP.parent), os.environ["PATH"]])
        fixed = {
            "OPENAI_API_KEY": "test-key-of-nobody",
            # Scripted verifiers know nothing of tests from the text, unless a test is about these.
            "PRP_HOLDOUT_TESTS": "0",
            # Nobody is there to answer; tests of the question take this out.
            "PRP_APPROVE": "none",
            # What the samples need is there; no test waits for a registry that it is not about.
            "PRP_SETUP": "none",
        }
        return os.environ | {"PATH": path} | fixed | variables

    def fingerprint(self) -> tuple[str, ...]:
        """Return every file of the checkout with its content, the index included."""
        files = sorted(p for p in self.root.rglob("*") if p.is_file())
        mine = (
            p for p in files if ".git" not in p.relative_to(self.root).parts or p.name == "index"
        )
        return tuple(f"{p.relative_to(self.root)} {p.read_bytes().hex()}" for p in mine)

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs so far."""
        state = Path(os.environ["XDG_STATE_HOME"]) / "prp" / "runs"
        return sorted(state.iterdir()) if state.is_dir() else []

    def events(self) -> list[dict[str, Any]]:
        """Events of the last run."""
        lines = (self.runs[-1] / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
