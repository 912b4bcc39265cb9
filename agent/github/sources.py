"""Where the PRP comes from: a path, the issue's own words, its form; otherwise a draft."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote

from agent.errors import DocumentError
from agent.prp import Prp, parse_prp, slug
from agent.shown import printable, seen

Kind = Literal["path", "body", "form", "draft"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A document and where it came from."""

    kind: Kind
    name: str
    """Path below the repository; of one from an issue, where it would be put."""
    text: str


def find_prp(
    *, title: str, body: str, number: int | None, read: Callable[[str], str], asked: str = ""
) -> Found:
    r"""Return the PRP that somebody means.

    Args:
        title: Of the issue.
        body: Of the issue, as it was when the label was set.
        number: Of the issue; None without one.
        read: Returns a file of the default branch; raises `DocumentError` where there is none.
        asked: A path that was typed; it comes before everything else.

    Raises:
        DocumentError: A path was named, and no document lies there.

    """
    words = seen(body)
    if path := asked or _named(words):
        return Found(kind="path", name=path, text=read(_safe(path)))
    name = f"PRPs/{name_of(title, number)}.md"
    if filled := _form(words):
        return Found(kind="form", name=name, text=_from_form(title, filled))
    text = words if words.startswith("# ") else f"# {_line(title)}\n\n{words}"
    if is_prp(parse_prp(text, path=Path(name))):
        return Found(kind="body", name=name, text=text)
    return Found(kind="draft", name=name, text=_draft(title, words, number))


def name_of(title: str, number: int | None) -> str:
    """Return a name for files and branches made of an issue's number and title."""
    words = slug(PurePosixPath(title.replace("/", " ").replace(".", " ")), limit=30)
    return f"issue-{number}-{words}" if number else words


def is_prp(prp: Prp) -> bool:
    """Return whether a text can be carried out and proven: it has tasks, and checks or criteria."""
    return bool(prp.tasks and prp.checks and (prp.criteria or prp.goal))


_LINE = re.compile(r"^[ \t]*PRP:[ \t]*`?(?P<path>[^\s`]+\.md)`?[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"\]\((?:https?://[^\s()/]+/[^\s()/]+/[^\s()/]+/blob/[^\s()/]+/|/)?"
                   r"(?P<path>(?:[\w.@%+-]+/)*[\w.@%+-]+\.md)\)")  # fmt: skip


def _named(words: str) -> str:
    """Return the path that an issue names, by a line or as its only link to a document."""
    lines = _LINE.findall(words)
    if lines:
        return str(lines[0])
    links = {unquote(path) for path in _LINK.findall(words)}
    # Words beside the link may ask for something else; then the link is context.
    is_all = len(words.split()) <= 40
    return links.pop() if len(links) == 1 and is_all else ""


def _safe(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or not parts or not path.isprintable():
        raise DocumentError("it is no path below the repository", path=Path(printable(path)))
    return path


def _line(title: str) -> str:
    return " ".join(seen(title).split()) or "Without a title"


_FIELDS = {
    "goal": "goal",
    "why": "why",
    "success criteria": "criteria",
    "context": "context",
    "tasks": "tasks",
    "checks": "checks",
}
_NEEDED = {"goal", "criteria", "tasks", "checks"}
_EMPTY = "_No response_"


def _form(words: str) -> Mapping[str, str]:
    """Return the fields of our issue form; empty where the words are something else."""
    parts = re.split(r"^### (.+)$", words, flags=re.MULTILINE)
    names = [name.strip().lower() for name in parts[1::2]]
    if parts[0].strip() or len(set(names)) != len(names) or not set(names) <= set(_FIELDS):
        return {}
    filled = {
        _FIELDS[name]: "" if value.strip() == _EMPTY else value.strip("\n")
        for name, value in zip(names, parts[2::2], strict=True)
    }
    return filled if set(filled) >= _NEEDED else {}


def _from_form(title: str, filled: Mapping[str, str]) -> str:
    """Return the fields as a PRP in the template's form."""
    parts = [f"# {_line(title)}", f"## Goal\n{filled['goal']}"]
    if filled.get("why"):
        parts.append(f"## Why\n{filled['why']}")
    parts.append(f"## What\n\n### Success Criteria\n{_boxes(filled['criteria'])}")
    if filled.get("context"):
        parts.append(f"## All Needed Context\n\n{_references(filled['context'])}")
    parts.append(f"## Implementation Blueprint\n\n{_tasks(filled['tasks'])}")
    commands = re.sub(r"^```.*$", "", filled["checks"], flags=re.MULTILINE).strip("\n")
    parts.append(f"## Validation Loop\n\n### Level 1: Checks\n```bash\n{commands}\n```")
    return "\n\n".join(parts) + "\n"


def _boxes(text: str) -> str:
    bare = (re.sub(r"^\s*(?:[-*]\s*)?(?:\[[ xX]\]\s*)?", "", line) for line in text.splitlines())
    return "\n".join(f"- [ ] {line}" for line in bare if line.strip())


def _references(text: str) -> str:
    entries = []
    for line in filter(str.strip, text.splitlines()):
        target, _, why = re.sub(r"^\s*[-*]\s*", "", line).partition(" ")
        kind = "url" if "://" in target else "file"
        entries.append(f"- {kind}: {target}")
        if why.strip(" :-"):
            entries.append(f"  why: {_quoted(why.strip(' :-'))}")
    return "\n".join(["```yaml", *entries, "```"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _tasks(text: str) -> str:
    """Return the tasks as written where they have headings, otherwise one a line."""
    if re.search(r"^\s*(?:#+\s*)?Task\s+\d+", text, re.MULTILINE):
        return text
    lines = [re.sub(r"^\s*(?:[-*]|\d+[.)])\s*", "", line) for line in text.splitlines()]
    made = []
    for number, line in enumerate(filter(str.strip, lines), 1):
        verb = re.match(r"(CREATE|MODIFY|DELETE|MOVE)\s+(\S+?):?(?:\s+(.*))?$", line)
        if verb is None:
            made.append(f"Task {number} - {line}")
            continue
        made.append(f"Task {number} - {verb[3] or verb[2]}:\n  {verb[1]} {verb[2]}:")
        made.append(f"    - {verb[3] or 'as the goal says'}")
    return "\n".join(["```yaml", *made, "```"])


def _draft(title: str, words: str, number: int | None) -> str:
    """Return a PRP for people to complete: the issue's words, and what has to be said besides."""
    quoted = "\n".join(f"> {line}".rstrip() for line in words.strip().splitlines())
    where = f"Issue {number} says" if number else "The issue says"
    return _DRAFT.format(title=_line(title), where=where, words=quoted or "> nothing")


_DRAFT = """\
# {title}

## Goal
[What there will be when this is done, in two or three sentences]

## Why
{where}:

{words}

## What
[What a user sees, and what must not change]

### Success Criteria
- [ ] [An outcome that somebody can see to be false]

## All Needed Context

### Documentation & References
```yaml
- file: [src/module.py]
  why: [What it shows]
```

## Implementation Blueprint
```yaml
Task 1 - [Title]:
  CREATE [src/module.py]:
    - [What it does]
```

## Validation Loop

### Level 1: Checks
```bash
[pytest tests/test_module.py]
```
"""
