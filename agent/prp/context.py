"""References of the needed context, in the forms in which people write them."""

import re
from bisect import bisect
from collections.abc import Sequence

from agent.prp.lines import Line, Role
from agent.prp.model import Reference, ReferenceKind
from agent.prp.paths import is_address, is_words
from agent.prp.scalars import unquoted

_KINDS = {
    "url": ReferenceKind.URL,
    "file": ReferenceKind.FILE,
    "path": ReferenceKind.FILE,
    "docfile": ReferenceKind.DOCFILE,
    "doc": ReferenceKind.DOCFILE,
    "docs": ReferenceKind.DOCFILE,
    "mcp": ReferenceKind.MCP,
}
_ENTRY = re.compile(
    r"^(?P<indent>\s*)[-*]\s+[`*]*(?P<key>url|file|path|docfile|docs?|mcp)[`*]*\s*:\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_KEY = re.compile(r"^\s*(?:[-*]\s+)?(?P<key>[A-Za-z_][\w-]*)\s*:\s*(?P<value>.*)$")
_ITEM = re.compile(r"^\s*-\s+(?P<value>.+)$")
_LINK = re.compile(
    r"^\s*(?:(?:[-*]|\d+[.)])\s.*?)?\[(?P<name>[^\[\]]+)\]\((?P<target>[^)\s]{1,1000})\)(?P<rest>.*)$"
)
_BARE_URL = re.compile(r"^\s*(?:[-*]|\d+[.)])\s.*?(?P<target>https?://[^\s)>`\]]+)(?P<rest>.*)$")
_TICKED = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?:\[.\]\s+)?[*_]*`(?P<target>[^`\s]+\.[A-Za-z]\w{0,9}(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)?|[^`\s]+/[^`\s]*)`(?P<rest>.*)$"
)
_BOLD = re.compile(
    r"^\s*(?:[-*]\s+|\d+[.)]\s+)?\*\*`?(?P<target>[\w./@-]+/[\w./@-]+|[\w-]+\.[a-z]{1,5})`?\*\*\s*:?(?P<rest>.*)$"
)
_PATH = (
    r"(?:[\w@.~-]*/[\w@./-]*[\w-]\.[A-Za-z]\w{0,9}|[\w.-]*[\w-]\.(?:md|mdx|rst|txt|py|[cm]?[jt]sx?|go|rs|java|kt|"
    r"rb|php|cs|gd|swift|sql|sh|json|ya?ml|toml|html|css|proto|graphql|prisma))\b(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)?"
)
# `- **Message list**: src/list.tsx`
_LABELLED = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?:\*\*)?[^`*:|\[\]]{2,60}(?::\*\*|\*\*\s*:|:)\s+"
    rf"(?:`(?P<ticked>{_PATH})`|(?P<bare>(?![A-Z]\w*/[A-Z][\w.]*\.js\b)(?:\.{{0,2}}/)?[\w@.-]+/[\w@./-]*[\w-]\.[A-Za-z]\w{{0,9}}))(?P<rest>.*)$"
)
# `**From STATUS.md**:`, `**Pattern 1: the modal** (from `src/modal.tsx`)`
_SOURCE = re.compile(
    rf"^\s*(?:[-*]\s+|\d+[.)]\s+)?\*\*(?:From\s+`?(?P<named>{_PATH})`?[^*]*\*\*|"
    rf"[^*`(]{{2,100}}\((?:from\s+|see\s+)?(?P<within>{_PATH})[^*()`]{{0,60}}\)\s*:?\*\*|"
    rf"[^*`]{{2,100}}\*\*\s*:?\s*\((?:from\s+|see\s+)?`?(?P<ticked>{_PATH})`?)(?P<rest>.*)$",
    re.IGNORECASE,
)
_ROW = re.compile(r"^\s*\|(?P<cells>.*)\|\s*$")
_RANGE = re.compile(r"(?::(?P<a>\d{1,9})(?:-(?P<b>\d{1,9}))?|#L(?P<c>\d{1,9})(?:-L?(?P<d>\d{1,9}))?)$")  # fmt: skip


