"""How the person is told of a run: drawn on a terminal, line by line, or hardly at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, Protocol

import typer

from agent.cli.progress import Progress
from agent.journal import Record

if TYPE_CHECKING:
    from agent.runs.folder import RunFolder

_NARROWEST = 30
OUTPUTS = ("auto", "live", "plain", "github")


@contextmanager
def telling(
    *, quiet: bool, output: str = "auto", taken_up: "RunFolder | None" = None
) -> Iterator[Record]:
    """Give a listener that fits whoever looks at stderr.

    Args:
        quiet: Warnings only.
        output: One of `OUTPUTS`; `auto` draws where there is a terminal that can be drawn upon,
            and fits the log of a job of GitHub where it runs in one.
        taken_up: The run that goes on.

    """
    if output not in OUTPUTS:
        raise typer.BadParameter(
            f"{output!r} is none of {', '.join(OUTPUTS)}.", param_hint="--output"
        )
    if _is_github(output):
        with _in_job_log() as listen:
            yield listen
        return
    if quiet or not (output == "live" or (output == "auto" and _can_be_drawn_upon())):
        yield Progress(quiet=quiet)
        return
    from pathlib import Path  # noqa: PLC0415 - none of it is needed without a terminal
    from time import time  # noqa: PLC0415

    from agent.cli.live import Live  # noqa: PLC0415
    from agent.journal import event_of, read_events  # noqa: PLC0415
    from agent.settings import load_settings  # noqa: PLC0415

    before = []
    if taken_up and taken_up.journal.exists():
        read = ((event_of(line), time() - line["at"]) for line in read_events(taken_up.journal))
        before = [(event, ago) for event, ago in read if event]
    runs = load_settings({}, root=Path.cwd()).state_dir / "runs"
    run = taken_up.id if taken_up else ""
    with Live(sys.stderr, runs=runs, run=run, before=before) as live:
        yield live


class _Result(Protocol):
    """What a command ends with."""

    @property
    def exit_status(self) -> int: ...

    def in_words(self) -> str: ...

    def as_json(self) -> str: ...


def end_with(done: _Result, *, as_json: bool, output: str) -> NoReturn:
    """Print a result and end the command with its exit status."""
    from agent.shown import printable_lines  # noqa: PLC0415 - keeps --help fast

    text = done.as_json() if as_json else printable_lines(done.in_words())
    typer.echo(_tamed(text, output=output))
    raise typer.Exit(done.exit_status)


def _tamed(text: str, *, output: str) -> str:
    """Return a result as it may be printed: where a job's log obeys lines, none that it would."""
    if not _is_github(output):
        return text
    from agent.github.log import tame  # noqa: PLC0415 - only jobs of GitHub need it

    return "\n".join(tame(line) for line in text.split("\n"))


def _is_github(output: str) -> bool:
    return output == "github" or (
        output == "auto" and os.environ.get("GITHUB_ACTIONS") == "true" and not sys.stderr.isatty()
    )


@contextmanager
def _in_job_log() -> Iterator[Record]:
    from pathlib import Path  # noqa: PLC0415 - only jobs of GitHub need any of it

    from agent.deliver.lines import line_of  # noqa: PLC0415
    from agent.github.log import JobLog  # noqa: PLC0415
    from agent.github.telling import InJobLog, add_summary  # noqa: PLC0415
    from agent.settings import keys_at_hand, load_settings  # noqa: PLC0415

    settings = load_settings({}, root=Path.cwd())
    log = JobLog(sys.stderr)
    log.mask([*keys_at_hand().values(), *settings.keys.values()])
    telling = InJobLog(log, line_of)
    with log.foreign():
        yield telling
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    report = settings.state_dir / "runs" / telling.run / "report.md"
    if summary and telling.run and report.is_file():
        add_summary(Path(summary), report)


def _can_be_drawn_upon() -> bool:
    if not sys.stderr.isatty() or os.environ.get("CI"):
        return False
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    return os.get_terminal_size(sys.stderr.fileno()).columns >= _NARROWEST
