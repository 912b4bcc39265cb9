"""Findings as SARIF 2.1.0, which code hosts show beside the lines."""

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from agent.prp.model import Finding, Severity
from agent.prp.rules import RULES
from agent.shown import json_text

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def as_sarif(documents: Sequence[tuple[PurePath, Sequence[Finding]]], *, version: str) -> str:
    """Return the findings of documents as one SARIF log."""
    used = sorted({finding.code for _, findings in documents for finding in findings})
    places = {code: place for place, code in enumerate(used)}
    log: dict[str, Any] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "prp lint",
                        "version": version,
                        "rules": [_rule(code) for code in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(path, finding, places)
                    for path, findings in documents
                    for finding in findings
                ],
            }
        ],
    }
    return json_text(log, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(path: PurePath, finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": places[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(os.fsencode(path.as_posix()))},
                    "region": {"startLine": max(finding.line, 1)},
                }
            }
        ],
    }
