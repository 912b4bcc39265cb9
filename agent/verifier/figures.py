"""Figures from what tools wrote down for machines: coverage, percentiles, durations.

What a command prints, the code under test can print as well. So a threshold is held against the
tool's own file wherever there is one: made by a process of its own after the command has ended, or
written by the command while it ran.
"""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

from agent.prp import Check, ExpectationKind

PREFIX = "figures "
"""What the names of these files begin with among the reports of a run; their path follows."""

# A process of its own, which imports nothing of the project, reads what coverage.py has kept.
COVERAGE_DATA = ".coverage"
OWN_REPORT = "coverage.json"
_TO_JSON = f'python3 -I -m coverage json -q -o "$PRP_REPORTS/{OWN_REPORT}"'
_RUNNERS = re.compile(r"\b(?:uv|poetry|pdm|pipenv|hatch|rye)\s+run\b")
_FAIL_UNDER = re.compile(r"--(?:cov-)?fail-under[ =](\d+(?:\.\d+)?)")

_USUAL = (
    "coverage.json",
    "coverage.xml",
    "coverage/coverage-summary.json",
    "coverage/clover.xml",
    "coverage/cobertura-coverage.xml",
    "coverage/lcov.info",
    "lcov.info",
)
_NAMED = (
    r"--cov-report[ =](?:json|xml|lcov):(?P<path>\S+)",
    r"-coverprofile[ =](?P<path>\S+)",
    r"\bcoverage (?:json|xml|lcov)\b[^;&|]*? -o ?(?P<path>\S+)",
)
_CSV = r"--csv[ =](?P<path>\S+)"


def has_threshold(check: Check) -> bool:
    """Return whether a number decides what comes of a check."""
    by_number = check.expectation.kind is ExpectationKind.NUMBER
    return by_number or required(check.command) is not None


def required(command: str) -> float | None:
    """Return the percentage below which a command itself wants to fail."""
    found = _FAIL_UNDER.search(command)
    return float(found[1]) if found else None


def places(command: str) -> tuple[str, ...]:
    """Return the paths where a command may have written figures, those that it names first."""
    named = [m["path"] for shape in _NAMED for m in re.finditer(shape, command)]
    named += [f"{m['path']}_stats.csv" for m in re.finditer(_CSV, command)]
    plain = [" ".join(shlex.split(path)) if "'" in path or '"' in path else path for path in named]
    return tuple(dict.fromkeys([*plain, *_USUAL]))


def reading(command: str) -> str:
    """Return the command that turns coverage.py's data into a report."""
    runner = _RUNNERS.search(command)
    return f"{runner[0]} {_TO_JSON}" if runner else _TO_JSON


def coverage_of(reports: Mapping[str, str]) -> tuple[float, str] | None:
    """Return the covered percentage and the name of the file that says so; the lowest of several.

    Args:
        reports: Name to text of what a run left; others than figures are left out.

    """
    found = []
    for name, text in reports.items():
        if name != OWN_REPORT and not name.startswith(PREFIX):
            continue
        path = name.removeprefix(PREFIX)
        value = next((v for form in _FORMS if (v := form(text)) is not None), None)
        if value is not None:
            found.append((value, path))
    return min(found, default=None)


def percentile_of(reports: Mapping[str, str], percentile: str) -> float | None:
    """Return a percentile of all requests in milliseconds, from the table that locust writes."""
    for name, text in reports.items():
        if not name.endswith("_stats.csv"):
            continue
        for row in csv.DictReader(io.StringIO(text)):
            if row.get("Name") == "Aggregated":
                return _float(row.get(f"{percentile}%"))
    return None


def slowest_of(reports: Mapping[str, str]) -> float | None:
    """Return the seconds of the slowest test, from the reports of JUnit's form."""
    times = [
        seconds
        for name, text in reports.items()
        if name.startswith("junit") and (root := _xml(text)) is not None
        for case in root.iter("testcase")
        if (seconds := _float(case.get("time"))) is not None
    ]
    return max(times, default=None)


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _xml(text: str) -> ET.Element | None:
    # A report has no document type of its own that could hold entities.
    if "<!ENTITY" in text:
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 - no entity can be declared in it
    except ET.ParseError:
        return None


def _json(text: str) -> object:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None


def _coverage_py(text: str) -> float | None:
    told = _json(text)
    totals = told.get("totals") if isinstance(told, dict) else None
    if not isinstance(totals, dict):
        return None
    # As it is shown: rounded, but never up to 100.
    return _float(str(totals.get("percent_covered_display") or totals.get("percent_covered")))


def _summary(text: str) -> float | None:
    told = _json(text)
    total = told.get("total") if isinstance(told, dict) else None
    lines = total.get("lines") if isinstance(total, dict) else None
    return _float(str(lines.get("pct"))) if isinstance(lines, dict) else None


def _cobertura(text: str) -> float | None:
    root = _xml(text) if "line-rate" in text else None
    rate = _float(root.get("line-rate")) if root is not None and root.tag == "coverage" else None
    return None if rate is None else round(100 * rate, 2)


def _clover(text: str) -> float | None:
    root = _xml(text) if "coveredstatements" in text else None
    metrics = root.find("project/metrics") if root is not None else None
    if metrics is None:
        return None
    return _share(_float(metrics.get("coveredstatements")), _float(metrics.get("statements")))


def _lcov(text: str) -> float | None:
    if "end_of_record" not in text:
        return None
    hit, every = (
        sum(map(float, re.findall(rf"^{k}:(\d+)$", text, re.MULTILINE))) for k in ("LH", "LF")
    )
    return _share(hit, every)


def _go(text: str) -> float | None:
    if not text.startswith("mode: "):
        return None
    blocks: dict[str, tuple[int, bool]] = {}
    for place, size, count in re.findall(r"^(\S+:[\d.,]+) (\d+) (\d+)$", text, re.MULTILINE):
        seen = blocks.get(place, (0, False))[1]
        blocks[place] = (int(size), seen or count != "0")
    covered = sum(size for size, seen in blocks.values() if seen)
    return _share(covered, sum(size for size, _ in blocks.values()))


def _share(part: float | None, whole: float | None) -> float | None:
    return round(100 * part / whole, 2) if whole and part is not None else None


_FORMS: tuple[Callable[[str], float | None], ...] = (
    _coverage_py,
    _summary,
    _cobertura,
    _clover,
    _lcov,
    _go,
)
