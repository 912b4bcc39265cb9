"""What can happen in a run."""

import dataclasses
import re
import time
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A run began."""

    run: str
    repository: str
    """Top of the person's checkout."""
    prp: str
    """Path of the document, relative to the repository where it lies inside."""
    title: str
    goal: str
    """What the document wants, in its own words."""
    sha256: str
    """Of the document's text."""
    base: str
    """Commit that the work starts from."""
    branch: str
    models: dict[str, str]
    """Role to model name."""
    sandbox: str
    allowed: str
    """Who allowed the document's commands, in words."""
    limits: dict[str, float | int | None]
    tasks: dict[str, str] = dataclasses.field(default_factory=dict)
    """Number to title."""
    criteria: dict[str, str] = dataclasses.field(default_factory=dict)
    """Id to text."""
    confidence: float | None = None
    """What the document's author thinks of its chances, out of 10."""
    against: str = ""
    """The run whose evidence a later commit is held against; only of `prp drift`."""


@dataclass(frozen=True, kw_only=True)
class RunResumed:
    """A run that had stopped, however, was taken up where it was."""

    after: str
    """How it had stopped, in words."""
    worktree: str
    """`kept` as it was, or `made again` from the branch."""
    generation: int = 0
    """Where it goes on without its steps, from what is committed: how often it has done so."""
    start: str = ""
    """The commit that it then goes on from."""


@dataclass(frozen=True, kw_only=True)
class SetupFinished:
    """What the repository needs was installed, was there already, or could not be installed."""

    kind: str
    """`uv`, `pip`, `npm`, `go`, `cargo`, or `own` for the person's own command."""
    state: str
    """`installed`, `cached`, `failed`, or `skipped`."""
    command: str
    hosts: tuple[str, ...]
    """The only hosts that could be reached meanwhile."""
    reason: str
    """Why it was skipped or failed, and what to do about it."""
    seconds: float
    output: str = ""
    """Of a failed one: head and tail of what it printed."""


@dataclass(frozen=True, kw_only=True)
class HostAsked:
    """A command asked for a host through the proxy: the only way out of the sandbox."""

    stage: str
    """`setup`, or `run` for the commands of coder and checks."""
    host: str
    port: int
    address: str
    """Where the connection went; empty where there was none."""
    state: str
    """`allowed`, `refused` (it may not be asked), or `failed` (it could not be reached)."""
    reason: str
    sent: int
    """Bytes that went out."""
    received: int
    """Bytes that came in."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ContractFrozen:
    """What the verdict rests on was put down."""

    files: dict[str, str]
    """Path to git's hash of each frozen file's content on the base commit."""
    checks: tuple[str, ...]


SECOND_LOOK = ", second look"
"""Ends the name of a stage in which things run once more because nothing failed."""


def second_look_at(attempt: int) -> str:
    """Return what that stage of an attempt is called."""
    return f"attempt {attempt}{SECOND_LOOK}"


@dataclass(frozen=True, kw_only=True)
class CommandStarted:
    """A command began: a check's, or one that the coder runs."""

    by: str
    """`coder`, or the stage of a check: `baseline`, the attempt as `attempt 1`, or what runs once
    more where nothing failed as `attempt 1, second look`."""
    command: str
    log: str
    """File below the run's folder that what it prints goes to while it runs."""
    check: str = ""
    """Id of the check; empty for the coder."""
    task: int = 0
    """The task that it belongs to, where it belongs to one."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class CheckFinished:
    """A check ended, or could not be run."""

    stage: str
    """`baseline`, or the attempt as `attempt 1`."""
    check: str
    level: int
    command: str
    state: str
    status: int | None
    seconds: float
    reason: str
    output: str
    """Head and tail of what it printed."""
    tests: dict[str, int] = dataclasses.field(default_factory=dict)
    """How many tests `passed`, `failed` and were `skipped`, where it ran tests and told."""
    log: str = ""
    """File below the run's folder with all that it printed; empty where nothing ran."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The planner's plan was accepted."""

    summary: str
    steps: tuple[dict[str, Any], ...]
    proofs: tuple[dict[str, Any], ...]
    concerns: tuple[str, ...] = ()
    """What the planner finds wrong or missing in the PRP."""


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """What the run will ask of its models, as far as can be told when the plan stands."""

    answers: tuple[int, int]
    """Of all roles: where one attempt is enough, and where repairs are needed."""
    tokens: tuple[int, int]
    """Read and written, whatever of it comes from the provider's cache."""
    cost_usd: tuple[float, float] | None
    """None where the price of a model is not known."""

    def in_words(self) -> str:
        """Return the estimate in one line."""
        (few, many), (low, high) = self.answers, self.tokens
        words = f"{few} to {many} model answers, {low:,} to {high:,} tokens"
        if self.cost_usd is None:
            return f"{words}; the price of a model is not known"
        if not self.cost_usd[1]:
            return words  # a recording is played back
        return f"{words}, US$ {self.cost_usd[0]:.2f} to {self.cost_usd[1]:.2f}"


