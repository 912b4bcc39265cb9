"""One entry in files that belong to somebody else: `prp mcp` among a coding tool's MCP servers.

What stands in such a file stays as it is, to the byte; the entry is put between. What was put there
is remembered word for word, so that it can be taken out again. A file with comments, or anything
else that a strict reader does not take, is left alone.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.editors.files import Change, State, entries_of, keep_entries, text_of
from agent.workspace.files import remove, write_text

_NAME = "prp"
_COMMON = {"command": "prp", "args": ["mcp"]}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a tool keeps its MCP servers."""

    path: str
    table: str
    """Key of the servers."""
    entry: Mapping[str, Any]
    head: Mapping[str, Any]
    """What a new file begins with."""

    @property
    def is_toml(self) -> bool:
        """Return whether the file is TOML; else it is JSON."""
        return self.path.endswith(".toml")

    def read(self, text: str) -> dict[str, Any] | None:
        """Return what a file says; None where a strict reader does not take it."""
        try:
            told = tomllib.loads(text) if self.is_toml else json.loads(text)
        except (ValueError, RecursionError):
            return None
        return told if isinstance(told, dict) else None


PLACES: Mapping[str, Place] = {
    "claude": Place(path=".mcp.json", table="mcpServers", entry=_COMMON, head={}),
    "vscode": Place(
        path=".vscode/mcp.json", table="servers", entry={"type": "stdio", **_COMMON}, head={}
    ),
    "gemini": Place(path=".gemini/settings.json", table="mcpServers", entry=_COMMON, head={}),
    "codex": Place(path=".codex/config.toml", table="mcp_servers", entry=_COMMON, head={}),
    "opencode": Place(
        path="opencode.json",
        table="mcp",
        entry={"type": "local", "command": ["prp", "mcp"], "enabled": True},
        head={"$schema": "https://opencode.ai/config.json"},
    ),
}
"""By the tools' names."""


def enter(root: Path, tools: Mapping[str, object], *, dry_run: bool = False) -> list[Change]:
    """Put the entry into the files of tools, and return what became of each.

    Raises:
        FileProblem: A path leads out of the repository, or can't be written.

    """
    known, changes = entries_of(root), []
    for place in _of(tools):
        before = text_of(root, place.path)
        put, after, state = _entered(place, before)
        changes.append(Change(path=place.path, state=state))
        if state is State.ENTERED and not dry_run:
            write_text(root, place.path, after)
            known[place.path] = put
    if not dry_run:
        keep_entries(root, known)
    return changes


def take_out(root: Path, tools: Mapping[str, object], *, dry_run: bool = False) -> list[Change]:
    """Take the entry out where it is as it was put there, and return what became of each.

    Raises:
        FileProblem: A path leads out of the repository, or can't be written.

    """
    known, changes = entries_of(root), []
    for place in _of(tools):
        before, put = text_of(root, place.path), known.get(place.path)
        if before is None or put is None:
            continue
        after = _without(place, before, put)
        state = State.EDITED if after is None else State.TAKEN_OUT
        changes.append(Change(path=place.path, state=state))
        if after is None or dry_run:
            continue
        del known[place.path]
        if after:
            write_text(root, place.path, after)
        else:
            remove(root, place.path)
    if not dry_run:
        keep_entries(root, known)
    return changes


def _of(tools: Mapping[str, object]) -> Iterator[Place]:
    return (place for name, place in PLACES.items() if name in tools)


def _entered(place: Place, before: str | None) -> tuple[str, str, State]:
    """Return what is put where, the text with it, and what that makes of the file."""
    if before is None or not before.strip():
        made = _new(place)
        return made, made, State.ENTERED
    told = place.read(before)
    servers = told.get(place.table, {}) if told is not None else None
    if told is None or not isinstance(servers, dict):
        return "", before, State.UNREADABLE
    if _NAME in servers:
        same = servers[_NAME] == place.entry
        return "", before, State.THE_SAME if same else State.EDITED
    wanted = {**told, place.table: {**servers, _NAME: place.entry}}
    for put, after in _insertions(place, before, told):
        if place.read(after) == wanted:
            return put, after, State.ENTERED
    return "", before, State.UNREADABLE


def _new(place: Place) -> str:
    if place.is_toml:
        return _toml(place)
    whole = {**place.head, place.table: {_NAME: place.entry}}
    return json.dumps(whole, indent=2) + "\n"


def _insertions(place: Place, text: str, told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what could be put where; whoever asks looks whether it says what it should."""
    if place.is_toml:
        put = ("" if text.endswith("\n") else "\n") + "\n" + _toml(place)
        yield put, text + put
        return
    at = _after_brace(text, place.table)
    if at is not None:
        put = _member(place) + ("," if told[place.table] else "\n  ")
    else:
        at = text.index("{") + 1
        table = {_NAME: place.entry}
        put = f"\n  {json.dumps(place.table)}: {_json(table, 2)}{',' if told else chr(10)}"
    yield put, text[:at] + put + text[at:]


def _member(place: Place) -> str:
    return f"\n    {json.dumps(_NAME)}: {_json(place.entry, 4)}"


def _json(value: object, indent: int) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * indent)


def _toml(place: Place) -> str:
    # Strings and lists of strings look alike in both.
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in place.entry.items())
    return f"[{place.table}.{_NAME}]\n{lines}"


_WHITE = " \t\r\n"


def _after_brace(text: str, key: str) -> int | None:
    """Return where the object below a key of the outermost one begins; None without one."""
    reads = json.JSONDecoder().raw_decode

    def past(at: int, signs: str) -> int:
        while text[at] in signs:
            at += 1
        return at

    at = past(text.index("{") + 1, _WHITE)
    while text[at] != "}":
        name, at = reads(text, at)
        at = past(at, _WHITE + ":")
        if name == key and text[at] == "{":
            return at + 1
        _, at = reads(text, at)
        at = past(at, _WHITE + ",")
    return None


def _without(place: Place, text: str, put: str) -> str | None:
    """Return the text without what was put there; None where that can't be told apart any more."""
    if text == put:
        return ""
    if put == _new(place) and not place.is_toml:
        put = _member(place)  # others have come to a file that was ours
    told = place.read(text)
    servers = told.get(place.table) if told is not None else None
    if told is None or not isinstance(servers, dict) or servers.get(_NAME) != place.entry:
        return None
    rest = {name: value for name, value in servers.items() if name != _NAME}
    wanted: list[dict[str, Any]] = [{**told, place.table: rest}]
    if not rest:
        wanted.append({name: value for name, value in told.items() if name != place.table})
    bare = put.rstrip(_WHITE + ",")
    forms: tuple[Callable[[str], str], ...] = (
        lambda t: t.replace(put, "", 1),
        lambda t: t.replace(f"{bare},", "", 1),
        lambda t: t.replace(f",{bare}", "", 1),
        lambda t: t.replace(bare, "", 1),
    )
    return next((t for t in (form(text) for form in forms) if place.read(t) in wanted), None)
