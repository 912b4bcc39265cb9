"""What a document expects of a check, where a rule can tell; everything else stays unjudged."""

import json
import re

from agent.prp.model import Expectation, ExpectationKind
from agent.prp.signs import has_any

_EXPECTED = re.compile(
    r"^\W*(?:\*\*)?(?:(?:expect(?:ed|s)?(?: (?:output|result|behaviou?r|exit(?: code| status)?))?|esperado|预期|예상)(?:\*\*)?\s*[:：=]\s*(?:\*\*)?|EXPECT\s)(?P<words>.*)$",
    re.IGNORECASE,
)  # fmt: skip


def expected_words(comment: str) -> str | None:
    """Return what stands behind `Expected:` in a comment, None where it is another comment."""
    found = _EXPECTED.match(comment.lstrip("#/- "))
    return found["words"].strip().strip("`") if found else None


def expectation_of(words: str, *, line: int, command: str = "") -> Expectation:
    """Return the expectation that words stand for.

    Only narrow forms are recognised: a threshold, an HTTP status, an exit status, "no output",
    "should fail", a count of matches. Words that mean success by exit status are exit status 0.
    """
    whole, words = words, words[:_MOST]
    if _is_count(command) and (count := _COUNT.match(words)):
        value = _count(count, unit="")
        return Expectation(kind=ExpectationKind.NUMBER, text=whole, line=line, value=value)
    if (literal := _LITERAL.match(words)) and _PRINTS.search(command):
        value = next(filter(None, literal.groups()))
        return Expectation(kind=ExpectationKind.CONTAINS, text=whole, line=line, value=value)
    lower = words.lower()
    for signs, pattern, kind in _RULES if _DIGIT.search(words) else _RULES_OF_WORDS:
        if signs and not has_any(lower, signs):
            continue
        found = pattern.search(words)
        if found and not (kind is ExpectationKind.HTTP_STATUS and _is_count(command)):
            value = _value(kind, found)
            return Expectation(kind=kind, text=whole, line=line, value=value)
    if _is_search(command) and _NO_MATCH.search(words):
        return Expectation(kind=ExpectationKind.EMPTY_OUTPUT, text=whole, line=line)
    if (answer := _json(words)) and (_is_request(command) or _WRITES_JSON.search(command)):
        kind = ExpectationKind.CONTAINS
        return Expectation(kind=kind, text=whole, line=line, value=answer)
    if _is_request(command) and (status := _STATUS.search(words)):
        kind = ExpectationKind.HTTP_STATUS
        return Expectation(kind=kind, text=whole, line=line, value=status["number"])
    if _is_search(command) and (count := _COUNT.match(words)):
        value = _count(count, unit="lines")
        return Expectation(kind=ExpectationKind.NUMBER, text=whole, line=line, value=value)
    kind = ExpectationKind.EXIT_ZERO if _SUCCESS.search(words) else ExpectationKind.UNJUDGED
    return Expectation(kind=kind, text=whole, line=line)


def _json(words: str) -> str:
    """Return the JSON that an answer must hold; nothing where it is only sketched (`...`)."""
    text = words.strip().strip("`")
    if not text.startswith(("{", "[")) or "..." in text or "…" in text:
        return ""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""


def hinted_status(comment: str, *, line: int, command: str) -> Expectation | None:
    """Return the HTTP status that a comment beside a request speaks of: `# should return 404`."""
    found = _STATUS_HINT.search(comment[:_MOST]) if _is_request(command) else None
    if found is None:
        return None
    kind = ExpectationKind.HTTP_STATUS
    return Expectation(kind=kind, text=comment, line=line, value=found["number"])


_STATUS_HINT = re.compile(
    r"(?:→|->|=>|\bHTTP|\bstatus(?: code)?|\breturns?|\bgets?|\bbe|\bexpect(?:s|ed)?|^)\W{0,3}"
    r"(?P<number>[1-5]\d\d)\b(?!\s*(?:ms|%|s\b|\w+s\b))",
    re.IGNORECASE,
)

