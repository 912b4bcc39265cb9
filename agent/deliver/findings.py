"""What a failed check found: the first thing with its place, and how many more there are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.deliver.learnt import telling

# `a.py:3:1: E501 too long`, as most tools write it.
_PLACED = re.compile(r"^\s*(?P<place>[\w./\\@+-]+\.\w+:\d+(?::\d+)?)(?::? -|:)? (?P<what>\S.*)$")
# The same on two lines: `E501 too long` above `  --> a.py:3:1`.
_ARROW = re.compile(r"^\s*-+> (?P<place>\S+:\d+(?::\d+)?)\s*$")
# What pytest says in the end of each test, and where an assertion stood.
_TEST = re.compile(r"^(?:FAILED|ERROR) (?P<test>\S.*?)(?: - (?P<what>.*))?$")
_TITLE = re.compile(r"^_{2,} (?P<title>\S.*?) _{2,}$")
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
    test: str = ""
    """The test that failed, as its runner names it; empty where it is something else."""

    def in_words(self) -> str:
        """Return the first with its place, and how many more there are, in one line."""
        said = f"{self.place}: {self.first}" if self.place else self.first
        return f"{said} (and {self.more} more)" if self.more else said


def findings_of(output: str) -> Findings:
    """Return what an output says of a failure, whichever tool wrote it."""
    lines = output.splitlines()
    return _of_tests(output) or _of_arrows(lines) or _of_lines(lines) or _of_words(lines, output)


def tests_of(output: str) -> tuple[Findings, ...]:
    """Return every test that an output names as failed, once; none where its tool names none."""
    lines = output.splitlines()
    said = {found["test"]: found for line in lines if (found := _TEST.match(line))}
    blocks = _blocks(lines)
    return tuple(
        # Where no block tells of a test alone, all there is may tell of the first one.
        _of_test(test, found["what"] or "", blocks.get(_titled(test), () if number else lines))
        for number, (test, found) in enumerate(said.items())
    )


def _blocks(lines: list[str]) -> dict[str, list[str]]:
    """Return the lines that tell of each failure, by the failure's title."""
    blocks: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if found := _TITLE.match(line):
            current = blocks.setdefault(found["title"], [])
        elif line.startswith("====="):
            current = []
        else:
            current.append(line)
    return blocks


def _titled(test: str) -> str:
    return test.partition("::")[2].replace("::", ".")


def _of_test(test: str, what: str, told: Sequence[str]) -> Findings:
    said = next((line[1:].strip() for line in told if re.match(r"^E\s+\S", line)), "")
    stood = next((found["place"] for line in told if (found := _STOOD.match(line))), "")
    why = said or what
    # The place says the file already.
    in_place = stood and test.startswith(f"{stood.rsplit(':', 1)[0]}::")
    name = test.rsplit("::", 1)[1] if in_place else test
    return Findings(first=f"{name}: {why}" if why else name, place=stood, test=test)


def _of_tests(output: str) -> Findings | None:
    tests = tests_of(output)
    return replace(tests[0], more=len(tests) - 1) if tests else None


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
