"""The job without keys: the checks once more, on what was handed over, on another machine."""

from agent.deliver.story import Story
from agent.errors import Refused
from agent.github.job import Job
from agent.github.papers import Attested, Request, Result, read, write
from agent.github.working import LARGEST_BUNDLE, order_of
from agent.journal import Record
from agent.runs import verify_order
from agent.workspace import Repository
from agent.workspace.remote import read_bundle


def attest(job: Job, *, listen: Record) -> Attested | None:
    """Run the checks of a request on the commit of its result, and leave what they said.

    Returns:
        None where there is nothing to look at.

    Raises:
        Refused: What was handed over is not what the result says.

    """
    request = read(Request, job.artifact("request") / "request.json")
    result = read(Result, job.artifact("result") / "result.json")
    if not result.commit:
        return None
    repository = Repository.open(job.workspace)
    commit = take(job, request, result, repository)
    order = order_of(job, request, repository)
    done = verify_order(order, branch=commit, listen=listen)
    attested = _attested(done.story, request, commit)
    write(attested, job.artifact("attestation") / "attestation.json")
    job.put(status=attested.outcome)
    return attested


def take(job: Job, request: Request, result: Result, repository: Repository) -> str:
    """Take the commits that were handed over, and return the last one's hash.

    Raises:
        Refused: They are not what the result says, or were made for another request.

    """
    if result.digest != request.digest:
        raise Refused("The result belongs to another request")
    if request.start:
        _, start = read_bundle(
            repository, job.artifact("request") / "start.bundle", largest=LARGEST_BUNDLE
        )
        if start != request.start:
            raise Refused("start.bundle holds another commit than the request names")
    file = job.artifact("result") / "branch.bundle"
    ref, commit = read_bundle(repository, file, largest=LARGEST_BUNDLE)
    if ref != f"refs/prp-out/{request.branch.removeprefix('prp/')}" or commit != result.commit:
        raise Refused("branch.bundle holds something else than the result says")
    return commit


def _attested(story: Story, request: Request, commit: str) -> Attested:
    checks = story.checks.get("attempt 1", {})
    objections = story.verdicts.get(1, {}).get("objections", ())
    return Attested(
        digest=request.digest,
        base=request.base,
        commit=commit,
        outcome=str(story.ended.get("outcome", "")),
        reason=str(story.ended.get("reason", "")),
        checks={name: str(event["state"]) for name, event in checks.items()},
        objections=tuple(
            f"{o['place']}: {o['what']}" for o in objections if o["weight"] != "noted"
        ),
    )
