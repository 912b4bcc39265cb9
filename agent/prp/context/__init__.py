"""References of the needed context, in the forms in which people write them."""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agent.prp.context.entries import declared_at, may_declare, named_at
from agent.prp.context.mentions import (
    address_alone,
    address_below,
    documented,
    in_yaml,
    linked,
    mentioned_in,
    quoted_below,
    quoted_in_code,
    with_reason,
)
from agent.prp.lines import Line, Role
from agent.prp.model import Reference

__all__ = ["find_references"]


def find_references(lines: Sequence[Line], elsewhere: Sequence[Line] = ()) -> list[Reference]:
    """Return the references of a document in its order.

    Each target is one once for each reason, and once for each section that names it.

    Args:
        lines: Lines of the context section, where any path or address is a reference.
        elsewhere: Lines of other parts, where only entries that say why are: `- file:` with
            `why:`, `pattern:` or the like below; items below `**Key Files to Reference**:`; and
            labels of what is quoted: `**The modal** (`src/modal.tsx`, lines 10-40):`.

    """
    found = [*_in_context(lines), *_explained(elsewhere), *_below_labels(elsewhere)]
    found += [*_quoted(lines), *_quoted(elsewhere)]
    heads = sorted(n for n, _, role in (*lines, *elsewhere) if role is Role.HEADING)
    unique: dict[tuple[object, ...], Reference] = {}
    for reference in found:
        place = (reference.target, reference.lines, bisect(heads, reference.line))
        own = (reference.sections, *(_reasons(reference) if reference.declared else ()))
        if not (place in unique and not any(own)):
            unique.setdefault(place, reference)
            unique.setdefault((*place, *own), reference)
    return sorted(dict.fromkeys(unique.values()), key=lambda reference: reference.line)


def _reasons(reference: Reference) -> tuple[str, ...]:
    return (reference.why, reference.critical, reference.pattern, reference.gotcha)


def _explained(lines: Sequence[Line]) -> list[Reference]:
    found: list[Reference] = []
    for index, line in enumerate(lines):
        if not (may_declare(line.text) and (entry := declared_at(lines, index))):
            continue
        reference, _ = entry
        is_work = any(note.startswith("action:") for note in reference.notes)
        if any(_reasons(reference)) and not is_work:
            found.append(reference)
    return found


def _quoted(lines: Sequence[Line]) -> list[Reference]:
    """Return what bold labels and headings quote with its lines, what is linked and documentation."""
    found = [
        mentioned_in(line)
        for line in lines
        if line.text.startswith("**") and line.role is Role.TEXT and _IS_LABEL.match(line.text)
    ]
    found += [quoted_below(line) for line in lines if line.role is Role.HEADING]
    found += [quoted_in_code(line) for line in _first_of_fences(lines)]
    quoted = [reference for reference in found if reference and reference.lines]
    said = [line for line in lines if line.role is Role.TEXT]
    links = [reference for line in said for reference in linked(line)]
    return [*quoted, *links, *(reference for reference in map(documented, said) if reference)]


def _first_of_fences(lines: Sequence[Line]) -> Iterator[Line]:
    opens, inside = Role.OPENS, Role.INSIDE
    for (_, _, role), first in pairwise(lines):
        if role is opens and first.role is inside:
            yield first


# `**The modal** (`src/modal.tsx:10-40`):`, `**Reference:** `src/list.ts:4-9``
_IS_LABEL = re.compile(
    r"(?=\D*\d)(?:.*(?:[:`]|\*\*)\s*$|\*\*[^*`]+(?:\*\*\s*:|:\s*\*\*)\s*(?:[Ss]ee\s+)?`)"
)


def _below_labels(lines: Sequence[Line]) -> list[Reference]:
    """Return what the items below a bold label name that says that they are references."""
    found: list[Reference] = []
    is_below = False
    for line in lines:
        if not is_below and "**" not in line.text and line.text[-1:] != ":":
            continue
        bare = line.text.strip()
        if line.role is not Role.TEXT:
            is_below = False
        elif bare.startswith("**") or bare.endswith(":"):
            is_below = _LABEL_OF_REFERENCES.match(bare) is not None
        elif is_below and bare:
            is_below = bare[0] in "-*" or bare[0].isdigit() or line.text[:1].isspace()
            if is_below and (reference := mentioned_in(line)):
                found.append(reference)
    return found


_LABEL_OF_REFERENCES = re.compile(
    r"\*\*(?:(?:key|important|critical|relevant|related|reference) (?:files|documents|docs)"
    r"(?: to (?:read|reference|study|review))?|(?:must|required) read(?:ing)?|references?(?: sources?)?|(?:research )?sources|"
    r"(?:loaded|required|needed) context|context loaded|contexto carregado|"
    r"documentation (?:&|and) references|(?:refer[eê]ncias?|riferimenti|referenz(?:en)?)(?: [\w-]+)?)"
    r"\s*:?\*\*:?\s*$|"
    r"(?:reference these|see (?:also )?these|based on existing)\b[^`*]{0,40}\b(?:files|patterns|examples)\b[^`*]{0,40}:$",
    re.IGNORECASE,
)


def _in_context(lines: Sequence[Line]) -> list[Reference]:
    found: list[Reference] = []
    index = 0
    language = ""
    is_about_itself = is_to_come = is_listing = False
    while index < len(lines):
        line = lines[index]
        if line.role is Role.OPENS:
            language = line.text.strip().strip("`~ ").lower()
            is_listing = False
        elif line.role is Role.INSIDE and language in _YAML and line.text[:1].isalnum():
            is_listing = _OF_NEW_FILES.match(line.text) is not None
        if may_declare(line.text) and (
            entry := declared_at(lines, index) or named_at(lines, index)
        ):
            reference, index = entry
            found.append(reference)
            continue
        named: Reference | None = None
        if line.role is Role.HEADING:
            is_to_come = False
            is_about_itself = bool(_ABOUT_ITSELF.search(line.text))
            named = quoted_below(line)
        elif line.role is Role.TEXT and not is_about_itself:
            if line.text.startswith("**"):
                is_to_come = _TO_BE_MADE.match(line.text) is not None
            named = _said_at(lines, index)
        elif line.role is Role.INSIDE and language in _YAML and not is_listing:
            named = in_yaml(line)
        elif line.role is Role.INSIDE and language in _OF_TEXT:
            named = with_reason(line)
        found += [named] if named and not is_to_come else []
        index += 1
    return found


def _said_at(lines: Sequence[Line], index: int) -> Reference | None:
    """Return what an item, a label, a row or a line of prose names."""
    line = lines[index]
    return (
        mentioned_in(line)
        or address_below(lines, index)
        or address_alone(line)
        or (with_reason(line) if line.text.lstrip()[:1] in _ITEMS else None)
    )


_YAML = ("yaml", "yml")
_OF_TEXT = ("", "text", "txt")
_ITEMS = frozenset("-*123456789")
# Keys of a block that lists what a folder holds, or what is to be made.
_OF_NEW_FILES = re.compile(
    r"[\w.@-]+/|\w*(?:new|create|desired|target|generated|output)\w*\s*:", re.IGNORECASE
)
# A label above a list of them.
_TO_BE_MADE = re.compile(
    r"\*\*(?:(?:will be|to be|files? to(?: be)?)\s+(?:creat|add)\w*|new files?)\b[^`]*$",
    re.IGNORECASE,
)
# Below these the author says how complete the document is.
_ABOUT_ITSELF = re.compile(r"completeness|no prior knowledge|confidence", re.IGNORECASE)
