"""Execute one PRP: the whole story on one screen."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from shlex import quote

from agent.coder import Assignment, carry_out, repair, tests_first
from agent.errors import BudgetExhausted, Exit, ProviderUnavailable
from agent.journal import (
    AttemptStarted,
    ContractFrozen,
    FeedbackSent,
    Record,
)
from agent.llm.budget import Budget
from agent.planner import Plan
from agent.prp import Prp
from agent.verifier import CheckResult, Contract, Verdict, feedback_on, freeze
from agent.workspace import Worktree


@dataclass(frozen=True, kw_only=True)
class Crew:
    """The agents, as functions: a test brings its own."""

    measure: Callable[[Contract, str], Awaitable[Sequence[CheckResult]]]
    """Runs every check on a commit."""
    plan: Callable[[Contract, Sequence[CheckResult]], Awaitable[Plan]]
    code: Callable[[Sequence[Assignment], int, Contract, Plan], Awaitable[None]]
    """Carries out an attempt's work in the worktree, with one commit for each assignment."""
    verify: Callable[[Contract, Plan, Sequence[CheckResult], str, int], Awaitable[Verdict]]
    rethink: Callable[[Contract, Verdict, str, int], Awaitable[str]]
    """Finds another way where attempts have failed alike, that many times; in words."""
    has_stronger: bool = False
    """Whether a stronger model than the coder's can be asked to repair."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """What is done already, where a run goes on without its steps."""

    attempt: int = 1
    finished: frozenset[int] = frozenset()
    """Numbers of the assignments of the first attempt that need not be carried out again."""


# Characters of the diff that a repair begins with; the rest can be read.
_SHOWN_DIFF = 30_000


class Ending(StrEnum):
    """How a run ends."""

    PROVEN = "proven"
    FAILED = "failed"
    UNPROVEN = "unproven"
    OUT_OF_BUDGET = "out of budget"
    PAUSED = "paused"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended, and the branch that holds its work."""

    ending: Ending
    reason: str
    branch: str
    commit: str
    exit_status: Exit
    hint: str
    """What to do next, where the run was stopped on its way."""
    verdict: Verdict | None
    """On the commit that is delivered; None where the run ended before there was one."""
    can_go_on: bool = False
    """Whether it was stopped on its way and can be taken up."""


_NOTHING = Before()


async def execute(
    prp: Prp,
    crew: Crew,
    tree: Worktree,
    budget: Budget,
    record: Record,
    *,
    strict: bool = False,
    before: Before = _NOTHING,
) -> Outcome:
    """Carry out one PRP.

    The planner reads the PRP and its documents, the coder carries out the tasks
    in a git worktree, and the verifier runs the validation loops and feeds
    failures back until the criteria pass or the retry budget runs out.
    """
    verdicts: list[Verdict] = []
    try:
        contract = freeze(prp, files=tree.blobs())
        record(
            ContractFrozen(files=dict(contract.files), checks=tuple(c.id for c in contract.checks))
        )
        baseline = await crew.measure(contract, tree.base)
        plan = await crew.plan(contract, baseline)
        work = [task for task in _tasks(prp, plan) if task.number not in before.finished]

        for attempt in range(before.attempt, max(budget.max_attempts, before.attempt) + 1):
            record(AttemptStarted(attempt=attempt, steps=tuple(step.number for step in work)))
            await crew.code(work, attempt, contract, plan)
            verdict = await crew.verify(contract, plan, baseline, tree.head(), attempt)
            verdicts.append(verdict)
            alike = failed_alike(verdicts)
            if verdict.holds(strict=strict) or not verdict.failed or alike > 2 + crew.has_stronger:
                break
            if attempt >= budget.max_attempts:
                break  # nobody is left to be told
            feedback = feedback_on(verdict)
            record(FeedbackSent(attempt=attempt, text=feedback))
            if alike > 1:
                # The same request again would get the same answer.
                feedback = await crew.rethink(contract, verdict, feedback, alike)
            work = [
                repair(
                    commit=verdict.commit,
                    changes=tree.diff(limit=_SHOWN_DIFF),
                    feedback=feedback,
                    stronger=alike > 2,
                )
            ]

    except (BudgetExhausted, ProviderUnavailable) as stop:
        return stopped(stop, tree, verdicts)
    return ended(prp, tree, verdicts, budget, strict=strict)


def _tasks(prp: Prp, plan: Plan) -> list[Assignment]:
    """Return the first attempt's work: the tests of the specification, then the plan's steps."""
    by_number = {task.number: task for task in prp.tasks}
    steps = [
        carry_out(by_number[step.task], approach=step.approach, files=step.files, after=step.after)
        for step in plan.steps
    ]
    return [tests_first(), *steps] if prp.test_specs else steps


def failed_alike(verdicts: Sequence[Verdict]) -> int:
    """Return how many of the last attempts failed in the very same way as the last one."""
    before = takewhile(lambda v: v.fingerprint == verdicts[-1].fingerprint, reversed(verdicts))
    return sum(1 for _ in before)


def ended(
    prp: Prp, tree: Worktree, verdicts: Sequence[Verdict], budget: Budget, *, strict: bool
) -> Outcome:
    """Return how a run ended that came to a verdict; its best attempt is what it delivers."""
    best = max(verdicts, key=lambda verdict: verdict.score)
    tree.deliver(best.commit)
    if best.holds(strict=strict):
        return _outcome(Ending.PROVEN, f"every criterion holds{best.how}", tree, best)
    if not best.failed:
        return _outcome(Ending.UNPROVEN, f"no check failed, but {best.missing}", tree, best)
    hint = (
        "The work stays on its branch. Mend it and hold it against the PRP with prp verify "
        f"{quote(str(prp.path))} --branch {tree.branch}, or execute the PRP again with more of "
        "--max-attempts or a stronger model."
    )
    if (alike := failed_alike(verdicts)) > 1:
        reason = f"the same failures {alike} times in a row"
        return _outcome(Ending.FAILED, reason, tree, best, hint=hint)
    most = budget.max_attempts
    used = f"all {most} attempts are used" if most > 1 else "its one attempt is used"
    reason = f"{used}, and checks or criteria still fail"
    return _outcome(Ending.OUT_OF_BUDGET, reason, tree, best, hint=hint)


def stopped(
    stop: BudgetExhausted | ProviderUnavailable, tree: Worktree, verdicts: Sequence[Verdict]
) -> Outcome:
    """Return how a run ended that was stopped on its way; everything it did stays on the branch."""
    paused = isinstance(stop, ProviderUnavailable)
    best = max(verdicts, key=lambda verdict: verdict.score, default=None)
    ending = Ending.PAUSED if paused else Ending.OUT_OF_BUDGET
    return replace(_outcome(ending, str(stop), tree, best, hint=stop.hint), can_go_on=True)


_EXIT = {
    Ending.PROVEN: Exit.PROVEN,
    Ending.FAILED: Exit.FAILED,
    Ending.UNPROVEN: Exit.UNPROVEN,
    Ending.OUT_OF_BUDGET: Exit.BUDGET,
    Ending.PAUSED: Exit.PROVIDER,
}


def _outcome(
    ending: Ending, reason: str, tree: Worktree, verdict: Verdict | None, *, hint: str = ""
) -> Outcome:
    return Outcome(
        ending=ending,
        reason=reason,
        branch=tree.branch,
        commit=tree.head(),
        exit_status=_EXIT[ending],
        hint=hint,
        verdict=verdict,
    )
