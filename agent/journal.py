"""What happened in a run, one event after the other: the single source for every view of it.

The journal is a file of JSON lines, only ever appended to. Each line is
`{"v": 1, "seq": N, "at": SECONDS, "type": "task-started", ...}`; the remaining keys are the
event's own. Terminal, report and `run.json` are made of these events and of nothing else.
"""

import dataclasses
import json
import os
import re
import time
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

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
    """Path to sha256 of each frozen file."""
    checks: tuple[str, ...]


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


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The planner's plan was accepted."""

    summary: str
    steps: tuple[dict[str, Any], ...]
    proofs: tuple[dict[str, Any], ...]
    concerns: tuple[str, ...] = ()
    """What the planner finds wrong or missing in the PRP."""


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


@dataclass(frozen=True, kw_only=True)
class ToolUsed:
    """An agent used a tool."""

    role: str
    tool: str
    summary: str
    """One line: what it was asked for and what came of it."""
    failed: bool = False


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


@dataclass(frozen=True, kw_only=True)
class CriterionJudged:
    """The status of one criterion after an attempt."""

    attempt: int
    criterion: str
    text: str
    line: int
    status: str
    evidence: tuple[str, ...]


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


@dataclass(frozen=True, kw_only=True)
class LookingCloser:
    """No check fails; whether that can be believed is looked at now, which takes its time."""

    attempt: int


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


@dataclass(frozen=True, kw_only=True)
class HoldoutTried:
    """The tests from the text ran on an attempt's commit."""

    attempt: int
    passed: tuple[str, ...]
    failed: dict[str, str]
    """Name to what a second reading says: `right: ...`, `wrong: ...` (dropped), `unsure: ...`."""


@dataclass(frozen=True, kw_only=True)
class FeedbackSent:
    """What the coder is told before the next attempt."""

    attempt: int
    text: str


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
    | CheckFinished
    | Planned
    | PlanRejected
    | ModelAnswered
    | ModelRetried
    | ToolUsed
    | AttemptStarted
    | TaskStarted
    | TaskFinished
    | MutantsTried
    | CriterionJudged
    | AttemptVerified
    | LookingCloser
    | HoldoutWritten
    | HoldoutTried
    | FeedbackSent
    | Noted
    | RunEnded
)
Record = Callable[[Event], None]

# A power cut after these must not lose them: money was spent or work was delivered.
_MUST_LAST = (
    RunStarted,
    RunResumed,
    Planned,
    ModelAnswered,
    TaskFinished,
    AttemptVerified,
    RunEnded,
)


class Journal:
    """An append-only file of events, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; a line that a crash tore is taken off its end."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        lines, self.torn = _whole_lines(path)
        """Bytes of a torn last line."""
        if self.torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - self.torn)
        self._sequence = lines

    def __enter__(self) -> Self:
        """Return the journal; the file is closed at the end of the `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._file)

    def record(self, event: Event) -> None:
        """Append the event with one write, and make it last where losing it would cost."""
        self._sequence += 1
        line = json.dumps(as_json(event, sequence=self._sequence), ensure_ascii=False)
        os.write(self._file, (line + "\n").encode("utf-8", "surrogatepass"))
        if isinstance(event, _MUST_LAST):
            os.fsync(self._file)


def _whole_lines(path: Path) -> tuple[int, int]:
    """Return how many lines a file has, and how many bytes follow the last of them."""
    lines, rest = 0, 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            ended = part.count(b"\n")
            rest = len(part) - part.rfind(b"\n") - 1 if ended else rest + len(part)
            lines += ended
    return lines, rest


def as_json(event: Event, *, sequence: int) -> dict[str, Any]:
    """Return the event as the journal writes it."""
    return {
        "v": VERSION,
        "seq": sequence,
        "at": round(time.time(), 3),
        "type": _type_of(type(event)),
        **{field.name: getattr(event, field.name) for field in dataclasses.fields(event)},
    }


def _type_of(kind: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


_KINDS: dict[str, type] = {_type_of(kind): kind for kind in typing.get_args(Event)}


def event_of(line: Mapping[str, Any]) -> Event | None:
    """Return the event that a line of a journal holds; None for what this version does not know."""
    kind = _KINDS.get(line.get("type", ""))
    if kind is None:
        return None
    fields = {
        field.name: line[field.name] for field in dataclasses.fields(kind) if field.name in line
    }
    try:
        return typing.cast("Event", kind(**fields))
    except TypeError:
        return None


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Read a journal back, oldest event first; a torn last line is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)
