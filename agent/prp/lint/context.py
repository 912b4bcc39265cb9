"""Whether references point to something that may be read."""

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from agent.prp.excerpt import has_section
from agent.prp.known import KnownFiles, is_absolute
from agent.prp.lint.surroundings import Nature, Surroundings
from agent.prp.model import Finding, Prp, Reference, ReferenceKind, Severity, Verb
from agent.prp.references import locate
from agent.prp.rules import finding

_KNOWN_KEYS = frozenset(
    "why section sections critical pattern patterns gotcha gotchas lines line note notes usage "
    "module modules example examples focus description purpose reason key_insight insight content "
    "important relevant url file docfile doc docs path title contains covers reference warning use "
    "follow mirror context details what how current change changes search query status".split()
)


def about_references(prp: Prp, around: Surroundings | None) -> Iterator[Finding]:
    """Return findings about the needed context."""
    made = {
        change.path.removeprefix("./")
        for task in prp.tasks
        for change in task.changes
        if change.verb in (Verb.CREATE, Verb.MOVE)
    }
    made |= {text.text for text in prp.desired_files}
    for reference in prp.references:
        yield from _form(reference)
        if reference.kind is ReferenceKind.MCP:
            continue
        if "://" in reference.target or reference.kind is ReferenceKind.URL:
            yield from _address(reference)
        elif (target := reference.target.removeprefix("./")) and _is_meant(target, around):
            is_made = any(path == target or path.startswith(f"{target}/") for path in made)
            yield from _file(reference, around, is_made=is_made)


def _form(reference: Reference) -> Iterator[Finding]:
    if not reference.declared:
        return
    if reference.target.startswith(("[", "{")) or reference.target in ("|", ">", "null", "~"):
        yield finding(
            "I25",
            reference.line,
            f"`{reference.target[:60]}` is no {reference.kind.value}: one text belongs here",
            "Write one entry for each.",
        )
    elif not reference.why and not any((reference.critical, reference.pattern, reference.gotcha)):
        yield finding(
            "I25",
            reference.line,
            f"The reference to {_short(reference.target)} does not say why it is needed",
            "Add `why:`; it is what the planner goes by.",
            severity=Severity.NOTE,
        )
    keys = [note.partition(":")[0] for note in reference.notes]
    if unknown := [key[:40] for key in keys if key not in _KNOWN_KEYS]:
        words = f"key `{unknown[0]}` means" if len(unknown) == 1 else f"keys {unknown} mean"
        yield finding(
            "I26",
            reference.line,
            f"The {words} nothing to prp; the planner reads it as a note",
            "Use why, sections, critical, pattern or gotcha.",
        )


def is_vague(target: str) -> bool:
    """Return whether a target is a pattern or words, not one path."""
    return any(c in target for c in "*?{}[]<>, ") or ("." not in target and "/" not in target)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _address(reference: Reference) -> Iterator[Finding]:
    target, line = reference.target, reference.line
    try:
        parts = urlsplit(target)
        host, has_user = parts.hostname or "", bool(parts.username or parts.password)
    except ValueError:
        yield finding("I38", line, f"{_short(target)} is no address", "Write it in full.")
        return
    if has_user:
        yield finding(
            "I45",
            line,
            f"The address of {host} holds a user name or a password",
            "Take it out, and revoke it.",
        )
    if not parts.scheme:
        yield finding("I38", line, f"{_short(target)} is no address", "Write it in full.")
    elif parts.scheme not in ("http", "https"):
        yield finding(
            "I38",
            line,
            f"prp does not open `{parts.scheme}:` addresses",
            "Use https, or a file of the repository.",
        )
    elif is_private(host):
        yield finding(
            "I39",
            line,
            f"{_short(target)} is on this machine or a private network and is not fetched",
            "Copy what matters into a docfile.",
        )


