"""Mutants: a branch's own changed lines, changed a little more, for its tests to notice."""

import ast
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from typing import TypeVar

from agent.verifier.operators import Edit, Source, edits_of

# A generated file of this size would take seconds to parse, again and again.
_LARGEST = 400_000
_SHOWN = 80
_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One small change of one file."""

    path: str
    function: str
    """Qualified name of the function that holds it; empty at the top of a module."""
    kind: str
    line: int
    before: str
    """The line as the branch has it, shortened where it is long."""
    after: str
    original: bytes = field(repr=False)
    """The whole file as the branch has it."""
    content: bytes = field(repr=False)
    """The whole file with the change."""

    def __str__(self) -> str:
        """Return the change in words, as ```a < b` becomes `a <= b` at src/x.py:12``."""
        return f"`{self.before}` becomes `{self.after}` at {self.path}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An edit of one file that may become a mutant."""

    path: str
    source: Source
    edit: Edit


def candidates(path: str, text: str, changed_lines: Collection[int]) -> tuple[Candidate, ...]:
    """Return every small change of Python code that touches a changed line.

    Args:
        path: Of the file, for words about it; nothing is read.
        text: The file, line ends as they are.
        changed_lines: Numbers from 1 of the lines that the branch changed or added.

    Returns:
        Candidates in the order of the file; none where the text is no Python of ours.

    """
    if len(text) > _LARGEST or text.startswith("\ufeff") or not changed_lines:
        return ()
    tree = _parsed(text)
    if tree is None:
        return ()
    source = Source(text)
    wanted = frozenset(changed_lines)
    found = {(edit.start, edit.end, edit.new): edit for edit in edits_of(tree, source)}
    return tuple(
        Candidate(path=path, source=source, edit=edit)
        for edit in sorted(found.values(), key=lambda edit: (edit.start, edit.end, edit.new))
        if not wanted.isdisjoint(range(source.line(edit.start), source.line(edit.end - 1) + 1))
    )


def sample(found: Iterable[Candidate], *, most: int) -> tuple[Mutant, ...]:
    """Return mutants that are spread over functions and kinds of change, always the same ones.

    Args:
        found: Candidates of any files.
        most: How many mutants at most. Each function gets one before any gets a second; where
            there are more functions than that, those between the first and the last are thinned
            out evenly.

    Returns:
        Mutants in the order in which to try them. Each can be parsed.

    """
    functions: dict[tuple[str, str], list[Candidate]] = {}
    for one in found:
        functions.setdefault((one.path, one.edit.function), []).append(one)
    queues = [_as_mutants(_mixed(group)) for group in _thinned(list(functions.values()), most)]
    return tuple(islice(_in_turns(queues), most))


def _thinned(groups: list[list[Candidate]], most: int) -> list[list[Candidate]]:
    if len(groups) <= most:
        return groups
    return [groups[place * len(groups) // most] for place in range(most)]


def _mixed(group: Sequence[Candidate]) -> Iterator[Candidate]:
    """Return candidates so that each kind of change comes once before any comes again."""
    kinds: dict[str, list[Candidate]] = {}
    for one in sorted(group, key=lambda one: _ORDER.index(one.edit.kind)):
        kinds.setdefault(one.edit.kind, []).append(one)
    return _in_turns(kinds.values())


def _in_turns(queues: Iterable[Iterable[_Item]]) -> Iterator[_Item]:
    """Return the first of each queue, then the second of each, and so on."""
    rounds = chain.from_iterable(zip_longest(*queues))
    return (one for one in rounds if one is not None)


# What says most about tests first: a border that none looks at, a result that none compares.
_ORDER = "comparison return condition arithmetic number boolean raise call not truth string".split()


def _as_mutants(found: Iterable[Candidate]) -> Iterator[Mutant]:
    """Return those that stay Python when they are carried out."""
    for one in found:
        edit, source = one.edit, one.source
        content = source.code[: edit.start] + edit.new + source.code[edit.end :]
        if _parsed(content.decode("utf-8", "surrogatepass")) is None:
            continue
        before, after = _shown(source, edit)
        yield Mutant(
            path=one.path,
            function=edit.function,
            kind=edit.kind,
            line=source.line(edit.start),
            before=before,
            after=after,
            original=source.code,
            content=content,
        )


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        # An odd escape in somebody's string is not for our terminal.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _shown(source: Source, edit: Edit) -> tuple[str, str]:
    """Return the edit's line before and after it, or the part around it of a long line."""
    first, last = source.around(edit.start)
    head = source.code[first : edit.start].decode("utf-8", "replace").lstrip()
    tail = source.code[edit.end : max(last, edit.end)].decode("utf-8", "replace").rstrip()
    old = source.code[edit.start : edit.end].decode("utf-8", "replace")
    if len(head) + len(tail) > _SHOWN:
        head, tail = _last_words(head), _last_words(tail[::-1])[::-1]
    return _squeezed(head + old + tail), _squeezed(
        head + edit.new.decode("utf-8", "replace") + tail
    )


def _last_words(text: str) -> str:
    """Return the end of a text, cut between words where there is a gap."""
    if len(text) <= _SHOWN // 2:
        return text
    _, gap, rest = text[-_SHOWN // 2 :].partition(" ")
    return f"... {rest}" if gap else f"...{text[-_SHOWN // 2 :]}"


def _squeezed(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 2 * _SHOWN else f"{words[: 2 * _SHOWN]} ..."