# A command that prints a value of its own; `echo $?` prints a status, which is told elsewhere.
_PRINTS = re.compile(r"\b(?:print|console\.log|puts|printf|echo)\b(?!.*\$\?)", re.DOTALL)
_WRITES_JSON = re.compile(r"\bJSON\.stringify\(|\bjson\.dumps\(|\bjson\.tool\b|\bjq\b")
# Of one digit alone hardly anything is told: it stands in most outputs.
_LITERAL = re.compile(
    r"""^(?:"([^"]{2,})"|'([^']{2,})'|`([^`]{2,})`|(-?\d{2,}|-\d|-?\d+\.\d+|True|False))$"""
)

# No narrow form is longer.
_MOST = 400
_NUMBER = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%)"
_MILLISECONDS = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s)\b"
_EACH_TEST = r"\b(?:each|every|slowest) test\b[^\d<≤\n]{0,30}?"
_PERCENTILE = r"\bp?(?P<percentile>\d\d)(?:th)?\b(?:\s*(?:percentile|%ile))?[^\d<≤\n]{0,30}"
_EXIT = (
    r"\bexit(?:s| status| code)*\s*(?:with\s*|of\s*|=\s*|:\s*)?"
    r"(?:(?:an? )?(?:exit )?(?:status|code)\s*(?:of\s*|=\s*|:\s*)?)?"
)
_SAID_IN_WORDS = (
    ExpectationKind.EXIT_NONZERO,
    ExpectationKind.EMPTY_OUTPUT,
    ExpectationKind.CONTAINS,
)
_LESS = ("<", "≤", "under", "below", "at most")
# In front of each the signs, in lower case, of which whatever it finds has one.
_RULES = tuple(
    (signs, re.compile(pattern, re.IGNORECASE), kind)
    for signs, pattern, kind in (
        (_LESS, rf"{_PERCENTILE}(?P<sign><=?|≤|under|below|at most)\s*{_MILLISECONDS}", ExpectationKind.NUMBER),
        (("each test", "every test", "slowest test"), rf"{_EACH_TEST}(?P<sign><=?|≤|under|below|at most|less than)\s*{_MILLISECONDS}", ExpectationKind.NUMBER),
        (("%",), rf"(?P<sign>>=|≥|=>|at least|minimum|min\.?|>)\s*{_NUMBER}", ExpectationKind.NUMBER),
        (("%",), rf"{_NUMBER}\s*(?P<sign>\+|or (?:more|higher|above|greater))", ExpectationKind.NUMBER),
        (("%",), rf"(?P<sign><=|≤|at most|below|under|<)\s*{_NUMBER}", ExpectationKind.NUMBER),
        (("coverage",), rf"\b{_NUMBER}\s*(?P<sign>(?:\w+ )?coverage)|coverage\W+(?:of\s+)?{_NUMBER.replace('<number>', '<number2>').replace('<unit>', '<unit2>')}", ExpectationKind.NUMBER),
        (("http",), r"\bHTTP(?:/\d\S*)?\s*(?:status\s*)?(?:code\s*)?(?P<number>[1-5]\d\d)\b", ExpectationKind.HTTP_STATUS),
        (
            (),
            r"^(?:status\s*(?:code)?\s*:?\s*)?(?P<number>[1-5]\d\d)\s*(?:OK|Created|Unauthorized|Forbidden|Not Found|$)",
            ExpectationKind.HTTP_STATUS,
        ),
        (("exit",), rf"{_EXIT}(?P<number>0)\b", ExpectationKind.EXIT_ZERO),
        (("exit",), rf"{_EXIT}(?P<number>[1-9]\d*)\b", ExpectationKind.EXIT_STATUS),
        (
            ("zero", "fail", "error"),
            r"\b(?:non-?zero (?:exit|status|code)|should (?:fail|error)|must fail|"
            r"(?:exits?|returns?) (?:with )?(?:a )?non-?zero|exits? with an error|"
            r"(?<!not )(?:is |are )?expected to (?:fail|error)|(?:will|to) fail as expected)\b",
            ExpectationKind.EXIT_NONZERO,
        ),
        (
            (),
            r"^\W*(?:(?:must|should|expect) )?(?:prints?|returns?|outputs?|shows?|is|be)?\s*"
            r"(?:no output|empty(?: output)?|nothing|silent|\(empty\)|no matches|(?:0|zero) (?:matches|results|hits|lines))\b",
            ExpectationKind.EMPTY_OUTPUT,
        ),
        ((), r"^(?:prints?|outputs?|shows?|contains?)\s+[\"'`](?P<text>[^\"'`]{2,})[\"'`]\s*\.?$", ExpectationKind.CONTAINS),
    )
)  # fmt: skip
_RULES_OF_WORDS = tuple(rule for rule in _RULES if rule[2] in _SAID_IN_WORDS)
_DIGIT = re.compile(r"\d")
_SUCCESS = re.compile(
    r"\b(?:no|zero|0)\b[\w -]{0,30}\b(?:errors?|issues?|warnings?|failures?|problems?|violations?|regressions?|changes needed)\b|"
    r"\b(?:(all|tests?|checks?|everything)\b.*\b(pass|passes|passed|passing|green|clean|succeed)|"
    r"success|succeeds|successful(?:ly)?|pass|passes|clean|green|ok|builds?)\b",
    re.IGNORECASE,
)  # fmt: skip
_NO_MATCH = re.compile(
    r"\b(?:no|zero|0) (?:match|result|occurrence|hit|reference)|"
    r"^\W*(?:expect(?:ed)?:? |is |are |must be |should be )?(?:absent|gone)\b",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\b(?P<number>[1-5]\d\d)\b(?!\s*(?:ms|%|s\b))")
_COUNT = re.compile(
    r"^[→\s]*(?:(?:should|must|expect(?:ed|s)?:?|be|is|are|remain|stay|has|have|prints?|returns?|shows?|outputs?|exactly|count|~)\s+)*"
    r"(?P<sign>>=|≥|at least |no fewer than |<=|≤|at most |up to |no more than |less than |fewer than |under |below |more than |>|<|==?)?\s*(?P<number>\d+)"
    r"(?P<more>\+)?(?:\s*(?:hits?|match(?:es)?|lines?|results?|occurrences?)\b(?!\s+each)|\s*(?:[.(;)]|$))",
    re.IGNORECASE,
)
_SIGNS = {"≥": ">=", "=>": ">=", "at least": ">=", "minimum": ">=", "min": ">=", "min.": ">="}
_SIGNS |= {"≤": "<=", "at most": "<=", "below": "<", "under": "<", "==": "=", "": "="}
_SIGNS |= {"up to": "<=", "no more than": "<=", "no fewer than": ">="}
_SIGNS |= {"less than": "<", "fewer than": "<", "more than": ">"}


_DEPENDS = re.compile(
    r"\bexit(?:s|ing)?\b[^.;\n]{0,30}?[1-9]\d*[^.;\n]{0,20}?\b(?:if|when\w*|where|on|unless|for|otherwise)\b",
    re.IGNORECASE,
)


def depends(words: str) -> bool:
    """Return whether words say that an exit status depends: `exits with 1 where one is late`."""
    return bool(_DEPENDS.search(words[:_MOST]))


# Kinds that a comment stands for without the word "Expected".
_HINTED = (ExpectationKind.EXIT_NONZERO, ExpectationKind.EMPTY_OUTPUT)


def hinted(words: str, *, line: int, command: str) -> Expectation | None:
    """Return the expectation in a comment that only says what will be seen, if it is narrow."""
    found = expectation_of(words, line=line, command=command)
    if found.kind in _HINTED:
        return found
    if found.kind is ExpectationKind.EXIT_STATUS and not depends(words):
        return found
    count = _COUNT.match(words) if found.kind is ExpectationKind.NUMBER else None
    if count is None or _is_count(command):
        return found if count else None
    # A number alone behind a search may as well be a line's.
    has_unit = count[0].rstrip()[-1:].isalpha() or count["number"] == "0"
    return found if has_unit and not _QUIETLY.search(command) else None


def expected_above(comment: str, *, line: int, command: str) -> Expectation | None:
    """Return what a comment above a command expects: `# Expected: no output`, `# should exit 1`."""
    words = expected_words(comment)
    if words is not None:
        return expectation_of(words, line=line, command=command)
    bare = comment.lstrip("#/- ")
    found = hinted(bare, line=line, command=command) if _SHOULD.match(bare) else None
    return found if found and found.kind in _OF_STATUS else None


_SHOULD = re.compile(
    r"\W*(?:this |it )?(?:should|must|expect(?:ed)? to|exits? with)\b", re.IGNORECASE
)
_OF_STATUS = (ExpectationKind.EXIT_NONZERO, ExpectationKind.EXIT_STATUS)
_QUIETLY = re.compile(r"\s(?:-\w*q\w*|--quiet|--silent)\b")


def hinted_above(words: str, *, line: int, command: str) -> Expectation | None:
    """Return that a search finds nothing, where the line above it says so."""
    last = command.rpartition("|")[2]
    bare = not has_any(command, ("&&", "||", ";", "\n")) and command[:1] != "!"
    if not bare or not _is_search(last) or _is_count(command) or _QUIETLY.search(last):
        return None
    if not _ABSENT.search(words[:_MOST]):
        return None
    return Expectation(kind=ExpectationKind.EMPTY_OUTPUT, text=words.strip(), line=line)


_ABSENT = re.compile(
    r"\bexpect(?:ed)?:?\s(?:empty|nothing|none|zero|0)\b|"
    r"\bshould (?:be empty|return nothing|find nothing|not (?:find|match|return))\b|"
    r"\b(?:no|zero)\b[^.;]{0,40}?\b(?:warnings?|errors?|remain\w*|left\w*|stale|hard-?coded|todos?|fixmes?|"
    r"stubs?|conflicts?|usages?|matches|hits|console\.log)\b|"
    r"\bcheck for (?:any )?(?:remaining|left|stale|warnings?|errors?|hard-?coded)",
    re.IGNORECASE,
)  # fmt: skip


def is_seen(expectation: Expectation) -> bool:
    """Return whether the output decides, whatever the exit status hides."""
    return expectation.kind in _SEEN


_SEEN = (
    ExpectationKind.NUMBER,
    ExpectationKind.CONTAINS,
    ExpectationKind.EMPTY_OUTPUT,
    ExpectationKind.HTTP_STATUS,
)


def _value(kind: ExpectationKind, found: re.Match[str]) -> str:
    groups = found.groupdict()
    if kind is ExpectationKind.NUMBER:
        number = groups["number"] or groups["number2"]
        sign = (groups["sign"] or "coverage").lower()
        at_least = sign.startswith(("+", "or")) or sign.endswith("coverage")
        percentile = f" p{groups['percentile']}" if groups.get("percentile") else ""
        unit = groups.get("unit") or "%"
        return f"{'>=' if at_least else _SIGNS.get(sign, sign)}{number}{unit}{percentile}"
    return groups.get("number") or groups.get("text") or ""


def _count(found: re.Match[str], *, unit: str) -> str:
    sign = ">=" if found["more"] else (found["sign"] or "").strip().lower()
    return f"{_SIGNS.get(sign, sign)}{found['number']}{' ' if unit else ''}{unit}"


def _is_search(command: str) -> bool:
    # Looking for what each of them holds is cheaper than the expression.
    may_be = "grep" in command or "rg" in command or "ag" in command
    return may_be and _SEARCHES.search(command) is not None


def _is_count(command: str) -> bool:
    if "grep" not in command and "rg" not in command and "wc" not in command:
        return False
    return _COUNTS.search(command.rpartition("|")[2]) is not None


def _is_request(command: str) -> bool:
    may_be = has_any(command, ("curl", "wget", "http", "xh", "Invoke-WebRequest"))
    return may_be and _REQUESTS.search(command) is not None


_SEARCHES = re.compile(r"\b(?:e?grep|rg|ag|git grep)\b")
_COUNTS = re.compile(r"\bgrep\b.*\s-\w*c\b|\brg\b.*\s(-c|--count)\b|\bwc\s+-[lcmw]\b")
_REQUESTS = re.compile(r"\b(?:curl|wget|http|https|xh|Invoke-WebRequest)\b")