@dataclass(frozen=True, kw_only=True)
class PlanRejected:
    """The planner's answer broke a rule and was sent back."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelAnswered:
    """A model's answer arrived whole."""

    role: str
    model: str
    requests: int
    """Tries that were made, the successful one included."""
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    """None where the price is not known."""
    seconds: float
    task: int = 0
    """The task that it belongs to, where it belongs to one."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class ModelRetried:
    """An answer was missing or broken and is asked for again."""

    role: str
    model: str
    """With its address, where that is not the provider's own."""
    reason: str
    wait_seconds: float
    tried: int
    """How often it was asked so far."""
    most: int
    """How often it will be asked at most."""
    task: int = 0
    """The task that it belongs to, where it belongs to one."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class ToolUsed:
    """An agent used a tool."""

    role: str
    tool: str
    summary: str
    """One line: what it was asked for and what came of it."""
    failed: bool = False
    task: int = 0
    """The task that it belongs to, where it belongs to one."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class AttemptStarted:
    """The coder sets out, or sets out again."""

    attempt: int
    steps: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TaskStarted:
    """The coder began a task."""

    attempt: int
    task: int
    title: str
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class TaskFinished:
    """The coder says that a task is done, and its files are committed."""

    attempt: int
    task: int
    commit: str | None
    """None where the task changed nothing."""
    files: tuple[str, ...]
    summary: str
    deviations: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class TaskWaits:
    """The coder says that a task is done; its work waits for that of the tasks beside it."""

    attempt: int
    task: int
    summary: str


@dataclass(frozen=True, kw_only=True)
class TaskClashed:
    """A task's work does not fit onto that of the tasks beside it, and is done again on top."""

    attempt: int
    task: int
    files: tuple[str, ...]
    """What both changed."""


@dataclass(frozen=True, kw_only=True)
class MutantsTried:
    """The tests ran on small changes of the lines that the branch changed."""

    attempt: int
    chosen: int
    """Changes that were to be tried; fewer were where the time was over."""
    tried: int
    killed: int
    """Changes that made a test fail."""
    survivors: tuple[str, ...]
    """Changes that no test noticed, in words."""
    seconds: float
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class CriterionJudged:
    """The status of one criterion after an attempt."""

    attempt: int
    criterion: str
    text: str
    line: int
    status: str
    evidence: tuple[str, ...]
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class AttemptVerified:
    """The verifier has its verdict on a commit."""

    attempt: int
    commit: str
    holds: bool
    failures: tuple[str, ...]
    concerns: tuple[str, ...] = ()
    """What the verifier agent noticed beside the criteria."""
    put_back: tuple[str, ...] = ()
    """Frozen files that the commit had changed; they were put back before the checks ran."""
    objections: tuple[dict[str, str], ...] = ()
    """What speaks against the commit although its checks pass: `weight`, `place`, `what`."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class CandidateChosen:
    """Of several attempts at the whole the best was taken, as the verifier judged them."""

    attempt: int
    chosen: int
    candidates: tuple[dict[str, Any], ...]
    """Of each: `candidate`, `commit`, `outcome` in words, and the ref where it is `kept`."""


@dataclass(frozen=True, kw_only=True)
class RanAgain:
    """Within an attempt only what had failed ran again after a repair. All run for the verdict."""

    attempt: int
    turn: int
    """Which repair of the attempt, from 1."""
    commit: str
    checks: dict[str, str]
    """Check id to state, of those that had failed."""
    left_out: dict[str, str]
    """Check id to why it did not run again."""


@dataclass(frozen=True, kw_only=True)
class LookingCloser:
    """No check fails; whether that can be believed is looked at now, which takes its time."""

    attempt: int
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class HoldoutWritten:
    """The verifier agent wrote tests from the PRP's text, before it saw any code."""

    path: str
    content: str
    command: str
    tests: tuple[dict[str, Any], ...]
    """Of each: `name`, `criterion`, `words`, `new`."""
    reason: str
    """Why there are none, where there are none."""
    guards_path: str = ""
    """A second file for tests of what is there already, where they need one of their own."""
    guards: str = ""
    guards_command: str = ""


