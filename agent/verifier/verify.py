"""The verifier: runs every check on a clean checkout, then says what each criterion is worth."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from agent.journal import (
    AttemptVerified,
    CheckFinished,
    CommandStarted,
    CriterionJudged,
    LookingCloser,
    Noted,
    Record,
    second_look_at,
)
from agent.prp import Check, Criterion
from agent.verifier.canary import with_canary
from agent.verifier.checks import CheckResult, run_levels
from agent.verifier.contract import Contract
from agent.verifier.evidence import Facts, Judgement, Proof, decide
from agent.verifier.expectations import CheckState
from agent.verifier.holdout_room import FromText
from agent.verifier.judge import Judged
from agent.verifier.lacks import is_own_module, settled
from agent.verifier.later import runs_later
from agent.verifier.objections import Objection
from agent.verifier.red_green import shown_red
from agent.verifier.room import Room
from agent.verifier.scrutiny import scrutinise, steadied
from agent.verifier.servers import PATIENCE
from agent.verifier.verdict import Verdict
from agent.workspace import Finished, clip

Judge = Callable[[Sequence[Criterion], Facts, Sequence[Objection]], Awaitable[Judged]]
"""Judges criteria on the commit under judgement, knowing results and what speaks against it."""

FromTextOf = Callable[[], Awaitable[FromText]]
"""Holds the tests from the text against the commit."""

OnTrial = Callable[[Sequence[CheckResult]], Awaitable[tuple[Objection, ...]]]
"""Says what the tests that passed do not notice."""

_KEPT = 6_000


async def measure(
    contract: Contract,
    room: Room,
    *,
    stage: str,
    record: Record,
    baseline: Mapping[str, CheckResult] | None = None,
    touched: Collection[str] = (),
) -> tuple[CheckResult, ...]:
    """Run the contract's checks in a clean room.

    Args:
        contract: Names the checks.
        room: A checkout of the commit to measure.
        stage: `baseline` or `attempt N`, for the journal.
        record: Is told of each result.
        baseline: For a branch, the results on the base commit by id: a level with a failure
            that is not there keeps later levels from running.
        touched: For a branch, the files that it is about.

    """

    async def run(command: str, check: Check) -> Finished:
        log = room.next_log_of(check)
        record(CommandStarted(by=stage, check=check.id, command=command, log=log))
        return await room.run(command, check)

    def seen(result: CheckResult) -> None:
        record(finished_event(result, stage, room))

    promised = [change.path for task in contract.prp.tasks for change in task.changes]

    def as_taken(result: CheckResult) -> CheckResult:
        if is_own_module(result.reason, root=room.path, promised=promised):
            # Nobody can install what the work was to bring.
            result = replace(result, state=CheckState.FAILED)
        return settled(result, (baseline or {}).get(result.check.id))

    def closes(result: CheckResult) -> bool:
        return baseline is not None and _fails_anew((result,), baseline, touched)

    # What a server said is shown only where the check's own time has not run out before.
    patience = min(PATIENCE, room.check_timeout / 2)
    return await run_levels(
        contract.checks, run, settled=as_taken, closes=closes, seen=seen, patience=patience
    )


def finished_event(result: CheckResult, stage: str, room: Room) -> CheckFinished:
    """Return the event that tells of a check's result in a room."""
    came = result.tests
    return CheckFinished(
        stage=stage,
        check=result.check.id,
        level=result.check.level,
        command=result.command or result.check.command,
        state=result.state.value,
        status=result.status,
        seconds=result.seconds,
        reason=result.reason,
        output=clip(result.output, limit=_KEPT),
        tests={"passed": came.passed, "failed": came.failed, "skipped": came.skipped}
        if came
        else {},
        log=room.log_of(result.check) if result.status is not None else "",
    )


def _fails_anew(
    results: Sequence[CheckResult], baseline: Mapping[str, CheckResult], touched: Collection[str]
) -> bool:
    """Return whether a check fails that did not fail in the same way on the base commit."""
    by_id = {result.check.id: result for result in results}
    facts = Facts(results=by_id, baseline=baseline, touched=touched)
    return any(facts.fails_anew(name) for name in by_id)


def second_look(attempt: int, record: Record) -> Callable[[str, Check, str], None]:
    """Return what tells of commands that run once more, so that a person sees what takes time."""

    def tell(command: str, check: Check, log: str) -> None:
        record(CommandStarted(by=second_look_at(attempt), check=check.id, command=command, log=log))

    return tell


async def _not_fooled(
    results: Sequence[CheckResult], room: Room, say: Callable[[CheckResult], None]
) -> tuple[tuple[CheckResult, ...], dict[str, CheckResult]]:
    """Ask those that passed again with a canary; return also what their own tests did then."""
    asked, second = [], {}
    for result in results:
        again, own = await with_canary(result, room)
        if again is not result:
            say(again)
        asked.append(again)
        if own is not None:
            second[result.check.id] = own
    return tuple(asked), second


