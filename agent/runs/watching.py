"""Runs seen from outside: what they came to, what they do, and how to stop them."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.deliver import Story, tell
from agent.errors import Exit
from agent.journal import read_events, told_in
from agent.runs.alive import holder
from agent.runs.folder import RunFolder

_PAUSE = 0.2


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One run, as its folder shows it."""

    folder: RunFolder
    story: Story
    state: str
    """The outcome; `running`, `broken off` where nobody works on it and it has not ended, or
    `unreadable`."""
    reason: str = ""
    """Why it can't be read."""

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        total = self.story.total
        return {
            "run": self.folder.id,
            "kind": self.kind,
            "state": self.state,
            "repository": self.story.started.get("repository"),
            "prp": self.story.started.get("prp"),
            "title": self.story.started.get("title"),
            "branch": self.story.ended.get("branch") or self.story.started.get("branch"),
            "attempts": len(self.story.verdicts),
            "criteria": self.counts,
            "tokens": total.input_tokens + total.output_tokens,
            "cost_usd": total.cost_usd,
            "seconds": self.story.seconds if self.story.ended else None,
            "exit_status": self.story.ended.get("exit_status"),
            "folder": str(self.folder.path),
        }

    @property
    def kind(self) -> str:
        """Return `run`, `verify` or `drift`: what only looked has no order to be taken up by."""
        if self.story.started.get("against"):
            return "drift"
        return "run" if self.folder.order.exists() else "verify"

    @property
    def counts(self) -> dict[str, int]:
        """Return how many criteria have which status in the attempt that counts."""
        counts: dict[str, int] = {}
        for event in self.story.criteria.get(self.story.delivered, {}).values():
            counts[event["status"]] = counts.get(event["status"], 0) + 1
        return counts


def look(folder: RunFolder) -> Seen:
    """Return a run as it is now."""
    # Asked first: a run that ends in between has ended, and was not broken off.
    works = holder(folder) is not None
    try:
        story = tell(read_events(folder.journal))
    except FileNotFoundError:
        story = Story()
    except OSError as error:
        # Somebody else's, or on a broken disk: that must not keep others from being listed.
        return Seen(folder=folder, story=Story(), state="unreadable", reason=str(error))
    state = story.ended.get("outcome") or ("running" if works else "broken off")
    return Seen(folder=folder, story=story, state=state)


def latest_runs(state: Path, *, most: int | None) -> list[Seen]:
    """Return the latest runs, the newest first; all of them where `most` is None."""
    runs = state / "runs"
    names = sorted((path.name for path in runs.iterdir()), reverse=True) if runs.is_dir() else []
    return [look(RunFolder(id=name, path=runs / name)) for name in names[:most]]


class Tail:
    """Reads a journal on from where it was read last."""

    def __init__(self, folder: RunFolder) -> None:
        """Begin with its first event."""
        self._folder, self._read = folder, 0
        self.end: Mapping[str, Any] | None = None
        """The run's end, where it was not taken up since."""

    @property
    def has_ended(self) -> bool:
        """Return whether the last event that tells of it says that the run has ended."""
        return self.end is not None

    def new(self) -> list[dict[str, Any]]:
        """Return the events since the last time; a line that is not whole yet comes later."""
        try:
            with self._folder.journal.open("rb") as file:
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read += len(whole) + len(newline)
        lines = (told_in(line.decode("utf-8", "replace")) for line in whole.splitlines())
        events = [event for event in lines if event]
        for event in events:
            if event["type"] in ("run-ended", "run-resumed"):
                self.end = event if event["type"] == "run-ended" else None
        return events

    @property
    def is_worked_on(self) -> bool:
        """Return whether further events may come."""
        return holder(self._folder) is not None


def follow(folder: RunFolder, *, until_end: bool) -> Iterator[dict[str, Any]]:
    """Yield a run's events, oldest first.

    Args:
        folder: The run's.
        until_end: Whether to wait for further ones until the run ends or nobody works on it.

    """
    tail = Tail(folder)
    while True:
        # Asked first: what is written before its end must still be read.
        goes_on = until_end and tail.is_worked_on
        yield from tail.new()
        if tail.has_ended or not goes_on:
            return
        time.sleep(_PAUSE)


def wait_for(folder: RunFolder, *, seconds: float | None) -> int | None:
    """Wait until a run has ended, and return its exit status.

    75 where it still runs after `seconds`, None where it was broken off and has none.
    """
    latest = None if seconds is None else time.monotonic() + seconds
    tail = Tail(folder)
    while True:
        # Asked first: a run that ends in between has ended, and was not broken off.
        goes_on = tail.is_worked_on
        tail.new()
        if tail.end:
            return int(tail.end["exit_status"])
        if not goes_on:
            return None
        if latest is not None and time.monotonic() > latest:
            return Exit.STILL_RUNNING
        time.sleep(_PAUSE)