@dataclass(frozen=True, kw_only=True)
class HoldoutTried:
    """The tests from the text ran on an attempt's commit."""

    attempt: int
    passed: tuple[str, ...]
    failed: dict[str, str]
    """Name to what a second reading says: `right: ...`, `wrong: ...` (dropped), `unsure: ...`."""
    candidate: int = 0
    """The attempt at the whole that it belongs to, where there are several."""


@dataclass(frozen=True, kw_only=True)
class FeedbackSent:
    """What the coder is told before the next attempt."""

    attempt: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Rethought:
    """Attempts failed alike, so the planner was asked for another way."""

    attempt: int
    """The last that failed."""
    times: int
    """How many failed alike."""
    cause: str
    """Empty where the planner came to no end."""
    approach: str
    stronger: bool
    """Whether the planner's model carries the next attempt out instead of the coder's."""


@dataclass(frozen=True, kw_only=True)
class Noted:
    """Something a person should know that belongs to no other event."""

    text: str
    warning: bool = False


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """A run ended."""

    outcome: str
    exit_status: int
    reason: str
    hint: str
    """What the person can do next; empty where nothing is left to do."""
    branch: str
    commit: str
    seconds: float
    unfinished: str = ""
    """The commit with work that a step had begun; taken back when the run is taken up."""
    can_go_on: bool = False
    """Whether the run only stopped, and can be taken up."""


Event = (
    RunStarted
    | RunResumed
    | SetupFinished
    | HostAsked
    | ContractFrozen
    | CommandStarted
    | CheckFinished
    | Planned
    | Estimated
    | PlanRejected
    | ModelAnswered
    | ModelRetried
    | ToolUsed
    | AttemptStarted
    | TaskStarted
    | TaskFinished
    | TaskWaits
    | TaskClashed
    | MutantsTried
    | CriterionJudged
    | AttemptVerified
    | CandidateChosen
    | RanAgain
    | LookingCloser
    | HoldoutWritten
    | HoldoutTried
    | FeedbackSent
    | Rethought
    | Noted
    | RunEnded
)
Record = Callable[[Event], None]
"""Is told of an event."""


def as_json(event: Event, *, sequence: int) -> dict[str, Any]:
    """Return the event as the journal writes it."""
    return {
        "v": VERSION,
        "seq": sequence,
        "at": round(time.time(), 3),
        "type": type_of(type(event)),
        **{field.name: getattr(event, field.name) for field in dataclasses.fields(event)},
    }


def type_of(kind: type) -> str:
    """Return the name that the journal gives a kind of event."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


KINDS: dict[str, type] = {type_of(kind): kind for kind in typing.get_args(Event)}
"""Every kind of event by its name."""


def event_of(line: Mapping[str, Any]) -> Event | None:
    """Return the event that a line of a journal holds; None for what this version does not know."""
    kind = KINDS.get(line.get("type", ""))
    if kind is None:
        return None
    fields = {
        field.name: line[field.name] for field in dataclasses.fields(kind) if field.name in line
    }
    try:
        return typing.cast("Event", kind(**fields))
    except TypeError:
        return None