def find_references(lines: Sequence[Line], elsewhere: Sequence[Line] = ()) -> list[Reference]:
    """Return the references of a document in its order.

    Each target is one once for each reason, and once for each section that names it.

    Args:
        lines: Lines of the context section, where any path or address is a reference.
        elsewhere: Lines of other parts, where only entries that say why are: `- file:` with
            `why:`, `pattern:` or the like below; and items below `**Key Files to Reference**:`.

    """
    found = [*_in_context(lines), *_explained(elsewhere), *_below_labels(elsewhere)]
    heads = sorted(line.number for line in (*lines, *elsewhere) if line.role is Role.HEADING)
    unique: dict[tuple[object, ...], Reference] = {}
    for reference in found:
        place = (reference.target, reference.lines, bisect(heads, reference.line))
        own = (reference.sections, *(_reasons(reference) if reference.declared else ()))
        if not (place in unique and not any(own)):
            unique.setdefault(place, reference)
            unique.setdefault((*place, *own), reference)
    return sorted(set(unique.values()), key=lambda reference: reference.line)


def _reasons(reference: Reference) -> tuple[str, ...]:
    return (reference.why, reference.critical, reference.pattern, reference.gotcha)


def _explained(lines: Sequence[Line]) -> list[Reference]:
    found: list[Reference] = []
    for index, line in enumerate(lines):
        # Most lines lack it, and asking them for more costs.
        if ":" not in line.text or line.text.lstrip()[:1] not in _MARKS:
            continue
        if not (entry := _ENTRY.match(line.text)):
            continue
        end = _end_of_entry(lines, index, len(entry["indent"]))
        (reference,) = _from_entry(entry, lines[index:end])
        is_work = any(note.startswith("action:") for note in reference.notes)
        if any(_reasons(reference)) and not is_work:
            found.append(reference)
    return found


_MARKS = ("-", "*")


def _below_labels(lines: Sequence[Line]) -> list[Reference]:
    """Return what the items below a bold label name that says that they are references."""
    found: list[Reference] = []
    is_below = False
    for line in lines:
        if not is_below and "**" not in line.text:
            continue
        bare = line.text.strip()
        if line.role is not Role.TEXT:
            is_below = False
        elif bare.startswith("**"):
            is_below = _LABEL_OF_REFERENCES.match(bare) is not None
        elif is_below and bare:
            is_below = bare[0] in "-*" or bare[0].isdigit() or line.text[:1].isspace()
            found += _from_bullet(line) if is_below else ()
    return found


_LABEL_OF_REFERENCES = re.compile(
    r"\*\*(?:(?:key|important|critical|relevant|related|reference) (?:files|documents|docs)"
    r"(?: to (?:read|reference|study|review))?|(?:must|required) read(?:ing)?|references?(?: sources?)?|"
    r"documentation (?:&|and) references)\s*:?\*\*:?\s*$",
    re.IGNORECASE,
)


def _in_context(lines: Sequence[Line]) -> list[Reference]:
    found: list[Reference] = []
    index = 0
    is_about_itself = False
    while index < len(lines):
        line = lines[index]
        if line.role in (Role.TEXT, Role.INSIDE) and (entry := _ENTRY.match(line.text)):
            end = _end_of_entry(lines, index, len(entry["indent"]))
            found += _from_entry(entry, lines[index:end])
            index = end
            continue
        is_entry = line.text.lstrip()[:1] in _BEGINS and line.role is not Role.HEADING
        if is_entry and ":" in line.text and (entry := _OTHER_ENTRY.match(line.text)):
            end = _end_of_entry(lines, index, len(entry["indent"]))
            if any(_WHY.match(below.text) for below in lines[index + 1 : end]):
                found.append(_from_named(entry["value"], lines[index:end]))
                index = end
                continue
        if is_entry and (named := _NAMED.match(line.text)):
            end = _end_of_entry(lines, index, len(named["indent"]))
            if place := _place_of(lines[index:end]):
                found.append(_from_named(place, lines[index:end]))
                index = end
                continue
        if line.role is Role.HEADING:
            is_about_itself = bool(_ABOUT_ITSELF.search(line.text))
        elif line.role is Role.TEXT and not is_about_itself:
            below = lines[index + 1 : index + 2]
            found += _from_bullet(line) or (is_entry and _from_address_below(line, below)) or ()
        index += 1
    return found


def _from_address_below(line: Line, below: Sequence[Line]) -> list[Reference]:
    """Return the address that stands alone on the line below an item that says what it is."""
    found = _ADDRESS_ALONE.match(below[0].text) if below and "://" in below[0].text else None
    label = _LABEL_ALONE.match(line.text) if found else None
    if not (found and label):
        return []
    return [_plain(found["target"].rstrip(".,;"), None, label["words"], line.number)]


