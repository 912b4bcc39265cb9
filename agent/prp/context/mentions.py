"""References that list items, labels and rows of tables mention."""

import re
from collections.abc import Iterator, Sequence

from agent.prp.context.targets import PATH, is_no_file, lines_behind, mention, target_of
from agent.prp.lines import Line
from agent.prp.model import Reference


def mentioned_in(line: Line) -> Reference | None:
    """Return the first reference of a list item, a label or a table's row."""
    if line.text.lstrip()[:1] not in _BEGINS:
        return None
    if row := _ROW.match(line.text):
        return _from_row(row["cells"], line.number)
    for pattern in _FORMS:
        if found := pattern.match(line.text):
            target, span = target_of(_captured(found))
            if not target or target.startswith("#") or is_no_file(target):
                continue
            why = found["rest"].strip(" -–—:*()")
            return mention(target, span or lines_behind(found["rest"]), why, line.number)
    return None


# What the forms begin with; most lines are prose.
_BEGINS = frozenset("-*[|0123456789")
_LINK = re.compile(
    r"^\s*(?:(?:[-*]|\d+[.)])\s.*?)?\[(?P<name>[^\[\]]+)\]\((?P<target>[^)\s]{1,1000})\)(?P<rest>.*)$"
)
_BARE_URL = re.compile(r"^\s*(?:[-*]|\d+[.)])\s.*?(?P<target>https?://[^\s)>`\]]+)(?P<rest>.*)$")
_TICKED = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?:\[.\]\s+)?[*_]*`(?P<target>[^`\s]+\.[A-Za-z]\w{0,9}(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)?|[^`\s]+/[^`\s]*)`(?P<rest>.*)$"
)
# `- docs/guide.md`, and nothing else
_BARE = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?P<target>[\w@-][\w.@-]*(?:/[\w.@-]+)+\.[A-Za-z]\w{0,9})(?P<rest>\s*)$"
)
_BOLD = re.compile(
    r"^\s*(?:[-*]\s+|\d+[.)]\s+)?\*\*`?(?P<target>(?:[\w./@-]+/[\w./@-]+|[\w-]+\.[a-z]{1,5})(?::\d+(?:-\d+)?)?)`?\*\*\s*:?(?P<rest>.*)$"
)
# `- **Message list**: src/list.tsx`
_LABELLED = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?:\*\*)?[^`*:|\[\]]{2,60}(?::\*\*|\*\*\s*:|:)\s+"
    rf"(?:`(?P<ticked>{PATH})`|(?P<bare>(?![A-Z]\w*/[A-Z][\w.]*\.js\b)(?:\.{{0,2}}/)?[\w@.-]+/[\w@./*-]*[\w*-]\.[A-Za-z]\w{{0,9}}))(?P<rest>.*)$"
)
# `**Reference:** `src/list.tsx:4-9``
_BEHIND_A_LABEL = re.compile(
    rf"^\*\*[^*`]{{2,60}}(?::\*\*|\*\*\s*:)\s*(?:[Ss]ee\s+)?`(?P<ticked>{PATH})`(?P<rest>.*)$"
)
# `- The `show` command in `src/till.py` - how it is done`
_WITHIN = re.compile(
    rf"^\s*(?:[-*]|\d+[.)])\s+[^`]{{0,60}}(?:`[^`]{{1,60}}`[^`]{{1,40}})?\b(?:in|from)\s+`(?P<ticked>(?=[^`]*/){PATH})`(?P<rest>.*)$"
)
# `**From STATUS.md**:`, `**Pattern 1: the modal** (from `src/modal.tsx`)`
_SOURCE = re.compile(
    rf"^\s*(?:[-*]\s+|\d+[.)]\s+)?\*\*(?:From\s+`?(?P<named>{PATH})`?[^*]*\*\*|"
    rf"[^*`(]{{2,100}}\((?:from\s+|see\s+)?(?P<within>{PATH})[^*()`]{{0,60}}\)\s*:?\*\*|"
    rf"[^*`]{{2,100}}\*\*\s*:?\s*\((?:from\s+|see\s+)?`?(?P<ticked>{PATH})`?)(?P<rest>.*)$",
    re.IGNORECASE,
)
_FORMS = (
    *(_LINK, _TICKED, _BARE_URL, _BOLD, _LABELLED, _BEHIND_A_LABEL, _SOURCE, _BARE),
    _WITHIN,
)
_ROW = re.compile(r"^\s*\|(?P<cells>.*)\|\s*$")


