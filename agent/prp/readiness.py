"""How ready a document is to be executed and proven: facts counted, nobody's opinion."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.prp.lint import Examined
from agent.prp.model import Check, CheckKind, Finding, Prp, Severity

_REFERENCES = {"I27", "I28", "I29", "I30", "I31", "I32", "I33", "R09"}
_NEVER_RUN = {
    CheckKind.NOT_SHELL,
    CheckKind.SAMPLE_CODE,
    CheckKind.MANUAL,
    CheckKind.PLACEHOLDER,
    CheckKind.DESTRUCTIVE,
    CheckKind.INTERACTIVE,
    CheckKind.SECRET,
    CheckKind.NETWORK,
}
_BLOCKED_AT = 40


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One part of the score."""

    name: str
    share: float
    """From 0 to 1."""
    weight: int
    words: str
    """The count behind it, for instance `4 of 5 criteria have a check`."""
    line: int
    """The first line that speaks against it; 1 where none does."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The score with its reasons."""

    score: int
    """From 0 to 100."""
    reasons: tuple[Reason, ...]
    errors: int
    """Findings that stop a run; with any of them the score is 40 at most."""
    claimed: float | None
    """What the author thinks, out of 10; it does not count."""

    @property
    def in_words(self) -> str:
        """Return the score on one line, beside what the author claims."""
        author = "" if self.claimed is None else f" (its author says {self.claimed:g}/10)"
        parts = [reason.words for reason in self.reasons]
        if self.errors:
            parts.insert(0, f"{self.errors} {'error' if self.errors == 1 else 'errors'}")
        return f"readiness {self.score}/100{author}: {', '.join(parts)}"


def readiness_of(prp: Prp, examined: Examined) -> Readiness:
    """Return how ready a document is.

    Args:
        prp: The document.
        examined: What `lint` returned.

    Returns:
        The mean of the reasons by their weights. A part that the document does not have counts as
        none of it: no checks means that no check can fail.

    """
    findings, coverage = examined.findings, examined.coverage
    by_line = {finding.line for finding in findings if finding.code in _REFERENCES}
    reasons = (
        _share(
            "criteria",
            30,
            [(c.line, bool(coverage.criteria[c.id])) for c in prp.promises],
            "criteria have a check",
        ),
        _share(
            "checks",
            25,
            [(c.line, c.can_fail and _runs(c)) for c in prp.checks],
            "checks can run and fail",
        ),
        _share(
            "tasks", 15, [(t.line, bool(t.changes)) for t in prp.tasks], "tasks name their files"
        ),
        _share(
            "references",
            15,
            [(r.line, r.line not in by_line) for r in prp.references],
            "references resolve",
            none=1.0,
        ),
        _share(
            "covered tasks",
            10,
            [(t.line, bool(coverage.tasks[t.number])) for t in prp.tasks],
            "tasks have a check",
        ),
        _without_hazards(findings),
    )
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    total = sum(reason.weight for reason in reasons)
    score = round(100 * sum(reason.share * reason.weight for reason in reasons) / total)
    return Readiness(
        score=min(score, _BLOCKED_AT) if errors else score,
        reasons=reasons,
        errors=errors,
        claimed=prp.confidence.score if prp.confidence else None,
    )


def _without_hazards(findings: Sequence[Finding]) -> Reason:
    hazards = [finding for finding in findings if finding.code in ("I51", "I52", "R16", "R18")]
    counted = f"{len(hazards)} hazard{'s' if len(hazards) > 1 else ''}"
    return Reason(
        name="hazards",
        share=1 / (1 + len(hazards)),
        weight=5,
        words=counted if hazards else "no hazards",
        line=hazards[0].line if hazards else 1,
    )


def _runs(check: Check) -> bool:
    return not _NEVER_RUN & set(check.kinds)


def _share(
    name: str, weight: int, facts: Sequence[tuple[int, bool]], words: str, *, none: float = 0.0
) -> Reason:
    good = sum(holds for _, holds in facts)
    against = next((line for line, holds in facts if not holds), 1)
    return Reason(
        name=name,
        share=good / len(facts) if facts else none,
        weight=weight,
        words=f"{good} of {len(facts)} {words}",
        line=against,
    )
