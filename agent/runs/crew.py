"""Binds the three agents to one run: models, briefing, worktree, clean rooms."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from agent.coder import Assignment, Change, Hands, Team, code
from agent.execute import Crew
from agent.journal import Estimated, Noted, Planned, Record, Rethought
from agent.journal.about import at_hand
from agent.llm.budget import Meter
from agent.llm.conversation import Talk
from agent.llm.models import Connections, load_libraries, open_model
from agent.llm.recording import Recorder
from agent.llm.transcript import Transcript
from agent.planner import Plan, find_other_way, literal_plan, make_plan
from agent.runs.briefing import baseline_in_words, brief_of, plan_in_words
from agent.runs.candidates import Contest, Memory
from agent.runs.desk import Desk
from agent.runs.estimate import estimate_of
from agent.runs.folder import RunFolder
from agent.runs.guests import External, Invited, invited
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
    verify,
)
from agent.workspace import Reading, Toolchain, Worktree
from agent.workspace.beside import Beside, open_beside

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

# Characters of the diff that the verifier gets with its request; the rest it can read.
_SHOWN_DIFF = 40_000


@dataclass(kw_only=True)
class Office:
    """What the agents of one run share."""

    desk: Desk
    folder: RunFolder
    meter: Meter
    record: Record
    recorder: Recorder | None = None
    given_plan: Plan | None = None
    """A plan that was made before, so that nobody needs to be asked for one."""
    briefing: str = ""
    estimate: Estimated | None = None
    """Known once there is a plan."""

    def __post_init__(self) -> None:
        """Open no model yet: each is opened when it is first asked."""
        self._models: dict[str, Any] = {}
        self.record = self._memory = Memory(record=self.record)
        self._rooms: dict[int, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self._connections: Connections = {}
        self._plan_text = ""
        self._guests = AsyncExitStack()
        self._invited: Invited | None = None
        self._baseline: Sequence[CheckResult] = ()
        self._verdict: Verdict | None = None
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
        """End an external agent, and close the connections to all models."""
        await self._guests.aclose()
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
        self._baseline = baseline
        base = tree.path if tree and tree.head() == self.desk.base else None
        plan = self.given_plan or await self._ask_for_plan(contract, baseline, base)
        models = {role: choice.names[0] for role, choice in self.desk.choices.items()}
        # `prp plan` opens no other role; a person who names one model names it for all.
        usual = models.get("planner") or next(iter(models.values()), "")
        named = {"coder": usual, "verifier": usual, **models}
        if self._is_literal:
            named.pop("planner", None)
        if self.desk.external:
            named["coder"] = ""  # what a subscription takes is nobody's price
        self.estimate = estimate_of(
            contract.prp, briefing=self.briefing, models=named, prices=self.meter.prices
        )
        self.record(self.estimate)
        self._plan_text = plan_in_words(plan, baseline)
        return plan

    async def _ask_for_plan(
        self, contract: Contract, baseline: Sequence[CheckResult], base: Path | None
    ) -> Plan:
        if self._is_literal:
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
    def _is_literal(self) -> bool:
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
            record=self.record,
        )

    def crew(self, tree: Worktree) -> Crew:
        """Return the agents bound to a worktree."""

        async def coded(
            work: Sequence[Assignment], attempt: int, contract: Contract, plan: Plan
        ) -> None:
            await self._have_coded(
                work,
                attempt,
                tree,
                code=partial(carry_out, contract),
                verify=partial(judged, contract, plan, self._baseline),
            )

        async def carry_out(
            contract: Contract, assignment: Assignment, place: Worktree, talk: Talk | None
        ) -> Change:
            toolchain = await self._toolchain_in(place)
            if self.desk.external:
                return await self._hand_over(
                    self.desk.external, assignment, contract, place, toolchain, afresh=talk is None
                )
            # Beside others it has logs of its own.
            name = "logs" if place is tree else f"logs/{place.path.name}"
            logs = self.folder.path / name
            logs.mkdir(parents=True, exist_ok=True)
            hands = Hands(
                place.path,
                sandbox=self.desk.sandbox,
                toolchain=toolchain,
                logs=logs,
                logs_name=name,
                record=self.record,
                forbids=contract.forbids,
                protect=tuple(contract.files),
            )
            return await code(
                assignment,
                hands=hands,
                model=self.model(
                    "planner" if assignment.stronger and self._has_stronger else "coder"
                ),
                briefing=[self.briefing, self._plan_text],
                environment=self.desk.toolchain.describe(self.desk.sandbox),
                talk=talk,
                max_requests=self.desk.budget.max_requests_per_task,
            )

        async def verified(
            contract: Contract,
            plan: Plan,
            baseline: Sequence[CheckResult],
            commit: str,
            attempt: int,
        ) -> Verdict:
            known = self._verdict
            if known and (known.commit, known.attempt) == (commit, attempt):
                return known
            return await judged(contract, plan, baseline, tree, attempt)

        async def judged(
            contract: Contract,
            plan: Plan,
            baseline: Sequence[CheckResult],
            place: Worktree,
            attempt: int,
        ) -> Verdict:
            proofs = [
                Proof(criterion=p.criterion, checks=p.checks, how=p.how, is_guess=self._is_literal)
                for p in plan.proofs
            ]
            return await self.verify(
                contract,
                proofs,
                baseline,
                commit=place.head(),
                attempt=attempt,
                diff=place.diff(limit=_SHOWN_DIFF),
                touched={file.path for file in place.changed()},
            )

        async def rethought(contract: Contract, verdict: Verdict, feedback: str, times: int) -> str:
            return await self._other_way(
                contract, verdict, feedback, times, changes=tree.diff(limit=_SHOWN_DIFF)
            )

        return Crew(
            measure=self._in_time(self.measure),
            plan=self._in_time(partial(self.plan, tree=tree)),
            code=self._in_time(coded),
            verify=self._in_time(verified),
            rethink=self._in_time(rethought),
            has_stronger=self._has_stronger,
        )

    async def _have_coded(
        self,
        work: Sequence[Assignment],
        attempt: int,
        tree: Worktree,
        *,
        code: Callable[[Assignment, Worktree, Talk | None], Awaitable[Change]],
        verify: Callable[[Worktree, int], Awaitable[Verdict]],
    ) -> None:
        """Have the work of an attempt done: by one team, or by several in a contest."""

        def beside(name: str) -> Beside:
            return open_beside(tree, self.folder.beside / name)

        # Once for all that begin here: their packages are installed a single time.
        await self.desk.toolchain_for(tree.head())
        jobs, candidates = self._jobs(), self.desk.settings.candidates
        team = Team(code=code, beside=beside, record=self.record, jobs=jobs)
        if attempt > 1 or candidates == 1:
            await team.carry_out(work, attempt, tree)
            return
        contest = Contest(
            count=candidates,
            jobs=jobs,
            # So many as there are jobs go on at once, whoever's they are.
            carry_out=replace(team, jobs=1).carry_out,
            verify=verify,
            beside=beside,
            memory=self._memory,
            strict=self.desk.settings.strict,
        )
        self._verdict = await contest.hold(work, attempt, tree)

    async def _toolchain_in(self, place: Worktree) -> Toolchain:
        """Return the tools for commands in a worktree, whose commit is made sure to be here."""
        if isinstance(place, Beside):
            await place.require()
        return await self.desk.toolchain_for(place.head())

    def _jobs(self) -> int:
        """Return how many coders are at work at once; an agent of somebody else is one."""
        jobs = self.desk.settings.jobs
        if jobs > 1 and self.desk.external:
            self.record(Noted(text="An external agent does one thing at a time, not --jobs"))
            return 1
        return jobs

    @property
    def _has_stronger(self) -> bool:
        """Return whether the planner's model is another one than the coder's."""
        choices = self.desk.choices
        if not {"planner", "coder"} <= choices.keys():
            return False
        return choices["planner"].names != choices["coder"].names

    async def _other_way(
        self, contract: Contract, verdict: Verdict, feedback: str, times: int, *, changes: str
    ) -> str:
        """Return the feedback with what the planner, reading the commit, would do instead."""
        if "planner" not in self.desk.choices:
            return feedback
        async with self.room(contract, verdict.commit) as room:
            reading = Reading(room.path, role="planner", record=self.record)
            way = await find_other_way(
                model=self.model("planner"),
                briefing=self.briefing,
                tools=reading.tools,
                times=times,
                commit=verdict.commit,
                changes=changes,
                feedback=feedback,
            )
        self.record(
            Rethought(
                attempt=verdict.attempt,
                times=times,
                cause=way.cause if way else "",
                approach=way.approach if way else "",
                stronger=times > 2 and self._has_stronger,
            )
        )
        told = (
            f"Why, as the planner sees it: {way.cause}\n\nGo another way: {way.approach}"
            if way
            else ""
        )
        start = f"{times} attempts failed alike: what was tried so far does not work."
        return "\n\n".join(part for part in (start, told, feedback) if part)

    async def _hand_over(
        self,
        external: External,
        assignment: Assignment,
        contract: Contract,
        tree: Worktree,
        toolchain: Toolchain,
        *,
        afresh: bool,
    ) -> Change:
        """Let an external agent carry out an assignment."""
        from agent.coder.guest import House  # noqa: PLC0415 - heavy, and only such agents need it

        desk, protect = self.desk, tuple(contract.files)
        if self._invited is None:
            self._invited = await self._guests.enter_async_context(
                invited(
                    external,
                    desk.settings,
                    sandbox=desk.sandbox,
                    toolchain=toolchain,
                    folder=self.folder.path,
                    record=self.record,
                )
            )
        house = House(
            root=tree.path,
            sandbox=desk.sandbox,
            confinement=toolchain.confine(tree.path, protect=protect),
            timeout=toolchain.shell_timeout,
            logs=self.folder.logs,
            record=self.record,
            forbids=contract.forbids,
        )
        change = await self._invited.coder.carry_out(
            assignment,
            house=house,
            own=self._invited.confine(tree.path, protect=protect),
            briefing=[self.briefing, self._plan_text],
            environment=toolchain.describe(desk.sandbox),
            afresh=afresh,
        )
        # It remembers what was said; who comes next only needs to know that there was something.
        return replace(change, talk=Talk() if change.finished else None)

    def _in_time(
        self, do: Callable[_Given, Awaitable[_Result]]
    ) -> Callable[_Given, Awaitable[_Result]]:
        """Return the same function, ended when the run's minutes are used up."""

        async def timed(*given: _Given.args, **named: _Given.kwargs) -> _Result:
            async with self.meter.within_time():
                return await do(*given, **named)

        return timed

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
    ) -> Verdict:
        """Return the verdict on a commit; without a verifier's model nobody is asked."""
        async with self.room(contract, commit) as room:
            hearing = self._jury.hear(
                contract,
                room,
                commit=commit,
                attempt=attempt,
                diff=diff,
                doubts=self._memory.doubts(),
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
