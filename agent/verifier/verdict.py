"""The verdict on one commit: every check's result and every criterion's status."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from agent.verifier.checks import CheckResult
from agent.verifier.evidence import CriterionResult, Facts, Status, describe, findings
from agent.verifier.expectations import CheckState
from agent.verifier.objections import Objection, Weight

_HOLDS = {Status.PROVEN, Status.JUDGED, Status.PRE_EXISTING}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the verifier can say of a commit."""

    attempt: int
    commit: str
    facts: Facts
    criteria: tuple[CriterionResult, ...]
    concerns: tuple[str, ...] = ()
    """What the verifier agent noticed beside the criteria."""
    put_back: tuple[str, ...] = ()
    """Files that the commit had changed or added and that would have decided how checks end."""
    objections: tuple[Objection, ...] = ()
    """What speaks against the commit although its checks pass; sought only where none fails."""

    @property
    def results(self) -> Mapping[str, CheckResult]:
        """Return the checks' results by id."""
        return self.facts.results

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """Return the checks that fail and did not fail in the same way on the base commit."""
        return tuple(result for name, result in self.results.items() if self.facts.fails_anew(name))

    @property
    def failed(self) -> bool:
        """Return whether something is wrong that the coder could mend."""
        return bool(
            self.failures
            or self.objections_of(Weight.REFUSED)
            or any(c.status is Status.FAILED for c in self.criteria)
        )

    def objections_of(self, weight: Weight) -> tuple[Objection, ...]:
        """Return the objections of one weight."""
        return tuple(o for o in self.objections if o.weight is weight)

    def holds(self, *, strict: bool) -> bool:
        """Return whether nothing failed and every criterion has its evidence.

        Args:
            strict: Whether only proven criteria count.

        Where the PRP states no criterion, a check that was red on the base commit must be green.

        """
        accepted = {Status.PROVEN} if strict else _HOLDS
        shown = bool(self.criteria) or self.facts.turned_green
        told = all(o.weight is Weight.NOTED for o in self.objections)
        clean = not self.failures and told
        return clean and shown and all(c.status in accepted for c in self.criteria)

    @property
    def how(self) -> str:
        """Return how many criteria hold by which evidence, as ` (8 proven, 2 judged)`."""
        counts = Counter(c.status.value for c in self.criteria)
        words = ", ".join(f"{number} {status}" for status, number in counts.most_common())
        return f" ({words})" if words else ""

    @property
    def missing(self) -> str:
        """Return what keeps a verdict without failures from being a proof."""
        tools = [
            f"{r.check.id} could not run: {r.reason}"
            for r in self.results.values()
            if r.state is CheckState.TOOL_MISSING or r.lacks
        ]
        asked = [f"a person has to say: {o}" for o in self.objections_of(Weight.ASKED)]
        return "; ".join([*(asked[:3] or ["evidence is missing"]), *dict.fromkeys(tools)])

    @property
    def score(self) -> tuple[int, int, int, int]:
        """Return how good it is, for picking the best attempt: bigger is better."""
        held = sum(c.status in _HOLDS for c in self.criteria)
        failed = sum(c.status is Status.FAILED for c in self.criteria)
        refused = len(self.objections_of(Weight.REFUSED))
        tests = sum(result.tests.failed for result in self.failures if result.tests)
        return (-len(self.failures) - refused, held - failed, -tests, -self.attempt)

    @property
    def fingerprint(self) -> str:
        """Return the same text for the same failures, whatever the durations and line numbers."""
        parts = [f"{r.check.id} {r.state} {sorted(findings(r.output))}" for r in self.failures]
        parts += [c.criterion.id for c in self.criteria if c.status is Status.FAILED]
        parts += [str(objection) for objection in self.objections_of(Weight.REFUSED)]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()

    def in_words(self) -> tuple[str, ...]:
        """Return what failed, one line each."""
        checks = (describe(result) for result in self.failures)
        criteria = (
            f"{c.criterion.id} {c.criterion.text}: {c.evidence[0] if c.evidence else ''}"
            for c in self.criteria
            if c.status is Status.FAILED
        )
        refused = (str(objection) for objection in self.objections_of(Weight.REFUSED))
        return (*checks, *refused, *criteria)
