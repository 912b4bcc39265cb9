"""A run as it stands now, as its events tell: what a live terminal and editors show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.journal import (
    SECOND_LOOK,
    AttemptStarted,
    AttemptVerified,
    CheckFinished,
    CommandStarted,
    CriterionJudged,
    Event,
    HoldoutTried,
    ModelAnswered,
    MutantsTried,
    Planned,
    RunEnded,
    RunResumed,
    RunStarted,
    TaskFinished,
    TaskStarted,
    TaskWaits,
    ToolUsed,
)


@dataclass(kw_only=True)
class Task:
    """One task of the PRP."""

    title: str
    state: str = "open"
    """`open`, `working`, `waiting` for those beside it, `done`, or `unchanged` where it changed
    nothing."""
    began: float = 0.0
    seconds: float = 0.0


@dataclass(kw_only=True)
class Running:
    """A command that runs now."""

    by: str
    command: str
    log: str
    began: float


_Key = tuple[str, str | int, int]
"""By whom a command runs, for which check or task, of which candidate."""


@dataclass(kw_only=True)
class Board:
    """What is known of a run so far. Fed with its events, oldest first."""

    title: str = ""
    branch: str = ""
    limits: Mapping[str, float | int | None] = field(default_factory=dict)
    doing: str = "starting"
    attempt: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    """Number and title; what is no task of the PRP's (tests, a repair) by its title."""
    criteria: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id to text and status."""
    checks: dict[str, str] = field(default_factory=dict)
    """Check id to its state in the latest stage."""
    running: Mapping[_Key, Running] = field(default_factory=dict)
    """Every command that runs now. Never changed in place: another thread may be drawing it."""
    tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Answers whose price nobody knows."""

    def take(self, event: Event, now: float) -> None:
        """Take one event in.

        Args:
            event: The next one.
            now: When it happened, in seconds on any clock that does not go back.

        """
        self._mind_commands(event, now)
        taken = _TAKEN.get(type(event))
        if (number := getattr(event, "candidate", 0)) and not isinstance(event, ModelAnswered):
            # Of the one that is taken everything is told once more.
            self.doing = f"candidate {number}"
        elif taken:
            taken(self, event, now)

    def _mind_commands(self, event: Event, now: float) -> None:
        """Keep what runs now: of candidates, too."""
        match event:
            case CommandStarted(by=by, check=check, task=task, candidate=candidate):
                which = f"task {task}" if task and not check else check
                other = f"candidate {candidate}" if candidate else ""
                names = ", ".join(name for name in (other, by, which) if name)
                one = Running(by=names, command=event.command, log=event.log, began=now)
                if by.endswith(SECOND_LOOK):
                    # One after the other, and nothing tells of the end of each.
                    self._end_again(candidate)
                self.running = {**self.running, (by, check or task, candidate): one}
            case MutantsTried(candidate=candidate) | HoldoutTried(candidate=candidate):
                self._end_again(candidate)
            case CriterionJudged(candidate=candidate):
                self._end_again(candidate)
            case CheckFinished(stage=stage, check=check, candidate=candidate):
                self._ends((stage, check, candidate))
            case ToolUsed(tool="run", role=role, task=task, candidate=candidate):
                self._ends((role, task, candidate))
            case TaskFinished(task=task, candidate=candidate):
                # A task on its own tells its number here, and none where it runs a command.
                self._ends(("coder", task, candidate), ("coder", 0, candidate))
            case AttemptVerified(candidate=candidate):
                self._ends(*(key for key in self.running if key[2] == candidate))
            case AttemptStarted() | RunEnded() | RunResumed():
                self.running = {}

    def _end_again(self, candidate: int) -> None:
        self._ends(*(k for k in self.running if k[0].endswith(SECOND_LOOK) and k[2] == candidate))

    def _ends(self, *keys: _Key) -> None:
        self.running = {key: one for key, one in self.running.items() if key not in keys}

    def _started(self, event: RunStarted, _: float) -> None:
        self.title, self.branch, self.limits = event.title, event.branch, event.limits
        self.doing = "running the checks on the base commit"
        self.criteria = {name: (text, "open") for name, text in event.criteria.items()}
        self.tasks = {n: Task(title=f"{n} {title}") for n, title in event.tasks.items()}

    def _planned(self, _: Planned, __: float) -> None:
        self.doing = "planned"

    def _attempt(self, event: AttemptStarted, _: float) -> None:
        self.attempt, self.doing = event.attempt, "coding"
        self.checks.clear()

    def _task_started(self, event: TaskStarted, now: float) -> None:
        key = str(event.task or event.title)
        title = f"{event.task} {event.title}" if event.task else event.title
        task = self.tasks.setdefault(key, Task(title=title))
        task.state, task.began = "working", now
        self.doing = self._at_hand()

    def _at_hand(self) -> str:
        """Return in words which tasks are worked on."""
        working = [key for key, task in self.tasks.items() if task.state == "working"]
        numbers = [key for key in working if key.isdigit()]
        if not numbers or len(numbers) < len(working):
            return "coding"
        return f"task{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"

    def _task_waits(self, event: TaskWaits, now: float) -> None:
        self._stop(str(event.task), "waiting", now)

    def _task_finished(self, event: TaskFinished, now: float) -> None:
        state = "done" if event.commit else "unchanged"
        # What has no number is known by its title, which the event does not tell.
        working = [key for key, task in self.tasks.items() if task.state == "working"]
        for key in [str(event.task)] if event.task else working:
            self._stop(key, state, now)

    def _stop(self, key: str, state: str, now: float) -> None:
        if task := self.tasks.get(key):
            task.seconds += max(now - task.began, 0.0) if task.state == "working" else 0.0
            task.state = state

    def _command(self, event: CommandStarted, _: float) -> None:
        if event.check:
            self.doing = f"checks, {event.by}"

    def _check(self, event: CheckFinished, _: float) -> None:
        self.checks[event.check] = event.state

    def _judged(self, event: CriterionJudged, _: float) -> None:
        self.criteria[event.criterion] = (event.text, event.status)

    def _verified(self, event: AttemptVerified, _: float) -> None:
        count = len(event.failures)
        self.doing = "verified" if event.holds else f"{count} failure{'s' if count != 1 else ''}"

    def _answered(self, event: ModelAnswered, _: float) -> None:
        self.tokens += event.input_tokens + event.output_tokens
        self.cost_usd += event.cost_usd or 0.0
        self.unpriced += event.cost_usd is None


_TAKEN: dict[type, Callable[[Board, Any, float], None]] = {
    RunStarted: Board._started,  # noqa: SLF001 - its own table
    Planned: Board._planned,  # noqa: SLF001
    AttemptStarted: Board._attempt,  # noqa: SLF001
    TaskStarted: Board._task_started,  # noqa: SLF001
    TaskWaits: Board._task_waits,  # noqa: SLF001
    TaskFinished: Board._task_finished,  # noqa: SLF001
    CommandStarted: Board._command,  # noqa: SLF001
    CheckFinished: Board._check,  # noqa: SLF001
    CriterionJudged: Board._judged,  # noqa: SLF001
    AttemptVerified: Board._verified,  # noqa: SLF001
    ModelAnswered: Board._answered,  # noqa: SLF001
}
