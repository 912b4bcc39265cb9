"""Entries of the needed context that stand with keys: `- file: path`, `why: ...` below."""

import re
from collections.abc import Sequence

from agent.prp.context.targets import PATH, is_no_file, mention, target_of, words_of_anchor
from agent.prp.lines import Line, Role
from agent.prp.model import Reference, ReferenceKind
from agent.prp.scalars import unquoted


def may_declare(words: str) -> bool:
    """Return whether an entry may begin at a line: most lines lack what each has."""
    return ":" in words and words.lstrip()[:1] in _MARKS


def declared_at(lines: Sequence[Line], start: int) -> tuple[Reference, int] | None:
    """Return the entry such as `- file: path` that begins at a line, and where it ends.

    Args:
        lines: Lines of a part, entries and others.
        start: Place of the line among them.

    """
    if not (entry := _ENTRY.match(lines[start].text)):
        return None
    end = _end_of_entry(lines, start, len(entry["indent"]))
    return _declared(entry, lines[start:end]), end


_MARKS = frozenset("-*")
_ENTRY = re.compile(
    r"^(?P<indent>\s*)[-*]\s+[`*]*(?P<key>url|file|path|docfile|docs?|mcp)[`*]*\s*:\s*"
    # Who needs none says so: `- url: (no external research needed)`.
    r"(?P<value>(?!\(?(?:no|none|n/a)\b(?![\w./-]))\S.*)$",
    re.IGNORECASE,
)


def _declared(entry: re.Match[str], lines: Sequence[Line]) -> Reference:
    keys = _keys(lines[1:])
    kind = _KINDS[entry["key"].lower()]
    target, span = target_of(entry["value"])
    if kind is not ReferenceKind.MCP and target.startswith(("http://", "https://")):
        kind = ReferenceKind.URL
    elif kind is ReferenceKind.URL and _LIKE_A_FILE.match(target):
        kind = ReferenceKind.FILE
    part = ""
    if kind in (ReferenceKind.FILE, ReferenceKind.DOCFILE) and not target.startswith("#"):
        target, _, part = target.partition("#")
    known = {"why", "section", "sections", "critical", "pattern", "gotcha"}
    notes = [f"{key}: {' '.join(values)}" for key, values in keys.items() if key not in known]
    if not span and (numbers := _SPAN.match(" ".join(keys.get("lines", [])))):
        span = (int(numbers[1]), int(numbers[2]))
    return Reference(
        kind=kind,
        target=target,
        line=lines[0].number,
        why=" ".join(keys.get("why", [])),
        sections=(*_sections(keys), *([words_of_anchor(part)] if part else [])),
        critical=" ".join(keys.get("critical", [])),
        pattern=" ".join(keys.get("pattern", [])),
        gotcha=" ".join(keys.get("gotcha", [])),
        notes=tuple(notes),
        lines=span,
        declared=True,
    )


_SPAN = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})")
_KINDS = {
    "url": ReferenceKind.URL,
    "file": ReferenceKind.FILE,
    "path": ReferenceKind.FILE,
    "docfile": ReferenceKind.DOCFILE,
    "doc": ReferenceKind.DOCFILE,
    "docs": ReferenceKind.DOCFILE,
    "mcp": ReferenceKind.MCP,
}
# What people write behind `url:` may be a file of the repository all the same.
_LIKE_A_FILE = re.compile(
    r"^(?:\.{0,2}/)?[\w@.-]+(?:/[\w@.-]+)*\.(?:md|[a-z]{1,4}|json|toml|yaml|lock)$"
)


def named_at(lines: Sequence[Line], start: int) -> tuple[Reference, int] | None:
    """Return the entry that begins at a line with another key or a name, and where it ends."""
    text = lines[start].text
    if not text.lstrip().startswith("-"):
        return None
    if other := _OTHER_ENTRY.match(text):
        end = _end_of_entry(lines, start, len(other["indent"]))
        if any(_WHY.match(below.text) for below in lines[start + 1 : end]):
            return _from_named(other["value"], lines[start:end]), end
    if named := _NAMED.match(text):
        end = _end_of_entry(lines, start, len(named["indent"]))
        if place := _place_of(lines[start:end]):
            return _from_named(place, lines[start:end]), end
    return None


# An entry with another key and a reason below it: `- research: notes.md`, `why: ...`.
_OTHER_ENTRY = re.compile(
    rf"(?P<indent>\s*)-\s+[a-z_]{{3,20}}\s*:\s*[\"'`]?(?P<value>https?://\S+?|{PATH})[\"'`]?\s*$"
)
_WHY = re.compile(r"\s+why\s*:", re.IGNORECASE)
# An entry that begins with a name, and says where to find it below: `- name: "Guide"`, `url: ...`.
_NAMED = re.compile(
    r"(?P<indent>\s*)-\s+(?:name|title|source|topic)\s*:\s*(?P<name>\S.*)$", re.IGNORECASE
)


def _place_of(lines: Sequence[Line]) -> str:
    """Return where an entry that begins with its name says that it is to be found."""
    place = next((found for line in lines[1:] if (found := _PLACE.match(line.text))), None)
    target, _ = target_of(place["value"]) if place else ("", None)
    is_none = not target or (not target.startswith("http") and is_no_file(target))
    return place["value"] if place and not is_none else ""


_PLACE = re.compile(
    r"\s+(?P<key>url|link|file|path|docfile|docs?)\s*:\s*(?P<value>\S.*)$", re.IGNORECASE
)


def _from_named(value: str, lines: Sequence[Line]) -> Reference:
    target, span = target_of(value)
    keys = _keys(lines[1:])
    why = next((" ".join(keys[key]) for key in _REASONS if key in keys), "")
    return mention(target, span, why, lines[0].number)


_REASONS = ("why", "purpose", "relevance", "usage", "description")


def _end_of_entry(lines: Sequence[Line], start: int, indent: int) -> int:
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if line.role not in (Role.TEXT, Role.INSIDE) or line.role is not lines[start].role:
            return index
        words = line.text
        if not words.strip():
            return index
        depth = len(words) - len(words.lstrip())
        if depth <= indent and (words.lstrip().startswith(("-", "*", "#", "|")) or depth < indent):
            return index
    return len(lines)


def _keys(lines: Sequence[Line]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    current = ""
    for line in lines:
        if found := _KEY.match(line.text):
            current = found["key"].lower()
            value = unquoted(found["value"])
            keys.setdefault(current, []).extend([value] if value not in ("", "|", ">") else [])
        elif current and (item := _ITEM.match(line.text)):
            keys[current].append(unquoted(item["value"]))
        elif current:
            keys[current].append(line.text.strip())
    return keys


_KEY = re.compile(r"^\s*(?:[-*]\s+)?(?P<key>[A-Za-z_][\w-]*)\s*:\s*(?P<value>.*)$")
_ITEM = re.compile(r"^\s*-\s+(?P<value>.+)$")


def _sections(keys: dict[str, list[str]]) -> list[str]:
    words = [*keys.get("sections", []), *keys.get("section", [])]
    parts = []
    for word in words:
        inner = word.strip("[]") if word.startswith("[") else word
        split = re.findall(r"\"([^\"]+)\"|'([^']+)'", inner) if word.startswith("[") else []
        parts += ["".join(pair) for pair in split] or (
            [part.strip() for part in inner.split(",")] if word.startswith("[") else [inner]
        )
    return [part for part in parts if part]
