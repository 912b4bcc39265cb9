"""References resolved against a repository: what they point to, or why they don't."""

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from agent.errors import DocumentError
from agent.prp.briefing import Document
from agent.prp.excerpt import excerpt
from agent.prp.model import Prp, Reference, ReferenceKind

_MOST_CHARACTERS = 24_000
_ALL_CHARACTERS = 120_000
_SECRETS = (".env", ".pem", ".key", ".p12", ".pfx", ".netrc", ".npmrc", ".pypirc")


def documents_of(
    prp: Prp, *, files: Iterable[str], read: Callable[[str], str]
) -> list[tuple[Reference, Document]]:
    """Return what the file and docfile references point to.

    Args:
        prp: The document.
        files: Paths of the repository's files; absolute paths of another machine are found among
            them by their end.
        read: Returns a file's text, or raises `ValueError` with the reason why it can't.

    Returns:
        Each reference with its document; `url` references have no content yet.

    """
    known = list(files)
    left = _ALL_CHARACTERS
    found = []
    for reference in prp.references:
        document = _document(reference, known, read, min(left, _MOST_CHARACTERS))
        left -= len(document.content)
        found.append((reference, document))
    return found


def _document(
    reference: Reference, known: list[str], read: Callable[[str], str], limit: int
) -> Document:
    name = _name(reference)
    if reference.kind in (ReferenceKind.URL, ReferenceKind.MCP):
        return Document(name=name, why=_why(reference), missing="not fetched")
    path, reason = locate(reference.target, known)
    if reason:
        return Document(name=name, why=_why(reference), missing=reason)
    try:
        text = read(path)
    except ValueError as error:
        return Document(name=name, why=_why(reference), missing=str(error))
    if reference.lines:
        first, last = reference.lines
        text = "\n".join(text.splitlines()[first - 1 : last])
    is_markdown = path.endswith((".md", ".mdx", ".markdown"))
    wanted = reference.sections if is_markdown else ()
    return Document(
        name=name, why=_why(reference), content=excerpt(text, sections=wanted, limit=max(limit, 0))
    )


_ENTRY = re.compile(r"^\s*[-*]\s+[`*]*(?:file|path|docfile|docs?)[`*]*\s*:", re.IGNORECASE)


def require_references(prp: Prp, *, files: Iterable[str]) -> None:
    """Make sure that the files exist which the PRP names as its context.

    Files that a task creates may be named before they exist. Paths that are only mentioned (in
    backticks, in a table) are not held to exist.

    Raises:
        DocumentError: Some don't; all of them are named, the first with its line.

    """
    known = list(files)
    made = {change.path for task in prp.tasks for change in task.changes}
    lines = prp.text.split("\n")
    wrong = [
        (reference, reason)
        for reference in prp.references
        if reference.kind in (ReferenceKind.FILE, ReferenceKind.DOCFILE)
        and _ENTRY.match(lines[reference.line - 1])
        and reference.target.removeprefix("./") not in made
        and not _is_vague(reference.target)
        and (reason := locate(reference.target, known)[1]) not in ("", "it is a folder")
    ]
    if wrong:
        words = "; ".join(f"line {r.line}: {r.target}: {reason}" for r, reason in wrong[:20])
        raise DocumentError(
            f"references that can't be read: {words}",
            path=prp.path,
            line=wrong[0][0].line,
            code="reference",
            hint="Mend or delete them, or go on without them by --ignore-missing-references.",
        )


def _is_vague(target: str) -> bool:
    """Return whether a target is a pattern or words, not one path."""
    return any(c in target for c in "*?{}[]<>, ") or "." not in target


def locate(target: str, files: list[str]) -> tuple[str, str]:
    """Return the repository's path that a reference means, or the reason why there is none."""
    path = PurePosixPath(target.removeprefix("./"))
    if ".." in path.parts or target.startswith("~"):
        return "", "it leaves the repository"
    if any(part.lower() == ".git" for part in path.parts):
        return "", "it is git's own"
    if path.name.startswith("id_") or path.name.endswith(_SECRETS):
        return "", "it may hold secrets"
    plain = str(path)
    if plain in files:
        return plain, ""
    if any(file.startswith(f"{plain.rstrip('/')}/") for file in files):
        return "", "it is a folder"
    for start in range(1, len(path.parts)):
        end = "/".join(path.parts[start:])
        if path.is_absolute() and end in files:
            return end, ""
    return "", "there is no such file in the repository"


def _name(reference: Reference) -> str:
    span = f":{reference.lines[0]}-{reference.lines[1]}" if reference.lines else ""
    return f"{reference.target}{span}"


def _why(reference: Reference) -> str:
    parts = (reference.why, reference.critical, reference.pattern, reference.gotcha)
    return "; ".join(part for part in parts if part).replace('"', "'")
