"""A run's beginning: its folder and branch, and what is told before anything happens."""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePath

from agent.journal import Event, Noted, Record, RunStarted
from agent.journal.about import naming
from agent.llm.budget import Meter
from agent.llm.recording import Recorder
from agent.prp import Prp
from agent.runs.database import require_reachable
from agent.runs.desk import Desk, Order
from agent.runs.earlier import Earlier
from agent.runs.folder import RunFolder, new_run_folder
from agent.runs.office import Office
from agent.runs.orders import Saved, save
from agent.workspace import clip


def begin(desk: Desk, order: Order) -> tuple[RunFolder, Saved]:
    """Make the folder of a new run and its branch, and write down what was asked for."""
    if desk.settings.database_url:
        require_reachable(desk.settings.database_url)
    folder = new_run_folder(desk.settings.state_dir, desk.prp.slug)
    try:
        branch = desk.repository.claim_branch(
            f"prp/{desk.prp.slug}", _start_of(desk, order) or desk.base
        )
        return folder, save(folder, desk, order, branch=branch, start=_start_of(desk, order))
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


def _start_of(desk: Desk, order: Order) -> str:
    """Return the commit that a run goes on from; empty where it begins at its base."""
    return desk.repository.resolve(order.start) if order.start else ""


def started_as(desk: Desk, folder: RunFolder, branch: str) -> RunStarted:
    """Return the event that a run begins with."""
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
        models={role: _as_known(name) for role, name in desk.models.items()},
        sandbox=desk.sandbox.name,
        allowed=desk.allowed,
        limits={
            "max_attempts": budget.max_attempts,
            "max_cost_usd": budget.max_cost_usd,
            "max_minutes": budget.max_minutes,
            "max_tokens": budget.max_tokens,
        },
        tasks={str(task.number): task.title for task in desk.prp.tasks},
        criteria={criterion.id: criterion.text for criterion in desk.prp.promises},
        confidence=desk.prp.confidence.score if desk.prp.confidence else None,
    )


def _as_known(model: str) -> str:
    """Return a model's name; of a recording the file's, for where it lies is nobody's business."""
    kind, colon, place = model.partition("replay:")
    return f"{colon}{PurePath(place).name}" if colon and not kind else model


def _goal(prp: Prp) -> str:
    """Return what a document wants, in few words of its own."""
    return clip(prp.goal.body if prp.goal else "", limit=1_500).strip()


def warn(desk: Desk, record: Record, *, roles: Sequence[str] = ()) -> None:
    """Say what the person should know before anything runs."""
    for note in desk.settings.notes:
        record(Noted(text=note, warning=True))
    if desk.sandbox.name == "none":
        text = "There is no sandbox: commands of the PRP and of models can do whatever you can"
        record(Noted(text=text, warning=True))
    elif desk.sandbox.lacks:
        text = f"Sandbox {desk.sandbox.name} is weaker than bubblewrap: {desk.sandbox.lacks}"
        record(Noted(text=text, warning=True))
    if desk.external and "verifier" in roles and "verifier" not in desk.choices:
        record(Noted(text=_UNREAD, warning=True))


_UNREAD = (
    "No model reads what the agent writes: criteria that are not about a check stay unproven, "
    "which makes exit status 11. `prp verify PRP --branch BRANCH --verifier MODEL` gives the whole "
    "verdict later"
)


def masked(desk: Desk, *listeners: Record) -> Record:
    """Return what tells all listeners of an event, and none of them a secret."""
    mask = desk.toolchain.mask

    def record(event: Event) -> None:
        event = mask.event(event)
        for listen in listeners:
            listen(event)

    return record


def office_of(
    desk: Desk, order: Order, folder: RunFolder, record: Record, *, earlier: Earlier | None = None
) -> Office:
    """Return the office of a run, which may have been worked on before."""
    earlier = earlier or Earlier()
    return Office(
        desk=desk,
        folder=folder,
        finished=earlier.finished,
        given_plan=earlier.plan,
        meter=Meter(desk.budget, prices=desk.settings.prices, earlier=earlier.spent),
        record=naming(record),
        recorder=Recorder(order.recording, mask=desk.toolchain.mask) if order.recording else None,
    )