async def _checked(
    contract: Contract,
    room: Room,
    *,
    attempt: int,
    before: Mapping[str, CheckResult],
    touched: Collection[str],
    at_base: Callable[[], AbstractAsyncContextManager[Room]],
    record: Record,
) -> tuple[tuple[CheckResult, ...], tuple[Objection, ...]]:
    """Run the checks, and look closer as long as none fails; return what speaks against them, too.

    What passed is asked again: with a canary, more than once, on the tests of the base commit.
    """
    stage = f"attempt {attempt}"

    def say(result: CheckResult) -> None:
        record(finished_event(result, stage, room))

    results = await measure(
        contract, room, stage=stage, record=record, baseline=before, touched=touched
    )
    results = await steadied(results, room, say, only_failed=True)
    objections = tuple(runs_later(room.edits))
    if _fails_anew(results, before, touched):
        return results, objections
    record(LookingCloser(attempt=attempt))
    closer = replace(room, tell=second_look(attempt, record))
    results, second = await _not_fooled(results, closer, say)
    if _fails_anew(results, before, touched):
        return results, objections
    results = await steadied(results, closer, say, known=second)
    results = await shown_red(contract, closer, at_base, results, before)
    return results, (*objections, *await scrutinise(contract, closer, results, before))


async def verify(
    contract: Contract,
    room: Room,
    *,
    commit: str,
    attempt: int,
    proofs: Sequence[Proof],
    baseline: Sequence[CheckResult],
    touched: Collection[str],
    at_base: Callable[[], AbstractAsyncContextManager[Room]],
    from_text: FromTextOf,
    on_trial: OnTrial,
    judge: Judge,
    record: Record,
) -> Verdict:
    """Return the verdict on a commit.

    The agent is asked only where nothing that a program found fails, neither a check nor a test
    from the text: until then the coder has enough to do, and will change what would be judged.
    """
    before = {result.check.id: result for result in baseline}
    results, objections = await _checked(
        contract,
        room,
        attempt=attempt,
        before=before,
        touched=touched,
        at_base=at_base,
        record=record,
    )
    facts = Facts(
        results={result.check.id: result for result in results}, baseline=before, touched=touched
    )
    by_id = {proof.criterion: proof for proof in proofs}
    decided = partial(
        _decided,
        contract,
        by_id,
        commit=commit,
        attempt=attempt,
        put_back=room.put_back,
    )
    verdict = decided(facts, objections=objections)
    if not verdict.failed and contract.prp.promises:
        told = await from_text()
        facts = replace(facts, holdout=told.shown, guarded=told.guarded, judgements=_broken(told))
        objections = (*objections, *told.objections)
        verdict = decided(facts, objections=objections)
    if not verdict.failed:
        objections = (*objections, *await on_trial(results))
        verdict = decided(facts, objections=objections)
    if not verdict.failed and contract.prp.promises:
        asked = _for_a_reader(contract.prp.promises, by_id)
        judged = await judge(asked, facts, verdict.objections)
        facts = replace(facts, judgements=dict(judged.judgements) | _for_a_person(by_id))
        verdict = decided(facts, objections=verdict.objections, concerns=judged.concerns)
    tell_verdict(verdict, record)
    return verdict


def stands_again(verdict: Verdict, *, attempt: int, record: Record) -> Verdict:
    """Return the verdict on a commit for an attempt that left it as it was.

    No check fails on it, so it was for a reader, a test from the text or a mutant to say no. To ask
    once more about the same files would be another draw, and cost as much.
    """
    record(Noted(text=f"attempt {attempt} changed nothing: what was found before stands"))
    again = replace(verdict, attempt=attempt)
    tell_verdict(again, record)
    return again


def _broken(told: FromText) -> dict[str, Judgement]:
    """Return the criteria that a test from the text refutes."""
    return {
        name: Judgement(criterion=name, holds="no", reason=reason)
        for name, reason in told.broken.items()
    }


_PERSON = "PERSON:"


def _for_a_reader(promises: Sequence[Criterion], proofs: Mapping[str, Proof]) -> list[Criterion]:
    return [p for p in promises if not _needs_person(proofs.get(p.id))]


def _for_a_person(proofs: Mapping[str, Proof]) -> dict[str, Judgement]:
    return {
        name: Judgement(
            criterion=name, holds="person", reason=proof.how.removeprefix(_PERSON).strip()
        )
        for name, proof in proofs.items()
        if _needs_person(proof)
    }


def _needs_person(proof: Proof | None) -> bool:
    return proof is not None and proof.how.startswith(_PERSON)


def _decided(
    contract: Contract,
    proofs: Mapping[str, Proof],
    facts: Facts,
    *,
    commit: str,
    attempt: int,
    put_back: tuple[str, ...],
    objections: tuple[Objection, ...],
    concerns: tuple[str, ...] = (),
) -> Verdict:
    criteria = (decide(c, proofs.get(c.id), facts) for c in contract.prp.promises)
    return Verdict(
        attempt=attempt,
        commit=commit,
        facts=facts,
        criteria=tuple(criteria),
        concerns=concerns,
        put_back=put_back,
        objections=objections,
    )


def tell_verdict(verdict: Verdict, record: Record) -> None:
    """Record every criterion's status, and what the verdict is."""
    for result in verdict.criteria:
        record(
            CriterionJudged(
                attempt=verdict.attempt,
                criterion=result.criterion.id,
                text=result.criterion.text,
                line=result.criterion.line,
                status=result.status.value,
                evidence=result.evidence,
            )
        )
    record(
        AttemptVerified(
            attempt=verdict.attempt,
            commit=verdict.commit,
            holds=verdict.holds(strict=False),
            failures=verdict.in_words(),
            concerns=verdict.concerns,
            put_back=verdict.put_back,
            objections=tuple(
                {"weight": o.weight.value, "place": o.place, "what": o.what}
                for o in verdict.objections
            ),
        )
    )
