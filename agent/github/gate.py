"""The first job: who asks, for what text, with which commands, and whether it may be."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import DocumentError, PrpError, Refused
from agent.github import progress, words
from agent.github.admitting import allowance, draft, started
from agent.github.client import GitHub
from agent.github.job import LABEL, Job
from agent.github.papers import Request
from agent.github.review import criterion_named, with_review
from agent.github.sources import Found, find_prp, name_of
from agent.github.state import State, bring, recall
from agent.github.table import Decision, Gate
from agent.github.trigger import Act, Trigger, read_trigger
from agent.github.trust import LARGEST, ask_for_approval, examined, trust_in
from agent.prp import parse_prp, slug
from agent.settings import load_settings
from agent.workspace import Repository
from agent.workspace.git import GitFailed
from agent.workspace.remote import Remote


def decide(job: Job, github: GitHub, *, now: datetime | None = None) -> Decision:
    """Decide about an event, write the request for the other jobs, and tell people.

    Raises:
        GitHubFailed: GitHub can't say who may do what; then nobody may.

    """
    trigger = read_trigger(job)
    if trigger is None:
        return _put(job, Decision.NONE)
    if why := _stranger(job, github, trigger):
        return _put(job, _turned_away(job, github, trigger, why))
    if trigger.number:
        progress.seen(github, trigger.number, trigger.comment)
        if trigger.act is Act.LABEL:
            github.remove_label(trigger.number, LABEL)
    repository = Repository.open(job.workspace)
    job.put(head=repository.resolve("HEAD"))
    gate = Gate(
        job=job,
        github=github,
        trigger=trigger,
        repository=repository,
        remote=Remote.of(repository, job.clone_url, token=job.token),
        settings=load_settings({}, root=repository.root, tracked=repository.is_tracked),
    )
    try:
        decision = _decided(gate, now or datetime.now(UTC))
    except PrpError as error:
        decision = _refused(gate, error)
    return _put(job, decision)


def _put(job: Job, decision: Decision) -> Decision:
    job.put(decision=decision.value)
    job.summarise(f"Gate: **{decision.value}**")
    return decision


def _stranger(job: Job, github: GitHub, trigger: Trigger) -> str:
    """Say why somebody may not start anything; empty where he may."""
    if not trigger.actor:
        return "Nobody knows who asked"
    if trigger.is_bot:
        listed = job.asked("ALLOWED_BOTS").replace(",", " ").split()
        return "" if trigger.actor in listed else f"{words.plain(trigger.actor)} is a bot"
    if github.may_write(trigger.actor):
        return ""
    return f"{words.plain(trigger.actor)} can't push to this repository"


def _turned_away(job: Job, github: GitHub, trigger: Trigger, why: str) -> Decision:
    """Refuse somebody; a comment of a stranger gets a sign and no answer, so nobody can flood."""
    job.summarise(f"Refused: {why}")
    if trigger.act is Act.LABEL and trigger.number:
        github.remove_label(trigger.number, LABEL)
        github.comment(trigger.number, f"Not started: {why}.")
    elif trigger.comment and trigger.number:
        github.react(trigger.number, comment=trigger.comment, content="confused")
    return Decision.REFUSED


def _refused(gate: Gate, error: PrpError) -> Decision:
    """Tell why nothing is started; the findings of a document name their lines."""
    told = f"Not started.\n\n{words.fence(str(error))}"
    if error.hint:
        told += f"\n\n{words.plain(error.hint)}"
    gate.job.summarise(told)
    if gate.number:
        gate.github.comment(gate.number, words.within([told]))
    gate.job.put(reason=str(error).splitlines()[0][:200])
    return Decision.REFUSED


def _decided(gate: Gate, now: datetime) -> Decision:
    trigger = gate.trigger
    bring(gate.remote)
    key, state = _known(gate)
    match trigger.act:
        case Act.STATUS:
            return _status(gate, state)
        case Act.CANCEL:
            return _cancel(gate, state)
    _require_idle(gate, state)
    if trigger.is_pull or trigger.act is Act.RETRY:
        if state is None:
            raise Refused("Nothing was executed here yet", hint=f"Set the label {LABEL} first.")
        return _again(gate, state, now)
    return _on_words(gate, key, state, now)


def _known(gate: Gate) -> tuple[str, State | None]:
    """Return what an issue's runs are called, and what is known of them."""
    if gate.trigger.is_pull:
        return _of_pull(gate)
    key = str(gate.trigger.number) if gate.trigger.number else ""
    return key, recall(gate.repository, key) if key else None


