"""The job that holds the model's key, and no token: plan, code and verify, then leave a bundle."""

import os
import shutil
from pathlib import Path

from agent.errors import Exit, PrpError, Refused, SettingsError
from agent.github.drafting import draft, is_draft
from agent.github.job import Job
from agent.github.log import JobLog
from agent.github.papers import Request, Result, read, write
from agent.github.words import calls_somebody, neutral
from agent.journal import Record
from agent.runs import Order, plan_order, run_order
from agent.runs.ending import Done
from agent.shown import printable_lines
from agent.workspace import Repository
from agent.workspace.files import write_text
from agent.workspace.remote import (
    commits_between,
    message_of,
    read_bundle,
    reworded,
    write_bundle,
)

LARGEST_BUNDLE = 20 * 1024 * 1024
"""Bytes; what a screen takes is far below, but earlier work comes this way as well."""


def work(job: Job, log: JobLog, *, listen: Record) -> int:
    """Carry a request out, leave its result for the other jobs, and return the exit status.

    Raises:
        Refused: There is no request.

    """
    if is_draft(job):
        path = job.environment.get("PATH", os.defpath)
        return draft(job, log, search_path=path, listen=listen)
    request = read(Request, job.artifact("request") / "request.json")
    folder = job.artifact("result")
    try:
        order = _order(job, request)
        result = _planned(order, request, listen) if request.mode == "plan" else None
        result = result or _executed(order, request, folder, listen)
    except PrpError as error:
        # Nothing was begun; the job that tells people has to know why.
        result = Result(
            mode=request.mode,
            digest=request.digest,
            exit_status=error.exit_status,
            outcome="not started",
            reason=f"{error}\n{_hint(error)}".strip(),
        )
        log.failure(str(error))
    write(result, folder / "result.json")
    report = folder / "report.html"
    job.put(
        status=result.outcome,
        exit_code=result.exit_status,
        run_id=result.run,
        report_path=report if report.is_file() else "",
    )
    return _status(job, result)


def _hint(error: PrpError) -> str:
    """Return what to do, where a maintainer can do it: nobody types flags here."""
    if not isinstance(error, SettingsError):
        return error.hint
    return f"{error.hint} {_WHERE}".strip()


_WHERE = (
    "On GitHub the variable PRP_MODEL names the model (Settings > Secrets and variables > Actions "
    "> Variables), and a secret of the environment `prp` is its key (Settings > Environments)."
)


def _status(job: Job, result: Result) -> int:
    """Return how the job ends: red for what went wrong with us, not for what is not proven."""
    is_verdict = result.exit_status in (Exit.FAILED, Exit.UNPROVEN, Exit.BUDGET)
    if is_verdict and job.asked("FAIL_ON", "error") != "criteria":
        return Exit.PROVEN
    return result.exit_status


def order_of(job: Job, request: Request, repository: Repository) -> Order:
    """Return what a request asks for, in a checkout of the default branch."""
    place = repository.root / request.prp_name
    # The words that were allowed, whatever lies there.
    write_text(repository.root, request.prp_name, request.prp)
    return Order(
        prp=place,
        folder=job.workspace,
        base=request.base,
        approved=request.digest,
        flags={"max_cost_usd": request.max_cost_usd} if request.max_cost_usd else {},
    )


def _order(job: Job, request: Request) -> Order:
    repository = Repository.open(job.workspace)
    start = ""
    if request.start:
        file = job.artifact("request") / "start.bundle"
        _, start = read_bundle(repository, file, largest=LARGEST_BUNDLE)
        if start != request.start:
            raise Refused("start.bundle holds another commit than the request names")
    order = order_of(job, request, repository)
    return Order(**{**vars(order), "start": start})


def _planned(order: Order, request: Request, listen: Record) -> Result:
    planned = plan_order(order, listen=listen)
    return Result(
        mode="plan",
        digest=request.digest,
        exit_status=planned.exit_status,
        outcome="planned",
        plan=printable_lines(planned.in_words())[:50_000],
    )


def _executed(order: Order, request: Request, folder: Path, listen: Record) -> Result:
    done = run_order(order, listen=listen)
    ended = done.story.ended
    commit = _bundled(done, request, folder) if ended.get("branch") else ""
    for file in (done.folder.journal, done.folder.summary, done.folder.report, done.folder.page):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    return Result(
        mode="run",
        digest=request.digest,
        exit_status=done.exit_status,
        outcome=str(ended.get("outcome", "")),
        reason=str(ended.get("reason", "")),
        run=done.folder.id,
        commit=commit,
    )


def _bundled(done: Done, request: Request, folder: Path) -> str:
    """Write the branch's commits into a file, their messages made harmless."""
    repository = Repository.open(Path(done.story.started["repository"]))
    since, head = request.start or request.base, done.story.ended["commit"]
    if head == since:
        return ""
    commits = commits_between(repository, since, head)
    words = {commit: message_of(repository, commit) for commit in commits}
    if any(map(calls_somebody, words.values())):
        words = {commit: neutral(message) for commit, message in words.items()}
        head = reworded(repository, commits, words, base=since)
    ref = f"refs/prp-out/{request.branch.removeprefix('prp/')}"
    repository.git("update-ref", ref, head)
    write_bundle(repository, folder / "branch.bundle", ref=ref, since=[since])
    return str(head)
