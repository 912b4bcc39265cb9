"""Drawings of trees: the files that one names, and one for files."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from agent.prp.lines import Line, Role
from agent.prp.model import Text

_TREE = re.compile(
    r"^(?P<indent>[\s│|├└─+`\\-]*)(?P<name>[^\s#│├└←]+(?:\s[^\s#│├└←(]+)*?)\s*(?:[#←(].*)?$"
)
_MARK = re.compile(r"\[(?:NEW|MODIFIED|MODIFY|UPDATED?|CREATE|EXISTING)\]\s*")
_OTHER_TEXT = re.compile(r":\s|[\"'=;{}]")
_FILE = re.compile(r"\.\w{1,6}$|^(Makefile|Dockerfile)$")
_NEW = re.compile(r"\[?\b(?:NEW|CREATE|ADD)\b\]?\s*:?|✨|\+", re.IGNORECASE)


def tree_files(lines: Iterable[Line]) -> list[Text]:
    """Return the files that a tree drawing names, as paths."""
    found: list[Text] = []
    stack: list[tuple[int, str]] = []
    for line in lines:
        if line.role is not Role.INSIDE or line.text.strip().startswith(("#", "//")):
            continue
        match = _TREE.match(_MARK.sub("", line.text) if "[" in line.text else line.text)
        # Other text in such a block: `key: value`, code, a sentence with quotes.
        if not match or _OTHER_TEXT.search(match["name"]):
            continue
        depth, name = len(match["indent"]), match["name"].strip("`*")
        while stack and stack[-1][0] >= depth:
            stack.pop()
        whole = "/".join([*(folder for _, folder in stack), name]).replace("//", "/")
        if name.endswith("/"):
            stack.append((depth, name.rstrip("/")))
        elif _FILE.search(name) and name not in (".", ".."):
            found.append(Text(text=whole.removeprefix("./"), line=line.number))
    return found


def draw_tree(
    paths: Iterable[str], *, mark: str = "", notes: Mapping[str, str] | None = None
) -> str:
    """Return a drawing that `tree_files` reads the same paths from.

    Args:
        paths: Files, relative to one root.
        mark: Stands before each file's name, for instance `[NEW] `.
        notes: Path to what is said behind it.

    """
    root: dict[str, Any] = {}
    for path in sorted(paths):
        *folders, name = path.split("/")
        below = root
        for folder in folders:
            below = below.setdefault(f"{folder}/", {})
        below[name] = path
    return "\n".join(_drawn(root, "", mark, notes or {}, is_top=True))


def _drawn(
    below: Mapping[str, Any], indent: str, mark: str, notes: Mapping[str, str], *, is_top: bool
) -> Iterable[str]:
    for place, (name, what) in enumerate(below.items(), 1):
        is_last = place == len(below)
        branch = "" if is_top else ("└── " if is_last else "├── ")
        if isinstance(what, str):
            note = f"  # {notes[what]}" if notes.get(what) else ""
            yield f"{indent}{branch}{mark}{name}{note}"
            continue
        yield f"{indent}{branch}{name}"
        deeper = "" if is_top else ("    " if is_last else "│   ")
        yield from _drawn(what, indent + deeper, mark, notes, is_top=False)
