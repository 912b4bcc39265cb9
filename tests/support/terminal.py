"""`prp` on a real pseudo-terminal, and what then stands on the screen."""

import io
import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import pexpect
import pyte

from tests.support.project import PRP, Project

_LONGEST = 90


class Terminal:
    """A terminal of a size with `prp` running on it."""

    def __init__(
        self,
        project: Project,
        *arguments: str,
        columns: int = 100,
        lines: int = 30,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start the installed command as a person would at a terminal."""
        environment = project.environment()
        for name in ("CI", "NO_COLOR"):
            environment.pop(name, None)
        environment |= {"TERM": "xterm-256color", **(variables or {})}
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = io.BytesIO()
        self.process: pexpect.spawn[bytes] = pexpect.spawn(
            str(PRP),
            list(arguments),
            cwd=str(project.root),
            env=environment,
            dimensions=(lines, columns),
            timeout=_LONGEST,
        )

    def __enter__(self) -> Self:
        """Return the terminal."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.process.close(force=True)

    def resize(self, *, columns: int, lines: int) -> None:
        """Change the size, as dragging the window's corner does."""
        self.screen.resize(lines, columns)
        self.process.setwinsize(lines, columns)

    def until(self, pattern: str) -> str:
        """Read until the screen shows a pattern, and return the screen."""
        while not re.search(pattern, self.shown):
            try:
                self._take(self.process.read_nonblocking(65536, timeout=_LONGEST))
            except pexpect.EOF:
                assert re.search(pattern, self.shown), f"{pattern} never came:\n{self.shown}"
        return self.shown

    def ended(self) -> int:
        """Read to the end and return the exit status."""
        try:
            while True:
                self._take(self.process.read_nonblocking(65536, timeout=_LONGEST))
        except pexpect.EOF:
            self.process.wait()
        status = self.process.exitstatus
        return -int(self.process.signalstatus or 0) if status is None else int(status)

    def _take(self, data: bytes) -> None:
        self.raw.write(data)
        self._stream.feed(data)

    @property
    def shown(self) -> str:
        """Return the screen, line by line."""
        return os.linesep.join(line.rstrip() for line in self.screen.display)
