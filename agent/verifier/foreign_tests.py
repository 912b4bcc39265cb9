"""Tests of other languages than Python, by the words that begin and end them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.verifier import foreign_assertions as told
from agent.verifier.assertions import Assertion
from agent.verifier.foreign_assertions import assertions_in

_SCRIPT = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")


@dataclass(frozen=True, kw_only=True)
class ForeignTest:
    """One test as far as its words tell."""

    name: str
    line: int
    body: str
    """Its code without comments and layout."""
    assertions: tuple[Assertion, ...]
    skips: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Words:
    begins: re.Pattern[str]
    """A test begins; the group `name` is its name, `mark` what stands at it."""
    asserts: told.AssertionWords
    skips: re.Pattern[str]


_JAVASCRIPT = _Words(
    begins=re.compile(
        r"^[ \t]*(?P<mark>(?:x?it|x?test|f?it|specify)(?:\.\w+)*)\s*(?:\([^()'\"`\n]*\))?\(\s*"
        r"(?P<quote>['\"`])(?P<name>(?:(?!(?P=quote)).)*)(?P=quote)",
        re.MULTILINE,
    ),
    asserts=told.JAVASCRIPT,
    skips=re.compile(
        r"\b(?:it|test|describe)\.(?:skip|todo|fails|failing|only|skipIf|runIf)\b|"
        r"\{[^{}\n]*\b(?:skip|todo|only)\s*:\s*(?!false\b)|"
        # An assertion that is caught fails nothing.
        r"\bcatch\s*(?:\([^()]*\)\s*)?\{\s*\}|\.catch\(\s*\(?\w*\)?\s*=>\s*\{\s*\}\s*\)|"
        r"\bx(?:it|test|describe)\b|\bf(?:it|describe)\b|\bthis\.skip\(|\bprocess\.exit\("
    ),
)
_GO = _Words(
    begins=re.compile(r"^func (?P<mark>)(?P<name>Test\w*)\(", re.MULTILINE),
    asserts=told.GO,
    skips=re.compile(r"\bt\.Skip\w*\(|\bos\.Exit\(|\bruntime\.Goexit\("),
)
_RUST = _Words(
    begins=re.compile(
        r"#\[(?:\w+::)?test[^\]]*\](?P<mark>(?:\s*#\[[^\]]*\])*)\s*(?:pub\s+)?(?:async\s+)?"
        r"fn\s+(?P<name>\w+)"
    ),
    asserts=told.RUST,
    skips=re.compile(r"#\[ignore[^\]]*\]|\bprocess::exit\("),
)
_JAVA = _Words(
    begins=re.compile(
        r"@(?:Parameterized)?Test\b[^\n]*(?P<mark>(?:\s*@[^\n]*)*)\s*(?:public\s+|internal\s+)?"
        r"(?:void|fun)\s+(?P<name>\w+|`[^`]+`)"
    ),
    asserts=told.JAVA,
    skips=re.compile(r"@(?:Disabled|Ignore)\b|\bassume\w*\(|\bSystem\.exit\("),
)
_BY_ENDING: Sequence[tuple[tuple[str, ...], _Words]] = (
    (_SCRIPT, _JAVASCRIPT),
    ((".go",), _GO),
    ((".rs",), _RUST),
    ((".java", ".kt"), _JAVA),
)


def foreign_tests(path: str, text: str) -> Iterator[ForeignTest]:
    """Yield the tests of a file; none where nothing is known of its language."""
    words = next((w for endings, w in _BY_ENDING if path.endswith(endings)), None)
    if words is None:
        return
    code = _without_comments(text)
    starts = list(words.begins.finditer(code))
    whole_file = tuple(
        m[0] for m in words.skips.finditer(code[: starts[0].start()] if starts else "")
    )
    seen: dict[str, int] = {}
    for index, start in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(code)
        body = code[start.start() : end]
        name = start["name"]
        seen[name] = seen.get(name, 0) + 1
        yield ForeignTest(
            name=name if seen[name] == 1 else f"{name} ({seen[name]})",
            line=code.count("\n", 0, start.start()) + 1,
            body=" ".join(body.split()),
            assertions=tuple(assertions_in(body, words.asserts)),
            skips=(*whole_file, *(" ".join(m[0].split()) for m in words.skips.finditer(body))),
        )


_COMMENTS = re.compile(
    r"(?P<kept>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)


def _without_comments(text: str) -> str:
    """Return the code with its lines where they are; a skip in a comment is no skip."""
    return _COMMENTS.sub(lambda m: m["kept"] or "\n" * m[0].count("\n"), text)
