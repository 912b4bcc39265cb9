"""Tasks of the blueprint in the forms in which people write them. Line-oriented: YAML is a guess."""

import re
from collections.abc import Sequence

from agent.prp.changed import changed
from agent.prp.lines import Line, Role, heading, text_of
from agent.prp.model import FileChange, Task, Text, Verb
from agent.prp.paths import is_address, is_words
from agent.prp.scalars import unquoted
from agent.prp.signs import has_any
from agent.prp.starts import FENCE_MARKS, Start, find_starts, plain
from agent.prp.tabled import tabled_starts

_VERBS = {
    **dict.fromkeys(("CREATE", "ADD", "WRITE", "NEW"), Verb.CREATE),
    **dict.fromkeys(
        (
            "MODIFY",
            "UPDATE",
            "EXTEND",
            "REPLACE",
            "REFACTOR",
            "EDIT",
            "IMPLEMENT",
            "FIX",
            "INJECT",
            "APPEND",
            "REWRITE",
            "REWIRE",
        ),
        Verb.MODIFY,
    ),
    **dict.fromkeys(("DELETE", "REMOVE"), Verb.DELETE),
    **dict.fromkeys(("RENAME", "MOVE"), Verb.MOVE),
}
_PATH = r"(?P<path>[\w.@~\[\]{}()$+-]*(?:/[\w.@\[\]{}()$+-]+)+/?|[\w@\[\]-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,9}(?![\w(])|Makefile|Dockerfile|(?<=`)(?:README|LICENSE|CHANGELOG|CONTRIBUTING|NOTICE|AUTHORS|Procfile|Jenkinsfile|Justfile|Gemfile|Rakefile|Vagrantfile)(?=`)|\.[a-z][a-z0-9_.-]+(?![\w(]))"
_ONLY_PATH = re.compile(_PATH)
_CHANGE = re.compile(
    r"(?:^|[\s`*\[(:\"'-])(?P<verb>" + "|".join(_VERBS) + r")`?(?:\*\*)?:?\s+(?:(?:new|the|file|to|in)\s+)*[`*\"']*"
    + _PATH
)  # fmt: skip
_WORDS = "Create|Add|Write|New|Modify|Update|Extend|Replace|Refactor|Edit|Implement|Fix|Delete|Remove|Rename|Move"
_FILE_LINE = re.compile(
    r"^[\s*-]*(?:\*\*)?(?:Files?(?: to (?:create|modify|change))?|Path|Location|Target)(?:\*\*)?\s*:(?:\*\*)?\s*"
    rf"(?:(?P<verb>{_WORDS})\b\s*)?[`*\"']*" + _PATH, re.IGNORECASE
)  # fmt: skip
_SPOKEN = re.compile(
    rf"\b(?P<verb>{_WORDS})\s+(?:(?:new|the|a|file|to|in)\s+)*`(?P<path>[\w.@/\[\]-]+[/.][\w.@/\[\]-]+)`", re.IGNORECASE
)  # fmt: skip
_DEPENDS = re.compile(
    r"\b(?:depends on|dependencies|depends_on|(?P<after>after)|requires|blocked by)\b\W*(?P<words>[^\n]*)"
)


# Files that have no ending, where backticks say that the word is a name.
_BARE = re.compile(r"`[A-Z][A-Z]{5,11}`")


def find_tasks(lines: Sequence[Line]) -> list[Task]:
    """Return the tasks among the lines of the blueprint's sections, numbered in their order."""
    return _with_dependencies(_between(find_starts(lines), lines) or _by_change(lines))


