"""Where a reference points: a path or an address, with the lines or the section of it."""

import re

from agent.prp.model import Reference, ReferenceKind
from agent.prp.paths import is_address, is_words
from agent.prp.scalars import unquoted

PATH = (
    r"(?:(?:[\w@.~-]|\[\.{0,3}\w+\](?=/))*[/\\](?:[\w@./\\*-]|\[\.{0,3}\w+\](?=[/.]))*[\w*\]-]\.[A-Za-z]\w{0,9}|[\w.-]*[\w-]\.(?:md|mdx|rst|txt|py|[cm]?[jt]sx?|go|rs|java|kt|"
    r"rb|php|cs|gd|swift|sql|sh|json|ya?ml|toml|html|css|proto|graphql|prisma))\b(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)?"
)
"""What a path looks like where it is not marked as one; a pattern for other patterns."""


def target_of(value: str) -> tuple[str, tuple[int, int] | None]:
    """Return the path or address in the words of a reference, and its lines where they name any."""
    value = value.strip()
    value = unquoted(_REMARK.sub("", value) if "#" in value else value)
    if value[:1] in _OPENS_MARKED and (found := _MARKED.match(value)):
        value = found[1] or found[2]
    if value.startswith("[") and (link := _LINK.match(value)):
        value = link[1]
    said = _SAID_RANGE.search(value)
    value = _ASIDE.sub("", value).strip()
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


_REMARK = re.compile(r"\s+#\s.*$")
_OPENS_MARKED = frozenset("`<")
_MARKED = re.compile(r"`([^`]+)`|<([^<>]+)>$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")
_ASIDE = re.compile(r"\s+[(\[–—§-].*$")
_RANGE = re.compile(r"(?::(?P<a>\d{1,9})(?:-(?P<b>\d{1,9}))?|#L(?P<c>\d{1,9})(?:-L?(?P<d>\d{1,9}))?)$")  # fmt: skip
# `src/a.py (lines 10-40)`, `src/a.py, line 12`, `src/a.py L10-L40`
_SAID_RANGE = re.compile(
    r"(?:\s|,\s*|\s*[(\[])(?:lines?\s+|L)(?P<first>\d{1,9})(?:\s*(?:-|–|to)\s*L?(?P<last>\d{1,9}))?\b",
    re.IGNORECASE,
)


def lines_behind(words: str) -> tuple[int, int] | None:
    """Return the lines that the words behind a target begin with: ` (lines 10-40)`."""
    said = _RANGE_BEHIND.match(words)
    return (int(said["first"]), int(said["last"] or said["first"])) if said else None


_RANGE_BEHIND = re.compile(r"[*`\s]*" + _SAID_RANGE.pattern, re.IGNORECASE)


def is_no_file(target: str) -> bool:
    """Return whether a target is only a name or words, although it may look like a path."""
    is_url = target.startswith(("http://", "https://"))
    is_name = _NAME_IN_CODE.fullmatch(target) is not None
    return not is_url and (is_name or is_address(target) or is_words(target))


# `fs.NodeLinker`; `Readme.MD` is a file all the same.
_NAME_IN_CODE = re.compile(r"[\w.]+\.[A-Z][a-z]\w*")


def mention(target: str, span: tuple[int, int] | None, why: str, line: int) -> Reference:
    """Return a reference that the text only mentions, of the kind that its target looks like."""
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
        sections=(words_of_anchor(part),) if path and part else (),
        lines=span,
    )


def words_of_anchor(anchor: str) -> str:
    """Return the words of a heading's anchor, its number left out."""
    return re.sub(r"^[\d.-]+(?=\D)", "", anchor).replace("-", " ").strip()
