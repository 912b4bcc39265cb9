"""Secrets taken out of whatever is kept, shown or sent: keys by their value, tokens by their form.

Journal and terminal, command output and logs, model input and recordings all pass a `Mask`.
"""

import base64
import bisect
import dataclasses
import json
import math
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

FORMS: tuple[tuple[str, str, str], ...] = (
    # What it is, what it begins with, its form.
    ("an AWS access key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
    ("an AWS access key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
    *(("a GitHub token", f"gh{c}_", rf"\bgh{c}_[A-Za-z0-9]{{30,}}") for c in "pousr"),
    ("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{40,}"),
    ("an Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("an OpenAI key", "sk-", r"\bsk-(?!ant-)(?:proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{20,}"),
    ("a Stripe key", "sk_live_", r"\bsk_live_[A-Za-z0-9]{16,}"),
    ("a Stripe key", "rk_live_", r"\brk_live_[A-Za-z0-9]{16,}"),
    ("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a private key", "-----BEGIN ", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    (
        "a JSON web token",
        "eyJ",
        r"(?<![\w-])eyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}",
    ),
)
"""Forms that issuers give their tokens."""

SHORTEST = 8
"""Characters of a key that is looked for by its value; a shorter one would be found everywhere."""

_Event = TypeVar("_Event")


class Mask:
    """Takes secrets out of text."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        """Know the values of keys, by the names of their variables."""
        known = {
            form: _in_place_of(name)
            for name, value in (keys or {}).items()
            if _is_telling(value)
            for form in _spellings(value)
        }
        # The longest first: one key may be the beginning of another.
        self._known = sorted(known.items(), key=lambda pair: -len(pair[0]))

    def __call__(self, text: str) -> str:
        """Return the text without secrets; `[masked: NAME]` stands in their place."""
        for value, name in self._known:
            if value in text:
                text = text.replace(value, name)
        for what, word, form in _PATTERNS:
            if word in text:
                text = form.sub(partial(_masked, what), text)
        return _without_private_keys(text) if _BEGIN in text else text

    def all_in(self, value: Any) -> Any:
        """Return a value of JSON, or a tuple in one, with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(k) if isinstance(k, str) else k: self.all_in(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self.all_in, value))
        return value

    def event(self, event: _Event) -> _Event:
        """Return an event without secrets."""
        fields = dataclasses.fields(event)  # type: ignore[arg-type] # every event is a dataclass
        changed = {
            field.name: masked
            for field in fields
            if (masked := self.all_in(value := getattr(event, field.name))) != value
        }
        return dataclasses.replace(event, **changed) if changed else event  # type: ignore[type-var]


def _in_place_of(what: str) -> str:
    # Nothing that means something in XML, JSON, Markdown or a shell's word.
    return f"[masked: {what}]"


def _is_telling(value: str) -> bool:
    """Return whether a value can be looked for: no short word, no name of a file."""
    is_word = value.isalpha() and len(value) < 2 * SHORTEST
    return len(value) >= SHORTEST and not is_word and not value.startswith(("/", "~", "."))


def _spellings(value: str) -> Iterator[str]:
    """Return the ways in which a key may turn up, meant well or badly."""
    yield value
    yield value[::-1]
    yield urllib.parse.quote(value, safe="")
    yield json.dumps(value)[1:-1]
    raw = value.encode()
    yield raw.hex()
    # Inside of a longer text base64 depends on how many bytes stand before; the borders are left.
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        whole = coded[-(-before * 8 // 6) : len(coded) - (1 if (before + len(raw)) % 3 else 0)]
        yield whole
        yield whole.replace("+", "-").replace("/", "_")


_IN_ADDRESS = r"(?<=://)[^/\s:@\"'<>]{1,80}:[^/\s@\"'<>]{3,200}(?=@)"
_PATTERNS = (
    *((what, word, re.compile(form)) for what, word, form in FORMS if what != "a private key"),
    ("a password", "://", re.compile(_IN_ADDRESS)),
)
_SAMPLE = re.compile(
    r"x{4,}|your|example|sample|dummy|fake|placeholder|redacted|0{6,}|1234567|abcdef|\.{3}|[{$]",
    re.IGNORECASE,
)


_BEGIN = "-----BEGIN "
_BEGINNING = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY-----")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY-----")
# Lines of a key whose end is missing, their breaks written as they are in JSON or as they are.
_LINES = re.compile(r"(?:(?:\s|\\[nr]){1,4}[A-Za-z0-9+/=]{16,200})*")
_LONGEST_KEY = 16 * 1024


def _without_private_keys(text: str) -> str:
    """Return a text without private keys, whole ones and those that are cut off."""
    ends = [found.end() for found in _END.finditer(text)]
    parts, place = [], 0
    for begin in _BEGINNING.finditer(text):
        if begin.start() < place:
            continue
        number = bisect.bisect(ends, begin.end())
        end = ends[number] if number < len(ends) else len(text)
        if number == len(ends) or end - begin.end() > _LONGEST_KEY:
            lines = _LINES.match(text, begin.end())
            end = lines.end() if lines else begin.end()
        parts += [text[place : begin.start()], _in_place_of("a private key")]
        place = end
    return "".join([*parts, text[place:]])


def _masked(what: str, found: re.Match[str]) -> str:
    text = found[0]
    if _SAMPLE.search(text) or (what != "a password" and randomness(text) < 2.8):
        return text
    return _in_place_of(what)


def randomness(text: str) -> float:
    """Return the entropy of a text's characters in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
