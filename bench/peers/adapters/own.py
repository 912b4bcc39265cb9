"""`prp` itself: the scenario's task as a PRP, and one script for planner, coder and verifier."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers.adapters.base import Adapter, Call, Job, Paths
from bench.peers.scenarios import Edit, Finish, Read, Run, Scenario, Write, git

PRP = """\
# PRP: Bench

## Goal
{task}

### Success Criteria
- [ ] {criterion}

## Implementation Blueprint
```yaml
Task 1 - Carry it out:
{changes}
```

## Validation Loops
### Level 1: Behaviour
```bash
{check}
```
"""
PROOFS = {
    "A": ("`slugify` drops stop words", "python -m pytest -q tests/test_slug.py"),
    "B": ("`scale_0` adds 100", "python -m pytest -q tests/pkg_00/test_p00_mod_00.py"),
    "N": ("The README speaks of text helpers", "grep -q textkit README.md"),
}
QUOTES = {
    "A": ("textkit/slug.py", 'return "-".join(drop(words) or words)'),
    "B": ("src/pkg_00/mod_00.py", "return value * FACTOR + 100"),
    "N": ("README.md", "Text helpers."),
}


class Prp(Adapter):
    """`prp execute`: baseline, plan, code, one commit, and the proof in clean rooms."""

    name = "prp"

    def program(self) -> Path:
        return Path(sys.executable).parent / "prp"

    def version(self) -> str:
        done = subprocess.run(
            [self.program(), "--version"], capture_output=True, text=True, check=False
        )
        return done.stdout.split()[-1] if done.stdout else ""

    def material(self, scenario: Scenario) -> str:
        criterion, check = PROOFS[scenario.name]
        touched = dict.fromkeys(m.path for m in scenario.moves if isinstance(m, Edit | Write))
        created = {m.path for m in scenario.moves if isinstance(m, Write)}
        changes = [f"  {'CREATE' if p in created else 'MODIFY'} {p}:" for p in touched]
        return PRP.format(
            task=scenario.task,
            criterion=criterion,
            changes="\n".join(changes) or "  RUN `true` as often as the goal says",
            check=check,
        )

    def prepare(self, job: Job) -> None:
        place = job.repo / "PRPs" / "bench.md"
        place.parent.mkdir()
        place.write_text(self.material(job.scenario))
        git(job.repo, "add", "-A")
        git(job.repo, "commit", "-q", "-m", "PRP")

    def command(self, job: Job) -> list[str]:
        return [
            str(self.program()), "execute", "PRPs/bench.md", "--model", "openai-chat:scripted",
            "--base-url", job.v1, "--holdout-tests", "0", "--max-mutants", "0", "--no-input",
        ]  # fmt: skip

    def result(self, job: Job, path: str) -> str | None:
        done = subprocess.run(
            ["git", "-C", job.repo, "show", f"prp/bench:{path}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else None

    def turns(self, scenario: Scenario, repo: Path) -> list[dict[str, Any]]:
        plan = {
            "summary": "As the PRP says.",
            "steps": [{"task": 1, "approach": "Follow the task."}],
            "proofs": [{"criterion": "C1", "checks": ["L1.1"], "how": "The check runs it."}],
        }
        source, words = QUOTES[scenario.name]
        opinion = {
            "criterion": "C1",
            "holds": "yes",
            "reason": "The code does it.",
            "quotes": [{"source": source, "text": words}],
        }
        return [
            _turn("plan", "submit_plan", plan),
            *super().turns(scenario, repo),
            _turn("judge", "submit_judgement", {"opinions": [opinion]}),
        ]

    def read(self, move: Read, repo: Path) -> Call:
        return {"name": "read", "args": {"paths": [move.path]}}

    def write(self, move: Write, repo: Path) -> Call:
        return {"name": "write", "args": {"path": move.path, "content": move.text}}

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        edits = [{"path": move.path, "old": move.old, "new": move.new}]
        return {"name": "edit", "args": {"edits": edits}}

    def run(self, move: Run, repo: Path) -> Call:
        return {"name": "run", "args": {"command": move.command}}

    def finish(self, move: Finish, repo: Path) -> tuple[str, list[Call]]:
        return "", [{"name": "finish", "args": {"summary": move.text}}]


class PrpWarm(Prp):
    """The same after `prp warm`, which is called before the clock starts.

    What it has loaded counts as memory and, once for all runs at the same time, as CPU.
    """

    name = "prp-warm"

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths)
        self._state = tempfile.TemporaryDirectory(prefix="prp-bench-state-")

    def prepare(self, job: Job) -> None:
        super().prepare(job)
        subprocess.run(
            [self.program(), "warm"], env=self.full_env(job), check=True, stderr=subprocess.DEVNULL
        )

    def env(self, job: Job) -> dict[str, str]:
        return {"XDG_STATE_HOME": self._state.name}


def _turn(label: str, tool: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"text": "", "calls": [{"name": tool, "args": args}], "expect": None, "label": label}
