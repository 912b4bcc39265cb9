"""`prp doctor`: what is missing on this machine, and what to do about it."""

import dataclasses
from pathlib import Path

import typer

from agent.cli.execute import AsJson
from agent.errors import Exit


def doctor(*, as_json: AsJson = False) -> None:
    r"""Look whether this machine and folder have what a run needs, and say how to mend what not.

    The sandbox is tried with the flags of a run. No model is asked and nothing is kept. Exit
    status 0 where PRPs can be executed, 5 where something that every run needs is missing.

    Examples:
    \b
      prp doctor
      prp doctor --json | jq '.[] | select(.state != "good")'

    """
    from agent.runs.doctor import State, examine  # noqa: PLC0415 - keeps --help fast
    from agent.shown import json_text, printable  # noqa: PLC0415

    found = examine(Path.cwd())
    if as_json:
        typer.echo(json_text([dataclasses.asdict(one) for one in found], indent=2))
    else:
        marks = {State.GOOD: "✓", State.LACKING: "~", State.MISSING: "✗"}
        for one in found:
            typer.echo(f"{marks[one.state]} {one.name:<13} {printable(one.what)}")
            if one.fix:
                typer.echo(f"  {'':<13} {printable(one.fix)}")
    failed = any(one.state is State.MISSING for one in found)
    raise typer.Exit(Exit.ENVIRONMENT if failed else 0)
