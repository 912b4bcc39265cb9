"""Whether a branch changes what its checkers heed, in a file that the PRP lets it change."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from agent.prp import Prp
from agent.verifier.changes import Edited
from agent.verifier.objections import Objection, Weight

# Table of the file to the words by which a PRP would ask for a change in it.
_TOML = {
    "tool.pytest": ("pytest", "test config"),
    "tool.coverage": ("coverage", "cov"),
    "tool.ruff": ("ruff", "lint"),
    "tool.mypy": ("mypy", "type check", "type-check"),
    "tool.pyright": ("pyright", "type check", "type-check"),
    "tool.black": ("black", "format"),
    "tool.tox": ("tox",),
    "tool.nox": ("nox",),
    "tool.poe": ("poe",),
}
_JSON = {
    "scripts": ("script", "npm run"),
    "jest": ("jest",),
    "vitest": ("vitest",),
    "mocha": ("mocha",),
    "c8": ("coverage", "c8"),
    "nyc": ("coverage", "nyc"),
    "eslintConfig": ("eslint", "lint"),
}


def weigh_tables(edit: Edited, prp: Prp) -> Iterator[Objection]:
    """Yield the tables of tools that differ, as asked where the PRP does not speak of the tool.

    Args:
        edit: A changed `pyproject.toml` or `package.json`; other files have no tables.
        prp: What its tasks say of the file decides whether the change is wanted.

    """
    name = edit.path.rsplit("/", 1)[-1]
    if edit.before is None or edit.after is None:
        return
    if name == "pyproject.toml":
        before, after, tables = _toml(edit.before), _toml(edit.after), _TOML
    elif name == "package.json":
        before, after, tables = _json(edit.before), _json(edit.after), _JSON
    else:
        return
    wanted = _said_of(prp, edit.path)
    for table, words in tables.items():
        old, new = _at(before, table), _at(after, table)
        if old is None or _keeps(old, new, grows=table == "scripts"):
            continue
        is_wanted = any(word in wanted for word in words)
        yield Objection(
            weight=Weight.NOTED if is_wanted else Weight.ASKED,
            place=f"{edit.path} [{table}]",
            what="checks heed these settings, and the branch changes them"
            + (" as the PRP asks" if is_wanted else "; the PRP asks for nothing of the kind"),
        )


def _keeps(old: Any, new: Any, *, grows: bool) -> bool:
    """Return whether settings are as they were; scripts may be added beside the given ones."""
    if grows and isinstance(old, dict) and isinstance(new, dict):
        return all(new.get(key) == value for key, value in old.items())
    return bool(old == new)


def _said_of(prp: Prp, path: str) -> str:
    """Return everything that the PRP's tasks say of a file, in lower case."""
    texts = [
        " ".join(bullet.text for bullet in change.bullets)
        for task in prp.tasks
        for change in task.changes
        if change.path.removeprefix("./") == path
    ]
    titles = [t.title for t in prp.tasks if any(c.path.endswith(path) for c in t.changes)]
    return " ".join([*texts, *titles]).lower()


def _at(tables: Mapping[str, Any], name: str) -> Any:
    found: Any = tables
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
