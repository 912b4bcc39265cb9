"""What happens in a run, in one line an event."""

from collections.abc import Callable

from agent.journal import (
    AttemptStarted,
    AttemptVerified,
    CandidateChosen,
    CheckFinished,
    CriterionJudged,
    Estimated,
    Event,
    FeedbackSent,
    HoldoutTried,
    HoldoutWritten,
    HostAsked,
    LookingCloser,
    ModelRetried,
    MutantsTried,
    Noted,
    Planned,
    PlanRejected,
    Rethought,
    RunResumed,
    RunStarted,
    SetupFinished,
    TaskClashed,
    TaskFinished,
    TaskStarted,
    TaskWaits,
    ToolUsed,
)


def line_of(event: Event) -> str:
    """Return the event in one line; nothing for events that a person need not see."""
    write = _LINES.get(type(event))
    line = write(event) if write else ""
    number = getattr(event, "candidate", 0)
    return f"candidate {number}: {line.strip()}" if number and line else line


def _candidate_chosen(event: CandidateChosen) -> str:
    return f"candidate {event.chosen} of {len(event.candidates)} is taken"


def _run_started(event: RunStarted) -> str:
    return f"run {event.run}: {event.prp} on branch {event.branch}, sandbox {event.sandbox}"


def _setup_finished(event: SetupFinished) -> str:
    hosts = f", reaching {', '.join(event.hosts)}" if event.hosts else ""
    took = f" in {event.seconds:.0f} s{hosts}" if event.state == "installed" else ""
    reason = f": {event.reason}" if event.reason else ""
    return f"setup: {event.kind} {event.state}{took}{reason}  {event.command}"


def _host_asked(event: HostAsked) -> str:
    """Tell of every host that was not reached, and of those that commands of a run asked."""
    if event.state == "allowed" and event.stage == "setup":
        return ""
    reason = f" ({event.reason})" if event.reason else ""
    return f"network: {event.host}:{event.port} {event.state}{reason}"


def _check_finished(event: CheckFinished) -> str:
    reason = f" ({event.reason})" if event.reason else ""
    first = event.command.splitlines()[0] if event.command else ""
    return f"{event.stage}: {event.check} {event.state}{reason}  {first}"


def _task_finished(event: TaskFinished) -> str:
    kept = f"commit {event.commit[:12]}" if event.commit else "nothing changed"
    return f"  {kept}: {', '.join(event.files) or event.summary}"


def _task_waits(event: TaskWaits) -> str:
    return f"task {event.task} is done and waits for those beside it: {event.summary}"


def _task_clashed(event: TaskClashed) -> str:
    return (
        f"task {event.task} does not fit onto those beside it and is done again: "
        f"{', '.join(event.files)}"
    )


def _tool_used(event: ToolUsed) -> str:
    task = f" {event.task}" if event.task else ""
    return f"  {event.role}{task} {event.tool} {event.summary}"


def _mutants_tried(event: MutantsTried) -> str:
    left = event.chosen - event.tried
    untried = f", no time for {left} more" if left else ""
    return (
        f"attempt {event.attempt}: tests notice {event.killed} of {event.tried} mutants "
        f"in {event.seconds:.0f} s{untried}"
    )


def _judged(event: CriterionJudged) -> str:
    return f"criterion {event.criterion} {event.status}: {event.text}"


def _verified(event: AttemptVerified) -> str:
    if event.holds:
        return f"attempt {event.attempt} holds on {event.commit[:12]}"
    if not event.failures:
        return f"attempt {event.attempt}: nothing fails, but not everything is shown"
    return f"attempt {event.attempt} does not hold: {len(event.failures)} failures"


def _holdout(event: HoldoutWritten) -> str:
    if not event.tests:
        return f"tests from the text: none, {event.reason}"
    red = sum(bool(test["new"]) for test in event.tests)
    return f"tests from the text: {len(event.tests)} written, {red} of them red on the base commit"


def _retried(event: ModelRetried) -> str:
    when = f"again in {event.wait_seconds:.0f} s" if event.wait_seconds else "again at once"
    return (
        f"{event.role}: {event.model}: {event.reason}; {when} (try {event.tried + 1} of "
        f"{event.most})"
    )


_LINES: dict[type, Callable[..., str]] = {
    RunStarted: _run_started,
    RunResumed: lambda e: f"taken up after: {e.after}; worktree {e.worktree}",
    SetupFinished: _setup_finished,
    HostAsked: _host_asked,
    CheckFinished: _check_finished,
    Planned: lambda e: f"plan: {len(e.steps)} steps, {len(e.proofs)} proofs. {e.summary}",
    Estimated: lambda e: f"estimate: {e.in_words()}",
    PlanRejected: lambda e: f"plan sent back: {'; '.join(e.reasons)}",
    AttemptStarted: lambda e: f"attempt {e.attempt}",
    TaskStarted: lambda e: f"task {e.task or '-'}: {e.title}",
    ToolUsed: _tool_used,
    TaskWaits: _task_waits,
    TaskClashed: _task_clashed,
    TaskFinished: _task_finished,
    MutantsTried: _mutants_tried,
    CriterionJudged: _judged,
    AttemptVerified: _verified,
    CandidateChosen: _candidate_chosen,
    LookingCloser: lambda e: (
        f"attempt {e.attempt}: no check fails; now whether that can be believed"
    ),
    HoldoutWritten: _holdout,
    HoldoutTried: lambda e: (
        f"tests from the text: {len(e.passed)} pass, {len(e.failed)} fail on attempt {e.attempt}"
    ),
    Rethought: lambda e: (
        f"{e.times} attempts failed alike; another way: {e.approach or 'none was found'}"
        + (", by the planner's model" if e.stronger else "")
    ),
    FeedbackSent: lambda e: f"feedback sent to the coder, {len(e.text)} characters",
    ModelRetried: _retried,
    Noted: lambda e: f"{'warning: ' if e.warning else ''}{e.text}",
}
