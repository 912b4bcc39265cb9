"""The commands of `prp` and what they are called."""

import inspect
from collections.abc import Callable

import typer

from agent.cli.demo import demo
from agent.cli.doctor import doctor
from agent.cli.document import fmt, lint, schema
from agent.cli.draft import draft
from agent.cli.drift import drift
from agent.cli.execute import execute, plan
from agent.cli.fleet import queue, worker
from agent.cli.gh import gh
from agent.cli.init import init
from agent.cli.report import report
from agent.cli.resume import resume
from agent.cli.serving import acp, mcp
from agent.cli.stats import stats
from agent.cli.taking import apply, diff, open_report
from agent.cli.verify import verify
from agent.cli.warm import warm
from agent.cli.watch import cancel, events, status, wait

_EPILOG = """\
Exit status: 0 every criterion holds, 1 defect or closed pipe, 2 usage, 3 invalid PRP, 4 settings,
5 environment, 10 criteria failed, 11 unproven, 12 budget used up, 13 needs approval, 14 refused,
20 provider unavailable, 75 still running, 130 interrupted, 143 terminated.
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


def _add(command: Callable[..., None], name: str | None = None, *, hidden: bool = False) -> None:
    """Add a command; its examples are shown line by line, as its docstring has them."""
    words = inspect.getdoc(command) or ""
    app.command(name, hidden=hidden, help=words.replace("\n\\b\n", "\n\n\b\n"))(command)


_add(execute)
_add(execute, "run", hidden=True)
_add(open_report, "open")
for _command in (
    plan,
    draft,
    verify,
    drift,
    resume,
    report,
    diff,
    apply,
    status,
    wait,
    events,
    cancel,
    stats,
    worker,
    queue,
    warm,
    demo,
    doctor,
    init,
    mcp,
    acp,
    lint,
    fmt,
    schema,
):
    _add(_command)


app.add_typer(gh, name="gh")


@app.callback(invoke_without_command=True)
def _options(
    *, version: bool = typer.Option(False, "--version", help="Print the version and exit.")
) -> None:
    if version:
        from agent import __version__  # noqa: PLC0415 - only printed here

        typer.echo(f"prp {__version__}")
        raise typer.Exit
