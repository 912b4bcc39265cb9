"""The log of a job: GitHub's runner obeys lines in it, so foreign ones must not look like those."""

import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from agent.shown import printable

MOST = 10
"""Annotations of one kind that GitHub shows of a step; of more it drops any."""


class JobLog:
    """Writes lines of our own that the runner obeys, and keeps it from obeying others."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, stdout by default: that is where the runner reads."""
        self._stream = stream or sys.stdout
        self._token = ""
        self._annotated = Counter[str]()

    def mask(self, values: Iterable[str]) -> None:
        """Have the runner take secrets out of the log, whoever writes it."""
        for value in values:
            if value.strip():
                self._command("add-mask", value)

    def failure(self, text: str, *, title: str = "prp", **place: str) -> None:
        """Show an error beside the job, or beside `file` and `line` of the repository."""
        self._annotate("error", text, title=title, **place)

    def warning(self, text: str, *, title: str = "prp") -> None:
        """Show a warning beside the job."""
        self._annotate("warning", text, title=title)

    def notice(self, text: str, *, title: str = "prp") -> None:
        """Show a notice beside the job."""
        self._annotate("notice", text, title=title)

    def group(self, title: str) -> None:
        """Begin lines that fold away below a title."""
        self._command("group", printable(title))

    def end_group(self) -> None:
        """End the lines that fold away."""
        self._command("endgroup", "")

    def text(self, line: str) -> None:
        """Write a line that is tame already."""
        self._write(line)

    @contextmanager
    def foreign(self) -> Iterator[None]:
        """Let lines pass that others may have worded: the runner obeys none but ours.

        After an exception it obeys none any more: what is said of one may be foreign too.
        """
        self._stop()
        yield
        self._resume()

    def _stop(self) -> None:
        # Nobody can say the word that ends it, for nobody knows it.
        self._token = secrets.token_hex(16)
        self._write(f"::stop-commands::{self._token}")

    def _resume(self) -> None:
        self._write(f"::{self._token}::")
        self._token = ""

    def _annotate(self, kind: str, text: str, **properties: str) -> None:
        """Show a remark beside the job; where GitHub would drop it, it is a line of the log."""
        self._annotated[kind] += 1
        if self._annotated[kind] <= MOST:
            self._command(kind, text, **properties)
            return
        place = f"{properties['file']}:{properties['line']}: " if "file" in properties else ""
        for line in f"{kind}: {place}{text}".splitlines():
            self._write(tame(line))

    def _command(self, name: str, text: str, **properties: str) -> None:
        is_stopped = bool(self._token)
        if is_stopped:
            self._resume()
        said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        self._write(f"::{name}{f' {said}' if said else ''}::{_value(text)}")
        if is_stopped:
            self._stop()

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


def tame(line: str) -> str:
    """Return a line that the runner takes for text even where it reads commands.

    It looks for `::` at the beginning and for `##[` anywhere.
    """
    line = printable(line).replace("##[", "# #[")
    return f"| {line}" if line.lstrip().startswith("::") else line


def _value(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
