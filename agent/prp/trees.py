"""Files that a drawing of a tree names."""

import re
from collections.abc import Iterable

from agent.prp.lines import Line, Role
from agent.prp.model import Text

_TREE = re.compile(
    r"^(?P<indent>[\s│|├└─+`\\-]*)(?P<name>[^\s#│├└←]+(?:\s[^\s#│├└←(]+)*?)\s*(?:[#←(].*)?$"
)
_NEW = re.compile(r"\[?\b(?:NEW|CREATE|ADD)\b\]?\s*:?|✨|\+", re.IGNORECASE)


def tree_files(lines: Iterable[Line]) -> list[Text]:
    """Return the files that a tree drawing names, as paths."""
    found: list[Text] = []
    stack: list[tuple[int, str]] = []
    for line in lines:
        if line.role is not Role.INSIDE or line.text.strip().startswith(("#", "//")):
            continue
        bare = re.sub(r"\[(?:NEW|MODIFIED|MODIFY|UPDATED?|CREATE|EXISTING)\]\s*", "", line.text)
        match = _TREE.match(bare)
        # Other text in such a block: `key: value`, code, a sentence with quotes.
        if not match or re.search(r":\s|[\"'=;{}]", match["name"]):
            continue
        depth, name = len(match["indent"]), match["name"].strip("`*")
        while stack and stack[-1][0] >= depth:
            stack.pop()
        whole = "/".join([*(folder for _, folder in stack), name]).replace("//", "/")
        if name.endswith("/"):
            stack.append((depth, name.rstrip("/")))
        elif re.search(r"\.\w{1,6}$|^(Makefile|Dockerfile)$", name) and name not in (".", ".."):
            found.append(Text(text=whole.removeprefix("./"), line=line.number))
    return found
