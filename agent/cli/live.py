"""A run on a terminal that can be drawn upon: what stands where, redrawn as it changes."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live as Drawn
from rich.table import Table
from rich.text import Text

from agent.deliver.board import Board, Running, Task
from agent.deliver.lines import line_of
from agent.journal import (
    AttemptVerified,
    Event,
    FeedbackSent,
    HostAsked,
    ModelRetried,
    Noted,
    RunEnded,
    RunResumed,
    RunStarted,
)
from agent.shown import printable

# What a person should still be able to read when the picture has moved on.
_LASTING = (RunStarted, RunResumed, Noted, HostAsked, ModelRetried, AttemptVerified, FeedbackSent)
_TAIL = 4
_SMALL = 14
_READ_AT_END = 8_192
_URGENCY = {"failed": 0, "proven": 2, "judged": 2, "pre-existing": 2}
_MARKS = {
    "open": ("\N{MIDDLE DOT}", "dim"),
    "working": ("\N{BLACK RIGHT-POINTING TRIANGLE}", "bold cyan"),
    "waiting": ("\N{CHECK MARK}", "cyan"),
    "done": ("\N{CHECK MARK}", "green"),
    "unchanged": ("=", "dim"),
    "proven": ("\N{CHECK MARK}", "green"),
    "judged": ("\N{CIRCLE WITH LEFT HALF BLACK}", "blue"),
    "pre-existing": ("~", "yellow"),
    "failed": ("\N{BALLOT X}", "bold red"),
    "unproven": ("?", "yellow"),
    "needs a person": ("?", "yellow"),
}


class Live:
    """Shows a run as it stands, and above it the lines that should not be missed."""

    def __init__(
        self,
        stream: TextIO,
        *,
        runs: Path,
        run: str = "",
        before: Iterable[tuple[Event, float]] = (),
    ) -> None:
        """Get ready to draw; drawing begins with the run.

        Args:
            stream: A terminal.
            runs: The folder of all runs, for what the command at hand prints.
            run: Id of a run that is taken up.
            before: Its events so far, each with the time since it happened, in seconds.

        """
        # NO_COLOR and TERM are the console's own business.
        self._console = Console(file=stream, highlight=False, emoji=False, markup=False)
        self._runs, self._run = runs, run
        self._started = time.monotonic()
        self._board = Board()
        self._is_alone = False
        for event, ago in before:
            self._board.take(event, self._started - ago)
        self._drawn = Drawn(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> Self:
        """Return the listener; the terminal is as it was at the end of the `with`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the picture away."""
        self._drawn.stop()

    def __call__(self, event: Event) -> None:
        """Take an event in, and show it."""
        if self._is_alone:
            return
        self._board.take(event, time.monotonic())
        try:
            self._show(event)
        except OSError:
            # The terminal has gone: no reason to end work that is paid for.
            self._is_alone = True

    def _show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._run = event.run
        text = line_of(event)
        if text and (isinstance(event, _LASTING) or not self._drawn.is_started):
            style = "yellow" if isinstance(event, Noted) and event.warning else ""
            line = Text(f"{clock(time.monotonic() - self._started)}  {printable(text)}", style)
            self._console.print(line, soft_wrap=True)
        if isinstance(event, (RunStarted, RunResumed)):
            self._drawn.start()
        elif isinstance(event, RunEnded):
            self._drawn.stop()

    def _picture(self) -> RenderableType:
        room = self._console.height - 1
        now = time.monotonic()
        home = self._runs / self._run
        tails = {one.log: _tail(home / one.log) for one in self._board.running.values()}
        return picture(self._board, now=now, since=self._started, tails=tails, height=room)


def picture(
    board: Board, *, now: float, since: float, tails: Mapping[str, list[str]], height: int
) -> RenderableType:
    """Return the run as it stands, in at most `height` lines.

    Args:
        board: The run.
        now: In seconds, by the clock that the board was fed with.
        since: When this process began with it.
        tails: Log to the last lines of what a command that runs now prints.
        height: Lines of the terminal.

    """
    head = _line(f"{printable(board.title)}", "bold")
    state = _line(_state(board, now - since), "")
    running = _running(board, now, tails, max((height - 2) // 2, 1))
    # Tasks and criteria share what is left; what is done or proven gives way first.
    spare = 2 if height > _SMALL else 0
    left = max(height - 2 - len(running) - spare, 0)
    tasks = list(board.tasks.values())
    for_criteria = min(len(board.criteria), max(left - len(tasks), left // 2))
    return Group(
        head,
        state,
        *_tasks(tasks, now, left - for_criteria),
        *_criteria(board, for_criteria),
        *running,
    )


def _state(board: Board, seconds: float) -> str:
    limits = board.limits
    attempts = limits.get("max_attempts")
    minutes = limits.get("max_minutes")
    money, tokens = limits.get("max_cost_usd"), limits.get("max_tokens")
    price = "price unknown" if board.unpriced and not board.cost_usd else f"${board.cost_usd:.2f}"
    parts = [
        board.doing,
        f"attempt {board.attempt}{f' of {attempts}' if attempts else ''}" if board.attempt else "",
        f"{clock(seconds).strip()}{f' of {minutes:g} min' if minutes else ''}",
        f"{board.tokens:,}{f' of {tokens:,}' if tokens else ''} tokens",
        f"{price}{f' of ${money:.2f}' if money else ''}",
    ]
    return "  \N{MIDDLE DOT}  ".join(part for part in parts if part)


def _tasks(tasks: list[Task], now: float, room: int) -> list[RenderableType]:
    if room < 1:
        return []
    if len(tasks) > room:
        done = sum(task.state in ("done", "unchanged") for task in tasks)
        first = next((n for n, task in enumerate(tasks) if task.state == "working"), done)
        first = max(min(first, len(tasks) - room + 1), 0)
        count = _line(f"  {done} of {len(tasks)} tasks done", "dim")
        return [count, *(_task(task, now) for task in tasks[first : first + room - 1])]
    return [_task(task, now) for task in tasks]


def _task(task: Task, now: float) -> RenderableType:
    took = task.seconds + (now - task.began if task.state == "working" else 0)
    return _marked(task.state, task.title, clock(took) if took >= 1 else "")


def _criterion(name: str, text: str, status: str) -> RenderableType:
    return _marked(status, f"{name} {text}", "" if status == "open" else status)


def _marked(state: str, text: str, about: str) -> RenderableType:
    mark, style = _MARKS.get(state, ("?", "yellow"))
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(width=3, no_wrap=True)
    row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    row.add_column(no_wrap=True, justify="right")
    row.add_row(Text(f"  {mark}", style), Text(printable(text)), Text(about, style))
    return row


def _running(
    board: Board, now: float, tails: Mapping[str, list[str]], room: int
) -> list[RenderableType]:
    """Return every command that runs now; the more there are, the less of what each prints."""
    # What has run longest is what a person waits for.
    running = sorted(board.running.values(), key=lambda one: one.began)
    shown = running if len(running) <= room else running[: max(room - 1, 0)]
    each = room // max(len(shown), 1)
    rows = [row for one in shown for row in _command(one, now, tails.get(one.log, []), each)]
    left = len(running) - len(shown)
    more = [_line(f"  and {left} command{'s' if left > 1 else ''} more", "dim")] if left else []
    return [*rows, *more]


def _command(one: Running, now: float, tail: list[str], room: int) -> list[RenderableType]:
    """Return a command in at most `room` lines: what it prints where there is room for it."""
    first = printable(one.command.strip().split("\n", 1)[0])
    by = printable(f"{one.by}, {clock(now - one.began).strip()}")
    if room < 3:
        row = Table.grid(expand=True, padding=(0, 1))
        row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        row.add_column(no_wrap=True, justify="right", overflow="ellipsis")
        row.add_row(Text(f"$ {first}", "cyan"), Text(by, "dim"))
        return [row]
    return [
        _line(f"$ {first}", "cyan"),
        *(_line(f"  {line}", "dim") for line in tail[-min(_TAIL, room - 2) :]),
        _line(f"  {by}", "dim"),
    ]


def _criteria(board: Board, room: int) -> list[RenderableType]:
    known = list(board.criteria.items())
    if len(known) > room:
        # Where there is no room for all, those that still want something come first.
        known.sort(key=lambda item: _URGENCY.get(item[1][1], 1))
    return _cut([_criterion(name, *told) for name, told in known], room, "criteria")


def _cut(rows: list[RenderableType], room: int, what: str) -> list[RenderableType]:
    if len(rows) <= room or room < 1:
        return rows[:room]
    return [*rows[: room - 1], _line(f"  and {len(rows) - room + 1} {what} more", "dim")]


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _tail(log: Path) -> list[str]:
    """Return the last lines of a command's output so far; none where it has printed nothing."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - _READ_AT_END, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [printable(line) for line in text.splitlines() if line.strip()][-_TAIL:]


def clock(seconds: float) -> str:
    """Return minutes and seconds as a stopwatch shows them."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    return f"{minutes:3d}:{rest:02d}"
