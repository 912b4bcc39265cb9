"""`prp gh`: what the GitHub Action runs, one command a job."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from agent.errors import PrpError

if TYPE_CHECKING:
    from agent.github.client import GitHub
    from agent.github.job import Job
    from agent.github.log import JobLog
    from agent.journal import Record

gh = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What the GitHub Action runs; each command is one job of its workflow.",
)


@gh.command()
def gate() -> None:
    """Decide who may start what, and hand the request to the other jobs."""
    from agent.github.gate import decide  # noqa: PLC0415 - keeps --help fast

    with _github() as (job, github):
        typer.echo(f"gate: {decide(job, github).value}")


@gh.command()
def execute() -> None:
    """Plan, code and verify; needs the model's key and no token."""
    from agent.github.working import work  # noqa: PLC0415 - keeps --help fast

    with _log() as (job, log, listen):
        status = work(job, log, listen=_followed(job, listen))
    raise typer.Exit(status)


@gh.command()
def watch() -> None:
    """Wait for the next phase of `execute` in the same job, and lay it out to be fetched."""
    from agent.github.phases import watch as wait  # noqa: PLC0415 - keeps --help fast

    with _log() as (job, _, _):
        wait(job)


@gh.command()
def follow() -> None:
    """Keep the progress comment up to date while the job `execute` goes on."""
    from agent.github.following import follow as keep_telling  # noqa: PLC0415 - as above

    with _log() as (job, log, _), _asking(job) as github:
        keep_telling(job, github, log)


@gh.command()
def verify() -> None:
    """Run the checks again on what was handed over; needs neither key nor token."""
    from agent.github.attesting import attest  # noqa: PLC0415 - keeps --help fast

    with _log(asks_a_model=False) as (job, _, listen):
        attest(job, listen=listen)


@gh.command()
def screen() -> None:
    """Look at the change without running it."""
    from agent.github.screening import screen as look  # noqa: PLC0415 - keeps --help fast

    with _log() as (job, log, _):
        screened = look(job)
    for reason in screened.blocked:
        log.failure(reason)


@gh.command()
def publish() -> None:
    """Push the branch, open the pull request, and tell people."""
    from agent.github.publish import publish as deliver  # noqa: PLC0415 - keeps --help fast

    with _github() as (job, github):
        status = deliver(job, github)
    raise typer.Exit(status)


@gh.command()
def cancel() -> None:
    """End the workflow's run that the gate has found."""
    from agent.github.stopping import stop  # noqa: PLC0415 - keeps --help fast

    with _github() as (job, github):
        stop(job, github)


def _followed(job: "Job", listen: "Record") -> "Record":
    """Return a listener that leaves each phase for `watch` as well, where somebody asked for it."""
    from agent.github.phases import Phases  # noqa: PLC0415 - keeps --help fast
    from agent.masking import Mask  # noqa: PLC0415
    from agent.settings import keys_at_hand  # noqa: PLC0415

    is_live = job.asked("PROGRESS") == "live"
    return Phases(job, Mask(keys_at_hand()), also=listen) if is_live else listen


@contextmanager
def _asking(job: "Job") -> "Iterator[GitHub]":
    from agent.github.client import GitHub  # noqa: PLC0415 - keeps --help fast

    with GitHub(job.repository, token=job.token, api=job.api) as github:
        yield github


@contextmanager
def _github() -> "Iterator[tuple[Job, GitHub]]":
    with _log() as (job, _, _), _asking(job) as github:
        yield job, github


@contextmanager
def _log(*, asks_a_model: bool = True) -> "Iterator[tuple[Job, JobLog, Record]]":
    """Open the job and its log; what goes wrong is told in a way that the runner can't obey."""
    from agent.deliver.lines import line_of  # noqa: PLC0415 - keeps --help fast
    from agent.github.job import Job  # noqa: PLC0415
    from agent.github.log import JobLog  # noqa: PLC0415
    from agent.github.telling import InJobLog  # noqa: PLC0415
    from agent.masking import Mask  # noqa: PLC0415
    from agent.settings import keys_at_hand  # noqa: PLC0415

    job, log, keys = Job.of(os.environ), JobLog(), keys_at_hand()
    log.mask(keys.values())
    with log.foreign():
        try:
            # The jobs decide by `fail-on` what is red; what is not proven is only said here.
            yield job, log, InJobLog(log, line_of, is_error=False, asks_a_model=asks_a_model)
        except PrpError as error:
            log.failure(Mask(keys)(f"{error}\n{error.hint}".strip()))
            raise typer.Exit(int(error.exit_status)) from None