def _captured(found: re.Match[str]) -> str:
    groups = found.groupdict()
    names = ("target", "ticked", "bare", "named", "within")
    return next(groups[name] for name in names if groups.get(name))


def _from_row(cells: str, number: int) -> Reference | None:
    """Return what the first cell names that is all a path, an address or a link."""
    parts = [part.strip() for part in cells.split("|")]
    for place, part in enumerate(parts):
        if not (part[:1] in _OPENS_CELL or "/" in part) or not (found := _CELL.match(part)):
            continue
        target, span = target_of(found["ticked"] or found["other"])
        if ("/" not in target and "." not in target) or is_no_file(target):
            continue
        beside = parts[place + 1] if place + 1 < len(parts) else ""
        if found["first"]:
            span = (int(found["first"]), int(found["last"]))
        elif range_ := _RANGE_BESIDE.fullmatch(beside):
            span = (int(range_[1]), int(range_[2]))
        if found["ticked"] or not any(map(_IS_TO_COME.match, parts)):
            return mention(target, span, parts[-1] if beside else "", number)
    return None


_OPENS_CELL = frozenset("`*[<")
_CELL = re.compile(
    r"\*{0,2}(?:`(?P<ticked>[^`\s]+|[^`]+/[^`/]+\.[A-Za-z]\w{0,4})`|(?P<other>\[[^\[\]]+\]\([^()\s]+\)|<?https?://[^\s<>]+>?|"
    r"(?:[\w@.-]+/)+[\w@.-]*\w\.[A-Za-z]\w{0,9}(?::\d+(?:-\d+)?)?))"
    r"\*{0,2}(?:\s+[✓✔✅☑][^|`]{0,20})?(?:\s*\(?(?:lines?\s*)?(?P<first>\d{1,9})\s*-\s*(?P<last>\d{1,9})\)?)?$"
)
_RANGE_BESIDE = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})")
# A row of what is to be made.
_IS_TO_COME = re.compile(
    r"\W*(?:new|creat(?:e|ed|es)?|add(?:ed)?|to be \w+|cr[ée]er|crear|criar)\b", re.IGNORECASE
)


def in_yaml(line: Line) -> Reference | None:
    """Return what a line of a YAML block in the context names: an address, or a path alone."""
    text = line.text
    if "/" not in text and "file" not in text:
        return None
    if found := _MAPPED_URL.match(text):
        return mention(*target_of(found["target"]), found["rest"] or "", line.number)
    return _file_of(_MAPPED_FILE.match(text), line) or _file_of(_LISTED.match(text), line)


_BEHIND = r"[\"'`]?\s*(?:#\s*(?P<rest>.*))?$"
# `app_router: "https://example.com/docs/app"`; what the product itself asks is none.
_MAPPED_URL = re.compile(
    r"\s*(?:-\s+)?(?!\w*(?:example|endpoint|base|callback|origin|proxy|host|server|webhook|redirect)\w*\s*:)"
    rf"[\w.-]+\s*:\s*[\"']?(?P<target>https?://[^\s\"'`{{}}<>]+){_BEHIND}",
    re.IGNORECASE,
)
# `file: "docs/stack.md"` in a map of its own
_MAPPED_FILE = re.compile(
    rf"\s*(?:file|docfile|doc|path|\w+_doc(?:ument)?)\s*:\s*[\"'`]?(?P<target>{PATH}){_BEHIND}"
)
_LISTED = re.compile(
    rf"\s*-\s+[\"'`]?(?P<target>https?://[^\s\"'`]+|(?:[\w@.-]+/)+[\w@.-]+\.[A-Za-z]\w{{0,9}}){_BEHIND}"
)


def with_reason(line: Line) -> Reference | None:
    """Return the file that a line names with what it is for: `a/b.py - why`."""
    return _file_of(_WITH_REASON.match(line.text), line) if "." in line.text else None


