"""Whether a file of the needed context is there and may be read."""

import posixpath
from collections.abc import Iterator

from agent.prp.excerpt import has_section, has_sections
from agent.prp.known import KnownFiles, is_absolute
from agent.prp.lint.surroundings import Nature, Surroundings
from agent.prp.model import Finding, Reference, Severity
from agent.prp.references import locate
from agent.prp.rules import finding, shortened


def is_meant(target: str, around: Surroundings | None) -> bool:
    """Return whether a target is a path: one word may be anything until something is there."""
    if not _is_vague(target):
        return True
    return around is not None and around.nature(target) in (Nature.OUTSIDE, Nature.SPECIAL)


def _is_vague(target: str) -> bool:
    """Return whether a target is a pattern or words, not one path."""
    return any(c in target for c in "*?{}[]<>, ") or ("." not in target and "/" not in target)


def about_file(
    reference: Reference, around: Surroundings | None, *, is_made: bool
) -> Iterator[Finding]:
    """Return findings about a reference to a file; `is_made` where the document makes it."""
    target, line = reference.target, reference.line
    known, folder = (around.known, around.folder) if around else (KnownFiles(()), "x/x")
    path, reason = locate(target, known, folder=folder)
    if code := _REFUSED.get(reason):
        yield finding(
            code,
            line,
            f"{shortened(target)} is not read: {reason}",
            "Copy what matters into a docfile of the repository.",
            # What the text only mentions is not asked for.
            severity=None if reference.declared else Severity.WARNING,
        )
        return
    if is_absolute(target):
        yield finding("I28", line, *_absolute(target, path, around))
        return
    if around is None or is_made:
        return
    if path.endswith(f"/{target.removeprefix('./')}") and not _is_beside(path, target, folder):
        yield finding(
            "I33",
            line,
            f"There is no file {shortened(target)} in the repository; {path} is taken for it",
            f"Write `{path}`.",
            severity=Severity.WARNING if reference.declared else Severity.NOTE,
        )
    if reason == "it is a folder" or path:
        yield from _what_is_there(reference, path or target, around)
        return
    if around.nature(target.removeprefix("./")) is not Nature.NOTHING:
        # Git ignores it, and it is there.
        yield from _what_is_there(reference, target.removeprefix("./"), around)
        return
    meant = did_you_mean(target.removeprefix("./"), known)
    yield finding(
        "I33",
        line,
        f"There is no file {shortened(target)} in the repository",
        meant or "Correct the path or delete the reference.",
        severity=None if reference.declared else Severity.NOTE,
    )


def _is_beside(path: str, target: str, folder: str) -> bool:
    """Return whether a file was found from the document's folder."""
    return path == posixpath.normpath(posixpath.join(folder, target))


def did_you_mean(path: str, known: KnownFiles) -> str:
    """Return which files a path that is not there may mean, empty where none comes near."""
    near = known.further_down(path) or known.further_down(path.rpartition("/")[2])
    if not near or len(near) > _MOST_NEAR:
        return ""
    return f"Did you mean {' or '.join(near)}?"


# More files of one name are no help: every package has an `__init__.py`.
_MOST_NEAR = 3
_REFUSED = {
    "it leaves the repository": "I27",
    "it lies in a home folder": "I29",
    "it is git's own": "I32",
    "it may hold secrets": "I32",
}


def _absolute(target: str, path: str, around: Surroundings | None) -> tuple[str, str]:
    if path:
        return (
            f"{shortened(target)} is a path of somebody's machine; {path} is taken for it",
            f"Write `{path}`.",
        )
    found = around.known.by_end(target) if around else ""
    if found:
        return (
            f"{shortened(target)} is a path of somebody's machine; here it is {found}",
            f"Write `{found}`.",
        )
    return (
        f"{shortened(target)} is a path of somebody's machine and is not read",
        "Write the path from the repository's root.",
    )


def _what_is_there(reference: Reference, path: str, around: Surroundings) -> Iterator[Finding]:
    nature, line = around.nature(path), reference.line
    if nature is Nature.OUTSIDE:
        yield finding(
            "I30",
            line,
            f"{shortened(path)} is a link that leaves the repository",
            "Copy what matters into a docfile of the repository.",
        )
    elif nature is Nature.SPECIAL or (nature is Nature.FOLDER and reference.declared):
        yield finding(
            "I31",
            line,
            f"{shortened(path)} is a {nature.value}; prp gives no content of it",
            "Name the files that matter.",
            severity=Severity.NOTE if nature is Nature.FOLDER else None,
        )
    elif nature is Nature.LARGE:
        yield finding(
            "I34",
            line,
            f"{shortened(path)} is larger than 1 MiB; only its beginning is read",
            "Name the lines or sections that matter.",
        )
    elif nature is Nature.FILE and (reference.sections or reference.lines):
        yield from _parts(reference, path, around)


def _parts(reference: Reference, path: str, around: Surroundings) -> Iterator[Finding]:
    try:
        text = around.read(path)
    except ValueError:
        return
    last = text.count("\n") + (not text.endswith("\n"))
    if reference.lines and reference.lines[1] > last:
        yield finding(
            "R09",
            reference.line,
            f"{shortened(path)} has {last} lines; lines {reference.lines[0]}-{reference.lines[1]} "
            "are asked for",
            "Correct the range, or name a section.",
        )
    if has_sections(path):
        for section in reference.sections:
            if not has_section(text, section, path=path):
                yield finding(
                    "R09",
                    reference.line,
                    f"{shortened(path)} has no section `{section[:80]}`",
                    "Correct the name; without it the whole file is read.",
                )
