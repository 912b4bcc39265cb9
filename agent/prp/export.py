"""The parsed document for other programs: one JSON object, and the schema that it keeps to."""

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from agent.prp.model import (
    Check,
    CheckKind,
    Confidence,
    Criterion,
    Expectation,
    ExpectationKind,
    Finding,
    Prp,
    Reference,
    Section,
    Server,
    Task,
    TestSpec,
    Text,
)
from agent.prp.readiness import Readiness
from agent.shown import json_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportedCheck:
    """A check with its kind and its expectation as plain words."""

    id: str
    command: str
    line: int
    last_line: int
    level: int
    """0 where it stands outside of every validation loop."""
    kind: CheckKind
    """The most restrictive of `kinds`."""
    kinds: tuple[CheckKind, ...]
    expectation: ExpectationKind
    expected: Expectation
    """The expectation with its words, its value and its line."""
    can_fail: bool
    setup: tuple[str, ...]
    """Commands before it in the same block that change the shell."""
    servers: tuple[Server, ...]
    """What is started before it and must be up."""
    comment: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportedLevel:
    """A validation loop; its checks name it by its number."""

    number: int
    title: str
    line: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exported:
    """One object of `prp lint --json`; every item carries its first line, counted from 1."""

    path: str
    title: str
    tasks: tuple[Task, ...]
    checks: tuple[ExportedCheck, ...]
    references: tuple[Reference, ...]
    criteria: tuple[Criterion, ...]
    """Success criteria (`C1`, ...), then the lines of the checklist (`D1`, ...)."""
    findings: tuple[Finding, ...]
    readiness: Readiness | None
    """None where the document can't be read at all."""
    levels: tuple[ExportedLevel, ...] = ()
    metadata: tuple[tuple[Text, Text], ...] = ()
    goal: Section | None = None
    why: Section | None = None
    what: Section | None = None
    current_tree: Section | None = None
    desired_tree: Section | None = None
    desired_files: tuple[Text, ...] = ()
    gotchas: tuple[Section, ...] = ()
    test_specs: tuple[TestSpec, ...] = ()
    patterns: tuple[Section, ...] = ()
    anti_patterns: tuple[Text, ...] = ()
    confidence: Confidence | None = None
    remainder: tuple[Section, ...] = ()


def export(prp: Prp, findings: Sequence[Finding], readiness: Readiness) -> Exported:
    """Return a document with what was found about it."""
    same = {field.name for field in dataclasses.fields(Exported)} & {
        field.name for field in dataclasses.fields(Prp)
    }
    given: dict[str, Any] = {name: getattr(prp, name) for name in same}
    return Exported(
        **given
        | {
            "path": str(prp.path),
            "title": prp.title.text,
            "criteria": prp.promises,
            "checks": tuple(_check(check) for check in prp.checks),
            "levels": tuple(
                ExportedLevel(number=level.number, title=level.title, line=level.line)
                for level in prp.levels
            ),
            "findings": tuple(findings),
            "readiness": readiness,
        }
    )


def unreadable(path: str, finding: Finding) -> Exported:
    """Return the object of a document that can't be read."""
    return Exported(
        path=path,
        title="",
        tasks=(),
        checks=(),
        references=(),
        criteria=(),
        findings=(finding,),
        readiness=None,
    )


def _check(check: Check) -> ExportedCheck:
    return ExportedCheck(
        id=check.id,
        command=check.command,
        line=check.line,
        last_line=check.last_line,
        level=check.level,
        kind=check.kind,
        kinds=check.kinds,
        expectation=check.expectation.kind,
        expected=check.expectation,
        can_fail=check.can_fail,
        setup=check.setup,
        servers=check.servers,
        comment=check.comment,
    )


def as_json(exported: Exported) -> str:
    """Return the object on one line."""
    return json_text(_plain(exported))


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in _fields(type(value))}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


_FIELDS: dict[type, tuple[Any, ...]] = {}


def _fields(kind: type) -> tuple[Any, ...]:
    if kind not in _FIELDS:
        _FIELDS[kind] = dataclasses.fields(kind)
    return _FIELDS[kind]


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of `Exported`."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - heavy, and only the schema needs it

    made = TypeAdapter(Exported).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A parsed PRP, one object of prp lint --json",
        **{key: value for key, value in made.items() if key != "title"},
    }
