"""`prp worker` and `prp queue`: runs that many machines carry out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.execute import AsJson, Quiet

if TYPE_CHECKING:
    from agent.settings import Settings

QueueName = Annotated[str, typer.Argument(help="The queue.", metavar="NAME")]


def worker(
    queue: Annotated[str, typer.Option(help="The queue to take runs from.", metavar="NAME")],
    *,
    concurrency: Annotated[int, typer.Option(help="Runs at once here.", min=1)] = 1,
    max_running: Annotated[
        int | None, typer.Option(help="Runs at once by all workers of the queue.", min=1)
    ] = None,
    max_per_model: Annotated[
        int | None, typer.Option(help="Of these, runs with the same coder model.", min=1)
    ] = None,
    max_starts: Annotated[
        str,
        typer.Option(help="Runs that may begin within so many seconds.", metavar="RUNS/SECONDS"),
    ] = "",
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when no run waits or is worked on.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    r"""Take runs from a queue and carry them out, until a signal comes.

    Every worker reaches the same PostgreSQL (PRP_DATABASE_URL) and the runs' repositories
    (PRP_GIT_TOKEN for https), and has the models' keys. Each commit of a run is taken to the
    repository before the run goes on. A worker that dies loses nothing: the others take its runs
    over where they were. On a signal it saves its runs and puts them back. Reports stay in its
    state folder and, where PRP_STORAGE_URL is set, below that address too.

    Limits hold for the queue; the last worker to begin has the say.

    Examples:
    \b
      prp worker --queue team --concurrency 4
      prp worker --queue team --max-running 20 --max-per-model 8 --max-starts 10/60
      prp worker --queue nightly --until-empty

    """
    import asyncio  # noqa: PLC0415 - keeps --help fast

    from agent.runs.fleet.worker import Limits, Worker  # noqa: PLC0415
    from agent.shown import printable  # noqa: PLC0415

    def say(words: str) -> None:
        if not quiet:
            typer.echo(printable(words), err=True)

    limits = Limits(
        concurrency=concurrency,
        running=max_running,
        per_model=max_per_model,
        starts=_rate(max_starts),
    )
    made = Worker(settings=_settings(), queue=queue, limits=limits, say=say)
    asyncio.run(made.work(until_empty=until_empty))


def _rate(words: str) -> tuple[int, float] | None:
    if not words:
        return None
    runs, _, seconds = words.partition("/")
    try:
        found = int(runs), float(seconds)
    except ValueError:
        found = (0, 0.0)
    if min(found) <= 0:
        raise typer.BadParameter(
            f"{words} is no rate: write RUNS/SECONDS, such as 10/60", param_hint="--max-starts"
        )
    return found


def queue(
    name: QueueName,
    *,
    cancel: Annotated[
        str, typer.Option(help="End a run for good; its commits stay. `*`: all.", metavar="RUN")
    ] = "",
    put_back: Annotated[
        str, typer.Option(help="Let a run that has stopped go on. `*`: all.", metavar="RUN")
    ] = "",
    as_json: AsJson = False,
) -> None:
    r"""Show the runs of a queue: waiting, worked on (and by whom), ended, stopped.

    RUN is a part of one run's name. With a `*`, which stands for anything, all that it fits are
    meant.

    Examples:
    \b
      prp queue team
      prp queue team --json | jq '.[] | select(.state == "stopped").reason'
      prp queue team --cancel login
      prp queue team --put-back login
      prp queue team --cancel 'login-*'

    """
    from agent.runs.fleet.queue import counted, queue_at  # noqa: PLC0415 - keeps --help fast
    from agent.shown import json_text, printable  # noqa: PLC0415

    with queue_at(_settings().database_url, name) as place:
        if cancel or put_back:
            meant = place.cancel(cancel) if cancel else place.put_back(put_back)
            runs = {entry.job.run for entry in meant}
            entries = [entry for entry in place.entries() if entry.job.run in runs]
        else:
            entries = place.entries()
    if as_json:
        typer.echo(json_text([entry.for_machines() for entry in entries], indent=2))
    elif not entries:
        typer.echo(f"Nothing was put on {printable(name)} yet.")
    else:
        for entry in entries:
            typer.echo(printable(entry.in_words()))
        if len(entries) > 1:
            typer.echo(counted(entries))


def _settings() -> "Settings":
    from agent.settings import load_settings  # noqa: PLC0415 - keeps --help fast

    return load_settings({}, root=Path.cwd())
