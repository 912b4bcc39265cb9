"""What the coder is told of a failed verdict: facts in the order in which to look at them."""

import re

from agent.verifier.checks import CheckResult
from agent.verifier.evidence import CriterionResult, Status
from agent.verifier.objections import Weight
from agent.verifier.verdict import Verdict
from agent.workspace import clip

_LONGEST = 3_000
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (\S+)|^--- FAIL: (\S+)|^\s+✕ (.+)$", re.MULTILINE)


def feedback_on(verdict: Verdict) -> str:
    """Return the failures of a verdict for the coder's next attempt, or nothing where none is."""
    checks = [_about_check(result) for result in verdict.failures]
    criteria = [_about_criterion(c) for c in verdict.criteria if c.status is Status.FAILED]
    refused = [f"- {objection}" for objection in verdict.objections_of(Weight.REFUSED)]
    if refused:
        criteria.append("\n".join(["The checks pass, but not for the right reason:", *refused]))
    if not checks and not criteria:
        return ""
    concerns = [f"- {concern}" for concern in verdict.concerns]
    concerns += [
        f"- {path} was left out or put back before the checks ran: it can decide how they end, and "
        "no task of the PRP names it"
        for path in verdict.put_back
    ]
    noticed = ["The verifier also noticed:", *concerns] if concerns else []
    return "\n\n".join(["What the verifier found:", *checks, *criteria, *noticed])


def _about_check(result: CheckResult) -> str:
    tests = [next(filter(None, found)) for found in _FAILED_TEST.findall(result.output)]
    failing = f"\nFailing tests: {', '.join(dict.fromkeys(tests))}" if tests else ""
    run_as = f"\nRun as: {result.command}" if result.command else ""
    expects = result.check.expectation.text
    expected = f"\nThe PRP expects: {expects}" if expects else ""
    return (
        f"Check {result.check.id}: {result.check.command}{run_as}{expected}\n"
        f"It {result.state}: {result.reason}.{failing}\n"
        f"<output>\n{clip(result.output, limit=_LONGEST).rstrip()}\n</output>"
    )


def _about_criterion(result: CriterionResult) -> str:
    evidence = "\n".join(f"- {line}" for line in result.evidence)
    return f"Criterion {result.criterion.id} does not hold: {result.criterion.text}\n{evidence}"
