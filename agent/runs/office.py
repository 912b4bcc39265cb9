"""What the agents of one run share: models, briefing, clean rooms; and who plans and judges."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Collection,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.journal import Estimated, Noted, Planned, Record, TaskFinished
from agent.journal.about import at_hand
from agent.llm.budget import Meter
from agent.llm.loading import load_libraries
from agent.llm.models import Connections, open_model
from agent.llm.recording import Recorder
from agent.llm.transcript import Transcript
from agent.planner import Plan, literal_plan, make_plan
from agent.runs.briefing import baseline_in_words, brief_of, plan_in_words
from agent.runs.candidates import Memory
from agent.runs.desk import Desk
from agent.runs.estimate import estimate_of
from agent.runs.folder import RunFolder
from agent.runs.jury import Jury
from agent.steps import step
from agent.verifier import (
    CheckResult,
    Contract,
    Proof,
    Room,
    Verdict,
    clean_room,
    measure,
    run_again,
    verify,
)
from agent.workspace import Reading, Worktree


@dataclass(kw_only=True)
class Office:
    """What the agents of one run share."""

    desk: Desk
    folder: RunFolder
    meter: Meter
    record: Record
    recorder: Recorder | None = None
    finished: Sequence[TaskFinished] = ()
    """What was said of work that was done before the run was begun afresh."""
    given_plan: Plan | None = None
    """A plan that was made before, so that nobody needs to be asked for one."""
    briefing: str = ""
    estimate: Estimated | None = None
    """Known once there is a plan."""
    plan_text: str = ""
    """The plan as a coder reads it, once there is one."""

    def __post_init__(self) -> None:
        """Open no model yet: each is opened when it is first asked."""
        self._models: dict[str, Any] = {}
        self.record = self.memory = Memory(record=self.record, earlier=self.finished)
        self._rooms: dict[int, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self._connections: Connections = {}
        transcript = Transcript(self.folder.transcript, mask=self.desk.toolchain.mask)
        self._listeners: Sequence[Recorder | Transcript] = (
            [transcript, self.recorder] if self.recorder else [transcript]
        )
        self._jury = Jury(
            desk=self.desk,
            record=self.record,
            model=partial(self.model, "verifier"),
            room=self.room,
        )

    def model(self, role: str) -> Any:
        """Return the model of a role, opened once."""
        if role not in self._models:
            self._models[role] = open_model(
                self.desk.choices[role],
                role=role,
                meter=self.meter,
                record=self.record,
                keys=self.desk.settings.keys,
                listeners=self._listeners,
                # Runs of the same document begin alike, side by side or one after the other.
                cache_key=f"prp-{_key_of(self.desk.prp.text)}-{role}",
                connections=self._connections,
            )
        return self._models[role]

    async def aclose(self) -> None:
        """Close the connections to all models."""
        for model in self._models.values():
            await model.close()

    @asynccontextmanager
    async def room(self, contract: Contract, commit: str) -> AsyncIterator[Room]:
        """Open a clean room with a commit in it, and with the packages that its lock files name."""
        made = clean_room(
            self.desk.repository,
            commit,
            contract,
            base=self.desk.base,
            folder=self.folder.path / self._name_of_a_room(),
            sandbox=self.desk.sandbox,
            toolchain=await self.desk.toolchain_for(commit),
            check_timeout=self.desk.settings.check_timeout,
        )
        async with made as room:
            yield room

    def _name_of_a_room(self) -> str:
        """Return a room's name, the same again when the run is taken up."""
        candidate = at_hand().get("candidate", 0)
        which = f"{candidate}-" if candidate else ""
        return f"room-{which}{next(self._rooms[candidate])}"

    async def prepare(self) -> None:
        """Write the text that every conversation begins with."""
        prp = self.desk.prp
        told = await step("briefing", partial(brief_of, self.desk))
        self.briefing = self._jury.briefing = told["text"]
        for words in told["missing"]:
            self.record(Noted(text=words))
        for criterion in prp.promises:
            if criterion.ticked:
                self.record(
                    Noted(text=f"{criterion.id} is ticked in the PRP already; that proves nothing")
                )

    async def measure(self, contract: Contract, commit: str) -> Sequence[CheckResult]:
        """Run every check on the base commit."""
        # The planner is asked next; meanwhile this process would only wait for the checks.
        loading = asyncio.to_thread(load_libraries, list(self.desk.choices.values()))
        async with self.room(contract, commit) as room:
            results, _ = await asyncio.gather(
                measure(contract, room, stage="baseline", record=self.record), loading
            )
        return results

    async def plan(
        self,
        contract: Contract,
        baseline: Sequence[CheckResult],
        *,
        tree: Worktree | None = None,
    ) -> Plan:
        """Let the planner read the base commit and plan.

        Where the worktree is still at the base commit, that is what it reads: to check a large
        repository out once more takes longer than to plan.
        """
        base = tree.path if tree and tree.head() == self.desk.base else None
        plan = self.given_plan or await self._ask_for_plan(contract, baseline, base)
        models = {role: choice.names[0] for role, choice in self.desk.choices.items()}
        # `prp plan` opens no other role; a person who names one model names it for all.
        usual = models.get("planner") or next(iter(models.values()), "")
        named = {"coder": usual, "verifier": usual, **models}
        if self.is_literal:
            named.pop("planner", None)
        if self.desk.external:
            named.pop("coder")  # what a subscription takes is nobody's price
            named = {role: model for role, model in named.items() if model}
        if named:
            self.estimate = estimate_of(
                contract.prp, briefing=self.briefing, models=named, prices=self.meter.prices
            )
            self.record(self.estimate)
        self.plan_text = plan_in_words(plan, baseline)
        return plan

    async def _ask_for_plan(
        self, contract: Contract, baseline: Sequence[CheckResult], base: Path | None
    ) -> Plan:
        if self.is_literal:
            plan = literal_plan(contract.prp)
        elif base:
            plan = await self._planned(contract, baseline, base)
        else:
            async with self.room(contract, self.desk.base) as room:
                plan = await self._planned(contract, baseline, room.path)
        self.record(
            Planned(
                summary=plan.summary,
                steps=tuple(step.model_dump(mode="json") for step in plan.steps),
                proofs=tuple(proof.model_dump(mode="json") for proof in plan.proofs),
                concerns=plan.concerns,
            )
        )
        return plan

    @property
    def is_literal(self) -> bool:
        """Return whether the PRP itself is the plan."""
        return self.desk.settings.plan == "literal"

    async def _planned(
        self, contract: Contract, baseline: Sequence[CheckResult], base: Path
    ) -> Plan:
        reading = Reading(base, role="planner", record=self.record)
        return await make_plan(
            contract.prp,
            model=self.model("planner"),
            briefing=f"{self.briefing}\n\n{baseline_in_words(baseline)}",
            tools=reading.tools,
            frozen=contract.files,
            record=self.record,
        )

    async def run_again(
        self,
        contract: Contract,
        known: Verdict,
        *,
        commit: str,
        attempt: int,
        turn: int,
        touched: Collection[str],
    ) -> Verdict:
        """Run only what a repair is about, on its commit; all else waits for the verdict."""
        async with self.room(contract, commit) as room:
            return await run_again(
                contract,
                room,
                known=known,
                commit=commit,
                attempt=attempt,
                turn=turn,
                touched={*touched, *contract.granted},
                record=self.record,
            )

    async def verify(
        self,
        contract: Contract,
        proofs: Sequence[Proof],
        baseline: Sequence[CheckResult],
        *,
        commit: str,
        attempt: int,
        diff: str,
        touched: Collection[str],
        concerns: Sequence[str] = (),
    ) -> Verdict:
        """Return the verdict on a commit; without a verifier's model nobody is asked.

        The judge is told of the plan's concerns as it is of the coder's doubts.
        """
        async with self.room(contract, commit) as room:
            hearing = self._jury.hear(
                contract,
                room,
                commit=commit,
                attempt=attempt,
                diff=diff,
                doubts=(*(f"Plan: {words}" for words in concerns), *self.memory.doubts()),
            )
            return await verify(
                contract,
                room,
                commit=commit,
                attempt=attempt,
                proofs=proofs,
                baseline=baseline,
                touched={*touched, *contract.granted},
                at_base=lambda: self.room(contract, self.desk.base),
                from_text=hearing.from_text,
                on_trial=hearing.on_trial,
                judge=hearing.judge,
                record=self.record,
            )


def _key_of(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
