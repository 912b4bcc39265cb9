"""Tasks of the blueprint in the forms in which people write them. Line-oriented: YAML is a guess."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.prp.headings import Part, normalise, part_of
from agent.prp.lines import Line, Role, heading, text_of
from agent.prp.model import FileChange, Task, Text, Verb
from agent.prp.paths import is_address, is_words
from agent.prp.scalars import unquoted

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
_PATH = r"(?P<path>[\w.@~\[\]{}()$+-]*(?:/[\w.@\[\]{}()$+-]+)+/?|[\w@\[\]-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,9}(?![\w(])|Makefile|Dockerfile|\.[a-z][a-z0-9_.-]+(?![\w(]))"
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
_LABEL = r"(?P<label>\d+(?:\.\d+)*[a-z]?)"
_STARTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\s{{0,3}}(?:[-*]\s+)?(?:\[.{{0,3}}\]\s*)?(?:[*_`#]+\s*)?(?:Task|TASK|Tarefa|Tarea|Aufgabe|Tâche|Attività|Задача|任务|タスク|작업)\s*#?{_LABEL}\b[*_`]*\s*(?:[-–—:.：]+|\s)?\s*(?P<title>.*)$",
        r"^\s{0,3}[-*]\s+(?:\[.{0,3}\]\s*)?(?:\*\*)?(?P<label>T\d{2,4}|P\d+\.M\d+\S*)(?:\*\*)?[\s:.\-]*(?P<title>.*)$",
        r"^\s{0,3}-\s+(?:task|id|name)\s*:\s*[\"']?(?P<title>.+?)[\"']?$",
    )
)  # fmt: skip
_HEADING_LABEL = re.compile(
    r"^(?:\[.{0,3}\]\s*)?(?:(?:Task|Step|Phase|Stage|Milestone|Tarefa|Fase|Etapa|Aufgabe|Schritt|Tâche|Étape|Tarea|Paso|Passo|"
    r"Attività|Задача|Шаг|Этап|任务|步骤|阶段|タスク|ステップ|단계)s?\s*#?)?"
    r"(?P<label>\d+(?:\.\d+)*[a-z]?|P\d+(?:\.M\d+)?(?:\.T\d+)?(?:\.S\d+)?|T\d{2,4})\b[\s:.)–—-]*(?P<title>.*)$",
    re.IGNORECASE,
)
_DEPENDS = re.compile(
    r"\b(?:depends on|dependencies|depends_on|(?P<after>after)|requires|blocked by)\b\W*(?P<words>[^\n]*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class _Start:
    index: int
    label: str
    title: str


def find_tasks(lines: Sequence[Line]) -> list[Task]:
    """Return the tasks among the lines of the blueprint's sections, numbered in their order."""
    starts = _told_once(lines, _without_ranges(lines, _all_starts(lines)))
    starts = _finest(lines, _without_samples(lines, starts))
    starts = _without_echoes(lines, starts)
    return _with_dependencies(_between(starts, lines) or _by_change(lines))


