"""Where tasks begin, in the forms in which people write them, and what only looks like it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent.prp.headings import Part, normalise, part_of
from agent.prp.lines import Line, Role, heading
from agent.prp.listed import ITEM, continued_items, holders, title_of, titled_items
from agent.prp.scalars import unquoted

_LABEL = r"(?P<label>\d+(?:\.\d+)*[a-z]?)"
_STARTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^\s{{0,3}}(?:[-*]\s+)?(?:\[.{{0,3}}\]\s*)?(?:[*_`#]+\s*)?(?:(?:Implementation\s)?Task|TASK|Tarefa|Tarea|Aufgabe|Tâche|Attività|Задача|任务|タスク|작업)\s*#?{_LABEL}\b[*_`]*\s*(?:[-–—:.：]+|\s)?\s*(?P<title>.*)$",
        r"^\s{0,3}[-*]\s+(?:\[.{0,3}\]\s*)?(?:\*\*)?(?P<label>T\d{2,4}|P\d+\.M\d+\S*)(?:\*\*)?[\s:.\-]*(?P<title>.*)$",
        r"^\s{0,3}\d+[.)]\s+(?:\[.{0,3}\]\s*)?\*\*Step\s+(?P<label>\d+\.\d+)\b[*:\s–—-]*(?P<title>.*)$",
        r"^(?:TASK|Task)\s+(?P<title>[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*:\s*$",
        r"^\s{0,3}-\s+(?:task|id|name)\s*:\s*[\"']?(?P<title>.+?)[\"']?$",
    )
)  # fmt: skip
_HEADING_LABEL = re.compile(
    r"^(?:\[.{0,3}\]\s*)?(?:(?:Task|Step|Phase|Stage|Milestone|Tarefa|Fase|Etapa|Aufgabe|Schritt|Tâche|Étape|Tarea|Paso|Passo|"
    r"Attività|Задача|Шаг|Этап|任务|步骤|阶段|タスク|ステップ|단계)s?\s*#?)?"
    r"(?P<label>\d+(?:\.\d+)*[a-z]?|P\d+(?:\.M\d+)?(?:\.T\d+)?(?:\.S\d+)?|T\d{2,4})\b[\s:.)–—-]*(?P<title>.*)$",
    re.IGNORECASE,
)
FENCE_MARKS = (Role.OPENS, Role.CLOSES)


@dataclass(frozen=True, kw_only=True)
class Start:
    """A line that begins a task."""

    index: int
    label: str
    title: str


def find_starts(lines: Sequence[Line]) -> list[Start]:
    """Return the lines that begin a task: each once, and the finest where some group others."""
    starts = _told_once(lines, _without_ranges(lines, _all_starts(lines)))
    if items := _items_of_phases(lines, starts):
        return items
    held = holders(lines, {start.index for start in starts})
    starts = _without_retellings(lines, [s for s in starts if s.index not in held])
    starts = _finest(lines, _without_samples(lines, starts))
    return _without_sections(lines, _without_echoes(lines, starts))


def _without_sections(lines: Sequence[Line], starts: list[Start]) -> list[Start]:
    """Leave out the section of the tasks, which may have a number, where tasks stand elsewhere.

    `### 5. Validation Tasks` beside others of its depth is a task.
    """
    named = [start for start in starts if _is_section(lines[start.index])] or _title(lines, starts)
    others = [start for start in starts if start not in named]
    depths = {heading(lines[s.index])[0] for s in others if lines[s.index].role is Role.HEADING}
    if not others and named and _has_items(lines):
        return []
    if not others or any(heading(lines[start.index])[0] in depths for start in named):
        return starts
    return others


def _has_items(lines: Sequence[Line]) -> bool:
    """Return whether there is a list that may be the tasks."""
    items = [line for line in lines if line.role is Role.TEXT and ITEM.match(line.text)]
    return len(items) >= _A_LIST


def _title(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Return what begins with the whole document: `# Stage 6: Camera` above its steps."""
    return [s for s in starts[:1] if s.index == 0 and lines[0].text.startswith("# ")]


def _is_section(line: Line) -> bool:
    """Return whether a heading such as `6. Implementation Steps` is called as all tasks are."""
    is_heading = line.role is Role.HEADING and not _word(line)
    return is_heading and part_of(heading(line)[1]) is Part.TASKS


