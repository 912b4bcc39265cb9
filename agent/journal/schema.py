"""The JSON schema of the journal's lines, made from the events themselves."""

from typing import Any

from agent.journal.events import KINDS, VERSION

_OF_EACH_LINE = {
    "v": {"const": VERSION, "description": "Version of the format."},
    "seq": {"type": "integer", "minimum": 1, "description": "Number of the line."},
    "at": {"type": "number", "description": "When it happened, in seconds since 1970, UTC."},
}


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of one line of a journal."""
    kinds = [_line(name, kind) for name, kind in KINDS.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of events.jsonl",
        "description": "Later versions add kinds of events and keys, and take none away.",
        "oneOf": kinds,
    }


def _line(name: str, kind: type) -> dict[str, Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - heavy, and only the schema needs it

    made = TypeAdapter(kind).json_schema(mode="serialization")
    own = {key: value for key, value in made.items() if key in ("description", "required")}
    properties = _OF_EACH_LINE | {"type": {"const": name}} | made["properties"]
    required = ["v", "seq", "at", "type", *own.pop("required", [])]
    return {"title": name, "type": "object", **own, "properties": properties, "required": required}