def _of_pull(gate: Gate) -> tuple[str, State]:
    """Return the state that a pull request belongs to.

    Raises:
        Refused: It comes from a fork, or from no run of ours.

    """
    pull = gate.github.pull(gate.number)
    home = pull.head.repo.full_name if pull.head.repo else ""
    if home.lower() != gate.job.repository.lower():
        raise Refused("This pull request comes from a fork: nothing is run for it")
    if pull.state != "open":
        raise Refused("This pull request is closed")
    listed = gate.repository.git.text(
        "for-each-ref", "--format=%(refname:lstrip=3)", "refs/prp-in/state/"
    )
    for key in listed.splitlines():
        state = recall(gate.repository, key)
        if state and state.request.branch == pull.head.ref:
            return key, state
        if state and _is_numbered(state.request.branch, pull.head.ref):
            raise Refused(
                f"The work of {pull.head.ref} goes on in {state.request.branch}",
                hint="Review the pull request of that branch, or merge one into the other.",
            )
    raise Refused(f"{pull.head.ref} is no branch of a run")


def _is_numbered(branch: str, other: str) -> bool:
    """Return whether a branch got its number because the other one was there."""
    name, _, number = branch.rpartition("-")
    return name == other and number.isdigit()


def _require_idle(gate: Gate, state: State | None) -> None:
    """Make sure that no run is under way; the label is taken off by hand where one was lost."""
    issue = state.request.issue if state else gate.trigger.number
    if issue and gate.github.issue(issue).has_label(progress.RUNNING):
        raise Refused(
            f"A run of issue {issue} is under way already",
            hint=f"`/prp cancel` ends it. If it was lost, take the label {progress.RUNNING} off "
            "and ask again.",
        )


def _status(gate: Gate, state: State | None) -> Decision:
    if state is None:
        gate.github.comment(gate.number, "Nothing was executed for this issue yet.")
        return Decision.TOLD
    last = state.account.runs[-1] if state.account.runs else None
    cost = f", US$ {last.usd:.4f}" if last and last.usd is not None else ""
    told = (
        f"The last run: **{words.plain(state.outcome)}**{cost}, on branch "
        f"{words.code(state.request.branch)}. {len(state.account.runs)} so far."
    )
    gate.github.comment(gate.number, told)
    return Decision.TOLD


def _cancel(gate: Gate, state: State | None) -> Decision:
    """Find the workflow's run that is under way: our comment names it."""
    number = (state.request.issue if state else None) or gate.number
    own = gate.github.own_login().removesuffix("[bot]")
    for comment in gate.github.comments(number):
        by_us = comment.user is not None and comment.user.login.removesuffix("[bot]") == own
        named = progress.workflow_run(comment.body or "") if by_us else None
        if named:
            gate.job.put(cancel=named)
            return Decision.CANCEL
    raise Refused("Nothing is under way here")


