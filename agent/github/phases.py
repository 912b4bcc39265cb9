"""How far a run is, left beside it: the job that holds the model's key writes to GitHub nowhere."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from agent.deliver.board import Board
from agent.github.job import Job
from agent.github.papers import Phase, write
from agent.journal import (
    AttemptStarted,
    AttemptVerified,
    Event,
    Planned,
    Record,
    RunEnded,
    RunStarted,
    TaskFinished,
    TaskStarted,
)
from agent.masking import Mask

_FOLDER, _PHASE, _PROCESS = "phases", "phase.json", "process"
_TELLING = (
    RunStarted,
    Planned,
    AttemptStarted,
    TaskStarted,
    TaskFinished,
    AttemptVerified,
    RunEnded,
)
_OVER = "the checks once more, on another machine"
_SLOWER = 1.5
_LONGEST_BEGINNING = 180.0


class Phases:
    """Writes down each phase of a run, for `watch` to find."""

    def __init__(self, job: Job, mask: Mask, *, also: Record) -> None:
        """Write below the job's folder, without secrets, and hand each event to `also`."""
        self._folder, self._mask, self._also = job.artifact(_FOLDER), mask, also
        self._board, self._attempts = Board(), list[str]()
        (self._folder / _PROCESS).write_text(str(os.getpid()), encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Take an event in."""
        self._also(event)
        self._board.take(event, time.monotonic())
        if isinstance(event, AttemptVerified) and not event.candidate:
            what = "holds" if event.holds else f"does not hold: {', '.join(event.failures)}"
            self._attempts.append(self._short(f"attempt {event.attempt} {what}"))
        if isinstance(event, _TELLING):
            self._write(_OVER if isinstance(event, RunEnded) else self._board.doing)

    def _write(self, doing: str) -> None:
        board, short = self._board, self._short
        phase = Phase(
            doing=short(doing),
            attempt=board.attempt,
            tasks=tuple((short(t.title), t.state) for t in board.tasks.values())[:200],
            criteria=tuple(
                (short(name), short(text), short(status))
                for name, (text, status) in board.criteria.items()
            )[:200],
            attempts=tuple(self._attempts[-50:]),
            cost_usd=None if board.unpriced else board.cost_usd,
        )
        # Whoever reads it meanwhile reads the whole of one or of the other.
        made = self._folder / f"{_PHASE}.new"
        write(phase, made)
        made.replace(self._folder / _PHASE)

    def _short(self, text: str) -> str:
        """Return text without secrets, and no longer than a paper takes."""
        text = self._mask(text)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 300


def watch(job: Job, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait for the next phase that is worth telling, and lay it where the runner fetches it.

    Each time it waits longer than before, so that a handful of tellings lasts for hours. It ends
    with the run, however that ends.
    """
    folder, began = job.artifact(_FOLDER), time.monotonic()
    number = int(job.number("WATCH") or 1)
    gap = 0.0 if number == 1 else (job.number("EVERY") or 30.0) * _SLOWER ** (number - 2)
    there, sent = folder / _PHASE, job.artifact("progress") / _PHASE
    while True:
        waited = time.monotonic() - began
        lives = _lives(folder / _PROCESS, waited)
        new = there.read_bytes() if there.is_file() else b""
        is_new = bool(new) and (not sent.is_file() or sent.read_bytes() != new)
        if is_new and (waited >= gap or not lives):
            sent.write_bytes(new)
        elif lives:
            sleep(1.0)
            continue
        job.put(said="true" if is_new else "false", more="true" if lives else "false")
        return


def _lives(file: Path, waited: float) -> bool:
    """Return whether the run goes on, or may still begin."""
    if not file.is_file():
        return waited < _LONGEST_BEGINNING
    try:
        os.kill(int(file.read_text(encoding="utf-8")), 0)
    except (OSError, ValueError):
        return False
    return True
