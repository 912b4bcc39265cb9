"""The outcome for other programs: JUnit's XML for test dashboards, SARIF for code scanning."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from agent import __version__
from agent.deliver.story import Story
from agent.shown import printable, printable_lines

_SKIPPED = ("unproven", "needs a person", "gated", "not run", "pre-existing")
_LEVELS = {"noted": "note", "asked": "warning", "refused": "error"}
_STATUSES = {"failed": "error", "unproven": "warning", "needs a person": "warning"}


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
