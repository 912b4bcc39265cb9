"""What tests of other languages than Python assert, as far as their words tell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.verifier.assertions import EXACT, NOTHING, PARTLY, TRUTH, Assertion


@dataclass(frozen=True, kw_only=True)
class AssertionWords:
    """How assertions of one language are told, and how much they say."""

    begins: re.Pattern[str]
    exact: re.Pattern[str]
    """It asks for one value."""
    truth: re.Pattern[str]
    """It asks only that there is something, or that something is true."""
    nothing: re.Pattern[str] = re.compile(r"(?!)")
    """It holds whatever the code does."""


def assertions_in(body: str, words: AssertionWords) -> Iterator[Assertion]:
    """Yield the assertions of a test's code without its comments."""
    end = 0
    for found in words.begins.finditer(body):
        if found.start() < end:
            continue
        # A condition that a failure stands below is a line of its own.
        is_line = found[0].rstrip().endswith("{")
        end = found.end() if is_line else _end_of_statement(body, found.start())
        text = body[found.start() : end].rstrip(" \t\n{" if is_line else None)
        yield _described(" ".join(text.split()), words)


def _described(text: str, words: AssertionWords) -> Assertion:
    if words.nothing.search(text):
        rank = NOTHING
    elif words.exact.search(text):
        rank = EXACT
    else:
        rank = TRUTH if words.truth.search(text) else PARTLY
    return Assertion(
        text=text,
        rank=rank,
        constants=frozenset(_CONSTANTS.findall(text)),
        names=frozenset(n for n in _NAMES.findall(_STRINGS.sub("", text)) if not _OF_ANY.match(n)),
    )


_STRINGS = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`")
_CONSTANTS = re.compile(rf"{_STRINGS.pattern}|\b\d[\w.]*|\b(?:true|false|null|nil|None)\b")
_NAMES = re.compile(r"[A-Za-z_$][\w$]*")
# Words of languages and of assertions tell nothing of what a test is about.
_OF_ANY = re.compile(
    r"(?:if|else|for|range|func|fn|new|await|async|not|be|to[A-Z]\w*|assert\w*|expect\w*|require|"
    r"should|strictEqual|deep\w*|equals?|ok|throws|rejects|resolves|[tbcis]|tt|tc|got|want|err|"
    r"Equal|NoError|Error|True|False|Nil|NotNil|Len|true|false|null|nil)$"
)
_LONGEST = 4_000


def _end_of_statement(code: str, start: int) -> int:
    """Return where a statement ends: brackets are closed, and no `.` goes on below."""
    depth, place = 0, start
    last = min(len(code), start + _LONGEST)
    while place < last:
        if string := _STRINGS.match(code, place):
            place = string.end()
            continue
        letter = code[place]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        ends = letter == ";" or (letter == "\n" and not re.match(r"\s*\.", code[place:last]))
        if depth < 0 or (ends and depth == 0):
            return place
        place += 1
    return last


JAVASCRIPT = AssertionWords(
    begins=re.compile(
        r"(?:\bawait\s+)?\b(?:expect\w*|assert(?:\.\w+)*|should)\b\s*[.(]|"
        # A row of a table of cases.
        r"(?m:^[ \t]*\[.*\],?$)"
    ),
    exact=re.compile(
        r"^(?!.*\.(?:not|notNull)\b)(?:.*\.(?:to(?:Be|Equal|StrictEqual|HaveLength|BeNull|"
        r"BeUndefined|BeNaN|BeCloseTo|Throw\w*|Match\w*Snapshot|HaveBeenCalledWith|"
        r"HaveBeenLastCalledWith|HaveBeenNthCalledWith|HaveBeenCalledTimes|HaveBeenCalledOnce\w*|"
        r"HaveReturnedWith|MatchObject)|equal|equals|eql|eq|deep|throws?|rejects)\s*\(|"
        r".*\bassert\.(?:strictEqual|deepStrictEqual|equal|deepEqual|throws|rejects|match|"
        r"strict\.\w*[eE]qual)\b|.*\bassert(?:\.ok)?\(.*===?|\[)"
    ),
    truth=re.compile(
        r"\.to(?:BeTruthy|BeDefined|BeFalsy)\b|^(?!.*[<>=]=?).*\bassert(?:\.ok)?\s*\(|"
        r"\.(?:ok|exist)\b"
    ),
    nothing=re.compile(
        r"\bexpect\(\s*(?:true|false|\d+)\s*\)\s*\.to|\bassert(?:\.ok)?\(\s*(?:true|1)\s*[,)]"
    ),
)
# A condition with one more `&&` holds more rarely, and so fails more rarely.
_PLAIN = r"^(?!.*&&)"
GO = AssertionWords(
    begins=re.compile(
        r"(?m:^[ \t]*(?:\}\s*else\s+)?if\b[^\n]*\{\s*$(?=(?:\n[^\n]*){0,2}?\n[^\n]*\bt\.(?:Error|"
        r"Fatal|Fail)\w*\())|\b(?:assert|require|qt|is|td)\.\w+\(|"
        r"(?m:^[ \t]*\{.*\},?$)"
    ),
    exact=re.compile(
        rf"{_PLAIN}if\b.*(?:!=|!\w+(?:\.\w+)*\()|^\{{|"
        r"\.(?:Equal\w*|Exactly|Same|Error\w*|NoError|Nil|Empty|Len|JSONEq|ElementsMatch|Zero|"
        r"Panics\w*|InDelta)\("
    ),
    truth=re.compile(r"\.(?:True|False|NotNil|NotEmpty|NotZero)\("),
    nothing=re.compile(r"\bif\s+false\b|&&\s*false\b|\.True\(t, true\b"),
)
RUST = AssertionWords(
    begins=re.compile(r"\b(?:assert\w*!|panic!)|\bunwrap_err\(|#\[should_panic"),
    exact=re.compile(r"\bassert_eq!|\bassert!\(.*==|unwrap_err|panic"),
    truth=re.compile(r"\bassert!\((?!.*[<>=]=?)"),
    nothing=re.compile(r"\bassert!\(\s*true\b"),
)
JAVA = AssertionWords(
    begins=re.compile(r"\b(?:assert\w*|verify|expect\w*)\s*\("),
    exact=re.compile(
        r"\bassert(?:Equals|Same|ArrayEquals|IterableEquals|Throws\w*|Null)\b|"
        r"\.(?:isEqualTo|isSameAs|isNull|containsExactly|hasSize|shouldBe)\b|\bverify\("
    ),
    truth=re.compile(r"\bassert(?:True|False|NotNull)\((?!.*[<>=]=)|\.isNotNull\("),
    nothing=re.compile(r"\bassertTrue\(\s*true\b"),
)
