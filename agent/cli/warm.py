"""`prp warm`: a process that has everything loaded, so that commands begin at once."""

from typing import Annotated

import typer

Minutes = Annotated[
    float,
    typer.Option(
        "--for",
        help="Minutes without a command after which it ends.",
        min=0.05,
        metavar="MINUTES",
    ),
]


def warm(
    *,
    minutes: Minutes = 30.0,
    stop: Annotated[bool, typer.Option("--stop", help="End it.")] = False,
    resident: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    r"""Keep a process with everything loaded, so that execute, resume and verify begin at once.

    To load the libraries takes each of these commands seconds. With this they are copies of one
    process that has loaded them, and share its memory; environment, keys, folder, files and limits
    are the command's own, and so is all that it does. The process itself knows no key. It ends
    with --stop, after its minutes without a command, and when prp is upgraded. Linux only.

    Examples:
    \b
      prp warm
      prp warm --for 480
      prp warm --stop

    """
    from agent.cli.resident.starting import be, running, start, stop_all  # noqa: PLC0415

    if resident is not None:
        be(resident, idle=60 * minutes)
        return
    if stop:
        ended = stop_all()
        typer.echo("ended" if ended else "Nothing was loaded.", err=True)
        return
    if process := running():
        typer.echo(f"loaded already, process {process}; prp warm --stop ends it", err=True)
        return
    process = start(idle=60 * minutes)
    typer.echo(
        f"loaded, process {process}; it ends after {minutes:g} minutes without a command, or with "
        "prp warm --stop",
        err=True,
    )
