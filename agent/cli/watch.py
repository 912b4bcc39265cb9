"""`prp status`, `wait`, `events`, `cancel`: runs seen from another terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.execute import AsJson
from agent.errors import Exit

if TYPE_CHECKING:
    from agent.runs.folder import RunFolder
    from agent.runs.watching import Seen

RunName = Annotated[
    str,
    typer.Argument(
        help="Id of a run, or a part of it; `latest`, by default, is this project's newest.",
        metavar="RUN",
    ),
]

OpenRunName = Annotated[
    str | None,
    typer.Argument(
        help="Id of a run, or a part of it [this project's newest that has not ended].",
        metavar="RUN",
        show_default=False,
    ),
]


def _state_folder() -> Path:
    from agent.settings import load_settings  # noqa: PLC0415 - keeps --help fast

    return load_settings({}, root=Path.cwd()).state_dir


def run_named(name: str, *, has_work: bool = False) -> "RunFolder":
    """Return the run that a person means; see `find_run`."""
    from agent.runs.finding import find_run  # noqa: PLC0415 - keeps --help fast

    return find_run(_state_folder(), name, root=_root_at_hand(), has_work=has_work)


def _root_at_hand() -> Path | None:
    from agent.workspace.surroundings import find_root  # noqa: PLC0415 - keeps --help fast

    return find_root(Path.cwd())


def open_run(*, resumable: bool) -> "RunFolder":
    """Return the newest run of the project at hand that has not ended."""
    from agent.runs.finding import find_open  # noqa: PLC0415 - keeps --help fast
    from agent.workspace import Repository  # noqa: PLC0415

    return find_open(_state_folder(), Repository.open(Path.cwd()).root, resumable=resumable)


def status(
    run: Annotated[
        str | None, typer.Argument(help="Id of a run, or a part of it.", metavar="RUN")
    ] = None,
    *,
    most: Annotated[int, typer.Option("-n", min=1, help="How many runs to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    r"""List the latest runs of all projects, or say how one stands.

    Examples:
    \b
      prp status
      prp status login
      prp status --json | jq '.[] | select(.state == "running").run'

    """
    from agent.runs.watching import latest_runs, look  # noqa: PLC0415 - keeps --help fast
    from agent.shown import json_text  # noqa: PLC0415

    if run is not None:
        seen = look(run_named(run))
        typer.echo(json_text(seen.as_json(), indent=2) if as_json else _at_length(seen))
        return
    found = latest_runs(_state_folder(), most=most)
    if as_json:
        typer.echo(json_text([seen.as_json() for seen in found], indent=2))
    elif not found:
        typer.echo("Nothing was executed yet.")
    else:
        here = _root_at_hand()
        for seen in found:
            typer.echo(_in_short(seen, here))


def _in_short(seen: "Seen", here: Path | None) -> str:
    from agent.shown import printable  # noqa: PLC0415

    counts = ", ".join(f"{count} {status}" for status, count in seen.counts.items())
    parts = [f"{seen.folder.id}  {seen.state:<13}", counts]
    parts += [f"by prp {seen.kind}"] * (seen.kind != "run")
    repository = seen.story.started.get("repository", "")
    parts += [f"in {repository}"] * (repository not in ("", str(here)))
    return printable("  ".join(part for part in parts if part)).rstrip()


def _at_length(seen: "Seen") -> str:
    from agent.deliver import summary  # noqa: PLC0415
    from agent.shown import printable_lines  # noqa: PLC0415

    told = seen.as_json()
    if not seen.story.started:
        lines = [seen.reason or f"nothing is told of it in {seen.folder.journal}"]
    elif seen.story.ended:
        lines = [f"prp: {told['prp']}", summary(seen.story), f"branch: {told['branch'] or 'none'}"]
    else:
        done = ", ".join(f"task {event['task']}" for event in seen.story.tasks if event["task"])
        lines = [f"prp: {told['prp']}", f"done: {done or 'no task yet'}"]
        lines.append(f"tokens: {told['tokens']:,}")
    lines = [f"run {seen.folder.id}: {seen.state}", *lines]
    return printable_lines("\n".join([*lines, f"folder: {seen.folder.path}"]))


def wait(
    run: RunName = "latest",
    *,
    seconds: Annotated[
        float | None, typer.Option("--timeout", help="Seconds to wait at most; then exit 75.")
    ] = None,
) -> None:
    r"""Wait until a run has ended, and exit with its exit status; 1 where it was broken off.

    Examples:
    \b
      prp wait
      prp wait login --timeout 600

    """
    from agent.runs.watching import wait_for  # noqa: PLC0415 - keeps --help fast

    folder = run_named(run)
    exit_status = wait_for(folder, seconds=seconds)
    if exit_status is None:
        # Of a verdict on a branch nothing can be taken up again.
        further = "resume" if folder.order.exists() else "cancel"
        typer.echo(f"run {folder.id} was broken off; next: prp {further} {folder.id}", err=True)
    raise typer.Exit(Exit.INTERNAL if exit_status is None else exit_status)


def events(
    run: RunName = "latest",
    *,
    goes_on: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for further events until the run ends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    r"""Print what happened in a run, one line an event.

    With --json the lines are those of the journal: every event with all it holds.

    Examples:
    \b
      prp events --follow
      prp events login --json | jq 'select(.type == "model-answered").cost_usd'

    """
    from agent.deliver.lines import line_of  # noqa: PLC0415 - keeps --help fast
    from agent.journal import event_of  # noqa: PLC0415
    from agent.runs.watching import follow  # noqa: PLC0415
    from agent.shown import json_text, printable  # noqa: PLC0415

    began = 0.0
    for told in follow(run_named(run), until_end=goes_on):
        began = began or told["at"]
        if as_json:
            typer.echo(json_text(told))
        elif (event := event_of(told)) and (line := line_of(event)):
            minutes, rest = divmod(int(told["at"] - began), 60)
            typer.echo(f"{minutes:3d}:{rest:02d}  {printable(line)}")


def cancel(run: OpenRunName = None) -> None:
    """End a run for good: its work is kept on its branch, and its report is written.

    A run that only stopped and would be gone on with by `prp resume` is ended as well.
    """
    from agent.runs.cancelling import cancel as end  # noqa: PLC0415 - keeps --help fast

    folder = open_run(resumable=False) if run is None else run_named(run)
    if ended := end(folder):
        typer.echo(f"ended run {folder.id}")
        if ended.hint:
            typer.echo(f"next: {ended.hint}", err=True)
    else:
        typer.echo(f"asked run {folder.id} to end; prp wait {folder.id} waits for it")
