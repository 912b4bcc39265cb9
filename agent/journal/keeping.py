"""The journal's file: only ever appended to, and read back."""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from agent.errors import EnvironmentProblem, hint_for
from agent.journal.events import (
    AttemptVerified,
    Event,
    RunEnded,
    RunResumed,
    RunStarted,
    TaskFinished,
    as_json,
)

# A power cut after these must not lose them: the rest is told again from the run's steps, which are
# on the disk before the journal hears of them.
_MUST_LAST = (
    RunStarted,
    RunResumed,
    TaskFinished,
    AttemptVerified,
    RunEnded,
)


# What every line says, and who reads it relies on.
_MUST_HAVE = {"seq", "at", "type"}


class Journal:
    """An append-only file of events, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; a line that a crash tore is taken off its end."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        lines, self.torn = _whole_lines(path)
        """Bytes of a torn last line."""
        if self.torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - self.torn)
        self._sequence = lines

    def __enter__(self) -> Self:
        """Return the journal; the file is closed at the end of the `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._file)

    def record(self, event: Event) -> None:
        """Append the event with one write, and make it last where losing it would cost.

        Raises:
            EnvironmentProblem: The disk is full or broken; the journal is as it was.

        """
        line = json.dumps(as_json(event, sequence=self._sequence + 1), ensure_ascii=False)
        words = (line + "\n").encode("utf-8", "surrogatepass")
        size = os.fstat(self._file).st_size
        try:
            _write_whole(self._file, words)
            if isinstance(event, _MUST_LAST):
                os.fsync(self._file)
        except OSError as error:
            # The next line must not go on where this one broke off.
            os.ftruncate(self._file, size)
            raise EnvironmentProblem(
                f"The journal {self.path} can't be written: {error.strerror}", hint=hint_for(error)
            ) from error
        self._sequence += 1


def _write_whole(file: int, words: bytes) -> None:
    """Write with one call; a part is what a full disk had room for."""
    if os.write(file, words) != len(words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _whole_lines(path: Path) -> tuple[int, int]:
    """Return how many lines a file has, and how many bytes follow the last of them."""
    lines, rest = 0, 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            ended = part.count(b"\n")
            rest = len(part) - part.rfind(b"\n") - 1 if ended else rest + len(part)
            lines += ended
    return lines, rest


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Read a journal back, oldest event first; what a crash tore, last or not, is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n") and (event := told_in(line)):
                yield event


def told_in(line: str) -> dict[str, Any] | None:
    """Return the event of a line; None where a power failure left something else there."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() >= _MUST_HAVE else None
