"""The job beside the one with the model: it keeps the comment up to date, and stops nothing."""

import io
import time
import zipfile
from collections.abc import Callable

from agent.errors import PrpError, Refused
from agent.github import progress
from agent.github.client import GitHub
from agent.github.job import Job
from agent.github.log import JobLog
from agent.github.papers import Phase, Request, parse, read

_LARGEST = 512 * 1024
_MOST_FAILURES = 5
WORKER = "Execute"
"""Name of the job that it follows."""


def follow(
    job: Job, github: GitHub, log: JobLog, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Write each phase into the run's comment, until the job with the model has ended.

    Whatever GitHub refuses is a warning: the run and its result need none of this.
    """
    request = read(Request, job.artifact("request") / "request.json")
    if not request.issue or not request.comment:
        return
    seen, failures, has_ended = 0, 0, False
    while not has_ended and failures < _MOST_FAILURES:
        try:
            # Asked first, so that what was left before its end is told as well.
            has_ended = github.job_has_ended(job.run, WORKER)
            seen = _told(job, github, request, seen)
            failures = 0
        except PrpError as error:
            failures += 1
            told = f"The comment is not up to date: {error}"
            log.warning(told)
        if not has_ended:
            sleep(job.number("EVERY") or 30.0)


def _told(job: Job, github: GitHub, request: Request, seen: int) -> int:
    """Tell the newest phase where it is a new one, and return its number."""
    prefix = f"prp-progress-{job.environment.get('GITHUB_RUN_ATTEMPT', '1')}-"
    found = {
        int(name.removeprefix(prefix)): artifact
        for name, artifact in github.artifacts(job.run)
        if name.startswith(prefix) and name.removeprefix(prefix).isdigit()
    }
    newest = max(found, default=0)
    if newest <= seen:
        return seen
    phase = _phase(github.artifact(found[newest], largest=_LARGEST))
    told = progress.going_on(request, phase, run=job.run, url=job.run_url)
    progress.rewrite(github, request.comment or 0, request.key, told)
    return newest


def _phase(content: bytes) -> Phase:
    """Return what an artifact says, which the job with the model may have worded.

    Raises:
        Refused: It holds something else.

    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("phase.json") as file:
            text = file.read(_LARGEST + 1)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError):
        raise Refused("The artifact holds no phase.json") from None
    if len(text) > _LARGEST:
        raise Refused(f"phase.json is larger than {_LARGEST:,} bytes")
    return parse(Phase, text, name="phase.json")
