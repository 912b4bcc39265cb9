"""The planner reads the PRP, its documents and the baseline, and answers a plan."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

from agent.errors import DocumentError
from agent.journal import PlanRejected, Record
from agent.llm.conversation import AgentFailed, converse
from agent.llm.prompts import prompt
from agent.prp import Prp
from agent.prp.lint.coverage import Coverage, find_coverage


class Step(BaseModel):
    """One step of the plan: how a task of the PRP is carried out."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    task: PositiveInt
    """Number of the PRP's task."""
    approach: str
    """What the PRP leaves open: signatures, code to follow, traps. A few sentences."""
    files: tuple[str, ...] = ()
    """Files to create or modify, relative to the repository's root."""
    after: tuple[PositiveInt, ...] = ()
    """Numbers of tasks that must be finished before: all whose code it uses or changes."""


class PlannedProof(BaseModel):
    """How one criterion will be shown to hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    criterion: str
    """Id of the criterion or checklist item, for instance C1 or D2."""
    checks: tuple[str, ...] = ()
    """Ids of the checks whose passing shows it; empty when none can."""
    how: str
    """Which test, output or code shows it. Begins with `PERSON:` when only a person can tell."""


class Plan(BaseModel):
    """The order of the work, and for every criterion how it will be proven."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    summary: str
    """What will be built, in two or three sentences."""
    steps: tuple[Step, ...]
    """One for each task of the PRP, in the order of the work."""
    proofs: tuple[PlannedProof, ...]
    """One for each criterion and checklist item."""
    concerns: tuple[str, ...] = ()
    """What in the PRP is wrong, contradictory or missing; the coder and the report get it."""


async def make_plan(
    prp: Prp,
    *,
    model: Any,
    briefing: str,
    tools: Sequence[Callable[..., Any]],
    frozen: Collection[str] = (),
    record: Record,
) -> Plan:
    """Ask the planner for a plan until one keeps all rules.

    Args:
        prp: The document.
        model: As opened by `open_model`.
        briefing: The PRP, its documents, the repository map and the baseline as text.
        tools: Read-only tools on the base commit.
        frozen: Files that no step may change, because the verdict rests on them.
        record: Is told of every rejected plan.

    Raises:
        AgentFailed: The planner broke the rules again and again.

    """

    def reject(plan: Plan) -> Sequence[str]:
        reasons = problems(plan, prp, frozen)
        if reasons:
            record(PlanRejected(reasons=tuple(reasons)))
        return reasons

    request = prompt(
        "plan_request",
        tasks=", ".join(str(task.number) for task in prp.tasks),
        promises=", ".join(promise.id for promise in prp.promises) or "none",
        checks=", ".join(check.id for check in prp.checks) or "none",
        first=prompt("plan_tests_first") if prp.test_specs else "",
    )
    reply = await converse(
        model,
        role="planner",
        instructions=prompt("planner"),
        output=Plan,
        finish=("submit_plan", "Hand in the plan"),
        prompt=[briefing, request],
        tools=tools,
        reject=reject,
        max_requests=20,
    )
    return reply.output


