"""Steps for a person that a document says in words: lists below what calls them manual, orders."""

import re
from collections.abc import Sequence

from agent.prp.expected import hinted
from agent.prp.lines import Line, Role
from agent.prp.model import Check, CheckKind, Expectation

MANUAL = re.compile(
    r"(?<![^\W_])manu(?:al|ális|ale|elle?)[^\W_]*(?![^\W_]).*(?<![^\W_])"
    r"(?:verif\w+|valid\w+|test\w*|teszt\w*|prüf\w*|prueba\w*|checks?|steps|qa|review)(?![^\W_])|"
    r"\b(?:tests?|testes?|pruebas?|v[ée]rifications?|validations?|verificac\w+|verific\w+|prove)\s+\(?manu\w+|"
    r"^\W*manual\W*$",
    re.IGNORECASE,
)
"""What a heading says below which a person is to test."""


def step_of(words: str, line: int) -> Check:
    """Return what a person is asked to do as a check."""
    return Check(
        id="",
        command=words,
        line=line,
        last_line=line,
        level=0,
        kinds=(CheckKind.MANUAL,),
        expectation=hinted(words, line=line, command="") or Expectation(),
    )


def listed_steps(lines: Sequence[Line], *, is_below_manual: bool) -> dict[int, str]:
    """Return the items below "Manual Testing": all of a heading, the numbered ones of a label."""
    items: dict[int, str] = {}
    is_manual = below_manual = False
    form = _NUMBERED
    for line in lines:
        if line.role is Role.HEADING:
            below_manual = is_below_manual or MANUAL.search(line.text) is not None
            is_manual, form = below_manual, _LISTED if below_manual else _NUMBERED
        elif line.role is Role.TEXT and (label := _BOLD.match(line.text)):
            goes_on = below_manual and _OF_STEPS.search(line.text) is not None
            is_manual = goes_on or MANUAL.search(line.text) is not None
            form = _NUMBERED_BELOW_ITEM if label["item"] else _NUMBERED
        elif line.role is Role.TEXT and _PLAIN_LABEL.match(line.text):
            is_manual, form = True, _LISTED
        elif is_manual and line.role is Role.TEXT and (found := form.match(line.text)):
            items[line.number] = found["words"]
            # Bullets beside numbers are remarks.
            form = _NUMBERED if form is _LISTED and line.text[0].isdigit() else form
    return items


# `**Test Scenarios:**` below "Manual Testing"
_OF_STEPS = re.compile(
    r"\b(?:scenarios?|steps|cases|procedure|flow|checks?|instructions)\b", re.IGNORECASE
)
_BOLD = re.compile(r"^(?P<item>[-*]\s+)?\*\*[^*]+(?:\*\*\s*:?|:\s*\*\*)\s*$")
_PLAIN_LABEL = re.compile(
    r"Manual (?:test(?:s|ing)?|verification|checks?|review)(?: steps)?:\s*$", re.IGNORECASE
)
_NUMBERED = re.compile(r"^\d+[.)]\s+(?P<words>[^\s\[].*)$")
# Directly below a heading such as "Manual Testing" bullets are steps, too; boxes are promises.
_LISTED = re.compile(r"^(?:[-*]|\d+[.)])\s+(?P<words>[^\s\[].*)$")
_NUMBERED_BELOW_ITEM = re.compile(r"^\s{2,4}\d+[.)]\s+(?P<words>[^\s\[].*)$")


def described_steps(lines: Sequence[Line]) -> dict[int, str]:
    """Return the numbered lines below `Steps:` in fences that describe a test case."""
    items: dict[int, str] = {}
    is_below = False
    for line in lines:
        if line.role is not Role.INSIDE:
            is_below = False
        elif _KEY.match(line.text):
            is_below = _KEY_OF_STEPS.match(line.text) is not None
        elif is_below and (found := _NUMBERED.match(line.text.lstrip())):
            items[line.number] = found["words"]
    return items


_KEY = re.compile(r"\s*[A-Z][^:]*:\s*$")
_KEY_OF_STEPS = re.compile(r"\s*(?:test )?steps:\s*$|\s*alternative test\b", re.IGNORECASE)


def ordered_steps(lines: Sequence[Line]) -> list[Check]:
    """Return the numbered items of a section as checks where half of them are orders to a person.

    That is for a section that asks for nothing else: `1. Load the definition`.
    """
    items = [
        (found["words"], line.number)
        for line in lines
        if line.role is Role.TEXT and (found := _NUMBERED.match(line.text))
    ]
    orders = sum(is_order(words) for words, _ in items)
    return [step_of(words, line) for words, line in items if orders * 2 >= len(items)]


def is_order(words: str) -> bool:
    """Return whether words begin as what a person is told to do does."""
    return _ORDER.match(words) is not None


_ORDER = re.compile(
    r"(?:#\s?)?(?:\*\*[^*]{2,30}\*\*:\s+)?\**(?:Test|Verify|Validate|Check|Confirm|Ensure|Open|"
    r"Visit|Click|Navigate|Try|Inspect|Review|Load|Complete|Simulate|Connect|Toggle|Select|Press|"
    r"Enter|Log ?in|Log ?out|Go to|Start|Launch|Compare|Disable|Enable|Reload|Refresh|Submit|"
    r"Sign (?:in|out|up)|Resize|Scroll|Hover|"
    r"Drag|Switch|Upload|Send|Browse|(?:Open|Visit|Navigate to|Go to):)\s.*[^:]$"
)


def labelled_steps(lines: Sequence[Line]) -> dict[int, str]:
    """Return the items that call themselves manual, by their lines: `- [ ] Manual: pay twice`."""
    return {
        line.number: found["words"]
        for line in lines
        if line.role is Role.TEXT and "anual" in line.text and (found := _LABELLED.match(line.text))
    }


_LABELLED = re.compile(
    r"\s*(?:(?:[-*]|\d+[.)])\s+(?:\[.?\]\s+)?)?"
    r"\**[Mm]anual(?: test| check| verification)?\**:\**\s+(?P<words>\S.*)$"
)
