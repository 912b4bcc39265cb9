"""Every rule that a finding can name: its code never changes, its words may.

`I..` rules are about input that is refused or must be known before a run, `R..` rules about how
ready a document is to be executed and proven.
"""

from dataclasses import dataclass

from agent.prp.model import Finding, Severity

_W = Severity.WARNING


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule."""

    code: str
    name: str
    """What it is called in words: lower case, hyphens."""
    severity: Severity
    """What its findings are unless they say otherwise."""
    summary: str
    """What it finds, one sentence."""


def _rule(code: str, name: str, severity: Severity, summary: str) -> Rule:
    return Rule(code=code, name=name, severity=severity, summary=summary)


_ALL = (
    _rule("I15", "unclosed-fence", _W, "A fence is not closed, or closed in a wrong way."),
    _rule("R19", "no-goal-section", _W, "No section is called Goal."),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}
"""All rules by code."""


def finding(
    code: str, line: int, message: str, hint: str, *, severity: Severity | None = None
) -> Finding:
    """Return a finding of a rule.

    Args:
        code: The rule's code, for instance `I47`.
        line: Line of the document, counted from 1.
        message: What is wrong, one sentence without its full stop.
        hint: What to do about it, one sentence.
        severity: Where it is not the rule's own.

    """
    rule = RULES[code]
    return Finding(
        code=code,
        rule=rule.name,
        message=message,
        hint=hint,
        line=line,
        severity=severity or rule.severity,
    )
