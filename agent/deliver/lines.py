"""What happens in a run, in one line an event."""

from collections.abc import Callable

from agent import journal
from agent.deliver.again import waiting
from agent.journal import Event


def line_of(event: Event) -> str:
    """Return the event in one line; nothing for events that a person need not see."""
    write = _LINES.get(type(event))
    line = write(event) if write else ""
    number = getattr(event, "candidate", 0)
    return f"candidate {number}: {line.strip()}" if number and line else line


def _candidate_chosen(event: journal.CandidateChosen) -> str:
    return f"candidate {event.chosen} of {len(event.candidates)} is taken"


def _run_started(event: journal.RunStarted) -> str:
    return f"run {event.run}: {event.prp} on branch {event.branch}, sandbox {event.sandbox}"


def _setup_finished(event: journal.SetupFinished) -> str:
    hosts = f", reaching {', '.join(event.hosts)}" if event.hosts else ""
    took = f" in {event.seconds:.0f} s{hosts}" if event.state == "installed" else ""
    reason = f": {event.reason}" if event.reason else ""
    return f"setup: {event.kind} {event.state}{took}{reason}  {event.command}"


def _host_asked(event: journal.HostAsked) -> str:
    """Tell of every host that was not reached, and of those that commands of a run asked."""
    if event.state == "allowed" and event.stage == "setup":
        return ""
    reason = f" ({event.reason})" if event.reason else ""
    return f"network: {event.host}:{event.port} {event.state}{reason}"


def _ran_again(event: journal.RanAgain) -> str:
    what = "only what had failed ran again"
    return f"attempt {event.attempt}, repair {event.turn}: {what}{waiting(event.left_out)}"


def _check_finished(event: journal.CheckFinished) -> str:
    reason = f" ({event.reason})" if event.reason else ""
    first = event.command.splitlines()[0] if event.command else ""
    return f"{event.stage}: {event.check} {event.state}{reason}  {first}"


def _task_finished(event: journal.TaskFinished) -> str:
    task = f"task {event.task}, " if event.task else ""
    kept = f"commit {event.commit[:12]}" if event.commit else "nothing changed"
    return f"  {task}{kept}: {', '.join(event.files) or event.summary}"


def _task_waits(event: journal.TaskWaits) -> str:
    return f"task {event.task} is done and waits for those beside it: {event.summary}"


def _task_clashed(event: journal.TaskClashed) -> str:
    return (
        f"task {event.task} does not fit onto those beside it and is done again: "
        f"{', '.join(event.files)}"
    )


def _tool_used(event: journal.ToolUsed) -> str:
    task = f", task {event.task}:" if event.task else ""
    return f"  {event.role}{task} {event.tool} {event.summary}"


def _mutants_tried(event: journal.MutantsTried) -> str:
    left = event.chosen - event.tried
    untried = f", no time for {left} more" if left else ""
    return (
        f"attempt {event.attempt}: tests notice {event.killed} of {event.tried} mutants "
        f"in {event.seconds:.0f} s{untried}"
    )


def _judged(event: journal.CriterionJudged) -> str:
    return f"criterion {event.criterion} {event.status}: {event.text}"


def _verified(event: journal.AttemptVerified) -> str:
    if event.holds:
        return f"attempt {event.attempt} holds on {event.commit[:12]}"
    if not event.failures:
        return f"attempt {event.attempt}: nothing fails, but not everything is shown"
    count = len(event.failures)
    return f"attempt {event.attempt} does not hold: {count} failure{'s' if count > 1 else ''}"


def _holdout(event: journal.HoldoutWritten) -> str:
    if not event.tests:
        return f"tests from the text: none, {event.reason}"
    red = sum(bool(test["new"]) for test in event.tests)
    return f"tests from the text: {len(event.tests)} written, {red} of them red on the base commit"


def _retried(event: journal.ModelRetried) -> str:
    when = f"again in {event.wait_seconds:.0f} s" if event.wait_seconds else "again at once"
    return (
        f"{event.role}: {event.model}: {event.reason}; {when} (try {event.tried + 1} of "
        f"{event.most})"
    )


_LINES: dict[type, Callable[..., str]] = {
    journal.RunStarted: _run_started,
    journal.RunResumed: lambda e: f"taken up after: {e.after}; worktree {e.worktree}",
    journal.SetupFinished: _setup_finished,
    journal.HostAsked: _host_asked,
    journal.CheckFinished: _check_finished,
    journal.Planned: lambda e: f"plan: {len(e.steps)} steps, {len(e.proofs)} proofs. {e.summary}",
    journal.Estimated: lambda e: f"estimate: {e.in_words()}",
    journal.PlanRejected: lambda e: f"plan sent back: {'; '.join(e.reasons)}",
    journal.AttemptStarted: lambda e: f"attempt {e.attempt}",
    journal.TaskStarted: lambda e: f"task {e.task or '-'}: {e.title}",
    journal.ToolUsed: _tool_used,
    journal.TaskWaits: _task_waits,
    journal.TaskClashed: _task_clashed,
    journal.TaskFinished: _task_finished,
    journal.MutantsTried: _mutants_tried,
    journal.CriterionJudged: _judged,
    journal.AttemptVerified: _verified,
    journal.CandidateChosen: _candidate_chosen,
    journal.RanAgain: _ran_again,
    journal.LookingCloser: lambda e: (
        f"attempt {e.attempt}: no check fails; now whether that can be believed"
    ),
    journal.HoldoutWritten: _holdout,
    journal.HoldoutTried: lambda e: (
        f"tests from the text: {len(e.passed)} pass, {len(e.failed)} fail on attempt {e.attempt}"
    ),
    journal.Rethought: lambda e: (
        f"{e.times} attempts failed alike; another way: {e.approach or 'none was found'}"
        + (", by the planner's model" if e.stronger else "")
    ),
    journal.FeedbackSent: lambda e: f"feedback sent to the coder, {len(e.text)} characters",
    journal.ModelRetried: _retried,
    journal.Noted: lambda e: f"{'warning: ' if e.warning else ''}{e.text}",
}
