"""What a run is doing, one plain line an event, on stderr."""

import sys
import time
from typing import TextIO

from agent.deliver.lines import line_of
from agent.journal import Event, Noted
from agent.shown import printable


class Progress:
    """Writes a line for each event that a person would like to see."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        """Write to `stream`, stderr by default; `quiet` writes warnings only."""
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._is_alone = False
        self._said = ""
        self._started = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        if self._is_alone or (self._quiet and not (isinstance(event, Noted) and event.warning)):
            return
        text = line_of(event)
        if not text or text == self._said:
            # An installer asks for a host that it may not have over and over; the journal has all.
            return
        self._said = text
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        try:
            self._stream.write(f"{minutes:3d}:{seconds:02d}  {printable(text)}\n")
            self._stream.flush()
        except OSError:
            # Whoever read it has gone, or its disk is full: no reason to end work that is paid for.
            self._is_alone = True
