"""The last job: it may push, so it runs nothing of the repository and believes what it sees."""

import contextlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from agent.deliver import Story, tell
from agent.errors import Exit, Refused
from agent.github import progress, pull_text, words
from agent.github.answers import Pull
from agent.github.client import GitHub, GitHubFailed
from agent.github.drafting import is_draft, publish_draft
from agent.github.job import Job
from agent.github.papers import (
    Account,
    Attested,
    Request,
    Result,
    Screened,
    Spent,
    read,
)
from agent.github.pull_text import Evidence
from agent.github.screening import screened_change
from agent.github.state import State, bring, recall, saved
from agent.journal import read_events
from agent.workspace import Repository
from agent.workspace.files import FileProblem, read_text
from agent.workspace.remote import PushDeclined, Remote

_LARGEST_JOURNAL = 20 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the job has on its table."""

    job: Job
    github: GitHub
    repository: Repository
    remote: Remote
    now: datetime


def publish(job: Job, github: GitHub, *, now: datetime | None = None) -> int:
    """Push what may be pushed, open or renew the pull request, and tell people.

    Returns:
        The job's exit status: red for what went wrong and what was blocked, not for criteria
        that were not met.

    Raises:
        Refused: There is no request.
        GitHubFailed: GitHub took neither pull request nor comment.

    """
    repository = Repository.open(job.workspace)
    remote = Remote.of(repository, job.clone_url, token=job.token)
    desk = Desk(
        job=job,
        github=github,
        repository=repository,
        remote=remote,
        now=now or datetime.now(UTC),
    )
    if is_draft(job):
        return publish_draft(job, github, repository, remote, now=desk.now)
    request = read(Request, job.artifact("request") / "request.json")
    try:
        return _published(desk, request)
    finally:
        # Whatever went wrong, nobody has to take this label off by hand.
        if request.issue:
            with contextlib.suppress(GitHubFailed):
                github.remove_label(request.issue, progress.RUNNING)


def _published(desk: Desk, request: Request) -> int:
    evidence = _evidence(desk, request)
    if request.mode == "plan":
        return _plan(desk, evidence)
    pull, problem = None, ""
    if evidence.result.commit and not evidence.screened.blocked:
        evidence, pull, problem = _delivered(desk, evidence)
    _remember(desk, evidence)
    _tell(desk, evidence, pull, problem)
    if evidence.screened.blocked:
        return Exit.REFUSED
    if problem and pull is None:
        return Exit.ENVIRONMENT
    return _status(desk.job, evidence)


def _status(job: Job, evidence: Evidence) -> int:
    status = evidence.result.exit_status
    is_verdict = status in (Exit.PROVEN, Exit.FAILED, Exit.UNPROVEN, Exit.BUDGET)
    if not is_verdict:
        return status
    wants_criteria = job.asked("FAIL_ON", "error") == "criteria"
    return Exit.FAILED if wants_criteria and not evidence.is_proven else Exit.PROVEN


def _evidence(desk: Desk, request: Request) -> Evidence:
    """Return what the other jobs left; what is missing speaks against the change."""
    job = desk.job
    try:
        result = read(Result, job.artifact("result") / "result.json")
    except Refused as error:
        result = Result(
            mode=request.mode,
            digest=request.digest,
            exit_status=Exit.INTERNAL,
            outcome="cancelled" if job.asked("EXECUTED") == "cancelled" else "broken off",
            reason=str(error),
        )
    screened = Screened()
    if result.commit:
        # The same look as that of the job before: its paper could have been written by another.
        screened = screened_change(job, request, result, desk.repository)
        if job.asked("SCREENED") != "success":
            why = f"the job that screens ended with {job.asked('SCREENED') or 'nothing'}"
            screened = screened.model_copy(update={"blocked": (*screened.blocked, why)})
    attested = None
    if job.asked("VERIFIED") == "success":
        with contextlib.suppress(Refused):
            attested = read(Attested, job.artifact("attestation") / "attestation.json")
    return Evidence(
        request=request,
        result=result,
        story=_story(job),
        attested=attested,
        screened=screened,
        run_url=job.run_url,
        actor_id=int((job.event.get("sender") or {}).get("id") or 0),
    )


def _story(job: Job) -> Story:
    """Return the run as its journal tells it; one that was broken off tells less."""
    file = job.artifact("result") / "events.jsonl"
    if not file.is_file() or file.is_symlink() or file.stat().st_size > _LARGEST_JOURNAL:
        return Story()
    try:
        return tell(list(read_events(file)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Story()


def _delivered(desk: Desk, evidence: Evidence) -> tuple[Evidence, Pull | None, str]:
    """Push the branch and open its pull request; say what kept it from being opened."""
    request = evidence.request
    branch = _pushed(desk, request, evidence.result.commit)
    evidence = replace(evidence, request=request.model_copy(update={"branch": branch}))
    try:
        return evidence, _pull(desk, evidence), ""
    except GitHubFailed as error:
        compare = f"{desk.job.server}/{desk.job.repository}/compare/"
        compare += f"{quote(request.default_branch)}...{quote(branch)}?expand=1"
        return (
            evidence,
            None,
            "GitHub did not let me open a pull request: "
            f"{words.plain((error.words or str(error)).rstrip('.'))}. Settings > Actions > General "
            "has *Allow GitHub Actions to create and approve pull requests*. The "
            f"branch is there: [open it yourself]({compare}).",
        )


def _pushed(desk: Desk, request: Request, commit: str) -> str:
    """Push the branch without force, and return its name.

    Where somebody else moved it meanwhile, theirs stays and ours gets a number.
    """
    for number in range(1, 10):
        name = request.branch if number == 1 else f"{request.branch}-{number}"
        try:
            desk.remote.push(f"{commit}:refs/heads/{name}")
        except PushDeclined as declined:
            if "non-fast-forward" not in declined.words and "fetch first" not in declined.words:
                raise
        else:
            return name
    raise Refused(f"Nine branches are called {request.branch} already", hint="Delete some.")


def _pull(desk: Desk, evidence: Evidence) -> Pull:
    """Open the branch's pull request, or renew it; a draft unless everything is proven."""
    request = evidence.request
    title, body = pull_text.title(evidence), pull_text.body(evidence)
    known = desk.github.open_pull(request.branch)
    if known is None:
        return _opened(desk, request, title, body, draft=not evidence.is_proven)
    made = desk.github.edit_pull(known.number, title=known.title or title, body=body)
    if evidence.is_proven == made.draft:
        change = desk.github.to_ready if made.draft else desk.github.to_draft
        change(made)
    return made


