"""The files of a commit in as many lines as are worth it."""

from collections import Counter
from collections.abc import Sequence

_DEEPEST = 12


def listing(files: Sequence[str], budget: int) -> str:
    """Return the files one a line, deep folders summed up until the list fits.

    Args:
        files: Paths below the root.
        budget: Characters that the list may have.

    """
    split = [path.split("/") for path in files]
    deepest = min(max(map(len, split), default=1), _DEEPEST)
    fits = ""
    # From above: where there are many files, the first list that does not fit comes soon.
    for depth in range(1, deepest + 1):
        text = "\n".join(_folded(split, depth))
        if len(text) > budget:
            return fits or f"{text[:budget].rpartition(chr(10))[0]}\n..."
        fits = text
    return fits


def _folded(files: Sequence[Sequence[str]], depth: int) -> list[str]:
    shown: list[str] = []
    below: Counter[str] = Counter()
    for parts in files:
        if len(parts) <= depth:
            shown.append("/".join(parts))
        else:
            below["/".join(parts[:depth])] += 1
    folders = (f"{folder}/ ({count} files)" for folder, count in below.items())
    return sorted([*shown, *folders])
