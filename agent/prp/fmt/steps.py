"""The steps of the formatter: each returns the edits that it would make."""

import re
from collections.abc import Iterator, Sequence

from agent.prp.blocks import find_blocks
from agent.prp.fmt.edits import Edit
from agent.prp.fmt.yaml_text import is_loadable, is_valid, mended, tasks_as_yaml
from agent.prp.headings import Part, normalise
from agent.prp.lines import Line, Role, fences, heading, scan
from agent.prp.scalars import unquoted

_WORD = re.compile(r"\w+")


def close_fences(text: str) -> list[Edit]:
    """Close fences that are open or closed in a wrong way, where the parser takes their end."""
    lines, _ = scan(text)
    edits: list[Edit] = []
    marks = ""
    wider = _wider_marks(lines)
    for line in lines:
        if line.number in wider:
            edits.append(_replace(line, wider[line.number]))
            marks = ""
        elif line.role is Role.OPENS:
            found = re.match(r"\s*(`{3,}|~{3,})", line.text)
            indent = line.text[: len(line.text) - len(line.text.lstrip())]
            marks = indent + (found[1] if found else "```")
        elif line.role is Role.CLOSES:
            if line.text.strip().strip("`~"):
                edits.append(_replace(line, marks, may_lose=("text",)))
            marks = ""
        elif line.role is Role.HEADING and marks:
            edits.append(Edit(first=line.number, last=line.number - 1, lines=(marks, "")))
            marks = ""
    if marks:
        # The last line of a text with a final line end is empty.
        last = lines[-1]
        edits.append(
            Edit(first=last.number, last=last.number, lines=(marks, ""))
            if not last.text
            else Edit(first=last.number + 1, last=last.number, lines=(marks,))
        )
    return edits


def _wider_marks(lines: Sequence[Line]) -> dict[int, str]:
    """Return the first and last line, rewritten, of each fence that holds marks like its own."""
    wider: dict[int, str] = {}
    opening, longest = None, 0
    for line in lines:
        if line.role is Role.OPENS:
            opening, longest = line, 0
        elif opening is None or not (found := re.match(r"(\s*)(`{3,}|~{3,})(.*)$", line.text)):
            continue
        elif line.role is Role.INSIDE:
            same = found[2][0] == opening.text.lstrip()[0]
            longest = max(longest, len(found[2])) if same and not found[3].strip() else longest
        elif line.role is Role.CLOSES and longest:
            marks = found[2][0] * (longest + 1)
            for one in (opening, line):
                was = one.text.lstrip()
                indent = one.text[: len(one.text) - len(was)]
                wider[one.number] = indent + marks + was.lstrip(found[2][0])
    return wider


def _replace(line: Line, text: str, *, may_lose: Sequence[str] = ()) -> Edit:
    return Edit(first=line.number, last=line.number, lines=(text,), may_lose=frozenset(may_lose))


_KEY = re.compile(r"^(?P<key>[A-Za-z][\w -]{0,30}):\s*(?P<value>.*)$")


def move_front_matter(text: str) -> list[Edit]:
    """Write front matter, with or without its marks, as the title and `## Metadata`."""
    lines, _ = scan(text)
    last, pairs = _front_matter(lines)
    if not pairs:
        return []
    first_heading = next((line for line in lines[last:] if line.role is Role.HEADING), None)
    has_title = first_heading is not None and heading(first_heading)[0] == 1
    written = ["## Metadata", *(f"- **{key}**: {value}" for key, value in pairs if value), ""]
    lost = frozenset(("Metadata",))
    if not has_title:
        name = dict(pairs).get("name") or dict(pairs).get("title") or ""
        title = [f"# PRP: {name}", ""] if name else []
        return [Edit(first=1, last=last, lines=(*title, *written), may_lose=lost)]
    after = [line for line in lines[last:] if line.role is Role.HEADING][1:2]
    place = after[0].number if after else lines[-1].number
    own = next((line for line in after if normalise(heading(line)[1]).lower() == "metadata"), None)
    if own is not None:
        written, place = written[1:-1], own.number + 1
    return [
        Edit(first=1, last=last, lines=()),
        Edit(first=place, last=place - 1, lines=tuple(written)),
    ]


