"""A job: all that another machine needs to know of a run that is to be executed."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from agent.runs.folder import RunFolder
from agent.runs.orders import Saved, write_order


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One run on a queue; it holds no key and no password."""

    run: str
    url: str
    """Where the repository is: `https://...`, or a path that every worker reaches."""
    base: str
    branch: str
    """Made on that repository when the job was queued, and moved by nobody but its worker."""
    prp: str
    """The document's path below the repository's top."""
    text: str
    """The document."""
    flags: Mapping[str, Any]
    """Every setting as it was, whoever had set it."""
    allowed: str
    model: str
    """The coder's model: limits for a model count all runs that have the same one."""


_JOB = TypeAdapter(Job)


def as_json(job: Job) -> dict[str, Any]:
    """Return a job as JSON can say it."""
    told: dict[str, Any] = _JOB.dump_python(job, mode="json")
    return told


def from_json(told: Mapping[str, Any]) -> Job:
    """Return the job that was written down."""
    return _JOB.validate_python(told)


def unpack(job: Job, folder: RunFolder, root: Path) -> None:
    """Write a job into the folder of its run, as `prp execute` does for a run of its own.

    Args:
        job: What is to be executed.
        folder: The run's on this machine; what it holds from an earlier time stays.
        root: This machine's clone of the repository.

    """
    folder.path.mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.logs.mkdir(mode=0o700, exist_ok=True)
    saved = Saved(
        prp=root / job.prp,
        root=root,
        base=job.base,
        branch=job.branch,
        flags=job.flags,
        allowed=job.allowed,
        recording=None,
        tools=(),
        is_shared=True,
        remote=job.url,
    )
    folder.write(folder.document, job.text)
    write_order(folder, saved)
