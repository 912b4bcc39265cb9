"""Where a run keeps its files: journal, report, logs, worktree."""

import fcntl
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.errors import EnvironmentProblem, hint_for
from agent.shown import json_text


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The folder of one run, outside of every repository."""

    id: str
    path: Path

    @property
    def journal(self) -> Path:
        """Return the file of events."""
        return self.path / "events.jsonl"

    @property
    def report(self) -> Path:
        """Return the report for people."""
        return self.path / "report.md"

    @property
    def page(self) -> Path:
        """Return the report for a browser."""
        return self.path / "report.html"

    @property
    def learnt(self) -> Path:
        """Return the patch that adds to the PRP what the run found out."""
        return self.path / "learnt.patch"

    @property
    def summary(self) -> Path:
        """Return the run for machines."""
        return self.path / "run.json"

    @property
    def lock(self) -> Path:
        """Return the file that whoever works on the run holds locked."""
        return self.path / "lock"

    @property
    def order(self) -> Path:
        """Return the file that says what was asked for."""
        return self.path / "order.json"

    @property
    def document(self) -> Path:
        """Return the PRP as it was when the run began."""
        return self.path / "prp.md"

    @property
    def document_before(self) -> Path:
        """Return the PRP as it was before the run was last begun afresh."""
        return self.path / "prp.before.md"

    @property
    def steps(self) -> Path:
        """Return the database of what the run's steps came to."""
        return self.path / "steps.sqlite"

    @property
    def cancelled(self) -> Path:
        """Return the file that says that the run is to end for good."""
        return self.path / "cancelled"

    @property
    def output(self) -> Path:
        """Return the file with what a process in the background prints."""
        return self.path / "output.txt"

    @property
    def worktree(self) -> Path:
        """Return where the coder works."""
        return self.path / "worktree"

    @property
    def transcript(self) -> Path:
        """Return the file of what agents and models said to each other."""
        return self.path / "conversation.jsonl"

    @property
    def beside(self) -> Path:
        """Return the folder of worktrees for work that goes on at the same time."""
        return self.path / "beside"

    @property
    def trash(self) -> Path:
        """Return the folder of worktrees that are about to be deleted."""
        return self.path / "trash"

    def left_trash(self) -> list[Path]:
        """Return what this run, or any other, left in its trash."""
        return sorted(self.path.parent.glob(f"*/{self.trash.name}/*"))

    @property
    def logs(self) -> Path:
        """Return the folder of the commands' full output."""
        return self.path / "logs"

    def write_json(self, path: Path, value: Any) -> None:
        """Write a file of the run whole or not at all."""
        self.write(path, json_text(value, indent=2) + "\n")

    def write(self, path: Path, text: str) -> None:
        """Write a file of the run whole or not at all.

        Raises:
            EnvironmentProblem: The disk is full, or the folder can't be written.

        """
        partial = None
        try:
            handle, partial = tempfile.mkstemp(dir=self.path, prefix=".partial-")
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(path)
        except OSError as error:
            if partial:
                Path(partial).unlink(missing_ok=True)
            raise EnvironmentProblem(
                f"{path} can't be written: {error.strerror}", hint=hint_for(error)
            ) from error


def require_state_folder(state: Path) -> None:
    """Make sure that runs can be kept.

    Raises:
        EnvironmentProblem: The folder can't be made or written.

    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=state) as file:
            # Only a lock tells who works on a run.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise EnvironmentProblem(
            f"Runs can't be kept in {state}: {error.strerror}",
            hint="Set PRP_STATE_DIR to a folder that you can write, on a disk that knows locks.",
        ) from None


def new_run_name(slug: str) -> str:
    """Return a name that begins with the time and ends with what no other run has."""
    # To the millisecond: two runs can begin within a second, and `latest` is one of them.
    day = datetime.now(UTC).strftime("%Y%m%d-%H%M%S%f")[:-3]
    return f"{day}-{slug}-{secrets.token_hex(2)}"


def new_run_folder(state: Path, slug: str) -> RunFolder:
    """Create the folder of a new run below the state folder.

    By their names runs list in their order. Only the person may read them: they hold what models
    and commands said.
    """
    name = new_run_name(slug)
    path = state / "runs" / name
    path.mkdir(parents=True, mode=0o700)
    (path / "logs").mkdir(mode=0o700)
    return RunFolder(id=name, path=path)
