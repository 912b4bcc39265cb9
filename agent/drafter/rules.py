"""What a program says against a draft before a person sees it."""

from collections.abc import Collection, Iterator, Sequence

from agent.drafter.answer import Draft
from agent.prp import Finding, Prp, Severity

_BY_WORDS = frozenset(("R02", "R03"))
"""Notes about what no check seems to show: guesses, so that all of them are one point."""
_MEANT = frozenset(("R23",))
"""What stands in a draft on purpose."""


def unfit(draft: Draft, files: Collection[str]) -> Iterator[str]:
    """Yield what can't be meant, given the files of the repository."""
    made: set[str] = set()
    for task in draft.tasks:
        for change in task.changes:
            there = change.path in files or change.path in made
            if change.verb == "CREATE" and there:
                yield f"Task `{task.title}` creates {change.path}, which is there: MODIFY it."
            if change.verb != "CREATE" and not there:
                yield f"Task `{task.title}`: there is no {change.path} to {change.verb}."
            made.add(change.path)
        if not task.changes:
            yield f"Task `{task.title}` names no file."
    for test in draft.tests:
        if test.path in files:
            yield f"The test file {test.path} is there already: put new tests into a new file."


def differences(draft: Draft, prp: Prp) -> Iterator[str]:
    """Yield what is read otherwise in the document than it was meant in the draft."""
    read = {criterion.text for criterion in prp.criteria}
    for criterion in draft.criteria:
        if " ".join(criterion.split()) not in read:
            yield f"This is not read as a criterion: {criterion}"
    yield from _tasks(draft, prp)
    yield from _commands(draft, prp)
    known = {source.target for source in draft.sources}
    known -= {reference.target for reference in prp.references if reference.declared}
    yield from (f"This is not read as a reference: {target}" for target in sorted(known))


def _tasks(draft: Draft, prp: Prp) -> Iterator[str]:
    if len(prp.tasks) != len(draft.tasks):
        yield f"Of {len(draft.tasks)} tasks {len(prp.tasks)} are read: name them otherwise."
        return
    for task, read in zip(draft.tasks, prp.tasks, strict=True):
        paths = {change.path.removeprefix("./") for change in read.changes}
        for change in task.changes:
            if change.path not in paths:
                yield f"Task `{task.title}`: {change.path!r} is not read as a path of a file."
        for path in sorted(paths - {change.path for change in task.changes}):
            yield f"Task `{task.title}`: its words read as if it changed {path}; write a change."


def _commands(draft: Draft, prp: Prp) -> Iterator[str]:
    levels = draft.levels
    wanted = [*levels.syntax, *levels.unit, *levels.integration, *levels.production]
    if not wanted:
        yield "There is no command in `levels`: nothing could be proven."
    read = {check.command.strip() for check in prp.checks}
    for command in wanted:
        if command.run.strip() not in read:
            yield (
                f"This is not read as one check: {command.run.strip()[:300]} (one command, no "
                "comment; `(cd folder && command)` for another folder, `NAME=value command` for a "
                "variable)"
            )
    meant = {command.run.strip() for command in wanted}
    for check in prp.checks:
        if check.command.strip() not in meant:
            line = prp.text.split("\n")[check.line - 1].strip()
            yield (
                f"`{check.command[:200]}` is read as a check, and is none of `levels` (at "
                f"`{line[:200]}`): say it in other words there, or without backticks"
            )


def must_change(finding: Finding) -> bool:
    """Return whether a document with this finding is not handed out."""
    return finding.severity is Severity.ERROR


def could_be_better(findings: Sequence[Finding], text: str) -> Iterator[str]:
    """Yield what the author of a draft is told once."""
    for finding in findings:
        if finding.severity is Severity.WARNING and finding.code not in _MEANT:
            yield in_words(finding, text)
    guessed = [_line(finding, text) for finding in findings if finding.code in _BY_WORDS]
    if guessed:
        names = "; ".join(f"`{words[:100]}`" for words in guessed)
        yield (f"By their words no check or test shows these; where that is so, add one: {names}")


def in_words(finding: Finding, text: str) -> str:
    """Return a finding for the author of a draft, who sees no line numbers."""
    words = f"[{finding.code}] {finding.message}. {finding.hint}"
    return f"{words} (at `{_line(finding, text)[:160]}`)"


def _line(finding: Finding, text: str) -> str:
    lines = text.split("\n")
    return lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
