"""The verifier: runs every check on a clean checkout, then says what each criterion is worth."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from agent.journal import AttemptVerified, CheckFinished, CriterionJudged, MutantsTried, Record
from agent.prp import Criterion
from agent.verifier.canary import with_canary
from agent.verifier.checks import CheckResult, run_levels
from agent.verifier.contract import Contract
from agent.verifier.evidence import Facts, Judgement, Proof, decide
from agent.verifier.judge import Judged
from agent.verifier.mutants import Mutant
from agent.verifier.room import Room
from agent.verifier.trial import Trial, askable, pick_mutants, try_mutants
from agent.verifier.verdict import Verdict
from agent.workspace import clip

Judge = Callable[[Sequence[Criterion], Mapping[str, CheckResult], Sequence[str]], Awaitable[Judged]]
"""Judges criteria on the commit under judgement, knowing the checks' results and further facts."""

_KEPT = 6_000


async def measure(
    contract: Contract, room: Room, *, stage: str, gate: bool, record: Record
) -> tuple[CheckResult, ...]:
    """Run the contract's checks in a clean room.

    Args:
        contract: Names the checks.
        room: A checkout of the commit to measure.
        stage: `baseline` or `attempt N`, for the journal.
        gate: Whether a level with a failure keeps later levels from running.
        record: Is told of each result.

    """

    def seen(result: CheckResult) -> None:
        record(_finished(result, stage))

    return await run_levels(contract.checks, room.run, gate=gate, seen=seen)


def _finished(result: CheckResult, stage: str) -> CheckFinished:
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
    )


async def _not_fooled(
    results: Sequence[CheckResult], room: Room, *, stage: str, record: Record
) -> tuple[CheckResult, ...]:
    """Ask those that passed again with a canary, once nothing else fails."""
    asked = []
    for result in results:
        again = await with_canary(result, room)
        if again is not result:
            record(_finished(again, stage))
        asked.append(again)
    return tuple(asked)


async def verify(
    contract: Contract,
    room: Room,
    *,
    commit: str,
    attempt: int,
    proofs: Sequence[Proof],
    baseline: Sequence[CheckResult],
    touched: Collection[str],
    judge: Judge,
    record: Record,
    changed_lines: Mapping[str, Collection[int]],
    max_mutants: int,
) -> Verdict:
    """Return the verdict on a commit.

    Where no check fails, the tests run on at most `max_mutants` small changes of the lines that
    the commit changed; what they don't notice is told, and fails nothing.

    The agent is asked only where no check fails: while one does, the coder has enough to do, and
    an opinion could not change anything.
    """
    stage = f"attempt {attempt}"
    results = await measure(contract, room, stage=stage, gate=True, record=record)
    if not any(result.failed for result in results):
        results = await _not_fooled(results, room, stage=stage, record=record)
    facts = Facts(
        results={result.check.id: result for result in results},
        baseline={result.check.id: result for result in baseline},
        touched=touched,
    )
    by_id = {proof.criterion: proof for proof in proofs}
    decided = partial(
        _decided, contract, by_id, commit=commit, attempt=attempt, put_back=room.put_back
    )
    verdict = decided(facts)
    trial = Trial()
    if not verdict.failures:
        mutants = pick_mutants(room, changed_lines, most=max_mutants)
        trial = await _on_trial(mutants, results, room, attempt=attempt, record=record)
        verdict = decided(facts, concerns=trial.concerns)
    if not verdict.failures and contract.prp.promises:
        promises = _for_a_reader(contract.prp.promises, by_id)
        judged = await judge(promises, facts.results, trial.facts)
        facts = Facts(
            results=facts.results,
            baseline=facts.baseline,
            touched=touched,
            judgements=dict(judged.judgements) | _for_a_person(by_id),
        )
        verdict = decided(facts, concerns=(*trial.concerns, *judged.concerns))
    _tell(verdict, record)
    return verdict


async def _on_trial(
    mutants: Sequence[Mutant],
    results: Sequence[CheckResult],
    room: Room,
    *,
    attempt: int,
    record: Record,
) -> Trial:
    """Run the tests that passed on mutants, where there are both."""
    tests = askable(results)
    if not (mutants and tests):
        return Trial()
    trial = await try_mutants(mutants, tests, room)
    record(
        MutantsTried(
            attempt=attempt,
            chosen=trial.chosen,
            tried=trial.tried,
            killed=trial.killed,
            survivors=tuple(str(mutant) for mutant in trial.survivors),
            seconds=trial.seconds,
        )
    )
    return trial


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
    )


def _tell(verdict: Verdict, record: Record) -> None:
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
        )
    )