_ADDRESS_ALONE = re.compile(r"^\s+<?(?P<target>https?://[^\s<>)\]]+)>?\s*$")
_LABEL_ALONE = re.compile(r"^\s*(?:[-*]|\d+[.)])\s+\**(?P<words>[^*]+?)\**\s*:?\**\s*$")


# Below these the author says how complete the document is.
_ABOUT_ITSELF = re.compile(r"completeness|no prior knowledge|confidence", re.IGNORECASE)


# What people write behind `url:` may be a file of the repository all the same.
_LIKE_A_FILE = re.compile(
    r"^(?:\.{0,2}/)?[\w@.-]+(?:/[\w@.-]+)*\.(?:md|[a-z]{1,4}|json|toml|yaml|lock)$"
)


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


def _from_entry(entry: re.Match[str], lines: Sequence[Line]) -> list[Reference]:
    keys = _keys(lines[1:])
    kind = _KINDS[entry["key"].lower()]
    target, span = _target(entry["value"])
    if kind is not ReferenceKind.MCP and re.match(r"https?://", target):
        kind = ReferenceKind.URL
    elif kind is ReferenceKind.URL and _LIKE_A_FILE.match(target):
        kind = ReferenceKind.FILE
    part = ""
    if kind in (ReferenceKind.FILE, ReferenceKind.DOCFILE) and not target.startswith("#"):
        target, _, part = target.partition("#")
    known = {"why", "section", "sections", "critical", "pattern", "gotcha"}
    notes = [f"{key}: {' '.join(values)}" for key, values in keys.items() if key not in known]
    if (
        numbers := re.match(r"(\d{1,9})\s*-\s*(\d{1,9})", " ".join(keys.get("lines", [])))
    ) and not span:
        span = (int(numbers[1]), int(numbers[2]))
    return [
        Reference(
            kind=kind,
            target=target,
            line=lines[0].number,
            why=" ".join(keys.get("why", [])),
            sections=(*_sections(keys), *([_of_anchor(part)] if part else [])),
            critical=" ".join(keys.get("critical", [])),
            pattern=" ".join(keys.get("pattern", [])),
            gotcha=" ".join(keys.get("gotcha", [])),
            notes=tuple(notes),
            lines=span,
            declared=True,
        )
    ]


# An entry that begins with a name, and says where to find it below: `- name: "Guide"`, `url: ...`.
_NAMED = re.compile(
    r"(?P<indent>\s*)-\s+(?:name|title|source|topic)\s*:\s*(?P<name>\S.*)$", re.IGNORECASE
)
_PLACE = re.compile(
    r"\s+(?P<key>url|link|file|path|docfile|docs?)\s*:\s*(?P<value>\S.*)$", re.IGNORECASE
)


# An entry with another key and a reason below it: `- research: notes.md`, `why: ...`.
_OTHER_ENTRY = re.compile(
    rf"(?P<indent>\s*)-\s+[a-z_]{{3,20}}\s*:\s*[\"'`]?(?P<value>https?://\S+?|{_PATH})[\"'`]?\s*$"
)
_WHY = re.compile(r"\s+why\s*:", re.IGNORECASE)


def _place_of(lines: Sequence[Line]) -> str:
    """Return where an entry that begins with its name says that it is to be found."""
    place = next((found for line in lines[1:] if (found := _PLACE.match(line.text))), None)
    target, _ = _target(place["value"]) if place else ("", None)
    is_none = not target or (not target.startswith("http") and _is_no_file(target))
    return place["value"] if place and not is_none else ""


def _from_named(value: str, lines: Sequence[Line]) -> Reference:
    target, span = _target(value)
    keys = _keys(lines[1:])
    why = next((" ".join(keys[key]) for key in _REASONS if key in keys), "")
    return _plain(target, span, why, lines[0].number)


_REASONS = ("why", "purpose", "relevance", "usage", "description")


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


# What the forms below begin with; most lines are prose.
_BEGINS = frozenset("-*[|0123456789")


