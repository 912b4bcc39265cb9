"""Names of a fence's own scratch folders, which it may remove."""

import re
from collections.abc import Iterable

_ASSIGNED = re.compile(
    r"(?:^|[;&|({\n]\s*|\bexport\s+|\blocal\s+)(?P<name>[A-Za-z_]\w*)="
    r"(?P<value>\"(?:\$\([^()\n]*\)|[^\"\n])*\"|'[^'\n]*'|(?:\$\([^()\n]*\)|[^\s;&|()])*)"
)
_MADE = re.compile(r"\"?\$\(mktemp(?:\s[^()]*)?\)(?!.*\.\.)[\w./-]*\"?$")
_BELOW = re.compile(r"\"?\$\{?(?P<name>\w+)\}?/(?!.*\.\.)[\w./-]+\"?$")


def scratch_names(commands: Iterable[str]) -> frozenset[str]:
    """Return the variables that hold what `mktemp` made, or something below it."""
    names: set[str] = set()
    for command in commands:
        for found in _ASSIGNED.finditer(command) if "=" in command else ():
            value, name = found["value"], found["name"]
            below = _BELOW.match(value)
            if _MADE.match(value) or (below and below["name"] in names):
                names.add(name)
            else:
                names.discard(name)
    return frozenset(names)


def with_scratch_paths(command: str, names: frozenset[str]) -> str:
    """Return a command with a path below `/tmp` for each scratch name, for classifying it."""
    for name in sorted(names):
        path = f"/tmp/{name}"  # noqa: S108 - nothing is opened, it only stands for one
        variable = rf"\$(?:{name}\b|\{{{name}\}})"
        command = re.sub(rf"\"{variable}\"|\"?{variable}", path, command)
    return command


_TMPDIR = re.compile(r"\$(?:TMPDIR\b|\{TMPDIR(?::?-/tmp/?)?\})")


def with_plain_tmp(command: str) -> str:
    """Return a command with `/tmp` for `$TMPDIR`, for classifying it."""
    # Nothing is opened: it only stands for such a folder.
    return _TMPDIR.sub("/tmp", command) if "TMPDIR" in command else command  # noqa: S108
