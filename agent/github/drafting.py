"""An issue without a PRP: a model drafts one in its job, and the job that may push opens it."""

from datetime import UTC, datetime
from pathlib import Path

from agent.errors import Exit, PrpError, Refused
from agent.github import progress, words
from agent.github.client import GitHub
from agent.github.job import Job
from agent.github.log import JobLog
from agent.github.papers import DraftResult, DraftWish, Spent, read, write
from agent.github.state import bring, with_spent
from agent.journal import Record
from agent.prp import Severity, parse_prp
from agent.prp.lint import lint
from agent.runs import Order
from agent.runs.drafting import Wish, draft_order
from agent.workspace import Repository
from agent.workspace.remote import Remote, add_file
from agent.workspace.surroundings import at_commit

WISH, RESULT = "draft.json", "draft.json"
_LARGEST = 200_000


def is_draft(job: Job) -> bool:
    """Return whether the gate asks for a document, and not for work."""
    return (job.artifact("request") / WISH).is_file()


def branch_of(name: str) -> str:
    """Return the branch that a drafted document is put on."""
    return f"prp/draft-{Path(name).stem}"


def draft(job: Job, log: JobLog, *, search_path: str, listen: Record) -> int:
    """Let the model write the document, and leave it for the job that may push.

    What goes wrong is handed on as well: people then get the template with the issue's words.
    """
    wish = read(DraftWish, job.artifact("request") / WISH)
    repository = Repository.open(job.workspace)
    order = Order(
        prp=repository.root / wish.name,
        folder=job.workspace,
        base=wish.base,
        flags={"max_cost_usd": wish.max_cost_usd} if wish.max_cost_usd else {},
    )
    try:
        done = draft_order(order, Wish(issue=wish.words), search_path=search_path, listen=listen)
    except PrpError as error:
        log.failure(str(error))
        result = DraftResult(problem=str(error)[:2_000])
    else:
        result = DraftResult(
            text=done.prp.text,
            told=done.in_words().replace(done.name, wish.name),
            usd=done.cost_usd,
        )
    write(result, job.artifact("result") / RESULT)
    job.put(status="drafted" if result.text else "not drafted")
    return Exit.PROVEN


def publish_draft(
    job: Job, github: GitHub, repository: Repository, remote: Remote, *, now: datetime
) -> int:
    """Open a pull request that adds a PRP, for people to read and to complete."""
    wish = read(DraftWish, job.artifact("request") / WISH)
    result = _result(job, wish, repository)
    branch, number = branch_of(wish.name), wish.issue
    if not remote.refs(f"refs/heads/{branch}"):
        commit = add_file(
            repository,
            wish.name,
            (result.text or wish.template).encode(),
            parent=wish.base,
            message=f"Draft a PRP for issue {number}",
        )
        remote.push(f"{commit}:refs/heads/{branch}")
    pull = github.open_pull(branch) or github.create_pull(
        branch=branch,
        base=job.default_branch,
        title=words.title(f"docs: draft a PRP for issue {number}"),
        body=_body(wish, result),
        draft=True,
    )
    told = _TOLD.format(
        what="the places to fill in" if not result.text else "what it could mean, to be read",
        url=pull.html_url,
        name=wish.name,
    )
    progress.show(github, number, str(number), told)
    progress.label(github, number, progress.WAITING)
    if wish.by_model:
        _account(repository, remote, wish, result, now)
    job.summarise(told)
    job.put(
        decision="draft" if wish.by_model else "template",
        status="drafted" if result.text else "template",
        pr_number=pull.number,
        pr_url=pull.html_url,
        branch=branch,
        cost_usd="" if result.usd is None else result.usd,
    )
    return Exit.PROVEN


def _result(job: Job, wish: DraftWish, repository: Repository) -> DraftResult:
    """Return what the model's job left, looked into before it is believed."""
    if not wish.by_model:
        return DraftResult()
    try:
        result = read(DraftResult, job.artifact("result") / RESULT)
    except Refused as error:
        return DraftResult(problem=str(error))
    if len(result.text) > _LARGEST:
        return result.model_copy(update={"text": "", "problem": "the draft is too long"})
    if result.text and (why := _why_not(result.text, wish, repository)):
        return result.model_copy(update={"text": "", "problem": why})
    return result


def _why_not(text: str, wish: DraftWish, repository: Repository) -> str:
    """Return what keeps a document from being put before people; nothing where nothing does."""
    place = repository.root / wish.name
    around = at_commit(repository, wish.base, document=place)
    findings = lint(parse_prp(text, path=place), around).findings
    errors = [found.message for found in findings if found.severity is Severity.ERROR]
    return f"the draft has errors: {errors[0]}" if errors else ""


def _body(wish: DraftWish, result: DraftResult) -> str:
    parts = [_BODY.format(number=wish.issue, name=words.code(wish.name))]
    if result.text:
        parts += [_BY_MODEL, words.fence(result.told[:20_000])]
    if result.problem:
        parts.append(f"A model was to write it, and did not: {words.plain(result.problem)}")
    return words.within(parts)


def _account(
    repository: Repository, remote: Remote, wish: DraftWish, result: DraftResult, now: datetime
) -> None:
    """Remember what it cost: the day's limit counts it."""
    bring(remote)
    spent = Spent(
        at=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        actor=wish.actor,
        usd=result.usd,
        outcome="drafted" if result.text else "not drafted",
    )
    remote.push(with_spent(repository, f"draft-{wish.issue}", spent))


_TOLD = (
    "This issue does not say yet how its result can be proven. [A draft of a PRP]({url}) has "
    "{what}. Complete it, merge it, write `PRP: {name}` into this issue, and set the label again."
)
_BODY = """\
For #{number}, which can't be executed as it is: {name} says what it could mean.

A PRP needs criteria that somebody can see to be false, tasks that name files, and commands that
fail until the work is done. `prp lint` says what is missing.
"""
_BY_MODEL = """\
A model wrote it after it had studied the repository. Nobody has decided that it is right: read the
criteria, the commands and the open questions, and change what is wrong.
"""
