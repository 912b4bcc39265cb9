"""Carry out an order: from the checked desk to the report in the run's folder."""

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any

from agent.errors import EnvironmentProblem
from agent.journal import Estimated, Record
from agent.llm.loading import load_meanwhile
from agent.planner import Plan
from agent.runs.approval import Ask
from agent.runs.beginning import begin, masked, office_of, warn
from agent.runs.desk import Desk, Order, lay_out
from agent.runs.ending import Done, require_open, tidied
from agent.runs.folder import RunFolder
from agent.runs.life import work_on
from agent.runs.lost import whole_or_lost
from agent.runs.opening import opened
from agent.runs.orders import (
    Saved,
    accept_document,
    keep_document,
    load,
    order_of,
    require_own_document,
    require_project,
    require_same_document,
)
from agent.runs.tracing import traced
from agent.shown import json_text
from agent.verifier import CheckResult, describe, freeze
from agent.workspace.passing import passing_folder


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan and what the checks said on the base commit."""

    plan: Plan
    baseline: Sequence[CheckResult]
    estimate: Estimated | None = None
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
        if self.estimate:
            lines += ["", f"estimate: {self.estimate.in_words()}"]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return the plan for machines."""
        checks = [
            {"check": r.check.id, "state": r.state.value, "status": r.status, "reason": r.reason}
            for r in self.baseline
        ]
        estimate = asdict(self.estimate) if self.estimate else None
        told = {"baseline": checks, "estimate": estimate}
        return json_text(self.plan.model_dump(mode="json") | told)


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
    folder, saved = begin(desk, order)
    return _worked_on(folder, saved, desk, order, listen=listen)


def resume_run(
    folder: RunFolder,
    flags: Mapping[str, Any],
    *,
    listen: Record,
    keep_prp: bool = False,
    accept_prp: bool = False,
    afresh: bool = False,
    ask: Ask | None = None,
    yes: bool = False,
) -> Done:
    """Take up a run that has stopped, however: finished steps are not done or paid again.

    Args:
        folder: The run's.
        flags: Settings to go on with instead of those that it was begun with.
        listen: Is told of every further event.
        keep_prp: Whether to go on with the document as it was, if it has changed.
        accept_prp: Whether to go on with the document as it is now: tasks that it words as before
            stay done.
        afresh: Whether to go on from what is committed, without the steps of the run.
        ask: Asks a person whether a changed document may run its commands.
        yes: Whether it may, unseen.

    Raises:
        PrpError: It has ended, is being worked on, or can't be taken up.

    """
    try:
        saved = load(folder)
    except EnvironmentProblem:
        require_open(folder)
        raise
    if done := tidied(folder, saved):
        return done
    require_open(folder)
    require_project(folder, saved)
    require_own_document(folder, saved)
    if accept_prp:
        return _accepting(folder, saved, flags, listen, ask=ask, yes=yes)
    if afresh:
        keep_document(folder)
    if not keep_prp:
        require_same_document(folder, saved)
    order = order_of(folder, saved, flags)
    desk = dataclasses.replace(lay_out(order), allowed=saved.allowed)
    return _worked_on(folder, saved, desk, order, listen=listen, afresh=afresh)


def _accepting(
    folder: RunFolder,
    saved: Saved,
    flags: Mapping[str, Any],
    listen: Record,
    *,
    ask: Ask | None,
    yes: bool,
) -> Done:
    """Take a run up with its document as it is now; its commands must be allowed once more."""
    order = order_of(folder, saved, flags)
    kept = {name: value for name, value in saved.flags.items() if name == "approve"}
    order = dataclasses.replace(
        order, text_from=None, flags={**order.flags, **kept}, ask=ask, yes=yes
    )
    desk = lay_out(order)
    accept_document(folder, saved)
    return _worked_on(folder, saved, desk, order, listen=listen, afresh=True)


def _worked_on(
    folder: RunFolder,
    saved: Saved,
    desk: Desk,
    order: Order,
    *,
    listen: Record,
    afresh: bool = False,
) -> Done:
    with traced(desk.settings.otel_endpoint, listen, run=folder.id) as told:
        return work_on(folder, saved, desk, order, listen=told, afresh=afresh)


def plan_order(order: Order, *, listen: Record) -> Planned:
    """Plan a PRP without executing it; nothing is left behind.

    Raises:
        PrpError: The order can't be carried out, or the planner gives no valid plan.

    """
    desk = lay_out(for_planning(order))
    return whole_or_lost("prp plan", listen, lambda told: plan_at(desk, order, listen=told))


def for_planning(order: Order) -> Order:
    """Return an order that only the planner is asked for."""
    return dataclasses.replace(order, roles=("planner",))


async def plan_at(desk: Desk, order: Order, *, listen: Record) -> Planned:
    """Plan what lies on a checked desk; ended early it leaves nothing behind either."""
    listen = masked(desk, listen)
    warn(desk, listen)
    with passing_folder("plan") as place:
        load_meanwhile(desk.choices.values())
        folder = RunFolder(id=desk.prp.slug, path=place)
        async with (
            opened(desk, commit=desk.base, record=listen) as equipped,
            aclosing(office_of(equipped, order, folder, listen)) as office,
            office.meter.within_time(),
        ):
            await office.prepare()
            contract = freeze(
                desk.prp,
                files=desk.repository.blobs(desk.base),
            )
            baseline = await office.measure(contract, desk.base)
            plan = await office.plan(contract, baseline)
            return Planned(plan=plan, baseline=baseline, estimate=office.estimate)
