"""What `prp lint` prints."""

import os
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import typer

from agent.cli.processes import side_by_side
from agent.errors import Exit
from agent.prp import Finding, Severity
from agent.prp.export import Exported, as_json
from agent.prp.lint.sarif import as_sarif
from agent.runs.examining import examine
from agent.shown import printable

_ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


@dataclass(frozen=True, kw_only=True)
class _Linted:
    path: Path
    exported: Exported
    shown: tuple[Finding, ...]
    has_errors: bool


def lint_files(files: Iterable[Path], *, form: str, least: str, search_path: str) -> int:
    """Print the findings of documents and return the exit status.

    Args:
        files: Documents, or folders with documents.
        form: `text`, `json` or `sarif`.
        least: The least severity to print.
        search_path: The person's PATH.

    """
    shown: list[tuple[Path, tuple[Finding, ...]]] = []
    told: set[str] = set()
    count = bad = 0
    lint = partial(_lint, least=least, search_path=search_path)
    for linted in side_by_side(lint, list(documents_in(files))):
        count, bad = count + 1, bad + linted.has_errors
        if form == "json":
            typer.echo(as_json(replace(linted.exported, findings=linted.shown)))
        elif form == "text":
            _print(linted, told=told)
            told |= {found.code for found in linted.shown} & _OF_THE_PLACE
        else:
            shown.append((linted.path, linted.shown))
    if form == "sarif":
        from agent import __version__  # noqa: PLC0415 - reads the package's metadata

        typer.echo(as_sarif(shown, version=__version__))
    if form == "text" and count > 1:
        typer.echo(f"{count} documents, {bad} of them with errors")
    return int(Exit.INVALID_PRP if bad else Exit.PROVEN)


def documents_in(files: Iterable[Path]) -> Iterator[Path]:
    """Return the documents among files and folders."""
    for path in files:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where nothing may be looked at
            inside = sorted(p for p in path.rglob("*.md") if not _is_aside(p.relative_to(path)))
            yield from inside or [path]
        else:
            yield path


def _is_aside(path: Path) -> bool:
    """Return whether a Markdown file in a folder of PRPs is none: notes, templates, hidden."""
    return path.stem.lower() in _NO_PRPS or any(
        part.startswith(".") or part in ("ai_docs", "templates", "node_modules")
        for part in path.parts
    )


_NO_PRPS = frozenset(
    "readme changelog history contributing license code_of_conduct security agents claude".split()
)


def _lint(path: Path, *, least: str, search_path: str) -> _Linted:
    examined = examine(path, search_path=search_path)
    wanted = _ORDER[_ORDER.index(Severity(least)) :]
    return _Linted(
        path=path,
        exported=examined.exported,
        shown=tuple(found for found in examined.findings if found.severity in wanted),
        has_errors=examined.has_errors,
    )


# True of every document of one call, and printed with the first one only.
_OF_THE_PLACE = {"R24"}


def _print(linted: _Linted, *, told: Container[str]) -> None:
    for found in _in_short([found for found in linted.shown if found.code not in told]):
        place = f"{linted.path}:{found.line}: [{found.code}]"
        words = f"{found.severity.value}: {found.message}. {found.hint}"
        typer.echo(printable(f"{place} {words}"))
    for line in _summary(linted):
        typer.echo(printable(f"{linted.path}: {line}"))


# As many notes of one rule are printed for a document; a page of the same hides the rest.
_MOST_NOTES = 3


def _in_short(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Return findings for people: the first notes of a rule, then one line for all its others."""
    notes: dict[str, list[Finding]] = {}
    for found in findings:
        if found.severity is Severity.NOTE:
            notes.setdefault(found.code, []).append(found)
    for found in findings:
        same = notes.get(found.code, []) if found.severity is Severity.NOTE else []
        if len(same) <= _MOST_NOTES + 1 or found in same[:_MOST_NOTES]:
            yield found
        elif found is same[_MOST_NOTES]:
            lines = list(dict.fromkeys(str(note.line) for note in same[_MOST_NOTES:]))
            some = ", ".join(lines[:_MOST_LINES]) + (", ..." if len(lines) > _MOST_LINES else "")
            more = len(same) - _MOST_NOTES
            words = f"The same is found {more} more times, on lines {some}"
            yield replace(found, message=words, hint="See each with --json.")


_MOST_LINES = 12


def _summary(linted: _Linted) -> tuple[str, ...]:
    counts = _counted(linted.exported.findings)
    readiness = linted.exported.readiness
    if readiness is None:
        return (counts,)
    document = linted.exported
    holds = (
        _number(document.tasks, "task", "tasks"),
        _number(document.checks, "check", "checks"),
        _number(document.criteria, "criterion", "criteria"),
        _number(document.references, "reference", "references"),
    )
    return f"{counts}; {', '.join(holds)}", readiness.in_words


def _number(items: Sequence[object], one: str, many: str) -> str:
    return f"{len(items)} {one if len(items) == 1 else many}"


def _counted(findings: Sequence[Finding]) -> str:
    counts = {s: sum(found.severity is s for found in findings) for s in reversed(_ORDER)}
    words = [f"{n} {s.value}{'' if n == 1 else 's'}" for s, n in counts.items() if n]
    return ", ".join(words) or "nothing to say"