def _front_matter(lines: Sequence[Line]) -> tuple[int, list[tuple[str, str]]]:
    """Return the last line of the front matter and its pairs."""
    start = next((i for i, line in enumerate(lines) if line.text.strip()), len(lines))
    opened = start < len(lines) and lines[start].text.strip() == "---"
    pairs: list[tuple[str, str]] = []
    for line in lines[start + opened : start + 60]:
        words = line.text.rstrip()
        if words == "---":
            end = line.number
            after = lines[end : end + 1]
            return (end + (bool(after) and not after[0].text.strip()), pairs)
        if line.role is not Role.TEXT:
            return 0, []
        if found := _KEY.match(words):
            pairs.append((found["key"], unquoted(found["value"])))
        elif pairs and words.startswith((" ", "\t")):
            key, value = pairs[-1]
            before = "" if value in ("", "|", ">", "|-", ">-") else f"{value} "
            pairs[-1] = (key, before + words.strip())
        elif words.strip():
            return 0, []
    return 0, []


_NAMES: tuple[tuple[Part, str, str], ...] = (
    (Part.GOAL, "Goal", r"(feature )?(goals?|objectives?)"),
    (Part.WHY, "Why", r"why"),
    (Part.WHAT, "What", r"what"),
    (
        Part.CRITERIA,
        "Success Criteria",
        r"(measurable |key )?success criteria|acceptance criteria|definition of done|dod",
    ),
    (Part.CONTEXT, "All Needed Context", r"(all )?(needed |required )?context|context references"),
    (
        Part.CONTEXT,
        "Documentation & References",
        r"documentation (&|and) references?|references? (&|and) documentation",
    ),
    (
        Part.CURRENT_TREE,
        "Current Codebase Structure",
        r"current (codebase|project) (tree|structure)",
    ),
    (
        Part.DESIRED_TREE,
        "Desired Structure After Implementation",
        r"desired (codebase|project) (tree|structure)( .*)?",
    ),
    (Part.GOTCHAS, "Known Gotchas & Critical Patterns", r"known gotchas( .*)?"),
    (Part.BLUEPRINT, "Implementation Blueprint", r"(implementation )?blueprint"),
    (
        Part.TASKS,
        "Task Breakdown",
        r"implementation tasks|list of tasks.*|tasks?( list)?|task breakdown",
    ),
    (
        Part.VALIDATION,
        "Validation Loops",
        r"validation( loops?| gates?| commands?)?",
    ),
    (Part.ANTI_PATTERNS, "Anti-Patterns to Avoid", r"anti.?patterns?( to avoid)?"),
)
_COMPILED = tuple(
    (part, name, re.compile(pattern, re.IGNORECASE)) for part, name, pattern in _NAMES
)


def name_sections(text: str) -> list[Edit]:
    """Give sections the template's headings where theirs say nothing else."""
    lines, _ = scan(text)
    taken = {normalise(heading(line)[1]).lower() for line in lines if line.role is Role.HEADING}
    edits: list[Edit] = []
    for block in find_blocks(lines):
        line = block.lines[0] if block.lines else None
        if line is None or line.role is not Role.HEADING or block.section.depth < 2:
            continue
        words, _, aside = normalise(block.section.heading).partition(" (")
        name = _template_name(block.own, words)
        wanted = f"{'#' * block.section.depth} {name}{f' ({aside}' if aside else ''}"
        is_free = name.lower() == words.lower() or name.lower() not in taken
        if name and is_free and line.text != wanted and not _says_more(words, name):
            taken.add(name.lower())
            edits.append(_replace(line, wanted, may_lose=_WORD.findall(line.text)))
    title = next((line for line in lines if line.role is Role.HEADING), None)
    if title and heading(title)[0] == 1 and not re.match(r"# (PRP|Product Req)", title.text):
        edits.append(_replace(title, f"# PRP: {heading(title)[1]}"))
    return edits


# Words that a heading can lose: they are in nobody's own words, but in the templates'.
_TEMPLATE_WORDS = frozenset(
    "a acceptance add added after all and be breakdown by changed changes code codebase "
    "command commands complete completed context critical definition desired directory dod "
    "done feature file files fulfill fullfill gates goal goals gotchas implementation in key "
    "known libraries library list loop loops measurable modifications modified new objective "
    "objectives of or order our patterns project prp quirks references required "
    "responsibility should structure task tasks the they this to tree validation with".split()
)


