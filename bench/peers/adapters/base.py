"""What a harness must supply to be benched: how to start it and how its model speaks to it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.scenarios import Edit, Finish, Move, Read, Run, Scenario, Write

Call = dict[str, Any]


@dataclass(frozen=True)
class Paths:
    """Where things are on this machine; nothing else in the bench knows a machine path."""

    peers: Path  # holds venvs/<name>/bin and npm/<name>/node_modules
    bench: Path  # this bench's own folder

    def venv(self, name: str, program: str) -> Path:
        return self.peers / "venvs" / name / "bin" / program

    def npm(self, name: str, program: str) -> Path:
        return self.peers / "npm" / name / "node_modules" / program


@dataclass(frozen=True)
class Job:
    """One run of one harness on one repository."""

    scenario: Scenario
    repo: Path
    home: Path
    url: str  # http://127.0.0.1:<port>/s/<sid>; formats live under it, e.g. <url>/v1/chat/completions

    @property
    def v1(self) -> str:
        return self.url + "/v1"


class Adapter:
    """Base class. Subclasses set `name` and override what differs.

    The default dialect fits harnesses whose model calls function tools; override
    `read`, `write`, `edit`, `run`, `finish` to map the five moves, or `turns` for a
    harness that works in a different rhythm.
    """

    name = ""
    kind = "python"
    tools_required = True
    side_if: str | None = None  # regex on the first message: such a request is a side request
    side_text = "Scripted side answer"
    scenarios: frozenset[str] = frozenset("ABCN")
    good_ends: frozenset[int | None] = frozenset({0})
    break_ins = 1  # runs until first-run work (downloads, databases) in a new HOME is done

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    # ---- how to start it

    def program(self) -> Path:
        """The executable that must exist."""
        raise NotImplementedError

    def version(self) -> str:
        return ""

    def prepare(self, job: Job) -> None:
        """Write configuration into `job.home` before the clock starts."""

    def command(self, job: Job) -> list[str]:
        raise NotImplementedError

    def env(self, job: Job) -> dict[str, str]:
        return {}

    def fanout(self, jobs: list[Job]) -> list[tuple[list[str], dict[str, str], Path]] | None:
        """Commands for several jobs at once, for a harness with concurrency of its own; None: one process each."""
        return None

    def full_env(self, job: Job) -> dict[str, str]:
        """A small, closed environment: scratch HOME, the bench's Python first in PATH, nothing inherited."""
        home = str(job.home)
        base = {
            "HOME": home,
            "USER": "bench",
            "LOGNAME": "bench",
            "SHELL": "/bin/bash",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
            ),
            "TMPDIR": str(job.home / "tmp"),
            "NO_COLOR": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_CACHE_HOME": f"{home}/.cache",
            "XDG_DATA_HOME": f"{home}/.local/share",
            "XDG_STATE_HOME": f"{home}/.local/state",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "DO_NOT_TRACK": "1",
            "OPENAI_API_KEY": "sk-bench",
            "ANTHROPIC_API_KEY": "sk-bench",
        }
        return base | self.env(job)

    def material(self, scenario: Scenario) -> str:
        """What the person wrote for it: the task."""
        return scenario.task

    def result(self, job: Job, path: str) -> str | None:
        """Return a file as the harness left it."""
        place = job.repo / path
        return place.read_text() if place.exists() else None

    # ---- how its model speaks

    def turns(self, scenario: Scenario, repo: Path) -> list[dict[str, Any]]:
        """The script: one turn per move, in this harness's tool names."""
        files: dict[str, str] = {}
        out = []
        for move in scenario.moves:
            if isinstance(move, Edit) and move.path not in files:
                files[move.path] = (repo / move.path).read_text()
            text, calls = self.speak(move, files, repo)
            out.append(
                {
                    "text": text,
                    "calls": calls,
                    "expect": move.expect,
                    "label": type(move).__name__.lower(),
                }
            )
            if isinstance(move, Write):
                files[move.path] = move.text
            elif isinstance(move, Edit):
                files[move.path] = files[move.path].replace(move.old, move.new)
        return out

    def speak(self, move: Move, files: dict[str, str], repo: Path) -> tuple[str, list[Call]]:
        match move:
            case Read():
                return f"Let me look at {move.path}.", [self.read(move, repo)]
            case Write():
                return f"I write {move.path}.", [self.write(move, repo)]
            case Edit():
                return f"I change {move.path}.", [self.edit(move, files[move.path], repo)]
            case Run():
                return "I run a command.", [self.run(move, repo)]
            case Finish():
                return self.finish(move, repo)
        raise TypeError(move)

    def read(self, move: Read, repo: Path) -> Call:
        return {"name": "read_file", "args": {"path": move.path}}

    def write(self, move: Write, repo: Path) -> Call:
        return {"name": "write_file", "args": {"path": move.path, "content": move.text}}

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        return {"name": "edit_file", "args": {"path": move.path, "old": move.old, "new": move.new}}

    def run(self, move: Run, repo: Path) -> Call:
        return {"name": "bash", "args": {"command": move.command}}

    def finish(self, move: Finish, repo: Path) -> tuple[str, list[Call]]:
        return move.text, []


# --------------------------------------------------------------------------- helpers for dialects


def heredoc(path: str, text: str) -> str:
    """A shell command that writes a file."""
    return f"cat <<'EOF' > {shlex.quote(path)}\n{text}EOF"


def sed_edit(move: Edit, before: str) -> str:
    """A shell command that makes an edit of whole lines, as shell-only models do."""
    start = before[: before.index(move.old)].count("\n") + 1
    end = start + move.old.count("\n") - 1
    body = "\\\n".join(
        line.replace("\\", "\\\\").replace("'", "'\\''")
        for line in move.new.rstrip("\n").split("\n")
    )
    return f"sed -i '{start},{end}c\\\n{body}' {shlex.quote(move.path)}"


def patch_add(path: str, text: str) -> str:
    """A codex-style patch that creates a file."""
    lines = "".join(f"+{line}\n" for line in text.rstrip("\n").split("\n"))
    return f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch"


def patch_edit(move: Edit) -> str:
    """A codex-style patch that replaces whole lines."""
    old = "".join(f"-{line}\n" for line in move.old.rstrip("\n").split("\n"))
    new = "".join(f"+{line}\n" for line in move.new.rstrip("\n").split("\n"))
    return f"*** Begin Patch\n*** Update File: {move.path}\n@@\n{old}{new}*** End Patch"


def search_replace(path: str, old: str, new: str) -> str:
    """An aider edit block."""
    return f"{path}\n```python\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


def dist_version(python: Path, dist: str) -> str:
    """The version of an installed distribution, asked of the peer's own interpreter."""
    code = f"import importlib.metadata as m; print(m.version({dist!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


def program_version(program: Path) -> str:
    """A number from `<program> --version`, run with a throw-away HOME."""
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "PATH": os.environ["PATH"]}
        done = subprocess.run([program, "--version"], capture_output=True, text=True, env=env)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found.group() if found else ""
