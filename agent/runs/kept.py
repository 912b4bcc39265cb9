"""What a run had shown, read back from its folder: the evidence that later commits are held to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.deliver import Story, tell
from agent.errors import SettingsError
from agent.journal import read_events
from agent.prp import Check, Prp
from agent.prp.lint import find_coverage
from agent.runs.finding import find_run
from agent.runs.folder import RunFolder
from agent.verifier.drift import Shown
from agent.verifier.holdout import HoldoutTest, HoldoutTests
from agent.workspace import Repository


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The evidence of one run."""

    folder: RunFolder
    story: Story
    at: float
    """When it ended, in seconds since 1970."""

    @property
    def commit(self) -> str:
        """Return the commit that the evidence is about."""
        verdict = self.story.verdicts.get(self.story.delivered, {})
        return str(verdict.get("commit", ""))

    @property
    def since(self) -> str:
        """Return where and when it was shown, in words."""
        day = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d")
        return f"at {self.commit[:12]} on {day}"

    @property
    def document(self) -> Path | None:
        """Return the document as the run had it; `prp verify` keeps none."""
        return self.folder.document if self.folder.document.is_file() else None

    def is_of(self, prp: Prp) -> bool:
        """Return whether a document says what it said then."""
        kept = self.document
        return kept is None or kept.read_text(encoding="utf-8", errors="replace") == prp.text

    def shown(self, prp: Prp) -> dict[str, Shown]:
        """Return what was shown of those criteria of a document that the run knew."""
        told = self.story.criteria.get(self.story.delivered, {}).values()
        by_text = {event["text"]: event for event in told}
        planned = {
            proof["criterion"]: proof["checks"] for proof in self.story.plan.get("proofs", ())
        }
        guessed = find_coverage(prp).criteria
        return {
            criterion.id: Shown(
                status=event["status"],
                evidence=tuple(event["evidence"]),
                checks=tuple(planned.get(event["criterion"]) or guessed.get(criterion.id, ())),
                tests=tuple(t.name for t in self._passed() if t.criterion == event["criterion"]),
            )
            for criterion in prp.promises
            if (event := by_text.get(criterion.text))
        }

    def result_of(self, check: Check) -> Mapping[str, Any] | None:
        """Return what came of a check on the run's commit, None where nobody can tell."""
        stage = f"attempt {self.story.delivered}"
        event = self.story.checks.get(stage, {}).get(check.id)
        is_same = event is not None and (self.document or event["command"] == check.command)
        return event if is_same else None

    def tests_from_text(self) -> HoldoutTests:
        """Return the tests from the text that passed on the run's commit."""
        told = self.story.holdout
        return HoldoutTests(
            path=told.get("path", ""),
            content=told.get("content", ""),
            guards_path=told.get("guards_path", ""),
            guards=told.get("guards", ""),
            guards_command=told.get("guards_command", ""),
            command=told.get("command", ""),
            tests=tuple(self._passed()),
        )

    def _passed(self) -> Iterator[HoldoutTest]:
        passed = self.story.tried.get(self.story.delivered, {}).get("passed", ())
        for test in self.story.holdout.get("tests", ()):
            if test["name"] in passed:
                yield HoldoutTest.model_validate(test)


def kept_by(state: Path, name: str) -> Kept:
    """Return the evidence of the run that a person names.

    Raises:
        SettingsError: No run, or more than one, is meant, or it came to no verdict.

    """
    folder = find_run(state, name)
    found = _read(folder)
    if found is None:
        raise SettingsError(
            f"Run {folder.id} came to no verdict, so it shows nothing",
            hint="Name a run that has one (prp status), or leave --run out.",
        )
    return found


def latest_kept(state: Path, repository: Repository, prp: Prp, name: str) -> Kept | None:
    """Return the evidence of the last run that proved a document, else of the last that nearly did.

    A run in which something failed, perhaps on another branch, shows nothing that could be lost.

    Args:
        state: Where runs are kept.
        repository: The checkout; runs of others are left out.
        prp: The document.
        name: Its path as runs call it.

    """
    runs = state / "runs"
    found = sorted(runs.iterdir(), reverse=True) if runs.is_dir() else []
    every = (RunFolder(id=path.name, path=path) for path in found if f"-{prp.slug}-" in path.name)
    judged = []
    for folder in every:
        kept = _read(folder)
        if kept is None or not _is_about(kept.story, repository, name):
            continue
        if kept.story.ended["outcome"] == "proven":
            return kept
        if kept.story.ended["outcome"] != "failed":
            judged.append(kept)
    return judged[0] if judged else None


def _is_about(story: Story, repository: Repository, name: str) -> bool:
    started = story.started
    own = started.get("repository") == str(repository.root) and started.get("prp") == name
    return own and not started.get("against")


def _read(folder: RunFolder) -> Kept | None:
    """Return the evidence in a folder, None where there was no verdict."""
    try:
        events = list(read_events(folder.journal))
    except (OSError, ValueError):
        return None
    story = tell(events)
    if not (story.ended and story.verdicts and story.criteria):
        return None
    return Kept(folder=folder, story=story, at=float(events[-1]["at"]))
