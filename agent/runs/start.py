"""Carry out an order: from the checked desk to the report in the run's folder."""

import asyncio
import contextlib
import dataclasses
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from agent.deliver import Story, as_json, summary
from agent.errors import Exit, PrpError
from agent.execute import Ending, Outcome, execute
from agent.journal import Event, Journal, Noted, Record, RunEnded, RunStarted
from agent.llm.budget import Meter
from agent.llm.recording import Recorder
from agent.planner import Plan
from agent.prp import Prp
from agent.runs.alive import holding
from agent.runs.crew import Office
from agent.runs.desk import Desk, Order, lay_out
from agent.runs.folder import RunFolder, new_run_folder
from agent.runs.opening import opened
from agent.runs.reporting import reported
from agent.shown import json_text
from agent.verifier import CheckResult, describe, freeze
from agent.workspace import Worktree, clip, open_worktree


@dataclass(frozen=True, kw_only=True)
class Done:
    """A run that ended, and where its files are."""

    story: Story
    folder: RunFolder
    exit_status: int

    def in_words(self) -> str:
        """Return how it ended, for a person."""
        branch = self.story.ended["branch"]
        root = self.story.started["repository"]
        where = f"{branch}  (git -C {root} log -p {branch})" if branch else "none, nothing changed"
        lines = [
            summary(self.story),
            f"branch: {where}",
            f"report: {self.folder.page}",
        ]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return the same for machines."""
        return json_text(
            as_json(self.story) | {"report": str(self.folder.report), "page": str(self.folder.page)}
        )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan and what the checks said on the base commit."""

    plan: Plan
    baseline: Sequence[CheckResult]
    exit_status: int = 0

    def in_words(self) -> str:
        """Return the plan for a person."""
        lines = [self.plan.summary, ""]
        for step in self.plan.steps:
            lines += [f"task {step.task}  {', '.join(step.files)}", f"    {step.approach}"]
        lines += ["", "how each criterion will be shown:"]
        for proof in self.plan.proofs:
            checks = ", ".join(proof.checks) or "judged"
            lines.append(f"  {proof.criterion} ({checks}): {proof.how}")
        lines += ["", "checks on the base commit:"]
        lines += [f"  {describe(result)}" for result in self.baseline]
        lines += [f"concern: {concern}" for concern in self.plan.concerns]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return the plan for machines."""
        checks = [
            {"check": r.check.id, "state": r.state.value, "status": r.status, "reason": r.reason}
            for r in self.baseline
        ]
        return json_text(self.plan.model_dump(mode="json") | {"baseline": checks})


def run_order(order: Order, *, listen: Record) -> Done:
    """Execute a PRP.

    Args:
        order: What to execute, and how.
        listen: Is told of every event as it happens.

    Raises:
        PrpError: The order can't be begun; nothing is left behind. What goes wrong later ends the
            run, and is told as its end.

    """
    desk = lay_out(order)
    folder = new_run_folder(desk.settings.state_dir, desk.prp.slug)
    with holding(folder), Journal(folder.journal) as journal:
        record = masked(desk, journal.record, listen)
        try:
            status = with_signals(lambda: _run(desk, order, folder, record))
        except PrpError as error:
            # Once work has begun, an error is an end like others: told, kept and reported.
            if not (story := reported(folder)).ended:
                raise
            return Done(story=story, folder=folder, exit_status=error.exit_status)
        except Exception:
            reported(folder)
            raise
    return Done(story=reported(folder), folder=folder, exit_status=status)


def plan_order(order: Order, *, listen: Record) -> Planned:
    """Plan a PRP without executing it; nothing is left behind.

    Raises:
        PrpError: The order can't be carried out, or the planner gives no valid plan.

    """
    desk = lay_out(dataclasses.replace(order, roles=("planner",)))
    listen = masked(desk, listen)
    warn(desk, listen)

    async def planned() -> Planned:
        with tempfile.TemporaryDirectory(prefix="prp-plan-") as name:
            folder = RunFolder(id=desk.prp.slug, path=Path(name))
            async with (
                opened(desk, commit=desk.base, record=listen) as equipped,
                aclosing(office_of(equipped, order, folder, listen)) as office,
                office.meter.within_time(),
            ):
                await office.prepare()
                contract = freeze(
                    desk.prp,
                    paths=desk.repository.files(desk.base),
                    read=lambda path: desk.repository.read(desk.base, path),
                )
                baseline = await office.measure(contract, desk.base)
                return Planned(plan=await office.plan(contract, baseline), baseline=baseline)

    found = with_signals(planned)
    if isinstance(found, Exit):
        raise SystemExit(int(found))
    return found


async def _run(desk: Desk, order: Order, folder: RunFolder, record: Record) -> int:
    started = time.monotonic()
    branch = desk.repository.free_branch(f"prp/{desk.prp.slug}")
    record(started_as(desk, folder, branch))
    warn(desk, record)
    worktree = open_worktree(desk.repository, folder.worktree, branch=branch, base=desk.base)
    with worktree as tree, _always_told(tree, record, started) as outcome_is:
        if order.start:
            tree.deliver(desk.repository.resolve(order.start))
        async with (
            opened(desk, commit=desk.base, record=record) as equipped,
            aclosing(office_of(equipped, order, folder, record)) as office,
        ):
            await office.prepare()
            outcome = await execute(
                desk.prp, office.crew(tree), tree, desk.budget, record, strict=desk.settings.strict
            )
        outcome_is(outcome)
    return int(outcome.exit_status)


@contextmanager
def _always_told(tree: Worktree, record: Record, started: float) -> Any:
    """Write how the run ended, whichever way it ends; unfinished work is committed."""
    ended: list[Outcome] = []

    def tell_end(ending: str, status: int, reason: str, hint: str = "") -> None:
        record(
            RunEnded(
                outcome=ending,
                exit_status=status,
                reason=reason,
                hint=hint,
                branch=tree.branch if tree.head() != tree.base else "",
                commit=tree.head(),
                seconds=round(time.monotonic() - started, 3),
            )
        )

    try:
        yield ended.append
    except asyncio.CancelledError as stop:
        _keep(tree, "The run was cancelled.")
        name = str(stop.args[0]) if stop.args else "SIGINT"
        tell_end(Ending.CANCELLED, _STATUS.get(name, Exit.TERMINATED), f"cancelled by {name}")
        raise
    except PrpError as error:
        _keep(tree, str(error))
        tell_end(Ending.FAILED, error.exit_status, str(error), error.hint)
        raise
    except Exception as error:
        # A bug of ours keeps its traceback, but the work that was paid for stays.
        _keep(tree, f"{type(error).__name__}: {error}")
        tell_end(Ending.FAILED, Exit.INTERNAL, f"internal error: {type(error).__name__}: {error}")
        raise
    else:
        outcome = ended[0]
        tell_end(outcome.ending, outcome.exit_status, outcome.reason, outcome.hint)


_Result = TypeVar("_Result")
_STATUS = {"SIGINT": Exit.INTERRUPTED}


def _keep(tree: Worktree, why: str) -> None:
    """Commit unfinished work; where even that fails, the end must still be told."""
    with contextlib.suppress(PrpError, OSError, ValueError):
        tree.commit("Keep unfinished work", body=why)


def with_signals(run: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result | Exit:
    """Run to the end, or end early and in order at SIGINT, SIGTERM and SIGHUP."""

    async def watched() -> _Result | Exit:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(run())
        came: list[signal.Signals] = []

        def stop(number: signal.Signals) -> None:
            # A second one must not end the tidying up that the first one began.
            if not came:
                task.cancel(number.name)
            came.append(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop, number)
        try:
            return await task
        except asyncio.CancelledError:
            for number in came:
                # The report is still to be written when the loop has given its handlers back.
                signal.signal(number, signal.SIG_IGN)
            return _STATUS.get(came[0].name if came else "SIGINT", Exit.TERMINATED)

    return asyncio.run(watched())


def office_of(desk: Desk, order: Order, folder: RunFolder, record: Record) -> Office:
    return Office(
        desk=desk,
        folder=folder,
        meter=Meter(desk.budget, prices=desk.settings.prices),
        record=record,
        recorder=Recorder(order.recording, mask=desk.toolchain.mask) if order.recording else None,
    )


def started_as(desk: Desk, folder: RunFolder, branch: str) -> RunStarted:
    budget = desk.budget
    return RunStarted(
        run=folder.id,
        repository=str(desk.repository.root),
        prp=desk.prp_name,
        title=desk.prp.title.text,
        goal=_goal(desk.prp),
        sha256=sha256(desk.prp.text.encode("utf-8", "surrogatepass")).hexdigest(),
        base=desk.base,
        branch=branch,
        models=desk.models,
        sandbox=desk.sandbox.name,
        allowed=desk.allowed,
        limits={
            "max_attempts": budget.max_attempts,
            "max_cost_usd": budget.max_cost_usd,
            "max_minutes": budget.max_minutes,
            "max_tokens": budget.max_tokens,
        },
    )


def _goal(prp: Prp) -> str:
    """Return what a document wants, in few words of its own."""
    return clip(prp.goal.body if prp.goal else "", limit=1_500).strip()


def warn(desk: Desk, record: Record) -> None:
    for note in desk.settings.notes:
        record(Noted(text=note, warning=True))
    if desk.sandbox.name == "none":
        text = "There is no sandbox: commands of the PRP and of models can do whatever you can"
        record(Noted(text=text, warning=True))


def masked(desk: Desk, *listeners: Record) -> Record:
    """Return what tells all listeners of an event, and none of them a secret."""
    mask = desk.toolchain.mask

    def record(event: Event) -> None:
        event = mask.event(event)
        for listen in listeners:
            listen(event)

    return record
