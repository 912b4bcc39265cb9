"""The outcome for other programs: JSON, JUnit's XML for dashboards, SARIF for code scanning."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from agent import __version__
from agent.deliver.learnt import lessons
from agent.deliver.report import outcome_of
from agent.deliver.standing import why_of
from agent.deliver.story import Story
from agent.deliver.timeline import Step
from agent.shown import printable, printable_lines

_SKIPPED = ("unproven", "needs a person", "gated", "not run", "pre-existing")
_LEVELS = {"noted": "note", "asked": "warning", "refused": "error"}
_STATUSES = {"failed": "error", "unproven": "warning", "needs a person": "warning"}


def as_json(story: Story, steps: Iterable[Step] = ()) -> dict[str, Any]:
    """Return the run for machines; the same facts as in the report, under stable names.

    Args:
        story: The run.
        steps: What it did when, with what each stretch cost.

    """
    attempt = story.delivered
    return {
        "version": 1,
        "run": story.started.get("run"),
        "prp": {key: story.started.get(key) for key in ("prp", "title", "sha256")},
        "outcome": story.ended.get("outcome"),
        "exit_status": story.ended.get("exit_status"),
        "reason": story.ended.get("reason"),
        "hint": story.ended.get("hint"),
        "branch": story.ended.get("branch"),
        "base": story.started.get("base"),
        "commit": story.ended.get("commit"),
        "attempts": len(story.verdicts),
        "delivered_attempt": attempt or None,
        "criteria": [
            {key: event[key] for key in ("criterion", "text", "line", "status", "evidence")}
            | {"why": why_of(story, event).label}
            for event in story.criteria.get(attempt, {}).values()
        ],
        "checks": [
            {"stage": stage, **{key: event[key] for key in _CHECK_KEYS}}
            # Journals of older versions lack these.
            | {key: event[key] for key in _FURTHER_KEYS if key in event}
            for stage, events in story.checks.items()
            for event in events.values()
        ],
        "ran_again": [{key: event[key] for key in _AGAIN_KEYS} for event in story.again],
        "mutants": {key: story.mutants[attempt][key] for key in _MUTANT_KEYS}
        if attempt in story.mutants
        else None,
        "tasks": [{key: event[key] for key in _TASK_KEYS} for event in story.tasks],
        "plan": {key: story.plan.get(key) for key in ("summary", "steps", "proofs")},
        "usage": {role: dataclasses.asdict(usage) for role, usage in story.usage.items()},
        "total": dataclasses.asdict(story.total),
        "steps": [dataclasses.asdict(step) for step in steps],
        "seconds": story.seconds if story.ended else None,
        "models": story.started.get("models"),
        "sandbox": story.started.get("sandbox"),
        "allowed": story.started.get("allowed"),
        "limits": story.started.get("limits"),
        "concerns": list(story.verdicts.get(attempt, {}).get("concerns", ())),
        "objections": list(story.verdicts.get(attempt, {}).get("objections", ())),
        "holdout": [
            {**test, "outcome": outcome_of(test["name"], story.tried.get(attempt) or {})}
            for test in story.holdout.get("tests", ())
        ],
        "put_back": list(story.verdicts.get(attempt, {}).get("put_back", ())),
        "setup": [{key: event[key] for key in _SETUP_KEYS} for event in story.setup],
        "network": [
            dict(zip(("stage", "host", "port", "state"), key, strict=True))
            | dataclasses.asdict(asked)
            for key, asked in story.asked.items()
        ],
        "notes": story.notes,
        "candidates": list(story.candidates.get("candidates", ())),
        "learnt": [dataclasses.asdict(lesson) for lesson in lessons(story)],
    }


_SETUP_KEYS = ("kind", "state", "command", "hosts", "reason", "seconds")
_CHECK_KEYS = ("check", "level", "command", "state", "status", "seconds", "reason")
_FURTHER_KEYS = ("tests", "log")
_AGAIN_KEYS = ("attempt", "turn", "commit", "checks", "left_out")
_MUTANT_KEYS = ("chosen", "tried", "killed", "survivors", "seconds")
_TASK_KEYS = ("attempt", "task", "commit", "files", "summary", "deviations", "doubts")


def junit(story: Story) -> str:
    """Return criteria and checks of the delivered attempt as test cases."""
    attempt = story.delivered
    suites = ET.Element("testsuites", name=_xml(story.started.get("title", "")))
    criteria = ET.SubElement(suites, "testsuite", name="criteria")
    for event in story.criteria.get(attempt, {}).values():
        name = f"{event['criterion']} {event['text']}"
        _case(criteria, name, event["status"], "\n".join(event["evidence"]))
    checks = ET.SubElement(suites, "testsuite", name="checks")
    for event in story.checks.get(f"attempt {attempt}", {}).values():
        name = f"{event['check']} {event['command']}"
        said = f"{event['reason']}\n{event['output']}".strip()
        _case(checks, name, event["state"], said, seconds=event["seconds"])
    for suite in suites:
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, name: str, status: str, said: str, *, seconds: float = 0) -> None:
    case = ET.SubElement(suite, "testcase", name=_xml(name), classname=suite.get("name", ""))
    case.set("time", f"{seconds:.3f}")
    if status in _SKIPPED:
        ET.SubElement(case, "skipped", message=_xml(status)).text = printable_lines(said)
    elif status not in ("proven", "judged", "passed"):
        ET.SubElement(case, "failure", message=_xml(status)).text = printable_lines(said)


def _xml(text: str) -> str:
    return printable(text)[:1_000]


def sarif(story: Story) -> dict[str, Any]:
    """Return what does not hold, and what speaks against the branch, by file and line."""
    attempt = story.delivered
    prp = story.started.get("prp", "")
    results = [
        _result(
            f"criterion-{event['status'].replace(' ', '-')}",
            _STATUSES[event["status"]],
            f"{event['criterion']} {event['text']}: {event['status']}. "
            + " ".join(event["evidence"]),
            f"{prp}:{event['line']}",
        )
        for event in story.criteria.get(attempt, {}).values()
        if event["status"] in _STATUSES
    ]
    results += [
        _result(f"objection-{o['weight']}", _LEVELS[o["weight"]], o["what"], o["place"])
        for o in story.verdicts.get(attempt, {}).get("objections", ())
    ]
    rules = sorted({result["ruleId"] for result in results})
    driver = {"name": "prp", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


_PLACE = re.compile(r"(?P<path>[^:]+)(?::(?P<line>\d+))?")


def _result(rule: str, level: str, text: str, place: str) -> dict[str, Any]:
    found = _PLACE.match(place)
    physical: dict[str, Any] = {"artifactLocation": {"uri": found["path"] if found else place}}
    if found and found["line"] and int(found["line"]):
        physical["region"] = {"startLine": int(found["line"])}
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": printable(text)},
        "locations": [{"physicalLocation": physical}],
    }