def _from_bullet(line: Line) -> list[Reference]:
    if line.text.lstrip()[:1] not in _BEGINS:
        return []
    if row := _ROW.match(line.text):
        return _from_row(row["cells"], line.number)
    for pattern in (_LINK, _TICKED, _BARE_URL, _BOLD, _LABELLED, _SOURCE):
        if found := pattern.match(line.text):
            target, span = _target(_captured(found))
            if span is None and (said := _RANGE_BEHIND.match(found["rest"])):
                span = (int(said["first"]), int(said["last"] or said["first"]))
            if not target or target.startswith("#") or _is_no_file(target):
                continue
            why = found["rest"].strip(" -–—:*()")
            return [_plain(target, span, why, line.number)]
    return []


def _captured(found: re.Match[str]) -> str:
    groups = found.groupdict()
    names = ("target", "ticked", "bare", "named", "within")
    return next(groups[name] for name in names if groups.get(name))


def _is_no_file(target: str) -> bool:
    is_url = target.startswith(("http://", "https://"))
    is_name = _NAME_IN_CODE.fullmatch(target) is not None
    return not is_url and (is_name or is_address(target) or is_words(target))


# `fs.NodeLinker`; `Readme.MD` is a file all the same.
_NAME_IN_CODE = re.compile(r"[\w.]+\.[A-Z][a-z]\w*")


def _from_row(cells: str, number: int) -> list[Reference]:
    parts = [part.strip() for part in cells.split("|")]
    for place, part in enumerate(parts):
        if found := re.fullmatch(
            r"`([^`\s]+)`(?:\s*\(?(?:lines?\s*)?(\d{1,9})\s*-\s*(\d{1,9})\)?)?", part
        ):
            target, span = _target(found[1])
            if ("/" not in target and "." not in target) or _is_no_file(target):
                continue
            if found[2]:
                span = (int(found[2]), int(found[3]))
            elif place + 1 < len(parts) and (
                range_ := re.fullmatch(r"(\d{1,9})\s*-\s*(\d{1,9})", parts[place + 1])
            ):
                span = (int(range_[1]), int(range_[2]))
            return [_plain(target, span, parts[-1] if place < len(parts) - 1 else "", number)]
    return []


def _plain(target: str, span: tuple[int, int] | None, why: str, line: int) -> Reference:
    is_url = re.match(r"https?://", target) is not None
    is_document = target.partition("#")[0].endswith((".md", ".mdx", ".rst", ".txt"))
    kind = (
        ReferenceKind.URL
        if is_url
        else ReferenceKind.DOCFILE
        if is_document
        else ReferenceKind.FILE
    )
    path, _, part = ("", "", "") if is_url else target.partition("#")
    return Reference(
        kind=kind,
        target=path or target,
        line=line,
        why=why,
        sections=(_of_anchor(part),) if path and part else (),
        lines=span,
    )


def _of_anchor(anchor: str) -> str:
    """Return the words of a heading's anchor, its number left out."""
    return re.sub(r"^[\d.-]+(?=\D)", "", anchor).replace("-", " ").strip()


# `src/a.py (lines 10-40)`, `src/a.py, line 12`, `src/a.py L10-L40`
_SAID_RANGE = re.compile(
    r"(?:\s|,\s*|\s*[(\[])(?:lines?\s+|L)(?P<first>\d{1,9})(?:\s*(?:-|–|to)\s*L?(?P<last>\d{1,9}))?\b",
    re.IGNORECASE,
)


_RANGE_BEHIND = re.compile(r"[*`\s]*" + _SAID_RANGE.pattern, re.IGNORECASE)


def _target(value: str) -> tuple[str, tuple[int, int] | None]:
    value = re.sub(r"\s+#\s.*$", "", value.strip())
    value = unquoted(value)
    if found := re.match(r"`([^`]+)`|<([^<>]+)>$", value):
        value = found[1] or found[2]
    if link := re.match(r"\[[^\]]*\]\(([^)]+)\)", value):
        value = link[1]
    said = _SAID_RANGE.search(value)
    value = re.sub(r"\s+[(\[–—§-].*$", "", value).strip()
    if value.startswith(("http://", "https://")):
        return value.rstrip(".,;"), None
    if said:
        path = value[: said.start()].strip().removeprefix("file://")
        return path, (int(said["first"]), int(said["last"] or said["first"]))
    value = value.removeprefix("file://")
    if span := _RANGE.search(value):
        first = int(span["a"] or span["c"])
        last = int(span["b"] or span["d"] or first)
        return value[: span.start()], (first, last)
    return value, None
