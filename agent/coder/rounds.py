"""Which assignments can be carried out at the same time, and which have to wait for others."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from agent.coder.assignments import Assignment

_OF_A_TEST = re.compile(r"^test_|[._-](?:test|tests|spec)$")


def rounds(work: Sequence[Assignment]) -> tuple[tuple[Assignment, ...], ...]:
    """Return the work in rounds, each in the order of the work.

    Nothing in a round rests on anything else in it; all that it rests on stands in earlier rounds.
    An assignment of which nobody says which files it changes has a round of its own.
    """
    # Once for each, not for each pair: a hundred tasks have 4,950 pairs.
    names = [tuple(name.casefold() for name in _names(one.files)) for one in work]
    levels: list[int] = []
    for place, one in enumerate(work):
        words = one.words.casefold()
        needed = [levels[n] for n in range(place) if _rests_on(one, words, work[n], names[n])]
        levels.append(max(needed, default=-1) + 1)
    return tuple(
        tuple(one for one, own in zip(work, levels, strict=True) if own == level)
        for level in range(max(levels, default=-1) + 1)
    )


def _rests_on(later: Assignment, words: str, earlier: Assignment, names: Iterable[str]) -> bool:
    """Return whether an assignment has to wait for one that stands before it; if in doubt, yes.

    `words` are the later one's, `names` the earlier one's files, both in small letters.
    """
    if not later.files or not earlier.files:
        return True
    return (
        earlier.number in later.after
        or bool(later.files & earlier.files)
        or any(_belongs_to(one, other) for one in later.files for other in earlier.files)
        or any(_mentions(words, name) for name in names)
        or _mentions(words, f"task {earlier.number}")
    )


def _belongs_to(test: str, path: str) -> bool:
    """Return whether a file is the test of another one, by their names."""
    name = _stem(test)
    bare = _OF_A_TEST.sub("", name)
    return bare != name and bare == _stem(path)


def _stem(path: str) -> str:
    name = PurePosixPath(path).name
    return name.rpartition(".")[0] or name


def _names(paths: frozenset[str]) -> Iterator[str]:
    """Yield what a text calls files by: path, name, module, and names that are no plain word."""
    for path in paths:
        yield path
        yield PurePosixPath(path).name
        parts = [*PurePosixPath(path).parts[:-1], _stem(path)]
        yield from (".".join(parts[n:]) for n in range(len(parts) - 1))
        stem = parts[-1]
        if len(parts) == 1 or "_" in stem.strip("_") or re.search(r"[a-z][A-Z]", stem):
            yield stem


def _mentions(text: str, name: str) -> bool:
    # A hundred tasks have 10,000 names to look for in each other; few of them stand there at all.
    return name in text and bool(re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", text))