# `Node.js` is no file.
_WITH_REASON = re.compile(
    r"\s*(?:(?:[-*]|\d+[.)])\s+)?`?(?![A-Z]\w*\.js\b)"
    rf"(?P<target>{PATH})`?\s+(?:—|–|-{{1,2}}|[-=]>|→|#|:)\s+(?P<rest>\S.*)$"
)


def address_below(lines: Sequence[Line], place: int) -> Reference | None:
    """Return the address that stands alone on the line below an item that says what it is."""
    below = lines[place + 1].text if place + 1 < len(lines) else ""
    found = _ADDRESS_ALONE.match(below) if "://" in below else None
    label = _LABEL_ALONE.match(lines[place].text) if found else None
    if not (found and label):
        return None
    return mention(found["target"].rstrip(".,;"), None, label["words"], lines[place].number)


_ADDRESS_ALONE = re.compile(r"^\s+<?(?P<target>https?://[^\s<>)\]]+)>?\s*$")
_LABEL_ALONE = re.compile(r"^\s*(?:[-*]|\d+[.)])\s+\**(?P<words>[^*]+?)\**\s*:?\**\s*$")


def address_alone(line: Line) -> Reference | None:
    """Return the address that is all that a line of its own says: `Documentation: https://...`."""
    found = _LABELLED_ADDRESS.match(line.text) if "://" in line.text else None
    return mention(found["target"], None, found["words"], line.number) if found else None


_LABELLED_ADDRESS = re.compile(
    r"(?:\*\*)?(?P<words>[A-Z][\w /&-]{2,40})(?::\*\*|\*\*\s*:|:)\s*<?(?P<target>https?://[^\s<>]+)>?\s*$"
)


def documented(line: Line) -> Reference | None:
    """Return where a line says that something is documented: `- **Docs**: https://...`."""
    found = _DOCUMENTED.match(line.text) if "://" in line.text else None
    return mention(found["target"].rstrip(".,;"), None, "", line.number) if found else None


_DOCUMENTED = re.compile(
    r"\s*(?:[-*]\s+)?\**(?:(?:official |api )?doc(?:s|umentation)?|references?)(?: links?| urls?)?"
    r"(?:\**\s*:|:\**)\**\s*<?(?P<target>https?://[^\s<>()\[\]`]+)>?",
    re.IGNORECASE,
)


def linked(line: Line) -> Iterator[Reference]:
    """Return the files that a line has links to: `[the till](docs/till.md#paying)`."""
    for found in _LINKS.finditer(line.text) if "](" in line.text else ():
        target, span = target_of(found["target"])
        yield mention(target, span, "", line.number)


_LINKS = re.compile(
    r"(?<!!)\[[^\[\]]*\]\((?P<target>(?![#/]|\w+:)[\w@./-]+\.[A-Za-z]\w{0,5}(?:#[\w-]+)?)\)"
)


def quoted_below(line: Line) -> Reference | None:
    """Return the file that a heading quotes: `#### Theme pattern (from src/theme.tsx:4-9)`."""
    return _file_of(_QUOTED_BELOW.search(line.text), line) if "(" in line.text else None


_QUOTED_BELOW = re.compile(rf"\(from\s+`?(?P<target>{PATH})`?\)(?P<rest>)", re.IGNORECASE)


def quoted_in_code(line: Line) -> Reference | None:
    """Return the lines of a file that code is quoted from: `// SOURCE: src/theme.ts:4-9`."""
    found = _QUOTED_IN_CODE.match(line.text)
    span = (target_of(found["target"])[1] or lines_behind(found["rest"])) if found else None
    return _file_of(found, line, span) if span else None


_QUOTED_IN_CODE = re.compile(
    rf"\s*(?://|#|--|/\*|<!--)[^`\n]{{0,60}}\b(?:source:|from)\s+(?P<target>{PATH})(?P<rest>.*)$",
    re.IGNORECASE,
)


def _file_of(
    found: re.Match[str] | None, line: Line, lines: tuple[int, int] | None = None
) -> Reference | None:
    """Return the file that a match names, with what stands behind it as its reason."""
    if not found or is_no_file(found["target"]):
        return None
    target, span = target_of(found["target"])
    return mention(target, lines or span, found["rest"] or "", line.number)
