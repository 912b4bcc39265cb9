"""What the gate lets in: the request for the other jobs, and how much it may cost."""

from datetime import datetime

from agent.errors import Refused, SettingsError
from agent.github import progress, words
from agent.github.claims import Day
from agent.github.drafting import WISH, branch_of
from agent.github.papers import DraftWish, Request, write
from agent.github.sources import Found
from agent.github.table import Decision, Gate
from agent.shown import seen
from agent.workspace.remote import write_bundle


def allowance(gate: Gate, now: datetime, number: int | None) -> float | None:
    """Return the dollars that a run may cost.

    Raises:
        Refused: Nothing is left of the day's.

    """
    limit = gate.settings.max_cost_usd
    return _day(gate, now).allowance(limit, actor=gate.trigger.actor, number=number)


def _day(gate: Gate, now: datetime) -> Day:
    return Day(job=gate.job, github=gate.github, repository=gate.repository, now=now)


def started(gate: Gate, request: Request, now: datetime) -> Decision:
    """Write the request, and tell people that a run begins.

    Raises:
        SettingsError: Nobody named a model.

    """
    chosen = gate.settings
    if not (chosen.model or chosen.planner or chosen.coder):
        raise SettingsError("No model is named", hint=_HOW_TO_NAME)
    folder = gate.job.artifact("request")
    if issue := request.issue:
        request = _told(gate, request, issue)
        progress.label(gate.github, issue, progress.RUNNING)
        request = _settled(gate, request, issue, now)
    if request.start:
        write_bundle(
            gate.repository,
            folder / "start.bundle",
            ref="refs/prp-in/start",
            since=[request.base],
        )
    write(request, folder / "request.json")
    gate.job.put(base=request.base, branch=request.branch, key=request.key, digest=request.digest)
    return Decision.PLAN if request.mode == "plan" else Decision.RUN


_HOW_TO_NAME = (
    "Set the variable PRP_MODEL, for instance to anthropic:claude-sonnet-4-5: Settings > Secrets "
    "and variables > Actions > Variables. Its key is a secret of the environment `prp`."
)


def _told(gate: Gate, request: Request, issue: int) -> Request:
    told = progress.beginning(request, run=gate.job.run, url=gate.job.run_url)
    comment = progress.show(gate.github, issue, request.key, told, comment=request.comment)
    return request.model_copy(update={"comment": comment})


def _settled(gate: Gate, request: Request, issue: int, now: datetime) -> Request:
    """Look at the day's money again, now that others can see what this run may cost.

    Raises:
        Refused: Runs that began at the same moment leave nothing of it.

    """
    day = _day(gate, now)
    if not day.is_limited:
        return request
    try:
        left = day.allowance(request.max_cost_usd, actor=request.actor, number=issue)
    except Refused as refused:
        progress.label(gate.github, issue, None)
        told = f"### Not started\n\n{words.plain(str(refused))}"
        progress.show(gate.github, issue, request.key, told, comment=request.comment)
        raise
    if left == request.max_cost_usd:
        return request
    return _told(gate, request.model_copy(update={"max_cost_usd": left}), issue)


def draft(gate: Gate, found: Found, base: str, now: datetime) -> Decision:
    """Ask for a document: by a model where one is set, else by people.

    Raises:
        Refused: Nothing is left of the day's money.

    """
    branch = branch_of(found.name)
    is_there = bool(gate.remote.refs(f"refs/heads/{branch}"))
    by_model = bool(gate.settings.planner or gate.settings.model) and not is_there
    wish = DraftWish(
        issue=gate.number,
        actor=gate.trigger.actor,
        words=f"{seen(gate.trigger.title)}\n{seen(gate.trigger.body)}"[:_LONGEST_WISH],
        name=found.name,
        template=found.text,
        by_model=by_model,
        base=base,
        max_cost_usd=allowance(gate, now, gate.number) if by_model else None,
    )
    write(wish, gate.job.artifact("request") / WISH)
    gate.job.put(key=str(gate.number))
    if not by_model:
        return Decision.TEMPLATE
    progress.label(gate.github, gate.number, progress.RUNNING)
    told = (
        f"{progress.marks(gate.job.run, usd=wish.max_cost_usd, actor=wish.actor)}\n"
        f"### Writing a PRP\n\n[The run]({gate.job.run_url})."
    )
    progress.show(gate.github, gate.number, str(gate.number), told)
    return Decision.DRAFT


_LONGEST_WISH = 60_000
