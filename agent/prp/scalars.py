"""Values of YAML lines: quoted where YAML needs it, and taken out of their quotes."""

import json
import re

_DOUBLE = re.compile(r'^"(?:[^"\\]|\\.)*"$')
_SINGLE = re.compile(r"^'(?:[^']|'')*'$")


def unquoted(value: str) -> str:
    """Return what a value says: without the quotes around the whole of it, escapes undone."""
    value = value.strip()
    if len(value) > 1 and value[0] == '"' and _DOUBLE.match(value):
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    if len(value) > 1 and value[0] == "'" and _SINGLE.match(value):
        return value[1:-1].replace("''", "'")
    return value


def quoted(value: str) -> str:
    """Return a value in quotes that `unquoted` takes off again."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
