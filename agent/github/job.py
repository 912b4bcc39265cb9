"""One job of a workflow: what its runner tells us, and what we tell it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import SettingsError

LABEL = "prp"
"""The label that starts a run."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The variables of a job, read once."""

    event_name: str
    event: Mapping[str, Any]
    repository: str
    """`owner/name`."""
    api: str
    server: str
    token: str
    workspace: Path
    """The checkout of the default branch."""
    folder: Path
    """Where the job finds and leaves its artifacts, one folder each."""
    run: str
    """Id of the workflow's run; all its jobs share it."""
    outputs: Path | None = None
    summary: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Job":
        """Read the variables that GitHub's runner sets, and the Action's inputs.

        Raises:
            SettingsError: This is no job of GitHub Actions.

        """
        try:
            event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
            return cls(
                event_name=environment["GITHUB_EVENT_NAME"],
                event=event,
                repository=environment["GITHUB_REPOSITORY"],
                api=environment.get("GITHUB_API_URL", "https://api.github.com"),
                server=environment.get("GITHUB_SERVER_URL", "https://github.com"),
                token=environment.get("PRP_GH_TOKEN", ""),
                workspace=Path(environment["GITHUB_WORKSPACE"]),
                folder=Path(environment["RUNNER_TEMP"]) / "prp",
                run=environment.get("GITHUB_RUN_ID", "0"),
                outputs=_path(environment, "GITHUB_OUTPUT"),
                summary=_path(environment, "GITHUB_STEP_SUMMARY"),
                environment=environment,
            )
        except (KeyError, OSError, ValueError) as error:
            raise SettingsError(
                f"This is no job of GitHub Actions: {error}",
                hint="`prp gh` is what the Action runs; `prp init --github` installs it.",
            ) from None

    def asked(self, name: str, default: str = "") -> str:
        """Return an input of the Action, without blanks around it."""
        return self.environment.get(f"PRP_GH_{name}", "").strip() or default

    def number(self, name: str) -> float | None:
        """Return an input that is a number; None where it was left empty.

        Raises:
            SettingsError: It is something else.

        """
        if not (text := self.asked(name)):
            return None
        try:
            return float(text)
        except ValueError:
            raise SettingsError(
                f"{name.lower().replace('_', '-')} is {text!r}, no number"
            ) from None

    @property
    def clone_url(self) -> str:
        """Return the repository's address for git."""
        return f"{self.server}/{self.repository}.git"

    @property
    def run_url(self) -> str:
        """Return the address of the workflow's run."""
        return f"{self.server}/{self.repository}/actions/runs/{self.run}"

    @property
    def default_branch(self) -> str:
        """Return the branch that rules are read from."""
        return str((self.event.get("repository") or {}).get("default_branch") or "main")

    def artifact(self, name: str) -> Path:
        """Return the folder of an artifact, made where it is missing."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def put(self, **values: object) -> None:
        """Set outputs of the step; names with `-` are written with `_` here."""
        if self.outputs is None:
            return
        lines = []
        for name, value in values.items():
            # What nobody can guess, nobody can write into a value to end it.
            end = f"end-{secrets.token_hex(16)}"
            lines.append(f"{name.replace('_', '-')}<<{end}\n{value}\n{end}\n")
        with self.outputs.open("a", encoding="utf-8", errors="replace") as file:
            file.write("".join(lines))

    def summarise(self, text: str) -> None:
        """Add Markdown to the summary of the job, as far as GitHub takes it."""
        if self.summary is not None:
            with self.summary.open("a", encoding="utf-8", errors="replace") as file:
                file.write(text[:_LONGEST_SUMMARY] + "\n")


# GitHub drops a summary of more than 1 MiB; a character may take four bytes.
_LONGEST_SUMMARY = 65_000


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None