def _opened(desk: Desk, request: Request, title: str, body: str, *, draft: bool) -> Pull:
    def create(title: str, *, draft: bool) -> Pull:
        return desk.github.create_pull(
            branch=request.branch,
            base=request.default_branch,
            title=title,
            body=body,
            draft=draft,
        )

    try:
        return create(title, draft=draft)
    except GitHubFailed as error:
        said = error.words.lower()
        exists = error.status == 422 and "already exists" in said
        if exists and (known := desk.github.open_pull(request.branch)):
            return desk.github.edit_pull(known.number, title=known.title, body=body)
        if error.status == 422 and draft and "draft" in said:
            # Private repositories of free plans have no drafts; the title says it then.
            return create(f"[not proven] {title}", draft=False)
        raise


def _remember(desk: Desk, evidence: Evidence) -> None:
    """Push the state that a later run goes on from, and that the day's cost is counted from."""
    bring(desk.remote)
    before = recall(desk.repository, evidence.request.key)
    total = evidence.story.total
    spent = Spent(
        at=desk.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        actor=evidence.request.actor,
        usd=total.cost_usd,
        outcome=evidence.result.outcome,
    )
    runs = (*(before.account.runs if before else ()), spent)[-200:]
    pushed = bool(evidence.result.commit) and not evidence.screened.blocked
    state = State(
        key=evidence.request.key,
        request=evidence.request,
        outcome="proven" if evidence.is_proven else evidence.result.outcome.replace("\n", " "),
        commit=evidence.result.commit if pushed else (before.commit if before else ""),
        account=Account(runs=runs),
    )
    folder = desk.job.artifact("result")
    files = {name: _bytes(folder, name) for name in ("run.json", "events.jsonl")}
    spec = saved(desk.repository, state, {k: v for k, v in files.items() if v})
    desk.remote.push(spec)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return read_text(folder, name).encode()
    except (FileProblem, OSError):
        return b""


def _tell(desk: Desk, evidence: Evidence, pull: Pull | None, problem: str) -> None:
    """Write comment, labels, summary and outputs."""
    request = evidence.request
    told = pull_text.comment(evidence, pull_url=pull.html_url if pull else "", problem=problem)
    if request.issue:
        _to_issue(desk, request, told, progress.PASSED if evidence.is_proven else progress.FAILED)
    desk.job.summarise(told)
    statuses = [event["status"] for event in evidence.criteria]
    good = sum(status in ("proven", "judged", "pre-existing") for status in statuses)
    desk.job.put(
        decision="run",
        status="proven" if evidence.is_proven else evidence.result.outcome,
        run_id=evidence.result.run,
        pr_number=pull.number if pull else "",
        pr_url=pull.html_url if pull else "",
        branch=request.branch,
        cost_usd="" if evidence.story.total.cost_usd is None else evidence.story.total.cost_usd,
        criteria_passed=good,
        criteria_total=len(statuses),
        exit_code=evidence.result.exit_status,
    )


def _to_issue(desk: Desk, request: Request, told: str, state: str) -> None:
    number = request.issue or 0
    progress.show(desk.github, number, request.key, told, comment=request.comment)
    progress.label(desk.github, number, state)


def _plan(desk: Desk, evidence: Evidence) -> int:
    """Show a plan; nothing was changed and nothing is pushed but its cost."""
    result, request = evidence.result, evidence.request
    told = (
        pull_text.planned(result, run_url=desk.job.run_url)
        if result.plan
        else pull_text.headline(evidence)
    )
    if request.issue:
        progress.show(
            desk.github, request.issue, request.key, words.within([told]), comment=request.comment
        )
        progress.label(desk.github, request.issue, None)
    desk.job.summarise(told)
    desk.job.put(decision="plan", status=result.outcome, exit_code=result.exit_status)
    return result.exit_status
