"""Secrets in text, by the forms that their issuers give them and by how random they look."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret and where it stands; its value is not kept."""

    what: str
    masked: str
    """The first characters, then an ellipsis."""
    line: int


_FORMS: tuple[tuple[str, str], ...] = (
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})"),
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("an OpenAI key", r"\bsk-(?:proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{20,}"),
    ("a Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{16,}"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}"),
)
_FORM = re.compile("|".join(f"(?P<f{i}>{form})" for i, (_, form) in enumerate(_FORMS)))
_ASSIGNED = re.compile(
    r"(?i:\b[\w.-]{0,40}(?:api_?key|apikey|token|secret|passw(?:or)?d|credentials?)\b)"
    r"[\"'`]?\s{0,3}[:=]\s{0,3}[\"'`]?(?P<value>[A-Za-z0-9+/_=.-]{24,200})(?![\w(.])"
)
_SAMPLE = re.compile(
    r"x{4,}|\.{3}|your|example|sample|dummy|fake|change|placeholder|redacted|<|\*{3}|0{6,}|"
    r"1234567|abcdef|process\.env|os\.environ|secret|token|key|test|mock|password",
    re.IGNORECASE,
)
_WORTH_A_LOOK = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat_|sk-|[sr]k_live_|xox|AIza|glpat-|npm_|pypi-|PRIVATE KEY|eyJ|"
    r"(?i:api_?key|token|secret|passw|credential)"
)


def find_secrets(text: str) -> Iterator[Secret]:
    """Return the secrets of a text, one a line; names of samples such as `sk-your-key` are none."""
    for number, line in enumerate(text.split("\n"), 1):
        if not _WORTH_A_LOOK.search(line):
            continue
        if found := _real(line):
            yield Secret(what=found[0], masked=f"{found[1][:6]}…", line=number)


def _real(line: str) -> tuple[str, str] | None:
    for found in _FORM.finditer(line):
        what = _FORMS[int(str(found.lastgroup)[1:])][0]
        body = re.sub(r"^(?:sk-(?:ant|proj|svcacct)?-?|[a-z]+_|[a-z]+-)", "", found[0])
        if what == "a private key" or not (_SAMPLE.search(body) or _randomness(body) < 2.8):
            return what, found[0]
    for found in _ASSIGNED.finditer(line):
        value = found["value"]
        mixed = re.search(r"\d", value) and re.search(r"[A-Za-z]", value)
        if mixed and not _SAMPLE.search(value) and _randomness(value) >= 3.9:
            return "what looks like a password or key", value
    return None


def _randomness(text: str) -> float:
    """Return the entropy of a text's characters in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
