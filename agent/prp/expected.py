"""What a document expects of a check, where a rule can tell; everything else stays unjudged."""

import re

from agent.prp.model import Expectation, ExpectationKind

_EXPECTED = re.compile(
    r"^\W*(?:\*\*)?(?:expected?(?: (?:output|result|behaviou?r))?|esperado|预期)(?:\*\*)?\s*[:：]\s*(?:\*\*)?(?P<words>.*)$",
    re.IGNORECASE,
)  # fmt: skip


def expected_words(comment: str) -> str | None:
    """Return what stands behind `Expected:` in a comment, None where it is another comment."""
    found = _EXPECTED.match(comment.lstrip("#/- "))
    return found["words"].strip().strip("`") if found else None


def expectation_of(words: str, *, line: int, command: str = "") -> Expectation:
    """Return the expectation that words stand for.

    Only narrow forms are recognised: a threshold, an HTTP status, an exit status, "no output",
    "should fail". Words that mean success by exit status are exit status 0.
    """
    for pattern, kind in _RULES:
        if found := pattern.search(words):
            value = _value(kind, found)
            return Expectation(kind=kind, text=words, line=line, value=value)
    if _is_grep(command) and re.search(r"\bno (match|result|occurrence|hit)", words, re.IGNORECASE):
        return Expectation(kind=ExpectationKind.EMPTY_OUTPUT, text=words, line=line)
    kind = ExpectationKind.EXIT_ZERO if _SUCCESS.search(words) else ExpectationKind.UNJUDGED
    return Expectation(kind=kind, text=words, line=line)


_NUMBER = r"(?P<number>\d+(?:\.\d+)?)\s*%"
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (rf"(?P<sign>>=|≥|=>|at least|minimum|min\.?|>)\s*{_NUMBER}", ExpectationKind.NUMBER),
        (rf"{_NUMBER}\s*(?P<sign>\+|or (?:more|higher|above|greater))", ExpectationKind.NUMBER),
        (rf"(?P<sign><=|≤|at most|below|under|<)\s*{_NUMBER}", ExpectationKind.NUMBER),
        (r"\bHTTP(?:/\d\S*)?\s*(?:status\s*)?(?P<number>[1-5]\d\d)\b", ExpectationKind.HTTP_STATUS),
        (
            r"^(?:status\s*(?:code)?\s*)?(?P<number>[1-5]\d\d)\s*(?:OK|Created|Unauthorized|Not Found|$)",
            ExpectationKind.HTTP_STATUS,
        ),
        (r"\bexit(?:s| status| code)*\s*(?:with\s*|of\s*|=\s*|:\s*)?(?P<number>0)\b", ExpectationKind.EXIT_ZERO),
        (
            r"\b(?:exit(?:s| status| code)*\s*(?:with\s*|of\s*|=\s*|:\s*)?(?P<number>[1-9]\d*))\b",
            ExpectationKind.EXIT_STATUS,
        ),
        (r"\b(?:non-?zero exit|should (?:fail|error)|must fail|exits? non-?zero)\b", ExpectationKind.EXIT_NONZERO),
        (r"^(?:no output|empty(?: output)?|nothing|\(empty\)|no matches|0 matches)\b", ExpectationKind.EMPTY_OUTPUT),
        (r"^(?:prints?|outputs?|shows?|contains?)\s+[\"'`](?P<text>[^\"'`]{2,})[\"'`]\s*\.?$", ExpectationKind.CONTAINS),
    )
)  # fmt: skip
_SUCCESS = re.compile(
    r"\b(no (errors?|issues?|warnings?|failures?|problems?|violations?)|zero (errors?|issues?)|"
    r"(all|tests?|checks?|everything)\b.*\b(pass|passes|passed|passing|green|clean|succeed)|"
    r"success|succeeds|passes|clean|ok|0 errors|builds?)\b",
    re.IGNORECASE,
)
_SIGNS = {"≥": ">=", "=>": ">=", "at least": ">=", "minimum": ">=", "min": ">=", "min.": ">="}
_SIGNS |= {"≤": "<=", "at most": "<=", "below": "<", "under": "<"}


def _value(kind: ExpectationKind, found: re.Match[str]) -> str:
    groups = found.groupdict()
    if kind is ExpectationKind.NUMBER:
        sign = groups["sign"].lower()
        plus = sign.startswith(("+", "or"))
        return f"{'>=' if plus else _SIGNS.get(sign, sign)}{groups['number']}"
    return groups.get("number") or groups.get("text") or ""


def _is_grep(command: str) -> bool:
    return bool(re.search(r"\b(e?grep|rg|ag|git grep)\b", command))