class OtherWay(BaseModel):
    """What to do where attempts fail alike."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cause: str
    """Why they fail, from what the code does: files, functions and values."""
    approach: str
    """What to do instead of what was tried, in the order of doing it. No code."""


async def find_other_way(
    *,
    model: Any,
    briefing: str,
    tools: Sequence[Callable[..., Any]],
    times: int,
    commit: str,
    changes: str,
    feedback: str,
    before: Sequence[str],
    said: Sequence[str],
) -> OtherWay | None:
    """Ask the planner for another way than the one on which attempts fail alike.

    Args:
        model: As opened by `open_model`.
        briefing: The text that every conversation of the run begins with.
        tools: Read-only tools on a clean checkout of the commit.
        times: How many attempts have failed alike.
        commit: The last attempt's.
        changes: The branch's diff since the base commit, shortened where it is long.
        feedback: What the verifier found.
        before: What failed on the base commit already.
        said: What the coder says of its last attempt.

    Returns:
        The other way, None where the planner comes to no end.

    """
    request = prompt(
        "rethink_request",
        times=str(times),
        commit=commit[:12],
        changes=changes,
        feedback=feedback,
        before=_as_list(before),
        said=_as_list(said),
    )
    try:
        reply = await converse(
            model,
            role="planner",
            instructions=prompt("rethink"),
            output=OtherWay,
            finish=("submit_way", "Hand in the cause and the other way"),
            prompt=[briefing, request],
            tools=tools,
            reject=lambda _: (),
            max_requests=20,
        )
    except AgentFailed:
        return None
    return reply.output


def _as_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "(nothing)"


def literal_plan(prp: Prp) -> Plan:
    """Return the plan that the PRP itself is, without asking anybody.

    Raises:
        DocumentError: It leaves something to be planned; the message says what.

    """
    coverage = find_coverage(prp)
    plan = Plan(
        summary="The PRP's own plan, task by task.",
        steps=tuple(
            Step(
                task=task.number,
                approach="As the PRP says.",
                files=tuple(change.path for change in task.changes),
                after=task.depends_on,
            )
            for task in prp.tasks
        ),
        proofs=tuple(
            PlannedProof(
                criterion=promise.id,
                checks=coverage.criteria[promise.id],
                how="PERSON: its words ask for one."
                if promise.id in coverage.by_person
                else "By the words of criterion and check.",
            )
            for promise in prp.promises
        ),
    )
    lacks = [*_left_to_plan(prp, coverage), *problems(plan, prp)]
    if lacks:
        more = f" ({len(lacks) - 1} more like this)" if len(lacks) > 1 else ""
        raise DocumentError(
            f"The plan is not complete: {lacks[0]}{more}",
            path=prp.path,
            hint="Give each task its files and each criterion a check that names what it is "
            "about, or leave --plan literal away.",
        )
    return plan


def _left_to_plan(prp: Prp, coverage: Coverage) -> Iterator[str]:
    if not prp.tasks:
        yield "the PRP has no task."
    for task in prp.tasks:
        if not task.changes:
            yield f"task {task.number} (line {task.line}) names no file."
    for promise in prp.promises:
        if not coverage.criteria[promise.id] and promise.id not in coverage.by_person:
            yield f"no check seems to show {promise.id} (line {promise.line})."


def problems(plan: Plan, prp: Prp, frozen: Collection[str] = ()) -> list[str]:
    """Return the rules that a plan breaks, each as a sentence that says what to change.

    Args:
        plan: The plan.
        prp: What it is for.
        frozen: Files that no step may change.

    """
    return [
        *_about_tasks(plan, {task.number for task in prp.tasks}),
        *_about_order(plan),
        *_about_files(plan),
        *_about_frozen(plan, frozen),
        *_about_proofs(plan, prp),
    ]


def _about_tasks(plan: Plan, tasks: Collection[int]) -> list[str]:
    planned = [step.task for step in plan.steps]
    missing = [task for task in tasks if task not in planned]
    unknown = [task for task in planned if task not in tasks]
    twice = sorted({task for task in planned if planned.count(task) > 1})
    return [
        *(f"Task {task} of the PRP has no step." for task in missing),
        *(f"The PRP has no task {task}." for task in unknown),
        *(f"Task {task} has more than one step; put them together." for task in twice),
        *(
            f"The step of task {step.task} has an empty approach."
            for step in plan.steps
            if not step.approach.strip()
        ),
    ]


def _about_order(plan: Plan) -> list[str]:
    """Each step may only rest on earlier ones, so that a cycle can't be written down at all."""
    place = {step.task: index for index, step in enumerate(plan.steps)}
    return [
        f"Task {step.task} stands before task {needed}, on which it rests: change the order, or "
        "`after` where they rest on each other."
        for step in plan.steps
        for needed in step.after
        if place.get(needed, len(place)) >= place[step.task]
    ]


def _about_files(plan: Plan) -> list[str]:
    return [
        f"Task {step.task}: {path!r} is not a path inside of the repository."
        for step in plan.steps
        for path in step.files
        if not _is_inside(path)
    ]


def _about_frozen(plan: Plan, frozen: Collection[str]) -> list[str]:
    """Return where a step would run into a refusal, which each coder learns anew."""
    return [
        f"Task {step.task}: {path} is frozen, because the verdict rests on it and no task of the "
        "PRP names it. Plan the work without a change of it; new tests go into a new file."
        for step in plan.steps
        for path in step.files
        if path.removeprefix("./") in frozen
    ]


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith(("/", "~"))
        and "\\" not in path
        and "\0" not in path
        and ".." not in parts
        and not any(part.lower() == ".git" for part in parts)
    )


def _about_proofs(plan: Plan, prp: Prp) -> list[str]:
    promised = [promise.id for promise in prp.promises]
    proven = [proof.criterion for proof in plan.proofs]
    checks = {check.id for check in prp.checks}
    return [
        *(f"Nothing says how {i} will be shown." for i in promised if i not in proven),
        *(f"The PRP has no criterion {i}." for i in proven if i not in promised),
        *(
            f"{i} has more than one proof; put them together."
            for i in sorted(set(proven))
            if proven.count(i) > 1
        ),
        *(
            f"{proof.criterion} rests on {check}, but the PRP has no such check."
            for proof in plan.proofs
            for check in proof.checks
            if check not in checks
        ),
        *(f"{p.criterion}: `how` is empty." for p in plan.proofs if not p.how.strip()),
    ]
