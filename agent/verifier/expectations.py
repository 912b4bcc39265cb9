"""What a finished command means: its end held against what the document expects."""

import json
import re
from collections.abc import Callable
from enum import StrEnum

from agent.prp import Expectation, ExpectationKind
from agent.verifier.figures import coverage_of, percentile_of, required, slowest_of
from agent.workspace import Finished


class CheckState(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    TOOL_MISSING = "tool missing"
    NOT_RUN = "not run"
    """Its kind is one that a program must not or cannot run; the reason says which."""
    FLAKY = "flaky"
    """It passed once and failed once on the same commit."""
    GATED = "gated"
    """An earlier level failed."""


def judge(
    finished: Finished, expectation: Expectation, *, http: str = ""
) -> tuple[CheckState, str]:
    """Return what a finished command means, and why where that is not plain.

    Args:
        finished: The command's end.
        expectation: What the document says.
        http: The status of the answer that it got, three digits; empty where nobody knows.

    """
    if finished.ended == "timeout":
        return CheckState.TIMED_OUT, f"it was stopped after {finished.seconds:.0f} s"
    if finished.ended not in ("exit", "signal"):
        return CheckState.FAILED, f"it was stopped: {finished.ended}"
    if tool := missing_tool(finished):
        return CheckState.TOOL_MISSING, f"{tool} is not installed"
    if http and expectation.kind is ExpectationKind.HTTP_STATUS:
        problem = "" if http == expectation.value else f"HTTP {http}, not {expectation.value}"
    else:
        problem = _crash(finished, expectation)
        problem = problem or _EXPECTED.get(expectation.kind, _exit_zero)(finished, expectation)
        problem = problem or _unanswered(http, expectation)
    return (CheckState.FAILED, problem) if problem else (CheckState.PASSED, "")


def missing_tool(finished: Finished) -> str:
    """Return the program, module or plugin whose lack ended a command, empty for others."""
    if finished.status == 127 and (missing := _MISSING.search(finished.output)):
        return missing["tool"] or missing["path"]
    if finished.status == 1 and (module := _NO_MODULE.search(finished.output)):
        return f"the Python module {module['tool']}"
    if finished.status == _PYTEST_MISUSED and (option := _NO_PLUGIN.search(finished.output)):
        return f"the pytest plugin for {option['option']}"
    return ""


# Not a program's own way to say no, as SIGABRT is for a failed assertion in C.
_CRASHES = ("SIGKILL", "SIGSEGV", "SIGBUS", "SIGILL", "SIGSYS", "SIGXCPU", "SIGXFSZ")
_SPOKEN_CRASH = re.compile(r"\b(?:crash|kill|abort|signal|segfault|oom)", re.IGNORECASE)


def _crash(finished: Finished, expectation: Expectation) -> str:
    """Return what ended a command before it could say anything that the document asks for.

    It is no refusal that was expected, and no output that is empty for a good reason.
    """
    if finished.by_signal not in _CRASHES or expectation.kind is ExpectationKind.EXIT_STATUS:
        return ""
    return "" if _SPOKEN_CRASH.search(expectation.text) else finished.status_in_words


_NO_ANSWER = re.compile(r"404|405|5\d\d")


def _unanswered(http: str, expectation: Expectation) -> str:
    """Return why an answer is none, where the document does not speak of that status.

    curl ends with status 0 whatever the server says. A page that is not there and a crash answer
    nothing; what 400 or 401 means is for the document to say.
    """
    if not _NO_ANSWER.fullmatch(http) or expectation.kind is ExpectationKind.EXIT_NONZERO:
        return ""
    said = expectation.text
    spoken = http in said or (said and _REFUSAL.search(said))
    return "" if spoken else f"the server answered HTTP {http}"


_REFUSAL = re.compile(
    r"\b(?:errors?|fail\w*|not found|invalid|refus\w+|reject\w*)\b", re.IGNORECASE
)


_MISSING = re.compile(
    r"(?:line \d+: |^sh: (?:\d+: )?|^)(?P<tool>[\w./+-]+): (?:command )?not found|"
    r"line \d+: (?P<path>/[^:\n]+): No such file or directory$",
    re.MULTILINE,
)
# `python -m tool` without the tool; a missing import inside of a test reads otherwise.
_PYTEST_MISUSED = 4
# Options that only a plugin knows: without it pytest runs nothing at all.
_NO_PLUGIN = re.compile(
    r"error: unrecognized arguments: [^\n]*?(?P<option>--(?:cov|timeout|asyncio|numprocesses|dist|"
    r"reruns|benchmark|json-report|html|ds|snapshot|hypothesis)[a-z-]*)"
)
_NO_MODULE = re.compile(r"\A\S*python[\d.]*: No module named (?P<tool>[\w.-]+)\s*\Z")


def _exit_zero(finished: Finished, _expectation: Expectation) -> str:
    if finished.status:
        return finished.status_in_words
    unseen = _UNSEEN.search(finished.output) if "compileall" in finished.command else None
    return f"there is no {unseen['path']}, so nothing of it was compiled" if unseen else ""


# compileall says so and passes.
_UNSEEN = re.compile(r"^Can't list '(?P<path>[^'\n]+)'$", re.MULTILINE)


def _exit_nonzero(finished: Finished, expectation: Expectation) -> str:
    return "" if finished.status else f"exit status 0, but the PRP expects: {expectation.text}"


def _exit_status(finished: Finished, expectation: Expectation) -> str:
    wanted = int(expectation.value or 0)
    return "" if finished.status == wanted else f"{finished.status_in_words}, not {wanted}"


def _empty(finished: Finished, _expectation: Expectation) -> str:
    # Who was ended printed nothing more; with SIGPIPE it was who read that had enough.
    if finished.by_signal not in ("", "SIGPIPE"):
        return finished.status_in_words
    # grep exits 1 when it finds nothing, and nothing is what the PRP wants to be found.
    return "it printed something" if finished.output.strip() else ""


def _contains(finished: Finished, expectation: Expectation) -> str:
    found = expectation.value in finished.output or _holds_json(finished.output, expectation)
    return "" if found else f"its output does not contain {expectation.value!r}"


def _holds_json(output: str, expectation: Expectation) -> bool:
    """Return whether an output is JSON that holds all that the expected JSON says."""
    if not expectation.value.startswith(("{", "[")):
        return False
    try:
        return _is_part(json.loads(expectation.value), json.loads(output))
    except (ValueError, RecursionError):
        return False


def _is_part(wanted: object, found: object) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(key in found and _is_part(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = zip(wanted, found, strict=False)
        return len(wanted) <= len(found) and all(_is_part(each, other) for each, other in pairs)
    return wanted == found


_LIMIT = re.compile(
    r"(?P<sign>[<>]=?|=)\s*(?P<number>[\d.]+)\s*(?P<unit>%|ms|s|lines)?(?: p(?P<p>\d+))?$"
)


def _number(finished: Finished, expectation: Expectation) -> str:
    limit = _LIMIT.match(expectation.value)
    unit = (limit["unit"] or "") if limit else ""
    # grep exits 1 where it counts none, and none may be what the PRP expects.
    if finished.status and not (unit in ("", "lines") and finished.status == 1):
        return finished.status_in_words
    percentile = (limit["p"] or "") if limit else ""
    # The tool's own file counts before what was printed: that could be anybody's.
    value, source = _from_files(finished, unit, percentile) or (
        _measured(finished.output, unit, percentile),
        "",
    )
    if limit is None or value is None:
        return f"no number in its output to hold against: {expectation.text}"
    wanted = float(limit["number"])
    holds = {
        ">": value > wanted,
        ">=": value >= wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        "=": value == wanted,
    }[limit["sign"]]
    said = f"{value:g} {f'in {source} ' if source else ''}where the PRP expects"
    return "" if holds else f"{said} {expectation.value}"


_SECONDS = {"ms": 1000.0, "s": 1.0}


def _from_files(finished: Finished, unit: str, percentile: str) -> tuple[float, str] | None:
    """Return the number that the tool wrote down for machines, and where."""
    if unit == "%":
        return coverage_of(finished.reports)
    if unit in _SECONDS and percentile:
        found = percentile_of(finished.reports, percentile)
        return None if found is None else (found / 1000 * _SECONDS[unit], "locust's table")
    if unit in _SECONDS:
        slowest = slowest_of(finished.reports)
        return None if slowest is None else (slowest * _SECONDS[unit], "the slowest test")
    return None


def below_its_own(finished: Finished) -> str:
    """Return why a command that wants to fail below a percentage should have failed."""
    wanted, found = required(finished.command), coverage_of(finished.reports)
    if wanted is None or found is None or found[0] >= wanted:
        return ""
    return f"{found[1]} says {found[0]:g} % where the command asks for {wanted:g} %"


def _measured(output: str, unit: str, percentile: str) -> float | None:
    """Return the number that an output holds: a percentage, a percentile, lines or a count."""
    if unit == "%":
        return _total(output)
    lines = [line for line in output.splitlines() if line.strip()]
    if unit == "lines":
        return float(len(lines))
    if percentile:
        return _percentile(lines, unit, percentile)
    counts = [re.search(r"(?:^|:)\s*(\d+)\s*$", line) for line in lines]
    return float(sum(int(c[1]) for c in counts if c)) if lines and all(counts) else None


def _percentile(lines: list[str], unit: str, percentile: str) -> float | None:
    """Return a percentile in the unit, from a line such as `p95: 180 ms` or `95% 180ms`."""
    shape = rf"\b(?:p{percentile}|{percentile}(?:th|%))\D{{0,40}}?(\d+(?:\.\d+)?)\s*(ms|s)\b"
    found = re.findall(shape, "\n".join(lines), re.IGNORECASE)
    if not found:
        return None
    number, own = found[-1]
    return float(number) * {"ms": 1.0, "s": 1000.0}[own] / {"ms": 1.0, "s": 1000.0}[unit]


def _http_status(finished: Finished, expectation: Expectation) -> str:
    if finished.status:
        return finished.status_in_words
    found = re.search(rf"\b{re.escape(expectation.value)}\b", finished.output)
    return "" if found else f"no HTTP status {expectation.value} in its output"


def _total(output: str) -> float | None:
    """Return the percentage that a report ends with: its total line, else its last one."""
    totals = re.findall(r"^TOTAL\b.*?([\d.]+)%", output, re.MULTILINE)
    if not totals and (lines := _lines_of_table(output)) is not None:
        return lines
    # Go tells of each package, and nothing of all: none may be below.
    packages = re.findall(r"^ok\s.*\bcoverage: ([\d.]+)% of statements", output, re.MULTILINE)
    if packages and not totals:
        return min(map(float, packages))
    numbers = totals or re.findall(r"([\d.]+)\s*%", output) or _BARE_NUMBER.findall(output)
    return float(numbers[-1]) if numbers else None


# `coverage report --format=total` prints the number alone.
_BARE_NUMBER = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*\Z", re.MULTILINE)


def _lines_of_table(output: str) -> float | None:
    """Return the covered lines of all files, from the table of jest, vitest, c8, nyc or node."""
    rows = [
        [cell.strip().lower() for cell in re.sub(r"^[#ℹ] +", "", line).split("|")]
        for line in output.splitlines()
        if line.count("|") >= 3
    ]
    heads = [row for row in rows if {"% lines", "line %"} & set(row)]
    totals = [row for row in rows if row[0] == "all files"]
    if not heads or not totals:
        return None
    place = next(i for i, cell in enumerate(heads[-1]) if cell in ("% lines", "line %"))
    cell = totals[-1][place] if place < len(totals[-1]) else ""
    return float(cell) if re.fullmatch(r"\d+(?:\.\d+)?", cell) else None


_EXPECTED: dict[ExpectationKind, Callable[[Finished, Expectation], str]] = {
    ExpectationKind.EXIT_NONZERO: _exit_nonzero,
    ExpectationKind.EXIT_STATUS: _exit_status,
    ExpectationKind.EMPTY_OUTPUT: _empty,
    ExpectationKind.CONTAINS: _contains,
    ExpectationKind.NUMBER: _number,
    ExpectationKind.HTTP_STATUS: _http_status,
}