def _says_more(words: str, name: str) -> bool:
    """Return whether a heading says something that its part's name does not."""
    said = {word.lower() for word in _WORD.findall(words)}
    return not said <= _TEMPLATE_WORDS | {word.lower() for word in _WORD.findall(name)}


def _template_name(part: Part | None, words: str) -> str:
    return next(
        (name for own, name, pattern in _COMPILED if own is part and pattern.fullmatch(words)), ""
    )


_BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[.?\]\s")
_BULLET = re.compile(r"^(?P<indent>\s{0,3})(?:(?:[-*+•]|\d+[.)])\s+|(?=[✅☐✔✓]\s))(?P<words>\S.*)$")


def tick_boxes(text: str) -> list[Edit]:
    """Write criteria as checkboxes where the section has none."""
    lines, _ = scan(text)
    edits: list[Edit] = []
    blocks = [block for block in find_blocks(lines) if block.part is Part.CRITERIA]
    own = [line for block in blocks for line in block.lines if line.role is Role.TEXT]
    if any(_BOX.match(line.text) for line in own):
        return []
    for line in own:
        if found := _BULLET.match(line.text):
            number = re.match(r"\s*\d+", line.text)
            edits.append(
                _replace(
                    line,
                    f"{found['indent']}- [ ] {found['words']}",
                    may_lose=(number[0].strip(),) if number else (),
                )
            )
    return edits


_TASK_PARTS = (Part.TASKS, Part.TASK, Part.BLUEPRINT, Part.PATTERNS, None)


def write_tasks(text: str) -> list[Edit]:
    """Write the tasks of fences as the template's YAML."""
    lines, _ = scan(text)
    return [
        edit
        for block in find_blocks(lines)
        if block.part in _TASK_PARTS
        for edit in _task_fences(block.lines)
    ]


def _task_fences(lines: Sequence[Line]) -> Iterator[Edit]:
    for fence, (first, last) in zip(fences(lines), _places(lines), strict=True):
        if fence.language not in ("yaml", "yml", "", "text", "markdown", "md", "plaintext"):
            continue
        code = [line.text for line in fence.lines]
        if fence.language == "yaml" and is_valid(code):
            continue
        if written := tasks_as_yaml(code):
            yield _fence_edit(lines, first, last, written, language="yaml", was=fence.language)


def _places(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the indexes of the marks of each fence; a fence at the end may lack its last."""
    places: list[tuple[int, int]] = []
    opened = -1
    for index, line in enumerate(lines):
        if line.role is Role.OPENS:
            opened = index
        elif line.role is not Role.INSIDE and opened >= 0:
            places.append((opened, index))
            opened = -1
    if opened >= 0:
        places.append((opened, len(lines)))
    return places


def _fence_edit(
    lines: Sequence[Line],
    first: int,
    last: int,
    code: Sequence[str],
    *,
    language: str,
    was: str,
) -> Edit:
    opening = lines[first]
    indent = opening.text[: len(opening.text) - len(opening.text.lstrip())]
    marks = re.match(r"\s*(`{3,}|~{3,})", opening.text)
    head = f"{indent}{marks[1] if marks else '```'}{language}"
    body = tuple(f"{indent}{line}" if line else "" for line in code)
    return Edit(
        first=opening.number,
        last=opening.number + (last - first) - 1,
        lines=(head, *body),
        may_lose=frozenset((was,)),
    )


def mend_yaml(text: str) -> list[Edit]:
    """Quote what makes a YAML block invalid; call it text where that does not help."""
    lines, _ = scan(text)
    edits: list[Edit] = []
    for fence, (first, last) in zip(fences(lines), _places(lines), strict=True):
        if fence.language not in ("yaml", "yml"):
            continue
        code = [line.text for line in fence.lines]
        if is_loadable(code):
            continue
        better = mended(code)
        edits.append(
            _fence_edit(
                lines,
                first,
                last,
                better or code,
                language="yaml" if better else "text",
                was=fence.language,
            )
        )
    return edits
