"""`prp diff`, `apply`, `open`: what a run changed, seen and taken."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.watch import RunName, run_named


def diff(
    run: RunName = "latest",
    *,
    stat: Annotated[bool, typer.Option("--stat", help="Files and numbers of lines only.")] = False,
) -> None:
    r"""Print what a run changed, from the commit that it began with to the one it was judged on.

    Through a pipe it is a patch that git takes as it is.

    Examples:
    \b
      prp diff
      prp diff login --stat
      prp diff login > login.patch && git apply --check login.patch

    """
    from agent.runs.applying import delivered  # noqa: PLC0415 - keeps --help fast
    from agent.shown import printable_lines  # noqa: PLC0415

    done = delivered(run_named(run, has_work=True))
    if stat:
        typer.echo(printable_lines(done.stat()), nl=False)
        return
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(done.patch())
        return
    shown = printable_lines(done.patch().decode("utf-8", "replace"))
    for line in shown.splitlines():
        typer.secho(line, fg=_colour(line))


def _colour(line: str) -> str | None:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "bright_black"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])


def apply(
    run: RunName = "latest",
    *,
    cherry_pick: Annotated[
        bool, typer.Option("--cherry-pick", help="Commit by commit, onto what is checked out.")
    ] = False,
    squash: Annotated[bool, typer.Option("--squash", help="As one commit.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the run is not proven.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    r"""Take what a run changed into the branch that is checked out, after asking.

    Merges the commit that was judged, wherever the run's branch stands now. What is not committed,
    or does not fit, stops it: then the checkout is as it was. No hooks run. A run of another
    repository than the one at hand is refused.

    Examples:
    \b
      prp apply
      prp apply login --squash
      prp apply login --cherry-pick --yes

    """
    from agent.errors import NeedsApproval  # noqa: PLC0415 - keeps --help fast
    from agent.runs.applying import delivered, require_at_hand, take_in  # noqa: PLC0415
    from agent.shown import printable  # noqa: PLC0415

    if cherry_pick and squash:
        raise typer.BadParameter("Either --cherry-pick or --squash.", param_hint="--squash")
    folder = run_named(run, has_work=True)
    if not yes and not sys.stdin.isatty():
        raise NeedsApproval("Nobody can be asked here", hint="Say it beforehand: --yes.")

    def agreed(lines: list[str]) -> bool:
        for line in lines:
            typer.echo(printable(line))
        return yes or typer.confirm("Go ahead?", default=False)

    done = delivered(folder)
    require_at_hand(done, Path.cwd())
    joined = take_in(
        done,
        "cherry-pick" if cherry_pick else "squash" if squash else "merge",
        ask=agreed,
        anyway=anyway,
    )
    state = "has it already" if joined.was_there else f"is now at {joined.commit[:12]}"
    typer.echo(printable(f"{joined.branch} {state}"))


def open_report(
    run: RunName = "latest",
    *,
    only_path: Annotated[
        bool, typer.Option("--path", help="Print where it is, open nothing.")
    ] = False,
) -> None:
    r"""Open a run's report in the browser.

    Examples:
    \b
      prp open
      prp open login --path

    """
    from agent.errors import EnvironmentProblem  # noqa: PLC0415 - keeps --help fast
    from agent.runs.reporting import page_of  # noqa: PLC0415

    page: Path = page_of(run_named(run))
    typer.echo(page)
    if not only_path and typer.launch(str(page)):
        raise EnvironmentProblem(
            "No browser could be started", hint=f"Open it yourself: {page.as_uri()}"
        )
