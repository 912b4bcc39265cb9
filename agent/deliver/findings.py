"""What a failed check found: the first thing with its place, and how many more there are."""

import re
from dataclasses import dataclass

from agent.deliver.learnt import telling

# `a.py:3:1: E501 too long`, as most tools write it.
_PLACED = re.compile(r"^\s*(?P<place>[\w./\\@+-]+\.\w+:\d+(?::\d+)?)(?::? -|:)? (?P<what>\S.*)$")
# The same on two lines: `E501 too long` above `  --> a.py:3:1`.
_ARROW = re.compile(r"^\s*-+> (?P<place>\S+:\d+(?::\d+)?)\s*$")
# What pytest says in the end of each test, and where an assertion stood.
_TEST = re.compile(r"^(?:FAILED|ERROR) (?P<test>\S.*?)(?: - (?P<what>.*))?$")
_STOOD = re.compile(r"^(?P<place>[\w./+-]+\.py:\d+): ?(?P<kind>[A-Z]\w+)?")
_RAISED = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)')
_NEXT_TO_IT = 3


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a check's output says of its failure."""

    first: str
    """The line that says most."""
    place: str = ""
    """`file:line`, empty where the output names none or the line says it already."""
    more: int = 0
    """How many findings there are beside the first."""

    def in_words(self) -> str:
        """Return the first with its place, and how many more there are, in one line."""
        said = f"{self.place}: {self.first}" if self.place else self.first
        return f"{said} (and {self.more} more)" if self.more else said


def findings_of(output: str) -> Findings:
    """Return what an output says of a failure, whichever tool wrote it."""
    lines = output.splitlines()
    return _of_tests(lines) or _of_arrows(lines) or _of_lines(lines) or _of_words(lines, output)


def _of_tests(lines: list[str]) -> Findings | None:
    tests = [found for line in lines if (found := _TEST.match(line))]
    if not tests:
        return None
    said = next((line[1:].strip() for line in lines if re.match(r"^E\s+\S", line)), "")
    stood = next((found["place"] for line in lines if (found := _STOOD.match(line))), "")
    first = tests[0]["test"]
    why = said or tests[0]["what"] or ""
    if stood and first.startswith(f"{stood.rsplit(':', 1)[0]}::"):
        first = first.rsplit("::", 1)[1]  # the place says the file already
    more = len({one["test"] for one in tests}) - 1
    return Findings(first=f"{first}: {why}" if why else first, place=stood, more=more)


def _of_arrows(lines: list[str]) -> Findings | None:
    found = [(n, arrow["place"]) for n, line in enumerate(lines) if (arrow := _ARROW.match(line))]
    if not found:
        return None
    number, place = found[0]
    above = [line.strip() for line in lines[max(number - _NEXT_TO_IT, 0) : number] if line.strip()]
    return Findings(first=above[-1] if above else "", place=place, more=len(found) - 1)


def _of_lines(lines: list[str]) -> Findings | None:
    found = [one for line in lines if (one := _PLACED.match(line)) and not _is_note(one["what"])]
    if not found:
        return None
    return Findings(first=found[0]["what"].strip(), place=found[0]["place"], more=len(found) - 1)


def _is_note(what: str) -> bool:
    """Return whether a line only adds to the one before it."""
    return what.startswith(("note:", "in "))


def _of_words(lines: list[str], output: str) -> Findings:
    raised = [found for line in lines if (found := _RAISED.match(line))]
    place = f"{raised[-1]['path']}:{raised[-1]['line']}" if raised else ""
    return Findings(first=telling(output), place=place)