def _items_of_phases(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Return the items of phases whose numbers go on from one to the next, or that have titles."""
    words = [_word(lines[start.index]) for start in starts]
    phases = [s for s, word in zip(starts, words, strict=True) if word in _GROUPING]
    above = [s.index for s, word in zip(starts, words, strict=True) if word not in _GROUPING]
    # What holds the phases may have a number, too: `## 3. Implementation Plan`.
    if not phases or any(
        at > phases[0].index or lines[at].role is not Role.HEADING for at in above
    ):
        return []
    places = [phase.index for phase in phases]
    items = [(i, title_of(lines[i])) for i in continued_items(lines, places)]
    return [
        Start(index=index, label=str(number), title=plain(title))
        for number, (index, title) in enumerate(items or titled_items(lines, places), 1)
    ]


def _all_starts(lines: Sequence[Line]) -> list[Start]:
    """Return every line that begins a task, without priorities: `### P0 - what matters most`."""
    starts = _any_starts(lines)
    if not any(start.label == "P0" for start in starts):
        return starts
    return [start for start in starts if not _PRIORITY.fullmatch(start.label)]


def _any_starts(lines: Sequence[Line]) -> list[Start]:
    """Return every line that begins a task; `- id: ...` does so in YAML only."""
    starts: list[Start] = []
    is_yaml = True
    for index, line in enumerate(lines):
        if line.role is Role.OPENS:
            is_yaml = line.text.strip().strip("`~ ").lower() in ("", "yaml", "yml", "text")
        elif line.text[:1].isdigit() and (found := _part_of_above(line, starts, lines)):
            starts.append(Start(index=index, label=found["label"], title=plain(found["title"])))
        elif line.role is Role.HEADING or _may_start(line.text):
            start = _start(line, index)
            if start and (start.label or line.role is not Role.INSIDE or is_yaml):
                starts.append(start)
    return starts


def _part_of_above(
    line: Line, starts: Sequence[Start], lines: Sequence[Line]
) -> re.Match[str] | None:
    """Return the match of `1.2 **Title**` where the heading `Phase 1` stands above."""
    if line.role is not Role.TEXT:
        return None
    found = _NUMBERED_PART.match(line.text)
    above = next((s for s in reversed(starts) if lines[s.index].role is Role.HEADING), None)
    is_part = found and above and above.label == found["label"].partition(".")[0]
    return found if is_part else None


_NUMBERED_PART = re.compile(r"^(?P<label>\d{1,3}\.\d{1,3})\s+(?P<title>(?:\*\*)?[A-Z].*)$")


def _may_start(words: str) -> bool:
    """Return whether a line has a word for a task, a list's mark, or quotes; most have none."""
    return words.lstrip()[:1] in _FIRST_SIGNS or _has_task(words) or "**Step" in words


def _has_task(words: str) -> bool:
    """Return whether a line may hold a word for a task."""
    # Every line is asked: written out, this costs half of what a loop would.
    return (
        "ask" in words
        or "TASK" in words
        or "Tare" in words
        or "Aufgabe" in words
        or not words.isascii()
    )


# A list's marks and the quotes around a key; the empty text is no reason to look further.
_FIRST_SIGNS = frozenset("-*\"'")


def _told_once(lines: Sequence[Line], starts: Sequence[Start]) -> Sequence[Start]:
    """Leave out the phases of a strategy where a section of its own lists all as tasks below it."""
    first = next((s.index for s in starts if _IS_TASK.match(lines[s.index].text)), 0)
    listed = [start for start in starts if start.index >= first]
    if not first or len(listed) < _A_LIST or len(listed) == len(starts):
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


_A_LIST = 2
_IS_TASK = re.compile(r"^[\W_]*(?:implementation )?task\b", re.IGNORECASE)


def _without_retellings(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Leave out what is told again in a shorter list: a status of the phases, code for `Task 3`.

    Numbers that begin anew below each of several headings are other tasks.
    """
    words = [_word(lines[start.index]) for start in starts]
    named = [(word, start.label) for word, start in zip(words, starts, strict=True)]
    if len(set(named)) == len(named):
        return list(starts)
    sizes = _sizes_of_lists(named)
    ranks = [
        (not _SPEAKS_OF_IT.match(lines[start.index].text), size)
        for start, size in zip(starts, sizes, strict=True)
    ]
    best: dict[tuple[str, str], int] = {}
    for place, name in enumerate(named):
        if name[0] and (name not in best or ranks[place] > ranks[best[name]]):
            best[name] = place
    return [
        start
        for place, (start, name) in enumerate(zip(starts, named, strict=True))
        if best.get(name, place) == place
        or (ranks[place][0] and not _is_told_again(lines, start, starts[best[name]]))
    ]


def _is_told_again(lines: Sequence[Line], again: Start, first: Start) -> bool:
    """Return whether one start tells another again; a command is told again by the same only."""
    if _IS_COMMAND.search(lines[again.index].text):
        return again.title == first.title
    return _says_the_same(again, first)


# `- [ ] Task 1: `tool make x``
_IS_COMMAND = re.compile(r":\**\s+`[^`]+`[\s.]*$")


# `### Phase 2 Features (Optional)` beside `### Phase 2: Views`
_SPEAKS_OF_IT = re.compile(r"^[\W_]*(?:phase|stage|milestone)\s+\d+\s+[A-Za-z]", re.IGNORECASE)


def _word(line: Line) -> str:
    """Return what a line calls the work, in English."""
    found = _KIND_OF_START.match(line.text)
    return _IN_ENGLISH.get(word := found["word"].lower(), word) if found else ""


_IN_ENGLISH = {
    **dict.fromkeys(("fase", "etapa", "этап", "阶段", "フェーズ", "단계"), "phase"),
    **dict.fromkeys(("paso", "passo", "schritt", "étape", "шаг", "步骤", "ステップ"), "step"),
    **dict.fromkeys(
        ("tarea", "tarefa", "aufgabe", "tâche", "attività", "задача", "任务", "タスク", "작업"),
        "task",
    ),
}
_KIND_OF_START = re.compile(
    rf"^[\W_\d]*(?P<word>(?:task|step|phase|stage|milestone|{'|'.join(_IN_ENGLISH)})(?=s?\b|\s?\d))",
    re.IGNORECASE,
)


def _sizes_of_lists(named: Sequence[tuple[str, str]]) -> list[int]:
    """Return for each start how many there are in its list, which ends where numbers begin anew."""
    lists: dict[str, list[list[int]]] = {}
    last: dict[str, tuple[int, ...]] = {}
    for place, (word, label) in enumerate(named):
        number = tuple(int(part[:_MOST_DIGITS]) for part in re.findall(r"\d+", label))
        if word not in last or number <= last[word]:
            lists.setdefault(word, []).append([])
        lists[word][-1].append(place)
        last[word] = number
    sizes = [0] * len(named)
    for places in (each for several in lists.values() for each in several):
        for place in places:
            sizes[place] = len(places)
    return sizes


_MOST_DIGITS = 9


def _says_the_same(again: Start, first: Start) -> bool:
    own, others = (_significant(start.title) for start in (again, first))
    if own and others:
        return 2 * len(own & others) > min(len(own), len(others))
    return not again.title or again.title == first.title


def _significant(title: str) -> set[str]:
    """Return the words that tell what a title is about, without remarks such as `(2 days)`."""
    bare = _ASIDE.sub(" ", title.replace("_", "").lower())
    return set(_LONG_WORD.findall(bare)) - _OF_ANY_TASK


_ASIDE = re.compile(r"\([^()]*\)")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}|[a-z]{2,}/[a-z]{2,}")
_OF_ANY_TASK = frozenset(
    "days hours week weeks minutes priority completed with from into implementation implement task "
    "phase step create update code".split()
)


def _without_samples(lines: Sequence[Line], starts: Sequence[Start]) -> Sequence[Start]:
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


def _without_ranges(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Leave out what speaks of tasks that stand elsewhere: `Task 1-7: all of it`."""
    ranges = {s.index: found for s in starts if (found := _RANGE.match(lines[s.index].text))}
    labels = {start.label for start in starts if start.index not in ranges}
    return [
        start
        for start in starts
        if not ((found := ranges.get(start.index)) and {start.label, found["last"]} <= labels)
    ]


_RANGE = re.compile(r"[\s*#-]*Tasks?\s*\d+\s?(?:-|–|to|through)\s?(?P<last>\d+)\b")


def _without_echoes(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Leave out comments in code that name a task which the document has described before."""
    named = {start.label for start in starts if start.label and not _is_comment(lines, start)}
    kept = [s for s in starts if s.label not in named or not _is_comment(lines, s)]
    labels = Counter(start.label for start in kept)
    return [start for start in kept if not (labels[start.label] > 1 and _SKETCH.match(start.title))]


# `### Task 1 Pseudocode` below the list that holds Task 1.
_SKETCH = re.compile(r"(?:pseudo-?code|code sketch)\b", re.IGNORECASE)


def _is_comment(lines: Sequence[Line], start: Start) -> bool:
    line = lines[start.index]
    return line.role is Role.INSIDE and line.text.lstrip().startswith(("#", "//"))


def _start(line: Line, index: int) -> Start | None:
    if line.role is Role.HEADING:
        return _heading_start(line, index)
    if line.role in FENCE_MARKS:
        return None
    text = line.text
    if line.role is Role.INSIDE and (text.lstrip()[:1] in ('"', "'") or "|" in text):
        text = _KEY.sub(_key_without_quotes, text)
    for pattern in _STARTS if _has_task(text) else _STARTS[1:]:
        if found := pattern.match(text):
            groups = found.groupdict()
            title = plain(groups["title"])
            return Start(index=index, label=groups.get("label") or "", title=title)
    return None


# A task that is a key of a YAML block, perhaps quoted, perhaps with a literal text as its value.
_KEY = re.compile(
    r"^(?P<indent>\s*)(?P<key>\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|Task\b.*?):(?: \|\d?)?\s*$"
)


def _key_without_quotes(found: re.Match[str]) -> str:
    return f"{found['indent']}{unquoted(found['key'])}:"


_NO_WORD = re.compile(r"^[^\w\[`]+")
# `### P0` says how much what stands below it matters.
_PRIORITY = re.compile(r"P\d\s*")


def _heading_start(line: Line, index: int) -> Start | None:
    _, words = heading(line)
    bare = _NO_WORD.sub("", words.replace("*", "").replace("_", ""))
    if part_of(words) is Part.LEVEL or _PRIORITY.fullmatch(bare):
        return None
    found = _HEADING_LABEL.match(bare)
    if found:
        return Start(index=index, label=found["label"], title=plain(found["title"]) or plain(bare))
    if part_of(words) is Part.TASK:
        return Start(index=index, label="", title=plain(bare))
    return None


def _finest(lines: Sequence[Line], starts: Sequence[Start]) -> list[Start]:
    """Leave out headings that only group the tasks below them (`Phase 1` above `Task 1`)."""
    kept = []
    for place, start in enumerate(starts):
        following = starts[place + 1] if place + 1 < len(starts) else None
        if following and _groups(lines, start, following):
            continue
        kept.append(start)
    return kept


def _groups(lines: Sequence[Line], start: Start, following: Start) -> bool:
    first, second = lines[start.index], lines[following.index]
    if first.role is not Role.HEADING:
        return False
    between = [line for line in lines[start.index + 1 : following.index] if line.text.strip()]
    deeper = second.role is not Role.HEADING or heading(second)[0] > heading(first)[0]
    is_empty = all(line.role is Role.OPENS or line.text.startswith(">") for line in between)
    return deeper and (is_empty or _introduces(first, start, following, between, second))


def _introduces(
    first: Line, start: Start, following: Start, between: Sequence[Line], second: Line
) -> bool:
    """Return whether a heading with few words only groups: `Phase 1` above `Step 1.1`."""
    is_part = bool(start.label) and following.label.startswith(f"{start.label}.")
    is_phase = _word(first) in _GROUPING and _word(second) in ("task", "step")
    is_short = len(between) <= _FEW and all(
        line.role is Role.TEXT and not line.text.lstrip().startswith(_LIST_SIGNS)
        for line in between
    )
    return (is_part or is_phase) and is_short


_GROUPING = ("phase", "stage", "milestone")
_FEW = 6
_LIST_SIGNS = ("-", "* ", "+", "1", "|")


def plain(words: str) -> str:
    """Return a title without marks and numbers."""
    return normalise(words) if words.strip() else ""
