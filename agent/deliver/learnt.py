"""What a run found out that the PRP did not say: for people, to put into the document."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.deliver.story import Story
from agent.shown import printable

_TELLING = re.compile(
    r"^E\s+\S|\b(error|ERROR|failed|FAILED|\w*Error|\w*Exception)\b|^\S+:\d+:|^[A-Z]+\d+ "
)
_LONGEST = 240
_HEADING = "## Known Gotchas (learnt by executing)"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One thing that a run found out."""

    kind: str
    """`cost an attempt`, `command`, `reference`, `concern`, `deviation` or `doubt`."""
    text: str
    """On one line, no markup."""


def lessons(story: Story) -> list[Lesson]:
    """Return what a run found out, what cost most first, nothing twice."""
    found = [
        *_costly(story),
        *_commands(story),
        *_references(story),
        *(_lesson("concern", text) for text in story.plan.get("concerns", ())),
        *_words(story),
    ]
    return _without_repeats(found)


def _without_repeats(found: Sequence[Lesson]) -> list[Lesson]:
    """Return lessons without those whose words another one says, whoever says them and when."""
    kept: dict[str, Lesson] = {}
    for lesson in found:
        kept.setdefault(_words_of(lesson), lesson)
    whole = "\n".join(kept)
    return [
        lesson for words, lesson in kept.items() if len(words) < _WORDY or whole.count(words) == 1
    ]


# Characters from which on a lesson within another one is no chance.
_WORDY = 24


_BY = re.compile(r"^(?:task \d+|repair): ")
_WHEN = re.compile(r" \(attempts? [\d, ]+(?:and \d+)?\)$")


def _words_of(lesson: Lesson) -> str:
    """Return what a lesson says: not who says it, in which attempt, or how it is written."""
    words = _WHEN.sub("", _BY.sub("", lesson.text))
    return " ".join(re.findall(r"[\w.]+", words.casefold())).strip(". ")


def _costly(story: Story) -> Iterator[Lesson]:
    """Yield what failed in one attempt and passed in a later one."""
    stages = [stage for stage in story.checks if stage != "baseline"]
    cost: dict[str, list[str]] = {}
    for number, stage in enumerate(stages):
        after = [story.checks[later] for later in stages[number + 1 :]]
        for name, event in story.checks[stage].items():
            passed = any(name in one and one[name]["state"] == "passed" for one in after)
            if passed and event["state"] in ("failed", "timed out"):
                said = telling(event["output"]) or event["reason"]
                cost.setdefault(f"{event['command']}: {said}", []).append(stage)
    for words, when in cost.items():
        numbers = [stage.removeprefix("attempt ") for stage in when]
        many = f"attempts {', '.join(numbers[:-1])} and {numbers[-1]}"
        yield _lesson("cost an attempt", words, f" ({many if len(when) > 1 else when[0]})")


def _commands(story: Story) -> Iterator[Lesson]:
    """Yield the commands that no stage could run."""
    for name in dict.fromkeys(name for events in story.checks.values() for name in events):
        events = [stage[name] for stage in story.checks.values() if name in stage]
        if all(event["state"] == "could not run" for event in events):
            last = events[-1]
            yield _lesson("command", f"{last['command']} could not run: {last['reason']}")


def _references(story: Story) -> Iterator[Lesson]:
    for note in story.notes:
        # That nobody wanted it fetched says nothing about the document.
        if note.startswith("reference ") and not note.endswith(": not fetched"):
            yield _lesson("reference", note)


def _words(story: Story) -> Iterator[Lesson]:
    for event in story.tasks:
        name = f"task {event['task']}" if event["task"] else "repair"
        for text in event["deviations"]:
            yield _lesson("deviation", f"{name}: {text}")
        for text in event["doubts"]:
            yield _lesson("doubt", f"{name}: {text}")


def _lesson(kind: str, text: str, end: str = "") -> Lesson:
    one_line = printable(" ".join(text.split()))
    cut = f"{one_line[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    return Lesson(kind=kind, text=(cut if len(one_line) > _LONGEST else one_line) + end)


def telling(output: str) -> str:
    """Return the line of an output that says most of why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if _TELLING.search(line)), lines[0] if lines else "")


def as_patch(story: Story, document: str) -> str:
    """Return a patch that adds what was learnt to the PRP; empty where there is nothing.

    Nothing that is there changes: the lessons become gotchas at the document's end, as plain
    list items that no reader takes for a task, a command or a heading.

    Args:
        story: The run.
        document: The PRP's text as the run had it.

    """
    told = [lesson for lesson in lessons(story) if lesson.text not in document]
    if not told:
        return ""
    path = story.started["prp"]
    ends = "\r\n" if "\r\n" in document else "\n"
    rest = "" if document.endswith("\n") or not document else ends
    items = "".join(f"- {lesson.kind}: {_inert(lesson.text)}{ends}" for lesson in told)
    after = f"{document}{rest}{ends}{_HEADING}{ends}{ends}{items}"
    lines = difflib.unified_diff(
        document.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{path}",
        f"b/{path}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _inert(text: str) -> str:
    """Return a lesson that can't be read as a command, a checkbox or markup."""
    return re.sub(r"([`<>\[\]*_\\])", r"\\\1", text)
