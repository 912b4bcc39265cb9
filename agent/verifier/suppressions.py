"""Comments that keep a checker from speaking, and whether checks pass without the new ones."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agent.verifier.changes import Edited

_PYTHON = re.compile(
    r"#\s*(?:noqa\b|nosec\b|type:\s*ignore|pragma:\s*no\b|(?:ruff|flake8):\s*noqa|mypy:\s*\S|"
    r"pyright:\s*\S|pylint:\s*disable|isort:\s*skip)",
    re.IGNORECASE,
)
_SLASHES = re.compile(
    r"[ \t]*(?://|/\*)[ \t]*(?:eslint-disable|@ts-(?:ignore|expect-error|nocheck)|prettier-ignore|"
    r"biome-ignore|istanbul ignore|c8 ignore|v8 ignore|nolint|tslint:disable|noinspection)"
    r"[^\n]*?(?:\*/|$)",
    re.IGNORECASE,
)
_RUST = re.compile(r"#!?\[allow\([^\]]*\)\]")
_BY_ENDING: Mapping[tuple[str, ...], re.Pattern[str]] = {
    (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".go", ".java", ".kt", ".swift"): _SLASHES,
    (".rs",): _RUST,
}
# Named rules are a decision that a reader can follow; everything is a way not to look.
_NAMED = re.compile(
    r"noqa:\s*[A-Z]+\d|ignore\[[\w, -]+\]|disable(?:-next-line|-line)?[ =]\S|nolint:\w"
)


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One comment that a branch adds."""

    path: str
    line: int
    words: str

    @property
    def is_blanket(self) -> bool:
        """Return whether it names no rule, and so hides everything."""
        return not _NAMED.search(self.words)

    def __str__(self) -> str:
        """Return its place and its words."""
        return f"{self.path}:{self.line} `{self.words}`"


def new_suppressions(edits: Iterable[Edited]) -> tuple[Suppression, ...]:
    """Return the suppressions that a branch adds."""
    return tuple(
        Suppression(path=edit.path, line=number, words=words.strip())
        for edit in edits
        for number, line in edit.added_lines
        for words in _in_line(edit.path, line)
    )


def without(edits: Iterable[Edited], found: Iterable[Suppression]) -> dict[str, str]:
    """Return the files that hold new suppressions with just these taken out."""
    by_path: dict[str, dict[int, str]] = {}
    for one in found:
        by_path.setdefault(one.path, {})[one.line] = one.words
    texts = {edit.path: edit.after or "" for edit in edits}
    result = {}
    for path, lines in by_path.items():
        kept = texts[path].splitlines(keepends=True)
        for number, words in lines.items():
            kept[number - 1] = _taken_out(kept[number - 1], words)
        result[path] = "".join(kept)
    return result


def _taken_out(line: str, words: str) -> str:
    head, _, tail = line.partition(words)
    return head.rstrip(" \t") + tail if tail.strip() == "" else head + tail


def _in_line(path: str, line: str) -> Iterator[str]:
    if path.endswith((".py", ".pyi")):
        if marked := _PYTHON.search(line):
            yield line[marked.start() :]
        return
    pattern = next((p for endings, p in _BY_ENDING.items() if path.endswith(endings)), None)
    if pattern is not None:
        yield from (match[0] for match in pattern.finditer(line))
