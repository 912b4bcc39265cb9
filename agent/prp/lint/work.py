"""Whether the paths of tasks may be written, and whether the trees are those of the repository."""

import re
from collections.abc import Iterator

from agent.prp.known import KnownFiles, is_absolute
from agent.prp.lines import scan
from agent.prp.lint.context.files import did_you_mean
from agent.prp.lint.surroundings import Surroundings
from agent.prp.model import FileChange, Finding, Prp, Severity, Verb
from agent.prp.rules import finding
from agent.prp.trees import tree_files

_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LONGEST = 255


def about_tasks(prp: Prp, around: Surroundings | None) -> Iterator[Finding]:
    """Return findings about the files that tasks name."""
    made: dict[str, int] = {}
    earlier: set[str] = set()
    for task in prp.tasks:
        for change in task.changes:
            here = around.known.by_end(change.path) if around and is_absolute(change.path) else ""
            if here and change.verb is not Verb.CREATE:
                yield finding(
                    "I28",
                    change.line,
                    f"{change.path[:80]} is a path of somebody's machine; here it is {here}",
                    f"Write `{here}`.",
                )
                continue
            if words := why_unsafe(change.path):
                yield finding(
                    "I35",
                    change.line,
                    f"The task names `{change.path[:80]}`: {words}",
                    "Name a path below the repository's root.",
                )
                continue
            path = change.path.removeprefix("./")
            if change.verb is Verb.CREATE:
                if path in made and made[path] != task.number:
                    yield finding(
                        "I37",
                        change.line,
                        f"Task {task.label} creates {path}, which an earlier task creates",
                        "Create it once, and MODIFY it later.",
                    )
                made.setdefault(path, task.number)
            if around is not None:
                yield from _unexpected(change, path, around.known, earlier)
            earlier.add(path)


def why_unsafe(path: str) -> str:
    """Return why a task may not name a path; empty where it may."""
    parts = re.split(r"[/\\]", path)
    if "\0" in path or any(ord(c) < 32 for c in path):
        return "it holds a control character"
    if is_absolute(path) or path.startswith("~"):
        return "it is not below the repository's root"
    if ".." in parts:
        return "it leaves the repository"
    if any(part.lower().rstrip(". ") in (".git", "git~1") for part in parts):
        return "it is git's own"
    if any(_RESERVED.match(part) for part in parts):
        return "Windows has reserved the name"
    if any(part not in (".", "") and part.endswith((".", " ")) for part in parts[:-1]):
        return "a folder's name ends with a full stop or a blank"
    if parts[-1].endswith(" ") or (parts[-1].endswith(".") and parts[-1].strip(".")):
        return "it ends with a full stop or a blank"
    if any(len(part.encode()) > _LONGEST for part in parts):
        return "a name is longer than 255 bytes"
    return ""


def _unexpected(
    change: FileChange, path: str, known: KnownFiles, earlier: set[str]
) -> Iterator[Finding]:
    if any(c in path for c in "*?{}[]<> ") or path.endswith("/"):
        return
    if change.verb is Verb.CREATE and path in known:
        yield finding(
            "I36",
            change.line,
            f"{path} is to be created and exists already",
            "Write MODIFY, or choose another name.",
        )
    elif (
        change.verb is not Verb.CREATE
        and path not in known
        and path not in earlier
        and not known.is_folder(path)
    ):
        yield finding(
            "I36",
            change.line,
            f"{path} is to be changed and does not exist",
            did_you_mean(path, known) or "Correct the path, or write CREATE.",
        )


def about_trees(prp: Prp, around: Surroundings | None) -> Iterator[Finding]:
    """Return what the current tree shows that is not there: one finding for the whole tree."""
    if around is None or prp.current_tree is None:
        return
    lines, _ = scan(f"\n{prp.current_tree.body}")
    shown = [text for text in tree_files(lines) if "." in text.text.rpartition("/")[2]]
    gone = [text for text in shown if not _is_there(text.text, around.known)]
    if shown and gone:
        first = gone[0]
        rest = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        yield finding(
            "R08",
            prp.current_tree.line + first.line - 1,
            f"The current tree shows {first.text}{rest} of {len(shown)} files, not in the "
            "repository",
            "Write the tree anew, or delete it: prp gives the planner the real one.",
            severity=Severity.NOTE if 2 * len(gone) < len(shown) else None,
        )


def _is_there(path: str, known: KnownFiles) -> bool:
    plain = path.removeprefix("./").strip("/")
    return plain in known or known.is_folder(plain) or bool(known.by_end(f"/{plain}"))
