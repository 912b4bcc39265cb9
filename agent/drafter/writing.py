"""A draft as a document in the template's form: every part, whatever the model's words hold."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.drafter.answer import KINDS, Command, Draft, Source, TestFile, Work
from agent.prp.scalars import quoted
from agent.prp.trees import draw_tree


@dataclass(frozen=True, kw_only=True)
class Byline:
    """What the program knows of a draft, and the model does not."""

    day: str
    """As `2026-11-24`."""
    author: str
    files: Collection[str]
    """All files of the repository."""


def written(draft: Draft, byline: Byline) -> str:
    """Return a draft as a PRP.

    Args:
        draft: Whole: `Draft.missing` names nothing.
        byline: Who wrote it and when, and what there is.

    """
    parts = [
        *_head(draft, byline),
        *_context(draft, byline),
        *_tests(draft),
        *_blueprint(draft),
        *_validation(draft),
        *_end(draft),
    ]
    return "\n\n".join(parts) + "\n"


def _head(draft: Draft, byline: Byline) -> Iterator[str]:
    score = draft.rationale.total if draft.rationale else 0
    yield f"# PRP: {_line(draft.title)}"
    yield _section(
        "## Metadata",
        f"- **Created**: {byline.day}",
        f"- **Author**: {_line(byline.author)}",
        f"- **Confidence**: {score}",
        f"- **Complexity**: {draft.complexity}",
        f"- **Type**: {draft.kind}",
    )
    yield _section("## Goal", _prose(draft.goal))
    yield _section(
        "## Why",
        f"- **Business Value**: {_line(draft.value)}",
        f"- **Technical Need**: {_line(draft.need)}",
        f"- **Priority**: {draft.priority}",
    )
    yield _section("## What", _prose(draft.what))
    yield _section("### Success Criteria", *(f"- [ ] {_line(c)}" for c in draft.criteria))


def _context(draft: Draft, byline: Byline) -> Iterator[str]:
    entries = [line for source in draft.sources for line in _reference(source)]
    yield "## All Needed Context"
    yield _section("### Documentation & References", _fence("yaml", "\n".join(entries)))
    yield _section(
        "### Current Codebase Structure", _fence("bash", draw_tree(_around(draft, byline.files)))
    )
    notes = dict(_new_files(draft))
    tree = draw_tree(notes, mark="[NEW] ", notes=notes) if notes else "# No new file."
    yield _section("### Desired Structure After Implementation", _fence("bash", tree))
    gotchas = "\n".join(f"# {g.kind}: {_line(g.text)}" for g in draft.gotchas)
    yield _section("### Known Gotchas & Critical Patterns", _fence("text", gotchas))


def _reference(source: Source) -> Iterator[str]:
    yield f"- {source.kind}: {_line(source.target)}"
    yield f"  why: {quoted(_line(source.why))}"
    if source.sections:
        yield f"  sections: [{', '.join(quoted(_line(name)) for name in source.sections)}]"
    for name in ("pattern", "gotcha"):
        if words := _line(getattr(source, name)):
            yield f"  {name}: {quoted(words)}"


_MOST_SHOWN = 40


def _around(draft: Draft, files: Collection[str]) -> list[str]:
    """Return the files that a draft speaks of, and those beside them as far as there is room."""
    named = {source.target for source in draft.sources}
    named |= {change.path for task in draft.tasks for change in task.changes}
    shown = [path for path in files if path in named]
    folders = {path.rpartition("/")[0] for path in named}
    beside = (path for path in files if path.rpartition("/")[0] in folders and path not in named)
    return sorted([*shown, *list(beside)[: max(_MOST_SHOWN - len(shown), 0)]])


def _new_files(draft: Draft) -> Iterator[tuple[str, str]]:
    for task in draft.tasks:
        for change in task.changes:
            if change.verb == "CREATE":
                yield change.path, _line(change.does[0] if change.does else task.title)
    named = {change.path for task in draft.tasks for change in task.changes}
    for test in draft.tests:
        if test.path not in named:
            yield test.path, f"{test.kind} tests"


_TESTS = {
    "unit": "### Unit Tests Required",
    "integration": "### Integration Tests Required",
    "e2e": "### E2E Tests Required",
    "performance": "### Performance Requirements",
    "fixtures": "### Test Data & Fixtures",
}
_COMMENTS = {
    **dict.fromkeys(
        ("go", "javascript", "typescript", "js", "ts", "jsx", "tsx", "rust", "java", "c", "cpp"),
        "//",
    ),
    **dict.fromkeys(("php", "swift", "kotlin", "csharp", "scala", "dart", "zig"), "//"),
    **dict.fromkeys(("lua", "sql", "haskell", "elm"), "--"),
}


def _tests(draft: Draft) -> Iterator[str]:
    yield "## Test Specifications (TDD Required)"
    none = f"None: {_line(draft.no_tests) or 'the change needs none of this kind'}"
    for kind in KINDS:
        of_kind = [test for test in draft.tests if test.kind == kind]
        yield _section(_TESTS[kind], *(map(_test, of_kind) if of_kind else [none]))


def _test(test: TestFile) -> str:
    language = _language(test.language)
    mark = _COMMENTS.get(language, "#")
    head = f"{mark} {test.path}"
    code = test.code.strip("\n")
    return _fence(language, code if code.startswith(head) else f"{head}\n{code}")


def _blueprint(draft: Draft) -> Iterator[str]:
    yield "## Implementation Blueprint"
    tasks = "\n\n".join("\n".join(_task(n, task)) for n, task in enumerate(draft.tasks, 1))
    yield _section("### Task Breakdown", _fence("yaml", tasks))
    snippets = [_fence(_language(s.language), s.code.strip("\n")) for s in draft.patterns]
    yield _section(
        "### Implementation Patterns",
        "\n\n".join(snippets) or "None beyond the code that the references name.",
    )


def _task(number: int, task: Work) -> Iterator[str]:
    # A colon within a key would end it.
    title = re.sub(r"\s*:\s+", " - ", _line(task.title)).rstrip(":").replace(" #", " no. ")
    yield f"Task {number} - {title}:"
    for change in task.changes:
        # A name without ending or folder could be any word.
        path = change.path if re.search(r"[./]", change.path) else f"./{change.path}"
        yield f"  {change.verb} {path}:"
        yield from (f"    - {_item(words)}" for words in change.does or (task.title,))


def _item(words: str) -> str:
    words = _line(words)
    return words if _IS_PLAIN.match(words) and not _ENDS_PLAIN.search(words) else quoted(words)


# What YAML reads as the text that it is.
_IS_PLAIN = re.compile(r"[A-Za-z(][^\n]*\Z")
_ENDS_PLAIN = re.compile(r":(?:\s|\Z)|\s#|^(?:true|false|yes|no|null|on|off|~)\Z", re.IGNORECASE)


def _validation(draft: Draft) -> Iterator[str]:
    yield "## Validation Loops"
    levels = draft.levels
    yield _level("### Level 1: Syntax & Style", levels.syntax)
    yield _level("### Level 2: Unit Tests", levels.unit)
    yield _level("### Level 3: Integration Tests", levels.integration)
    yield _level("### Level 4: Security & Production Validation", levels.production)


def _level(heading: str, commands: Sequence[Command]) -> str:
    if not commands:
        return _section(heading, "None: the other levels show what there is to show.")
    return _section(heading, _fence("bash", "\n\n".join(map(_command, commands))))


def _command(command: Command) -> str:
    expected = _line(command.expected)
    return command.run.strip("\n") + (f"\n# Expected: {expected}" if expected else "")


def _end(draft: Draft) -> Iterator[str]:
    done = draft.checklist or ("All validation loops pass",)
    yield _section("## Deployment Checklist", *(f"- [ ] {_line(item)}" for item in done))
    yield _section("## Anti-Patterns to Avoid", *(f"- ❌ {_line(a)}" for a in draft.anti_patterns))
    if draft.questions:
        asked = (f"- {_line(q.question)} Assumed: {_line(q.assumed)}" for q in draft.questions)
        yield _section("## Open Questions", *asked)
    if draft.rationale:
        scores = [f"- {n}: {s.points}/2, {_line(s.why)}" for n, s in draft.rationale.scores()]
        yield f"## Confidence Score: {draft.rationale.total}/10"
        yield _section("### Scoring Rationale:", *scores)


def _section(heading: str, *lines: str) -> str:
    return "\n".join([heading, *lines])


def _line(words: str) -> str:
    return " ".join(words.split())


def _language(words: str) -> str:
    return re.sub(r"[^\w+#-]", "", words.lower()) or "text"


# What would begin another part of the document, or a block that swallows one.
_STRUCTURE = re.compile(
    r"^[ \t]*(?:#+[ \t]+|[`~]{3,}[^\n]*$|-{3,}[ \t]*$|={3,}[ \t]*$)", re.MULTILINE
)


def _prose(words: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", _STRUCTURE.sub("", words.strip().replace("\r\n", "\n")))


def _fence(language: str, code: str) -> str:
    inside = re.findall(r"^\s*(`{3,})", code, re.MULTILINE)
    marks = "`" * max([3, *(len(run) + 1 for run in inside)])
    return f"{marks}{language}\n{code}\n{marks}"
