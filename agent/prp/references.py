"""References resolved against a repository: what they point to, or why they don't."""

import posixpath
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from agent.prp.briefing import Document
from agent.prp.excerpt import excerpt, has_sections
from agent.prp.known import KnownFiles, is_absolute
from agent.prp.model import Prp, Reference, ReferenceKind

_MOST_CHARACTERS = 24_000
_ALL_CHARACTERS = 120_000
_SECRETS = (".env", ".pem", ".key", ".p12", ".pfx", ".netrc", ".npmrc", ".pypirc")


def documents_of(
    prp: Prp, *, files: Iterable[str], read: Callable[[str], str], folder: str = ""
) -> list[tuple[Reference, Document]]:
    """Return what the file and docfile references point to.

    Args:
        prp: The document.
        files: Paths of the repository's files; absolute paths of another machine are found among
            them by their end.
        read: Returns a file's text, or raises `ValueError` with the reason why it can't.
        folder: The document's folder below the root.

    Returns:
        Each reference with its document; `url` references have no content yet.

    """
    known = KnownFiles(files)
    left = _ALL_CHARACTERS
    found: list[tuple[Reference, Document]] = []
    shown: set[object] = set()
    for reference in prp.references:
        place = (reference.target, reference.lines, reference.sections)
        if place in shown:
            again = Document(name=_name(reference), why=_why(reference), missing="it stands above")
            found.append((reference, again))
            continue
        shown.add(place)
        document = _document(
            reference, known, read, limit=min(left, _MOST_CHARACTERS), folder=folder
        )
        left -= len(document.content)
        found.append((reference, document))
    return found


def _document(
    reference: Reference,
    known: KnownFiles,
    read: Callable[[str], str],
    *,
    limit: int,
    folder: str,
) -> Document:
    name = _name(reference)
    if reference.kind in (ReferenceKind.URL, ReferenceKind.MCP):
        return Document(name=name, why=_why(reference), missing="not fetched")
    path, reason = locate(reference.target, known, folder=folder)
    if reason:
        return Document(name=name, why=_why(reference), missing=reason)
    try:
        text = read(path)
    except ValueError as error:
        return Document(name=name, why=_why(reference), missing=str(error))
    wanted = reference.sections if has_sections(path) else ()
    content = excerpt(text, sections=wanted, span=reference.lines, limit=max(limit, 0), name=path)
    return Document(
        name=name, why=_why(reference), content=content, is_whole=content.strip() == text.strip()
    )


def locate(target: str, known: KnownFiles, *, folder: str = "") -> tuple[str, str]:
    """Return the repository's path that a reference means, or the reason why there is none.

    Args:
        target: The path as written.
        known: The repository's files.
        folder: The document's folder below the root; a link such as `../SPEC.md` starts there.

    """
    if "\\" in target and target not in known and not is_absolute(target):
        target = target.replace("\\", "/")  # as it is written on Windows
    if ".." in PurePosixPath(target).parts and not (is_absolute(target) or target[:1] == "~"):
        target = posixpath.normpath(posixpath.join(folder, target))
    path = PurePosixPath(target.removeprefix("./"))
    if reason := _refusal(path):
        return "", reason
    plain = str(path)
    if is_absolute(target):
        end = known.by_end(target)
        return (end, "") if end in known else ("", "it is a path of somebody's machine")
    beside = posixpath.normpath(posixpath.join(folder, plain))
    for candidate in (plain, beside):
        if candidate in known:
            return candidate, ""
    if known.is_folder(plain) or known.is_folder(beside):
        return "", "it is a folder"
    below = known.further_down(plain) if "/" in plain else ()
    return (below[0], "") if len(below) == 1 else ("", "there is no such file in the repository")


def _refusal(path: PurePosixPath) -> str:
    """Return why nobody is shown what lies at a path, wherever that may be."""
    if path.parts[:1] and path.parts[0].startswith("~"):
        return "it lies in a home folder"
    if ".." in path.parts:
        return "it leaves the repository"
    if any(part.lower() == ".git" for part in path.parts):
        return "it is git's own"
    if path.name.startswith("id_") or path.name.endswith(_SECRETS):
        return "it may hold secrets"
    return ""


def _name(reference: Reference) -> str:
    span = f":{reference.lines[0]}-{reference.lines[1]}" if reference.lines else ""
    return f"{reference.target}{span}"


def _why(reference: Reference) -> str:
    parts = (reference.why, reference.critical, reference.pattern, reference.gotcha)
    return "; ".join(part for part in parts if part).replace('"', "'")
