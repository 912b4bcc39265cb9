"""Binds the agents of a run to its worktree: who codes, who judges, who finds another way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from agent.coder import Assignment, Change, Hands, Team, code, go_on, repair
from agent.execute import Crew
from agent.journal import Noted, Rethought
from agent.llm.conversation import Talk
from agent.planner import Plan, find_other_way
from agent.runs.candidates import Contest
from agent.runs.guesthouse import Guesthouse
from agent.runs.office import Office
from agent.verifier import (
    CheckResult,
    Contract,
    Proof,
    Verdict,
    affected,
    feedback_on,
    is_stuck,
    stands_again,
    with_failing_tests,
)
from agent.verifier.watch import Watch
from agent.workspace import Reading, Toolchain, Worktree
from agent.workspace.beside import Beside, open_beside

# Characters of the diff that the verifier gets with its request; the rest it can read.
_SHOWN_DIFF = 40_000
# How often within an attempt what had failed runs again; the coder goes on between.
_MOST_TURNS = 3


@asynccontextmanager
async def crew_of(office: Office, tree: Worktree) -> AsyncIterator[Crew]:
    """Bind the agents to a worktree; at the end an external one is ended."""
    async with Guesthouse(office.desk, folder=office.folder, record=office.record) as guesthouse:
        yield _Work(office=office, tree=tree, guesthouse=guesthouse).crew()


@dataclass(kw_only=True)
class _Work:
    """The office's agents at work on one branch."""

    office: Office
    tree: Worktree
    guesthouse: Guesthouse
    _baseline: Sequence[CheckResult] = field(default=(), init=False)
    _verdict: Verdict | None = field(default=None, init=False)
    """Of the contest's best."""
    _latest: Verdict | None = field(default=None, init=False)
    """Of the attempt before."""

    def crew(self) -> Crew:
        """Return the agents, each ended when the run's minutes are used up."""
        in_time = self.office.meter.in_time
        return Crew(
            measure=in_time(self.office.measure),
            plan=in_time(self._plan),
            code=in_time(self._code),
            verify=in_time(self._verify),
            rethink=in_time(self._rethink),
            has_stronger=self._has_stronger,
        )

    async def _plan(self, contract: Contract, baseline: Sequence[CheckResult]) -> Plan:
        self._baseline = baseline
        return await self.office.plan(contract, baseline, tree=self.tree)

    async def _code(
        self, work: Sequence[Assignment], attempt: int, contract: Contract, plan: Plan
    ) -> None:
        """Have the work of an attempt done: by one team, or by several in a contest."""
        desk, tree = self.office.desk, self.tree

        def beside(name: str, at: str) -> Beside:
            return open_beside(tree, self.office.folder.beside / name, at=at)

        # Once for all that begin here: their packages are installed a single time.
        await desk.toolchain_for(tree.head())
        jobs, candidates = self._jobs(), desk.settings.candidates
        code = partial(self._carry_out, contract)
        team = Team(code=code, beside=beside, record=self.office.record, jobs=jobs)
        if attempt > 1 or candidates == 1:
            talk = await team.carry_out(work, attempt, tree)
            # There is no work where all of it was done before the run was begun afresh.
            stronger = any(one.stronger for one in work)
            await self._go_on(contract, team, attempt, talk, stronger=stronger)
            return
        contest = Contest(
            count=candidates,
            jobs=jobs,
            # So many as there are jobs go on at once, whoever's they are.
            carry_out=replace(team, jobs=1).carry_out,
            verify=partial(self._judge, contract, plan, self._baseline),
            beside=beside,
            memory=self.office.memory,
            strict=desk.settings.strict,
        )
        self._verdict = await contest.hold(work, attempt, tree)

    async def _go_on(
        self, contract: Contract, team: Team, attempt: int, talk: Talk | None, *, stronger: bool
    ) -> None:
        """Run what a repair is about again, and have it gone on with while that gets anywhere.

        All checks run for the verdict, whatever came of these.
        """
        known, tree = self._latest, self.tree
        for turn in range(1, _MOST_TURNS + 1):
            if known is None or not affected(known) or tree.head() == known.commit:
                return
            before, touched = known, {file.path for file in tree.changed()}
            known = await self.office.run_again(
                contract, before, commit=tree.head(), attempt=attempt, turn=turn, touched=touched
            )
            if not known.failures or is_stuck(before, known) or turn == _MOST_TURNS:
                return
            feedback = feedback_on(known)
            more = (
                go_on(commit=known.commit, feedback=feedback, stronger=stronger)
                if talk
                else repair(
                    commit=known.commit,
                    changes=tree.diff(limit=_SHOWN_DIFF),
                    feedback=feedback,
                    stronger=stronger,
                )
            )
            talk = await team.carry_out([more], attempt, tree, talk)

    async def _carry_out(
        self, contract: Contract, assignment: Assignment, place: Worktree, talk: Talk | None
    ) -> Change:
        office, desk = self.office, self.office.desk
        toolchain = await self._toolchain_in(place)
        briefing = [office.briefing, office.plan_text]
        if desk.external:
            return await self.guesthouse.carry_out(
                desk.external,
                assignment,
                contract=contract,
                place=place.path,
                toolchain=toolchain,
                briefing=briefing,
                afresh=talk is None,
            )
        # Beside others it has logs of its own.
        name = "logs" if place is self.tree else f"logs/{place.path.name}"
        logs = office.folder.path / name
        logs.mkdir(parents=True, exist_ok=True)
        hands = Hands(
            place.path,
            sandbox=desk.sandbox,
            toolchain=toolchain,
            logs=logs,
            logs_name=name,
            record=office.record,
            forbids=contract.forbids,
            protect=contract.protected,
            put_back=partial(Watch.over_frozen(place.path, contract).put_back, place.path),
        )
        stronger = assignment.stronger and self._has_stronger
        return await code(
            assignment,
            hands=hands,
            model=office.model("planner" if stronger else "coder"),
            briefing=briefing,
            environment=desk.toolchain.describe(desk.sandbox),
            talk=talk,
            max_requests=desk.budget.max_requests_per_task,
        )

    async def _verify(
        self,
        contract: Contract,
        plan: Plan,
        baseline: Sequence[CheckResult],
        commit: str,
        attempt: int,
    ) -> Verdict:
        chosen, latest = self._verdict, self._latest
        if chosen and (chosen.commit, chosen.attempt) == (commit, attempt):
            known = chosen
        elif latest and latest.commit == commit and not latest.failures:
            known = stands_again(latest, attempt=attempt, record=self.office.record)
        else:
            known = await self._judge(contract, plan, baseline, self.tree, attempt)
        self._latest = known
        return known

    async def _judge(
        self,
        contract: Contract,
        plan: Plan,
        baseline: Sequence[CheckResult],
        place: Worktree,
        attempt: int,
    ) -> Verdict:
        is_guess = self.office.is_literal
        proofs = [
            Proof(criterion=p.criterion, checks=p.checks, how=p.how, is_guess=is_guess)
            for p in plan.proofs
        ]
        return await self.office.verify(
            contract,
            proofs,
            baseline,
            commit=place.head(),
            attempt=attempt,
            diff=place.diff(limit=_SHOWN_DIFF),
            touched={file.path for file in place.changed()},
            concerns=plan.concerns,
        )

    async def _rethink(
        self, contract: Contract, verdict: Verdict, feedback: str, times: int
    ) -> str:
        """Return the feedback with what the planner, reading the commit, would do instead."""
        office = self.office
        if "planner" not in office.desk.choices:
            return feedback
        async with office.room(contract, verdict.commit) as room:
            reading = Reading(room.path, role="planner", record=office.record)
            way = await find_other_way(
                model=office.model("planner"),
                briefing=office.briefing,
                tools=reading.tools,
                times=times,
                commit=verdict.commit,
                changes=self.tree.diff(limit=_SHOWN_DIFF),
                feedback=feedback,
                before=[with_failing_tests(r) for r in self._baseline if r.failed],
                said=office.memory.last_words(),
            )
        office.record(
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

    async def _toolchain_in(self, place: Worktree) -> Toolchain:
        """Return the tools for commands in a worktree, whose commit is made sure to be here."""
        if isinstance(place, Beside):
            await place.require()
        return await self.office.desk.toolchain_for(place.head())

    def _jobs(self) -> int:
        """Return how many coders are at work at once; an agent of somebody else is one."""
        jobs = self.office.desk.settings.jobs
        if jobs > 1 and self.office.desk.external:
            self.office.record(Noted(text="An external agent does one thing at a time, not --jobs"))
            return 1
        return jobs

    @property
    def _has_stronger(self) -> bool:
        """Return whether the planner's model is another one than the coder's."""
        choices = self.office.desk.choices
        if not {"planner", "coder"} <= choices.keys():
            return False
        return choices["planner"].names != choices["coder"].names
