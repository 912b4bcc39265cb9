"""Secrets in text, by the forms that their issuers give them and by how random they look."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.masking import FORMS, randomness
from agent.prp.lint.search import find_at, line_counter


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret and where it stands; its value is not kept."""

    what: str
    masked: str
    """The first characters, then an ellipsis."""
    line: int


_COMPILED = tuple((what, word, re.compile(form)) for what, word, form in FORMS)
_ASSIGNED = re.compile(
    r"(?i:api_?key|apikey|token|secret|passw(?:or)?d|credentials?)"
    r"[\"'`]?[ \t]{0,3}[:=][ \t]{0,3}[\"'`]?(?P<value>[A-Za-z0-9+/_=.-]{24,200})(?![\w(.])"
)
_SAMPLE = re.compile(
    r"x{4,}|\.{3}|your|example|sample|dummy|fake|change|placeholder|redacted|<|\*{3}|0{6,}|"
    r"1234567|abcdef|process\.env|os\.environ|secret|token|key|test|mock|password",
    re.IGNORECASE,
)


_IN_ADDRESS = re.compile(r"://[^/\s:@]{1,80}:(?P<value>[^/\s@]{3,200})@")


def masking(text: str) -> Callable[[str], str]:
    """Return a function that takes the secrets of a document out of what is said of it.

    A message may show only the beginning of a command, so the beginning of a secret counts too.
    """
    values = {value for _, _, value in (*_with_a_form(text), *_assigned(text))}
    values |= {found["value"] for found in _IN_ADDRESS.finditer(text)} if "://" in text else set()
    heads = {value[:_TELLING]: value for value in values}

    def mask(words: str) -> str:
        for head, value in heads.items():
            start = words.find(head)
            while start >= 0:
                same = itertools.takewhile(
                    lambda pair: pair[0] == pair[1], zip(words[start:], value, strict=False)
                )
                end = start + sum(1 for _ in same)
                shown = value[:6] if len(value) > 2 * _TELLING else ""
                words = f"{words[:start]}{shown}…{words[end:]}"
                start = words.find(head, start + 1)
        return words

    return mask


# As much of a secret tells it apart from other words.
_TELLING = 10


def find_secrets(text: str) -> Iterator[Secret]:
    """Return the secrets of a text, one a line; names of samples such as `sk-your-key` are none."""
    found = [*_with_a_form(text), *_assigned(text)]
    last, line_of = 0, line_counter(text)
    for place, what, value in sorted(found):
        line = line_of(place)
        if line != last:
            yield Secret(what=what, masked=f"{value[:6]}…", line=line)
        last = line


def _with_a_form(text: str) -> Iterator[tuple[int, str, str]]:
    for what, word, form in _COMPILED:
        for found in find_at(text, text, (word,), form):
            body = re.sub(r"^(?:sk-(?:ant|proj|svcacct)?-?|[a-z]+_|[a-z]+-)", "", found[0])
            if what == "a private key" or not (_SAMPLE.search(body) or randomness(body) < 2.8):
                yield found.start(), what, found[0]


def _assigned(text: str) -> Iterator[tuple[int, str, str]]:
    words = ("api_key", "apikey", "token", "secret", "password", "passwd", "credential")
    for found in find_at(text, text.lower(), words, _ASSIGNED):
        value = found["value"]
        mixed = re.search(r"\d", value) and re.search(r"[A-Za-z]", value)
        if mixed and not _SAMPLE.search(value) and randomness(value) >= 3.9:
            yield found.start(), "what looks like a password or key", value
