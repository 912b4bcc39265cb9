"""Asks the person at the terminal."""

import os
import sys

import typer

from agent.runs.approval import Ask, Request


def asker(*, no_input: bool = False) -> Ask | None:
    """Return what asks the person, None where nobody could answer."""
    is_there = sys.stdin.isatty() and sys.stderr.isatty()
    return _ask if is_there and not no_input and not os.environ.get("CI") else None


def _ask(request: Request) -> bool:
    for line in request.lines():
        typer.echo(line, err=True)
    try:
        return typer.confirm("Run these commands?", default=False, err=True)
    except typer.Abort:
        typer.echo("", err=True)
        return False
