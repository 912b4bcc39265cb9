"""The commands of `prp` and what they are called."""

import typer

from agent.cli.demo import demo
from agent.cli.doctor import doctor
from agent.cli.document import fmt, lint, schema
from agent.cli.execute import execute, plan
from agent.cli.gh import gh
from agent.cli.init import init
from agent.cli.report import report
from agent.cli.resume import resume
from agent.cli.verify import verify
from agent.cli.watch import cancel, events, status, wait

_EPILOG = """\
Exit status: 0 every criterion holds, 2 usage, 3 invalid PRP, 4 settings, 5 environment, 10 criteria
failed, 11 unproven, 12 budget used up, 13 needs approval, 14 refused, 20 provider unavailable,
130 interrupted, 143 terminated.
"""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # rich costs 0.4 s on every --help.
    rich_markup_mode=None,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
    help="Execute Product Requirement Prompts: plan, code in a git worktree, prove the result.",
)
app.command()(execute)
app.command("run", hidden=True)(execute)
app.command()(plan)
app.command()(verify)
app.command()(resume)
app.command()(report)
app.command()(status)
app.command()(wait)
app.command()(events)
app.command()(cancel)
app.command()(demo)
app.command()(doctor)
app.command()(init)
app.command()(lint)
app.command()(fmt)
app.command()(schema)
app.add_typer(gh, name="gh")


@app.callback(invoke_without_command=True)
def _options(
    *, version: bool = typer.Option(False, "--version", help="Print the version and exit.")
) -> None:
    if version:
        from agent import __version__  # noqa: PLC0415 - only printed here

        typer.echo(f"prp {__version__}")
        raise typer.Exit
