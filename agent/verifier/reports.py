"""Reports that test runners wrote down: from their forms to one outcome for each test.

Code under test could have written them as well. So a report is held against the one of the base
commit, and a test that is told of twice counts as the worse.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
_BY_BADNESS = (PASSED, SKIPPED, FAILED)

_Told = Iterable[tuple[str, str]]
"""Ids with outcomes."""


def outcomes_by_id(reports: Mapping[str, str]) -> dict[str, str] | None:
    """Return what came of each test, None where no runner wrote anything that can be read.

    Args:
        reports: Name of a report to its text, as `workspace.reporting` asks for them.

    """
    told: dict[str, str] = {}
    is_read = False
    for name, text in reports.items():
        form = next((form for begin, form in _FORMS.items() if name.startswith(begin)), None)
        found = form(text) if form and text.strip() else None
        if found is None:
            continue
        is_read = True
        for test, outcome in found:
            told[test] = max(outcome, told.get(test, PASSED), key=_BY_BADNESS.index)
    return told if is_read else None


def _junit(text: str) -> _Told | None:
    # A report has no document type; one that has could hold entities that grow without end.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entity can be declared in it
    except ET.ParseError:
        return None
    # One case more with the same name is the error of its tear-down.
    return [_case(case) for case in root.iter("testcase")]


def _case(case: ET.Element) -> tuple[str, str]:
    name = f"{case.get('classname', '')}::{case.get('name', '')}".removeprefix("::")
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return name, FAILED
    return name, SKIPPED if "skipped" in tags else PASSED


def _lines(text: str) -> _Told:
    """Read one line of JSON a test, as our reporters of node's runner and of jest write them."""
    for line in text.splitlines():
        told = _json(line)
        if isinstance(told, dict) and told.get("outcome") in _BY_BADNESS:
            yield _named(told.get("file"), told.get("names")), told["outcome"]


def _vitest(text: str) -> _Told | None:
    told = _json(text)
    files = told.get("testResults") if isinstance(told, dict) else None
    return list(_of_files(files)) if isinstance(files, list) else None


def _of_files(files: Sequence[object]) -> Iterator[tuple[str, str]]:
    for file in files:
        if not isinstance(file, dict):
            continue
        tests = [test for test in file.get("assertionResults") or () if isinstance(test, dict)]
        for test in tests:
            names = [*(test.get("ancestorTitles") or ()), test.get("title")]
            status = test.get("status")
            yield (
                _named(file.get("name"), names),
                str(status) if status in (PASSED, FAILED) else SKIPPED,
            )
        if file.get("status") == FAILED and not tests:
            yield _named(file.get("name"), ()), FAILED


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _named(file: object, names: object) -> str:
    path = file if isinstance(file, str) else ""
    parts = [str(part) for part in names] if isinstance(names, list | tuple) else []
    # A file that holds no test is one itself, and named by its path.
    own = [part for part in parts if not (path and f"/{part}".endswith(f"/{path}"))]
    return "::".join([path, *own])


_GO_RESULT = re.compile(r"(?P<mark>\x16?)--- (?P<word>PASS|FAIL|SKIP): (?P<name>\S+) \([\d.]+s\)$")
_GO_WORDS = {"PASS": PASSED, "FAIL": FAILED, "SKIP": SKIPPED}


def _go(text: str) -> _Told | None:
    """Read the verbose output of one package's test program, below the names of its tests."""
    head, begins, output = text.partition("\noutput\n")
    folder = re.match(r"folder (.*)$", head, re.MULTILINE)
    if not begins or folder is None:
        return None
    package = f"./{folder[1].rstrip('/')}" if folder[1] else "."
    names = set(re.findall(r"^test (\w+)$", head, re.MULTILINE))
    results = [m for line in output.splitlines() if (m := _GO_RESULT.search(line))]
    is_marked = any(found["mark"] for found in results)
    return [
        (f"{package}::{found['name']}", _GO_WORDS[found["word"]])
        for found in results
        if found["name"].partition("/")[0] in names and (found["mark"] or not is_marked)
    ]


_CARGO_WORDS = {"ok": PASSED, "failed": FAILED, "ignored": SKIPPED}


def _cargo(text: str) -> _Told | None:
    program, *lines = text.splitlines()
    if not program.startswith("program "):
        return None
    found = [re.match(r"(ok|failed|ignored)\b(?: \([^)]*\))? (\S.*)$", line) for line in lines]
    name = program.removeprefix("program ")
    return [(f"{name}::{m[2]}", _CARGO_WORDS[m[1]]) for m in found if m]


_FORMS: Mapping[str, Callable[[str], _Told | None]] = {
    "junit": _junit,
    "node-": _lines,
    "jest-": _lines,
    "vitest-": _vitest,
    "go-": _go,
    "cargo-": _cargo,
}
