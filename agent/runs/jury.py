"""What the verdict asks beyond the checks: tests from the text, mutants, an opinion."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from agent.journal import CommandStarted, HoldoutWritten, MutantsTried, Record, second_look_at
from agent.llm.conversation import AgentFailed
from agent.prp import Criterion
from agent.runs.desk import Desk
from agent.steps import Json, step
from agent.verifier import CheckResult, Contract, Room, judge_criteria
from agent.verifier.evidence import Facts
from agent.verifier.holdout import HoldoutTests, Reviewed, review_tests, write_tests
from agent.verifier.holdout_room import FromText, Holdout, problems_at_base
from agent.verifier.judge import Judged
from agent.verifier.objections import Objection
from agent.verifier.trial import Trial, askable, pick_mutants, try_mutants
from agent.verifier.verify import second_look
from agent.workspace import FileProblem, Reading
from agent.workspace.files import read_text


@dataclass(kw_only=True)
class Jury:
    """Sits for a whole run: the tests from the text are written once."""

    desk: Desk
    record: Record
    model: Callable[[], Any]
    """Opens the verifier's model when it is first asked."""
    room: Callable[[Contract, str], AbstractAsyncContextManager[Room]]
    """Returns a clean room with a commit in it."""
    briefing: str = ""
    """The text that every conversation of the run begins with, once it is written."""
    _holdout: Holdout | None = field(default=None, init=False)

    def hear(
        self,
        contract: Contract,
        room: Room,
        *,
        commit: str,
        attempt: int,
        diff: str,
        doubts: Sequence[str] = (),
    ) -> "Hearing":
        """Return what is asked about one commit, which a clean room holds."""
        return Hearing(
            jury=self,
            contract=contract,
            room=room,
            reading=Reading(room.path, role="verifier", record=self.record),
            commit=commit,
            attempt=attempt,
            diff=diff,
            doubts=doubts,
        )

    @property
    def has_agent(self) -> bool:
        """Return whether a model was named for the verifier."""
        return "verifier" in self.desk.choices

    @property
    def max_mutants(self) -> int:
        """Return how many mutants to try."""
        # A wall is what keeps `rmtree(folder / "x")` with an empty name from the person's files.
        return self.desk.settings.max_mutants if self.desk.sandbox.name != "none" else 0

    async def tests_from_text(self, contract: Contract) -> Holdout | None:
        """Return the run's tests from the text, written when they are first needed."""
        most = self.desk.settings.holdout_tests
        if not (self.has_agent and most):
            return None
        if self._holdout is None:
            self._holdout = Holdout(await self._write_tests(contract, most), record=self.record)
        return self._holdout

    async def _write_tests(self, contract: Contract, most: int) -> HoldoutTests:
        """Let the verifier write tests; it sees the base commit and nothing of the branch."""
        async with self.room(contract, self.desk.base) as base:
            reading = Reading(base.path, role="verifier", record=self.record)
            try:
                given = await write_tests(
                    contract.prp,
                    model=self.model(),
                    briefing=self.briefing,
                    environment=self.desk.toolchain.describe(self.desk.sandbox),
                    most=most,
                    tools=reading.tools,
                    try_out=partial(problems_at_base, base=base),
                )
            except AgentFailed as error:
                given = HoldoutTests(reason=str(error))
        self.record(
            HoldoutWritten(
                path=given.path,
                content=given.content,
                guards_path=given.guards_path,
                guards=given.guards,
                guards_command=given.guards_command,
                command=given.command,
                tests=tuple(test.model_dump(mode="json") for test in given.tests),
                reason=given.reason,
            )
        )
        return given


@dataclass(kw_only=True)
class Hearing:
    """One commit before the jury."""

    jury: Jury
    contract: Contract
    room: Room
    reading: Reading
    commit: str
    attempt: int
    diff: str
    doubts: Sequence[str]
    """What the plan found wrong in the PRP; what the coder doubts, and where it deviated."""
    _trial: Trial = field(default_factory=Trial, init=False)

    async def from_text(self) -> FromText:
        """Hold the tests from the text against the commit; failing ones are read again."""
        holdout = await self.jury.tests_from_text(self.contract)
        if holdout is None:
            return FromText()

        async def read_again(failing: Any, output: str) -> Mapping[str, Reviewed]:
            try:
                return await review_tests(
                    holdout.given,
                    failing,
                    model=self.jury.model(),
                    briefing=self.jury.briefing,
                    commit=self.commit,
                    output=output,
                    tools=self.reading.tools,
                )
            except AgentFailed:
                return {}  # then it is for a person

        room = replace(self.room, tell=second_look(self.attempt, self.jury.record))
        return await holdout.weigh(room, read_again, attempt=self.attempt)

    async def on_trial(self, results: Sequence[CheckResult]) -> tuple[Objection, ...]:
        """Say which small changes of the changed lines no test notices."""
        desk = self.jury.desk
        changed = desk.repository.changed_lines(desk.base, self.commit, suffix=".py")
        mutants = pick_mutants(self.room, changed, most=self.jury.max_mutants)

        async def do() -> Json:
            trial = await try_mutants(mutants, askable(results), self.room)
            survivors = [mutants.index(mutant) for mutant in trial.survivors]
            return asdict(replace(trial, survivors=())) | {"survivors": survivors}

        if mutants:
            words = f"the tests, on {len(mutants)} small changes of the changed lines, one by one"
            by = second_look_at(self.attempt)
            self.jury.record(CommandStarted(by=by, command=words, log="", check="mutants"))
        # One step: how many are tried depends on the clock.
        told = await step("mutants", do)
        trial = Trial(**told | {"survivors": tuple(mutants[n] for n in told["survivors"])})
        self._trial = trial
        if trial.chosen:
            self.jury.record(
                MutantsTried(
                    attempt=self.attempt,
                    chosen=trial.chosen,
                    tried=trial.tried,
                    killed=trial.killed,
                    survivors=tuple(str(mutant) for mutant in trial.survivors),
                    seconds=trial.seconds,
                )
            )
        return trial.objections

    async def judge(
        self,
        criteria: Sequence[Criterion],
        facts: Facts,
        objections: Sequence[Objection],
    ) -> Judged:
        """Ask the verifier agent; without a model for it nobody is asked."""
        if not self.jury.has_agent:
            return Judged(judgements={}, concerns=(_NO_JUDGE,))
        desk = self.jury.desk
        changed = desk.repository.changed(desk.base, self.commit)
        return await judge_criteria(
            criteria,
            model=self.jury.model(),
            briefing=self.jury.briefing,
            commit=self.commit,
            facts=facts,
            objections=objections,
            doubts=self.doubts,
            mutants=self._trial.in_words(),
            changes=[f"{file.status} {file.path}" for file in changed],
            diff=self.diff,
            tools=self.reading.tools,
            read=self._text_or_none,
        )

    def _text_or_none(self, path: str) -> str | None:
        try:
            return read_text(self.room.path, path)
        except FileProblem:
            return None


_NO_JUDGE = "No model was named for the verifier, so only checks were looked at"