_PRIVATE_NAMES = re.compile(
    r"(^|\.)(localhost|local|internal|lan|home|corp|intranet)$|^metadata(\.|$)"
)


def is_private(host: str) -> bool:
    """Return whether a host's name or number means this machine or a private network."""
    plain = host.rstrip(".").lower()
    if not plain or _PRIVATE_NAMES.search(plain):
        return True
    number = _number(plain)
    if number is None:
        return False
    mapped = getattr(number, "ipv4_mapped", None) or number
    return not mapped.is_global


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address in any of the forms that systems accept: 127.1, 0x7f000001, 2130706433."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    parts = host.split(".")
    if len(parts) > 4 or not all(
        re.fullmatch(r"0x[0-9a-f]{1,16}|\d{1,16}", part) for part in parts
    ):
        return None
    values = [int(p, 16) if p[:2] == "0x" else int(p, 8 if _is_octal(p) else 10) for p in parts]
    *high, low = values
    if any(value > 255 for value in high) or low >= 256 ** (5 - len(parts)):
        return None
    return ipaddress.IPv4Address(
        sum(value << (8 * (3 - place)) for place, value in enumerate(high)) + low
    )


_A_NUMBER = re.compile(r"0x[0-9a-f]{1,16}|\d{1,16}")


def _is_octal(text: str) -> bool:
    return len(text) > 1 and text[0] == "0" and set(text) <= set("01234567")


def _is_meant(target: str, around: Surroundings | None) -> bool:
    """Return whether a target is a path: one word may be anything until something is there."""
    if not is_vague(target):
        return True
    return around is not None and around.nature(target) in (Nature.OUTSIDE, Nature.SPECIAL)


def _file(reference: Reference, around: Surroundings | None, *, is_made: bool) -> Iterator[Finding]:
    target, line = reference.target, reference.line
    known, folder = (around.known, around.folder) if around else (KnownFiles(()), "x/x")
    path, reason = locate(target, known, folder=folder)
    if code := _REFUSED.get(reason):
        yield finding(
            code,
            line,
            f"{_short(target)} is not read: {reason}",
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
            f"There is no file {_short(target)} in the repository; {path} is taken for it",
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
        f"There is no file {_short(target)} in the repository",
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
            f"{_short(target)} is a path of somebody's machine; {path} is taken for it",
            f"Write `{path}`.",
        )
    found = around.known.by_end(target) if around else ""
    if found:
        return (
            f"{_short(target)} is a path of somebody's machine; here it is {found}",
            f"Write `{found}`.",
        )
    return (
        f"{_short(target)} is a path of somebody's machine and is not read",
        "Write the path from the repository's root.",
    )


def _what_is_there(reference: Reference, path: str, around: Surroundings) -> Iterator[Finding]:
    nature, line = around.nature(path), reference.line
    if nature is Nature.OUTSIDE:
        yield finding(
            "I30",
            line,
            f"{_short(path)} is a link that leaves the repository",
            "Copy what matters into a docfile of the repository.",
        )
    elif nature is Nature.SPECIAL or (nature is Nature.FOLDER and reference.declared):
        yield finding(
            "I31",
            line,
            f"{_short(path)} is a {nature.value}; prp gives no content of it",
            "Name the files that matter.",
            severity=Severity.NOTE if nature is Nature.FOLDER else None,
        )
    elif nature is Nature.LARGE:
        yield finding(
            "I34",
            line,
            f"{_short(path)} is larger than 1 MiB; only its beginning is read",
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
            f"{_short(path)} has {last} lines; lines {reference.lines[0]}-{reference.lines[1]} "
            "are asked for",
            "Correct the range, or name a section.",
        )
    if path.endswith((".md", ".mdx", ".markdown")):
        for section in reference.sections:
            if not has_section(text, section):
                yield finding(
                    "R09",
                    reference.line,
                    f"{_short(path)} has no section `{section[:80]}`",
                    "Correct the name; without it the whole file is read.",
                )