def listed_tasks(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each numbered item, or checkbox, where no task is marked as one."""
    for pattern in (_NUMBERED, _BOXED):
        if starts := _items(lines, pattern):
            return _with_dependencies(_between(starts, lines))
    return []


def bold_phases(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each line such as `**Phase 1: The store**`, where no heading is one.

    So do days and weeks, where numbers may be missing: `**Days 1-3**: The store`.
    """
    starts = [
        Start(index=i, label=found["label"], title=plain(found["title"]))
        for i, line in enumerate(lines)
        if line.role is Role.TEXT and (found := _BOLD_PHASE.match(line.text))
    ]
    labels = [int(start.label) for start in starts]
    is_list = len(labels) > 1 and labels == sorted(set(labels))
    return _with_dependencies(_between(starts, lines)) if is_list else []


_BOLD_PHASE = re.compile(
    r"(?:[-*]\s+)?\*\*(?:Phase|Stage|Milestone|Step|Days?|Weeks?)\s+(?P<label>\d{1,3})(?:\s?[-–]\s?\d{1,3})?\s*(?:\*\*)?\s*[:.–—-]\s*(?P<title>[^*\s][^*]*+)(?:\*\*)?(?:\s*\([^()]{1,30}\))?\W*+$",
    re.IGNORECASE,
)


def tabled_tasks(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each row of a table of tasks, where there is no other task."""
    rows = tabled_starts(lines)
    tasks = _between([start for start, _ in rows], lines)
    return [
        task if task.changes else changed(task, changes=_of_cells(files, task.line))
        for task, (_, files) in zip(tasks, rows, strict=True)
    ]


def _items(lines: Sequence[Line], pattern: re.Pattern[str]) -> list[Start]:
    """Return the items of a form that are indented as the heading above them is, without reasons."""
    starts: list[Start] = []
    indent = ""
    is_reason = False
    for index, line in enumerate(lines):
        if line.role is Role.HEADING:
            indent = line.text[: -len(line.text.lstrip())]
            is_reason = False
        elif line.role is Role.TEXT and line.text.startswith("**"):
            is_reason = bool(_REASONS.match(line.text))
        elif line.role is Role.TEXT and not is_reason and line.text.startswith(indent):
            found = pattern.match(line.text[len(indent) :])
            title = plain(found["title"]) if found else ""
            starts += [Start(index=index, label=found["label"] or "", title=title)] if found else []
    return starts


def _of_cells(files: Sequence[str], line: int) -> tuple[FileChange, ...]:
    """Return the changes of the paths in a table's row; what is done to them nobody says."""
    paths = (found["path"] for words in files if (found := _ONLY_PATH.fullmatch(words)))
    return tuple(FileChange(verb=Verb.MODIFY, path=_clean(path), line=line) for path in paths)


def headed_changes(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each heading `Change 1: ...`, where there is no other task."""
    starts = [
        Start(index=i, label=found["label"], title=plain(found["title"]))
        for i, line in enumerate(lines)
        if line.role is Role.HEADING and (found := _CHANGE_HEADING.match(heading(line)[1]))
    ]
    return _with_dependencies(_between(starts, lines)) if len(starts) > 1 else []


_CHANGE_HEADING = re.compile(
    r"\W*(?:Change|Modification|Edit)\s+#?(?P<label>\d{1,3})\b\W*(?P<title>.*)$", re.IGNORECASE
)


_REASONS = re.compile(
    r"\*\*(?:why|rationale|reason(?:s|ing)?|because|pros|cons|benefits|advantages)\b[^*]{0,60}(?:\*\*)?:?(?:\*\*)?\s*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?P<label>\d+)[.)]\s+(?:\[.?\]\s+)?(?P<title>\S.*)$")
_BOXED = re.compile(r"^(?P<label>)[-*+]\s+\[.?\]\s+(?P<title>\S.*)$")


def _between(starts: Sequence[Start], lines: Sequence[Line]) -> list[Task]:
    ends = [*(start.index for start in starts), len(lines)][1:]
    return [
        _task(number, start, _own(lines[start.index : end]))
        for number, (start, end) in enumerate(zip(starts, ends, strict=False), 1)
    ]


def _own(lines: Sequence[Line]) -> Sequence[Line]:
    """Return what belongs to a task: a heading above it in rank, as of a phase, ends it."""
    first, *rest = lines
    is_item = first.role is Role.TEXT and _ITEM.match(first.text)
    if not (is_item or first.role is Role.HEADING):
        return lines
    rank = 6 if is_item else heading(first)[0]
    for place, line in enumerate(rest, 1):
        if line.role is Role.HEADING and heading(line)[0] <= rank:
            return lines[:place]
    return lines


_ITEM = re.compile(r"\s{0,3}(?:[-*+]|\d+[.)])\s")


def _task(number: int, start: Start, lines: Sequence[Line]) -> Task:
    text = text_of(line for line in lines if line.role not in FENCE_MARKS)
    while len(lines) > 1 and not lines[-1].text.strip():
        lines = lines[:-1]
    changes = _changes(lines) or _in_brackets(lines[0])
    title = start.title.rstrip(":").strip() or _described(lines[1:])
    return Task(
        number=number,
        label=start.label or str(number),
        title=title or (f"{changes[0].verb} {changes[0].path}" if changes else f"Task {number}"),
        line=lines[0].number,
        last_line=lines[-1].number,
        changes=tuple(changes),
        text=text.strip("\n"),
    )


_DESCRIPTION = re.compile(
    r"\s*(?:[-*]\s+)?\**(?:description|title|name|goal|summary|objective)\**\s*:\s*\**\s*(?P<words>\S.*)",
    re.IGNORECASE,
)
_LONGEST_TITLE = 120


def _described(lines: Sequence[Line]) -> str:
    """Return what a task without a title says of itself under such a key."""
    matches = (_DESCRIPTION.match(line.text) for line in lines[:6])
    words = next((found["words"] for found in matches if found), "").strip("|> \"'")
    return words if len(words) <= _LONGEST_TITLE else ""


def _changes(lines: Sequence[Line]) -> list[FileChange]:
    changes: list[FileChange] = []
    bullets: list[Text] = []
    for line in lines:
        text = line.text
        # Every form of a path has one of these; half of all lines have none.
        may_name = (
            "/" in text or "." in text or "file" in text or ("`" in text and _BARE.search(text))
        )
        if may_name and (named := _named(text)):
            if changes:
                changes[-1] = _with_bullets(changes[-1], bullets)
            bullets = []
            changes += [FileChange(verb=verb, path=path, line=line.number) for verb, path in named]
        elif changes and "**" in line.text and (action := _ACTION.match(line.text)):
            changes[-1] = changed(changes[-1], verb=_VERBS[action["verb"].upper()])
        elif changes and (words := line.text.strip()).startswith(("-", "*")):
            bullets.append(Text(text=unquoted(words[1:]), line=line.number))
        elif bullets and bullets[-1].text in ("|", ">"):
            bullets[-1] = Text(text=line.text.strip(), line=line.number)
    if changes:
        changes[-1] = _with_bullets(changes[-1], bullets)
    seen: dict[tuple[Verb, str], FileChange] = {}
    for change in changes:
        key = (change.verb, change.path)
        first = seen.setdefault(key, change)
        if first is not change:
            seen[key] = _with_bullets(first, [*first.bullets, *change.bullets])
    return list(seen.values())


def _in_brackets(line: Line) -> list[FileChange]:
    """Return the files that a task's own line names in brackets, as in `Task 2 (src/a.py): ...`.

    What is to be done to them nobody says; a file to be changed may be made as well.
    """
    if "(" not in line.text or not (found := _BRACKETS.search(line.text)):
        return []
    paths = (_clean(part) for part in re.split(r"\s*(?:,|\+|&|\band\b)\s*", found["paths"]))
    return [
        FileChange(verb=Verb.MODIFY, path=path, line=line.number)
        for path in dict.fromkeys(paths)
        if not _is_name(path)
    ]


_BRACKETED = r"`?/?(?:[\w.@-]+/)*[\w@-][\w.@-]*\.[a-z][a-z0-9]{0,9}`?(?=[\s,)])"
_BRACKETS = re.compile(rf"\((?P<paths>{_BRACKETED}(?:\s*(?:,|\+|&|and)\s*{_BRACKETED})*)\s*[,)]")

# `**Action**: CREATE` below `**File**: path`; a new function is no new file.
_ACTION = re.compile(
    rf"^\s{{0,3}}(?:[-*]\s+)?\*\*Action(?:\*\*:|:\*\*)\s*`?(?P<verb>{_WORDS})`?"
    r"(?:\W*\s(?:a )?(?:new )?(?:test )?(?:file|class|module|component|script|page))?\W*$",
    re.IGNORECASE,
)


def _named(text: str) -> list[tuple[Verb, str]]:
    return [(verb, path) for verb, path in _changed(text) if not _is_name(path)]


def _is_name(path: str) -> bool:
    """Return whether something with a slash is no file."""
    return is_address(path) or is_words(path) or ("[" in path and "]" not in path)


def _changed(text: str) -> list[tuple[Verb, str]]:
    if _SHOUTED.search(text) and (found := _CHANGE.search(text)):
        first = (_VERBS[found["verb"]], _clean(found["path"]))
        rest = re.findall(r"(?:,|\band\b|\+)\s+[`\"']*" + _PATH, text[found.end() :])
        return [first, *((first[0], _clean(path)) for path in rest if "/" in path[1:])]
    if (":" in text and (found := _FILE_LINE.match(text))) or (
        "`" in text and (found := _SPOKEN.search(text))
    ):
        return [(_VERBS[(found["verb"] or "MODIFY").upper()], _clean(found["path"]))]
    return []


# What every verb of a change has: the search for it skips from capital to capital.
_SHOUTED = re.compile(r"[A-Z][A-Z][A-Z]")


_PLACE_IN_FILE = re.compile(r"(?::\d+(?:-\d+)?|#L\d+.*)$")


def _clean(path: str) -> str:
    path = _PLACE_IN_FILE.sub("", path.strip("`*\"'").removeprefix("./"))
    return path.rstrip(".,:;)") if not path.endswith("...") else path


def _with_bullets(change: FileChange, bullets: Sequence[Text]) -> FileChange:
    return FileChange(verb=change.verb, path=change.path, line=change.line, bullets=tuple(bullets))


def _by_change(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each `CREATE path:` line where no task is marked as one."""
    starts = [
        Start(index=i, label="", title=line.text.strip(" -*`:#"))
        for i, line in enumerate(lines)
        if line.role in (Role.TEXT, Role.INSIDE, Role.HEADING) and _CHANGE.search(line.text)
    ]
    return _between(starts, lines)


def _with_dependencies(tasks: Sequence[Task]) -> list[Task]:
    by_label = {task.label.lower(): task.number for task in tasks}
    found = [_depends(task, by_label) for task in tasks]
    return [
        changed(task, depends_on=names) if names else task
        for task, names in zip(tasks, found, strict=True)
    ]


def _depends(task: Task, by_label: dict[str, int]) -> tuple[int, ...]:
    if len(by_label) < _A_PAIR or not has_any(lower := task.text.lower(), _DEPENDENT):
        return ()
    found: dict[int, None] = {}
    for match in _DEPENDS.finditer(lower):
        for label in _labels(match["words"]):
            number = by_label.get(label)
            # "After" may also speak of what will be there later.
            is_later = match["after"] and number and number > task.number
            if number and number != task.number and not is_later:
                found[number] = None
    return tuple(found)


_A_PAIR = 2
_DEPENDENT = ("depend", "after", "requires", "blocked by")
"""One of them stands in whatever `_DEPENDS` finds; looking for them first is far quicker."""

_LISTED = re.compile(
    r"\btask(?P<many>s?)\s*#?(?P<first>\d+(?:\.\d+)*)(?:\s?(?:-|–|to|through)\s?(?P<last>\d+)\b(?!\.\d))?"
    r"(?P<more>(?:\s?(?:,|and|&|\+)+\s?(?:and\s)?#?\d+(?:\.\d+)*)*)|"
    r"\b(?P<id>t\d{2,4}|p\d+\.m\d+[.\w]*)\b"
)
_MOST_OF_RANGE = 100


def _labels(words: str) -> list[str]:
    """Return the labels in `tasks 1-3`, `tasks 1, 2 and 4`, `t001`: words in lower case."""
    labels: list[str] = []
    for found in _LISTED.finditer(words):
        if found["id"]:
            labels.append(found["id"])
            continue
        labels.append(found["first"])
        if found["last"] and found["first"].isdigit() and len(found["last"]) < _LONG:
            first, last = int(found["first"]), int(found["last"])
            labels += map(str, range(first + 1, min(last, first + _MOST_OF_RANGE) + 1))
        if found["many"] or not words[found.end() :].strip()[:1].isalpha():
            labels += re.findall(r"\d+(?:\.\d+)*", found["more"])
    return labels


_LONG = 5