def listed_tasks(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each numbered item, or checkbox, where no task is marked as one."""
    for pattern in (_NUMBERED, _BOXED):
        starts = [
            _Start(index=i, label=found["label"] or "", title=_plain(found["title"]))
            for i, line in enumerate(lines)
            if line.role is Role.TEXT and (found := pattern.match(line.text))
        ]
        if starts:
            return _with_dependencies(_between(starts, lines))
    return []


_NUMBERED = re.compile(r"^(?P<label>\d+)[.)]\s+(?:\[.?\]\s+)?(?P<title>\S.*)$")
_BOXED = re.compile(r"^(?P<label>)[-*+]\s+\[.?\]\s+(?P<title>\S.*)$")


def _all_starts(lines: Sequence[Line]) -> list[_Start]:
    """Return every line that begins a task; `- id: ...` does so in YAML only."""
    starts: list[_Start] = []
    is_yaml = True
    for index, line in enumerate(lines):
        if line.role is Role.OPENS:
            is_yaml = line.text.strip().strip("`~ ").lower() in ("", "yaml", "yml", "text")
        elif line.role is Role.HEADING or _may_start(line.text):
            start = _start(line, index)
            if start and (start.label or line.role is not Role.INSIDE or is_yaml):
                starts.append(start)
    return starts


def _may_start(words: str) -> bool:
    """Return whether a line has a word for a task, a list's mark, or quotes; most have none."""
    return words.lstrip()[:1] in _FIRST_SIGNS or _has_task(words)


def _has_task(words: str) -> bool:
    """Return whether a line may hold a word for a task."""
    return any(word in words for word in _TASK_WORDS) or not words.isascii()


# `ask` first: most that hold one hold this.
_TASK_WORDS = ("ask", "TASK", "Tarefa", "Tarea", "Aufgabe")


# A list's marks and the quotes around a key; the empty text is no reason to look further.
_FIRST_SIGNS = frozenset("-*\"'")


def _told_once(lines: Sequence[Line], starts: Sequence[_Start]) -> Sequence[_Start]:
    """Leave out the phases of a strategy where a section of its own lists all as tasks below it."""
    first = next((s.index for s in starts if _IS_TASK.match(lines[s.index].text)), 0)
    listed = [start for start in starts if start.index >= first]
    if not first or len(listed) < _A_PAIR or len(listed) == len(starts):
        return starts
    above = starts[: len(starts) - len(listed)]
    depth = min(heading(lines[start.index])[0] for start in above)
    own = any(
        line.role is Role.HEADING
        and 0 < heading(line)[0] < depth
        and part_of(heading(line)[1]) is Part.TASKS
        for line in lines[above[-1].index : first]
    )
    return listed if own and all(_IS_TASK.match(lines[s.index].text) for s in listed) else starts


_IS_TASK = re.compile(r"^[\W_]*task\b", re.IGNORECASE)


def _without_samples(lines: Sequence[Line], starts: Sequence[_Start]) -> Sequence[_Start]:
    """Leave out steps of somebody's workflow file (`- name: ...`) where tasks have numbers."""
    if not any(_IS_NUMBERED.match(lines[start.index].text) for start in starts):
        return starts
    return [
        start
        for start in starts
        if lines[start.index].role is not Role.INSIDE
        or not _NAMED_STEP.match(lines[start.index].text)
    ]


_IS_NUMBERED = re.compile(r"^[\W_]*(?:task|step)s?\W{0,3}\d", re.IGNORECASE)
_NAMED_STEP = re.compile(r"\s*-\s+(?:id|name)\s*:")


def _without_ranges(lines: Sequence[Line], starts: Sequence[_Start]) -> list[_Start]:
    """Leave out what speaks of tasks that stand elsewhere: `Task 1-7: all of it`."""
    ranges = {s.index: found for s in starts if (found := _RANGE.match(lines[s.index].text))}
    labels = {start.label for start in starts if start.index not in ranges}
    return [
        start
        for start in starts
        if not ((found := ranges.get(start.index)) and {start.label, found["last"]} <= labels)
    ]


_RANGE = re.compile(r"[\s*#-]*Tasks?\s*\d+\s?(?:-|–|to|through)\s?(?P<last>\d+)\b")


def _without_echoes(lines: Sequence[Line], starts: Sequence[_Start]) -> list[_Start]:
    """Leave out comments in code that name a task which the document has described before."""
    named = {start.label for start in starts if start.label and not _is_comment(lines, start)}
    kept = [s for s in starts if s.label not in named or not _is_comment(lines, s)]
    labels = Counter(start.label for start in kept)
    return [start for start in kept if not (labels[start.label] > 1 and _SKETCH.match(start.title))]


# `### Task 1 Pseudocode` below the list that holds Task 1.
_SKETCH = re.compile(r"(?:pseudo-?code|code sketch)\b", re.IGNORECASE)


def _is_comment(lines: Sequence[Line], start: _Start) -> bool:
    line = lines[start.index]
    return line.role is Role.INSIDE and line.text.lstrip().startswith(("#", "//"))


def _between(starts: Sequence[_Start], lines: Sequence[Line]) -> list[Task]:
    ends = [*(start.index for start in starts), len(lines)][1:]
    return [
        _task(number, start, lines[start.index : end])
        for number, (start, end) in enumerate(zip(starts, ends, strict=False), 1)
    ]


def _start(line: Line, index: int) -> _Start | None:
    if line.role is Role.HEADING:
        return _heading_start(line, index)
    if line.role in _FENCE_MARKS:
        return None
    text = line.text
    if line.role is Role.INSIDE and (text.lstrip()[:1] in ('"', "'") or "|" in text):
        text = _KEY.sub(_key_without_quotes, text)
    for pattern in _STARTS if _has_task(text) else _STARTS[1:]:
        if found := pattern.match(text):
            groups = found.groupdict()
            title = _plain(groups["title"])
            return _Start(index=index, label=groups.get("label") or "", title=title)
    return None


# A task that is a key of a YAML block, perhaps quoted, perhaps with a literal text as its value.
_KEY = re.compile(
    r"^(?P<indent>\s*)(?P<key>\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|Task\b.*?):(?: \|\d?)?\s*$"
)


def _key_without_quotes(found: re.Match[str]) -> str:
    return f"{found['indent']}{unquoted(found['key'])}:"


def _heading_start(line: Line, index: int) -> _Start | None:
    _, words = heading(line)
    bare = re.sub(r"^[^\w\[`]+", "", re.sub(r"[*_]", "", words))
    if part_of(words) is Part.LEVEL:
        return None
    found = _HEADING_LABEL.match(bare)
    if found:
        return _Start(
            index=index, label=found["label"], title=_plain(found["title"]) or _plain(bare)
        )
    if part_of(words) is Part.TASK:
        return _Start(index=index, label="", title=_plain(bare))
    return None


def _finest(lines: Sequence[Line], starts: Sequence[_Start]) -> list[_Start]:
    """Leave out headings that only group the tasks below them (`Phase 1` above `Task 1`)."""
    kept = []
    for place, start in enumerate(starts):
        following = starts[place + 1] if place + 1 < len(starts) else None
        if following and _groups(lines, start, following):
            continue
        kept.append(start)
    return kept


def _groups(lines: Sequence[Line], start: _Start, following: _Start) -> bool:
    first, second = lines[start.index], lines[following.index]
    if first.role is not Role.HEADING:
        return False
    between = [line for line in lines[start.index + 1 : following.index] if line.text.strip()]
    deeper = second.role is not Role.HEADING or heading(second)[0] > heading(first)[0]
    is_empty = all(line.role is Role.OPENS or line.text.startswith(">") for line in between)
    return deeper and is_empty


def _task(number: int, start: _Start, lines: Sequence[Line]) -> Task:
    text = text_of(line for line in lines if line.role not in _FENCE_MARKS)
    while len(lines) > 1 and not lines[-1].text.strip():
        lines = lines[:-1]
    changes = _changes(lines)
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


_FENCE_MARKS = (Role.OPENS, Role.CLOSES)
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
        named = _named(line.text)
        if named:
            if changes:
                changes[-1] = _with_bullets(changes[-1], bullets)
            bullets = []
            changes += [FileChange(verb=verb, path=path, line=line.number) for verb, path in named]
        elif changes and "**" in line.text and (action := _ACTION.match(line.text)):
            changes[-1] = replace(changes[-1], verb=_VERBS[action["verb"].upper()])
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
    # Every form of a path has one of these; half of all lines have none.
    if "/" not in text and "." not in text and "file" not in text:
        return []
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


def _clean(path: str) -> str:
    path = re.sub(r"^\./", "", path.strip("`*\"'"))
    path = re.sub(r"(?::\d+(?:-\d+)?|#L\d+.*)$", "", path)
    return path.rstrip(".,:;)") if not path.endswith("...") else path


def _with_bullets(change: FileChange, bullets: Sequence[Text]) -> FileChange:
    return FileChange(verb=change.verb, path=change.path, line=change.line, bullets=tuple(bullets))


def _by_change(lines: Sequence[Line]) -> list[Task]:
    """Return a task for each `CREATE path:` line where no task is marked as one."""
    starts = [
        _Start(index=i, label="", title=line.text.strip(" -*`:#"))
        for i, line in enumerate(lines)
        if line.role in (Role.TEXT, Role.INSIDE, Role.HEADING) and _CHANGE.search(line.text)
    ]
    return _between(starts, lines)


def _with_dependencies(tasks: Sequence[Task]) -> list[Task]:
    by_label = {task.label.lower(): task.number for task in tasks}
    found = [_depends(task, by_label) for task in tasks]
    return [
        replace(task, depends_on=names) if names else task
        for task, names in zip(tasks, found, strict=True)
    ]


def _depends(task: Task, by_label: dict[str, int]) -> tuple[int, ...]:
    lower = task.text.lower()
    if len(by_label) < _A_PAIR or not any(word in lower for word in _DEPENDENT):
        return ()
    found: dict[int, None] = {}
    for match in _DEPENDS.finditer(task.text):
        for label in _labels(match["words"]):
            number = by_label.get(label.lower())
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
    r"\b(?P<id>T\d{2,4}|P\d+\.M\d+[.\w]*)\b",
    re.IGNORECASE,
)
_MOST_OF_RANGE = 100


def _labels(words: str) -> list[str]:
    """Return the labels in `Tasks 1-3`, `Tasks 1, 2 and 4`, `T001`."""
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


def _plain(words: str) -> str:
    return normalise(words) if words.strip() else ""
