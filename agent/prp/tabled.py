"""Tasks that are the rows of a table: `| 1 | Add the till | src/till.ts |`."""

import re
from collections.abc import Sequence

from agent.prp.lines import Line, Role
from agent.prp.starts import Start, plain


def tabled_starts(lines: Sequence[Line]) -> list[tuple[Start, list[str]]]:
    """Return the rows of tables with a column for tasks, each with what its column of files says.

    Args:
        lines: Lines of the sections that list the tasks.

    """
    found: list[tuple[Start, list[str]]] = []
    head: list[str] = []
    for index, line in enumerate(lines):
        if line.role is not Role.TEXT or not line.text.lstrip().startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.text.strip().strip("|").split("|")]
        if not head:
            head = [_WORD.sub("", cell.lower()) for cell in cells]
        elif "task" in head and len(cells) == len(head) and not _RULE.fullmatch(line.text):
            title = plain(cells[head.index("task")])
            if _LABEL.fullmatch(title):
                title = next(
                    (plain(cells[i]) for i, name in enumerate(head) if name in _TITLES), title
                )
            label = cells[0] if _LABEL.fullmatch(cells[0]) else ""
            files = [cells[i] for i, name in enumerate(head) if name in _FILES]
            named = [part.strip(" `") for cell in files for part in re.split(r",|<br/?>", cell)]
            found += [(Start(index=index, label=label, title=title), named)] if title else []
    return found


_WORD = re.compile(r"[^a-z]")
_RULE = re.compile(r"\s*[\s|:-]+\s*")
_LABEL = re.compile(r"[A-Z]?\d{1,3}(?:\.\d{1,3})?")
_TITLES = ("description", "title", "name", "what", "details")
_FILES = ("file", "files", "path", "paths", "location", "target")
