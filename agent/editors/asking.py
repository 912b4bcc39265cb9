"""What editors and coding tools may ask for: an order, its approval, how a run stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.deliver.board import Board
from agent.deliver.lines import line_of
from agent.editors.places import Places
from agent.errors import NeedsApproval, PrpError, SettingsError
from agent.journal import Event, RunEnded, RunResumed, RunStarted, event_of
from agent.masking import Mask
from agent.runs.approval import Ask, Request
from agent.runs.desk import Order, lay_out
from agent.runs.folder import RunFolder
from agent.runs.watching import Tail
from agent.settings import keys_at_hand
from agent.shown import printable, printable_lines

MODELS = ("model", "planner", "coder", "verifier")
_FROM_A_PERSON = ("acp:", "replay:")
"""Models that start a program or read a file: a person names them, never a client's model."""


class Standing(BaseModel):
    """How a run stands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    run: str = ""
    """Its id; empty where none was begun."""
    state: str
    """`running`, an outcome (`proven`, `failed`, `unproven`, `out of budget`, `paused`,
    `interrupted`, `cancelled`), `broken off`, or `needs approval`: nothing was begun."""
    prp: str = ""
    branch: str = ""
    """Where its work is."""
    tasks: dict[str, str] = {}
    """Number and title of each task to `open`, `working`, `done` or `unchanged`."""
    attempt: int = 0
    criteria: dict[str, str] = {}
    """Id and words of each criterion to its status in the attempt that counts."""
    doing: str = ""
    latest: str = ""
    """What happened last, in words."""
    exit_status: int | None = None
    reason: str = ""
    """Why it ended as it did."""
    cost_usd: float | None = None
    """US dollars so far; null where a price is not known."""
    tokens: int = 0
    report: str = ""
    """Resource that holds its report."""
    approval: str = ""
    """What a person must allow first: every command, the sandbox and its network."""
    approve_with: str = ""
    """The hash that allows exactly this."""
    next: str = ""
    """What to do next."""


def order_for(
    prp: str, places: Places, flags: Mapping[str, Any], *, base: str, approved: str
) -> Order:
    """Return the order that a client may give: no option of it widens what is allowed.

    Raises:
        PrpError: A path or a model is none that a client may name.

    """
    typed = {name: value for name, value in flags.items() if value is not None}
    for name in MODELS:
        if any(
            one.strip().startswith(_FROM_A_PERSON) for one in str(typed.get(name, "")).split(",")
        ):
            raise SettingsError(
                f"{name} = {typed[name]!r} may only be chosen by a person",
                hint=f"Set PRP_{name.upper()} where `prp` is started, or use `prp execute`.",
            )
    document = places.document(prp)
    return Order(
        prp=document,
        flags=typed,
        base=base,
        folder=document.parent,
        approved=approved,
    )


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person must allow."""

    text: str
    digest: str


def question_of(order: Order) -> Question | None:
    """Return what a person must be asked before an order is carried out; None where nothing is.

    Raises:
        PrpError: The order can't be carried out.

    """
    asked: list[Request] = []

    def remember(request: Request) -> bool:
        asked.append(request)
        return False

    try:
        lay_out(with_ask(order, remember))
    except NeedsApproval:
        if not asked:
            raise
        return Question(text="\n".join(asked[0].lines()), digest=asked[0].digest)
    return None


def with_ask(order: Order, ask: Ask | None) -> Order:
    """Return an order with somebody else to ask."""
    return replace(order, ask=ask)


def allowing(question: Question | None) -> Ask:
    """Return the answer of a person who has seen a question: yes, to exactly that."""
    return lambda request: question is not None and request.digest == question.digest


class View:
    """A run as its journal tells it, read on from where it was read last."""

    def __init__(self, folder: RunFolder) -> None:
        """Begin with its first event."""
        self.folder = folder
        self.board = Board()
        self.latest = ""
        """The last thing that a person would like to see."""
        self.ended: Mapping[str, Any] = {}
        self._tail = Tail(folder)
        self._prp = ""

    def new(self) -> list[str]:
        """Take in what has happened since the last time, and return it in lines."""
        return [line for line in self.one_by_one() if line]

    def one_by_one(self) -> Iterator[str]:
        """Take in event by event what has happened since; yield each one's line, empty for none."""
        for told in self._tail.new():
            event = event_of(told)
            if event is None:
                continue
            self.board.take(event, told["at"])
            if isinstance(event, RunStarted):
                self._prp = event.prp
            self._note_end(event, told)
            line = printable(line_of(event) or "")
            self.latest = line or self.latest
            yield line

    def _note_end(self, event: Event, told: Mapping[str, Any]) -> None:
        if isinstance(event, RunEnded):
            self.ended = told
        elif isinstance(event, RunResumed):
            self.ended = {}

    @property
    def goes_on(self) -> bool:
        """Return whether somebody works on it and it has not ended."""
        return not self.ended and self._tail.is_worked_on

    def standing(self) -> Standing:
        """Return how it stands."""
        state = self.ended.get("outcome") or ("running" if self.goes_on else "broken off")
        board, name = self.board, self.folder.id
        return Standing(
            run=name,
            state=state,
            prp=printable(self._prp),
            branch=self.ended.get("branch") or board.branch,
            tasks={printable(task.title): task.state for task in board.tasks.values()},
            attempt=board.attempt,
            criteria={
                f"{criterion} {printable(text)}": status
                for criterion, (text, status) in board.criteria.items()
            },
            doing="" if self.ended else board.doing,
            latest=self.latest,
            exit_status=self.ended.get("exit_status"),
            reason=printable_lines(self.ended.get("reason", "")),
            cost_usd=None if board.unpriced else round(board.cost_usd, 6),
            tokens=board.tokens,
            report=f"prp://runs/{name}/report.md",
            next=self._next(state),
        )

    def _next(self, state: str) -> str:
        if state == "running":
            return "Call the tool wait; tell the person what is new in between."
        if self.ended and not self.ended.get("can_go_on"):
            return "Call the tool report and tell the person its verdict and criteria."
        return f"The person can go on with: prp resume {self.folder.id}"


def standing(folder: RunFolder) -> Standing:
    """Return how a run stands."""
    view = View(folder)
    view.new()
    return view.standing()


def told(error: PrpError) -> str:
    """Return an error for a client: what, what to do, and the status `prp` would exit with."""
    mask = Mask(keys_at_hand())
    status = error.exit_status
    words = [printable_lines(mask(str(error)))]
    words += [f"hint: {printable(mask(error.hint))}"] if error.hint else []
    return "\n".join([*words, f"exit status: {int(status)} ({status.name})"])
