"""`prp demo`: a whole run on a bundled project, without a key and without a network."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.execute import AsJson, Model, Quiet


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to put the sample project [a new temporary folder]."),
    ] = None,
    *,
    model: Model = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Execute a bundled PRP on a bundled project with recorded model answers.

    Everything but the model is real: git worktree, sandbox, pytest, ruff, mypy, commits, report.
    Nothing leaves your machine. With --model a real model does the work instead.
    """
    from agent.cli.telling import telling  # noqa: PLC0415 - keeps --help fast
    from agent.runs.demo import run_demo  # noqa: PLC0415 - keeps --help fast

    with telling(quiet=quiet) as listen:
        done = run_demo(folder, model=model, listen=listen)
    typer.echo(done.as_json() if as_json else done.in_words())
    if not as_json:
        typer.echo("The project is a copy: remove its folder when you have seen enough.")
    raise typer.Exit(done.exit_status)
