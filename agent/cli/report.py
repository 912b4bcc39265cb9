"""`prp report`: what a run came to, in the form that is wanted."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.watch import RunName, run_named


def report(
    run: RunName = "latest",
    *,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="html, md, json, junit, sarif, or learnt (patch for the PRP).",
            metavar="FORM",
        ),
    ] = "md",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file.", metavar="FILE")
    ] = None,
) -> None:
    r"""Print the report of a run.

    Every run writes report.html, report.md and run.json into its folder when it ends; this makes
    them again, also while a run is under way.

    Examples:
    \b
      prp report
      prp report login --format html -o login.html
      prp report login --format learnt | git apply
      prp report 20261124-005431 --format junit > prp.xml

    """
    from agent.runs.reporting import FORMATS, report_as  # noqa: PLC0415 - keeps --help fast

    if form not in FORMATS:
        raise typer.BadParameter(
            f"{form!r} is none of {', '.join(FORMATS)}.", param_hint="--format"
        )
    text = report_as(run_named(run), form)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", errors="surrogatepass")
        typer.echo(f"wrote {output}", err=True)
