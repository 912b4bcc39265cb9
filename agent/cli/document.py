"""`prp lint` and `prp schema`: questions to documents; nothing is run and nobody is asked."""

import os
from enum import StrEnum
from inspect import cleandoc
from pathlib import Path
from typing import Annotated

import typer

Documents = Annotated[
    list[Path], typer.Argument(help="PRPs, or folders that hold some.", metavar="FILE")
]


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class Least(StrEnum):
    """Which findings are printed."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


def lint(
    files: Documents,
    *,
    form: Annotated[
        Format, typer.Option("--format", help="How to print the findings.")
    ] = Format.TEXT,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line for each document.")
    ] = False,
    least: Annotated[
        Least, typer.Option("--severity", help="Print findings from this severity on.")
    ] = Least.NOTE,
) -> None:
    """Say what is wrong with PRPs before they cost anything.

    Nothing of a document is run: bash only parses its commands. The exit status is 3 where a
    document has an error, which would also stop `prp execute`, else 0.
    """
    from agent.cli.linting import lint_files  # noqa: PLC0415 - keeps --help fast

    status = lint_files(
        files,
        form="json" if as_json else form.value,
        least=least.value,
        search_path=os.environ.get("PATH", os.defpath),
    )
    raise typer.Exit(status)


lint.__doc__ = f"""{cleandoc(lint.__doc__ or "")}

Examples:

\b
  prp lint PRPs/login.md
  prp lint PRPs --severity warning
  prp lint PRPs/*.md --json | jq .readiness.score
  prp lint PRPs --format sarif > prp.sarif
"""


def fmt(
    files: Documents,
    *,
    write: Annotated[
        bool, typer.Option("--write", "-w", help="Write the documents instead of a diff.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only name what would change; exit status 3 if any would."),
    ] = False,
) -> None:
    """Rewrite PRPs to the template's form without changing what they say.

    Fences are closed, front matter becomes `## Metadata`, sections get the template's headings,
    criteria become checkboxes, tasks become valid YAML. Prints a diff and writes nothing unless
    told to. A part that can't be rewritten without changing its meaning stays as it is.
    """
    from agent.cli.formatting import format_files  # noqa: PLC0415 - keeps --help fast

    if check and write:
        raise typer.BadParameter("--check only names what would change; leave --write away")
    raise typer.Exit(format_files(files, write=write, check=check))


fmt.__doc__ = f"""{cleandoc(fmt.__doc__ or "")}

Examples:

\b
  prp fmt PRPs/login.md
  prp fmt PRPs --write
  prp fmt PRPs --check
"""


def schema(
    what: Annotated[
        str, typer.Argument(help="prp, or events for the lines of a run's journal.")
    ] = "prp",
) -> None:
    r"""Print a JSON schema: of a parsed PRP, or of what `prp events --json` prints.

    Examples:
    \b
      prp schema > prp.schema.json
      prp schema events

    """
    import json  # noqa: PLC0415 - keeps --help fast

    from agent.journal.schema import schema as of_events  # noqa: PLC0415
    from agent.prp.export import schema as of_documents  # noqa: PLC0415

    made = {"prp": of_documents, "events": of_events}
    if what not in made:
        raise typer.BadParameter(f"{what!r} is none of {', '.join(made)}.", param_hint="WHAT")
    typer.echo(json.dumps(made[what](), indent=2))
