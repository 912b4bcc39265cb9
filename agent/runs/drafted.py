"""A PRP that was drafted, and what is known of it, told to people and machines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.prp import Finding, Prp, ReferenceKind, Severity
from agent.prp.readiness import Readiness
from agent.shown import json_text
from agent.verifier import CheckResult, describe


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A PRP that was drafted, and what is known of it."""

    name: str
    """Its path from the repository's root."""
    prp: Prp
    findings: Sequence[Finding]
    readiness: Readiness
    baseline: Sequence[CheckResult]
    """What its checks said on the code as it is, its own tests in place."""
    questions: Sequence[str]
    cost_usd: float | None = None
    exit_status: int = 0

    @property
    def unopened(self) -> tuple[str, ...]:
        """Return the pages that it names; drafting opens none."""
        return tuple(r.target for r in self.prp.references if r.kind is ReferenceKind.URL)

    def in_words(self) -> str:
        """Return what a person should know before it is executed."""
        parts = [
            [f"written: {self.name}", "", *self._readiness()],
            ["checks, on the code as it is now with the draft's tests in place:", *self._checks()],
            [
                "open questions, with what the draft assumes:",
                *(f"  {question}" for question in self.questions),
            ],
            [
                "pages that it names and nobody has opened:",
                *(f"  {url}" for url in self.unopened),
            ],
            ["what could be better:", *self._findings()],
            [f"Read it, change what is wrong, then: prp plan {self.name}"],
        ]
        told = [part for part in parts if len(part) > 1 or part is parts[-1]]
        return "\n\n".join("\n".join(part) for part in told)

    def _readiness(self) -> Iterator[str]:
        yield self.readiness.in_words
        for reason in self.readiness.reasons:
            if reason.share < 1:
                yield f"  {self.name}:{reason.line}: {reason.words}"

    def _checks(self) -> Iterator[str]:
        yield from (f"  {describe(result)}" for result in self.baseline)
        if self.baseline and not any(result.failed for result in self.baseline):
            yield "  none of them fails: none would show that the work was done"

    def _findings(self) -> Iterator[str]:
        for found in self.findings:
            if found.severity is not Severity.NOTE and found.code != "R23":
                yield f"  {self.name}:{found.line}: [{found.code}] {found.message}. {found.hint}"

    def as_json(self) -> str:
        """Return the same for machines."""
        return json_text(
            {
                "path": self.name,
                "readiness": self.readiness.score,
                "reasons": {reason.name: reason.words for reason in self.readiness.reasons},
                "findings": [
                    {
                        "code": f.code,
                        "severity": f.severity.value,
                        "line": f.line,
                        "message": f.message,
                    }
                    for f in self.findings
                ],
                "baseline": [
                    {"check": r.check.id, "command": r.check.command, "state": r.state.value}
                    for r in self.baseline
                ],
                "questions": list(self.questions),
                "unopened": list(self.unopened),
                "cost_usd": self.cost_usd,
            }
        )