def _on_words(gate: Gate, key: str, state: State | None, now: datetime) -> Decision:
    """Decide about an issue's words, or about a path that was typed."""
    trigger, base = gate.trigger, gate.repository.resolve("HEAD")
    if trigger.number and not trigger.title:  # dispatched by hand, without an issue's event
        issue = gate.github.issue(trigger.number)
        trigger = replace(trigger, title=issue.title, body=issue.body or "")
    if len(trigger.body) > LARGEST:  # before anything is looked for in it
        what = "The issue's text is larger than 1 MiB"
        raise Refused(what, hint="Put it into a file and name that: `PRP: PRPs/x.md`.")
    if trigger.act is Act.RESUME and state is None:
        raise Refused("There is no run to resume", hint=f"Set the label {LABEL} to start one.")
    found = find_prp(
        title=trigger.title,
        body=trigger.body,
        number=trigger.number,
        read=lambda path: _file(gate.repository, base, path),
        asked=gate.job.asked("PRP"),
    )
    gate = replace(gate, trigger=trigger)
    if found.kind == "draft":
        return draft(gate, found, base, now)
    wanted = examined(gate, found, base)
    trust = trust_in(gate, found, wanted)
    if trust is None:
        return ask_for_approval(gate, found, wanted)
    name = name_of(trigger.title, trigger.number) if trigger.number else slug(Path(found.name))
    request = Request(
        mode="plan" if trigger.act is Act.PLAN else "run",
        key=key or slug(Path(found.name)),
        issue=trigger.number,
        actor=trigger.actor,
        title=trigger.title or parse_prp(found.text, path=Path(found.name)).title.text,
        source=found.kind,
        trust=trust,
        prp_name=found.name,
        prp=found.text,
        digest=wanted.digest,
        base=base,
        branch=f"prp/{name}",
        default_branch=gate.job.default_branch,
        max_cost_usd=allowance(gate, now, trigger.number),
    )
    goes_on = trigger.act in (Act.LABEL, Act.RESUME, Act.APPROVE)
    if goes_on and state and state.request.digest == request.digest and state.outcome != "proven":
        request = _going_on(gate, request, state)
    elif trigger.act is Act.RESUME:
        raise Refused(
            "The text or its commands are others than those of the last run, or it was finished",
            hint=f"Set the label {LABEL} to start afresh.",
        )
    return started(gate, request, now)


def _going_on(gate: Gate, request: Request, state: State) -> Request:
    """Return a request that goes on where the last run of the same words ended."""
    branch = state.request.branch
    head = gate.remote.refs(f"refs/heads/{branch}").get(f"refs/heads/{branch}", "")
    if not head or not state.commit:
        return request
    gate.remote.fetch(f"+refs/heads/{branch}:refs/prp-in/start")
    return request.model_copy(update={"base": state.request.base, "start": head, "branch": branch})


def _again(gate: Gate, state: State, now: datetime) -> Decision:
    """Decide about a pull request of ours: go on with what its reviewers say."""
    trigger, old = gate.trigger, state.request
    if trigger.act is Act.APPROVE:
        raise Refused("Commands are approved on the issue, not on its pull request")
    text = old.prp
    if trigger.act is Act.RETRY:
        text = with_review(old.prp, [criterion_named(old.prp, trigger.words)])
    if trigger.act is Act.REVIEW:
        said = [trigger.words] if trigger.words else []
        if trigger.review:
            comments = gate.github.review_comments(gate.number, trigger.review)
            said += [_said(c.path, c.line, c.body or "") for c in comments]
        text = with_review(old.prp, said)
    found = Found(kind=old.source, name=old.prp_name, text=text)
    wanted = examined(gate, found, old.base)
    request = old.model_copy(
        update={
            "mode": "plan" if trigger.act is Act.PLAN else "run",
            "actor": trigger.actor,
            "prp": text,
            "digest": wanted.digest,
            "trust": old.trust if text == old.prp else "maintainer",
            "start": None,
            "comment": None,
            "max_cost_usd": allowance(gate, now, old.issue),
        }
    )
    return started(gate, _going_on(gate, request, state), now)


def _said(path: str, line: int | None, text: str) -> str:
    return f"{path}:{line}: {text}" if line else f"{path}: {text}"


def _file(repository: Repository, base: str, path: str) -> str:
    """Return a document of the default branch."""
    try:
        content = repository.read(base, path)
    except GitFailed:
        raise DocumentError(
            "there is no such file on the default branch", path=Path(path), hint="Check the path."
        ) from None
    text = content.decode("utf-8-sig", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
