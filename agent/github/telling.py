"""A run in a job's log: groups that fold, annotations beside the lines that failed, a summary."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from agent.errors import Exit
from agent.github.log import MOST, JobLog, tame
from agent.journal import (
    AttemptVerified,
    CheckFinished,
    CriterionJudged,
    Event,
    Noted,
    Planned,
    RunEnded,
    RunStarted,
    TaskStarted,
)

# Of the ten that GitHub shows of a kind, two are for the outcome and for the criteria.
_MOST_PLACES = MOST - 2
_SHOWN_LINES = 60
# GitHub takes a summary of this size, and none at all beyond it.
_LARGEST_SUMMARY = 1_000_000
# What compilers, linters and test runners print: `path:line: words`, `path:line:column: words`.
_PLACE = re.compile(r"^(?:\s*(?:FAILED|ERROR|E)\s+)?([\w./-]+\.\w+):(\d+)(?::\d+)?:?\s+(\S.*)$")
# ruff and rustc say it the other way round: words, and below them `--> path:line:column`.
_BELOW = re.compile(r"^\s*-->\s+([\w./-]+\.\w+):(\d+)")
_FAILS = ("failed", "timed out", "could not run")


class LineOf(Protocol):
    """Says an event in one line."""

    def __call__(self, event: Event, /) -> str:
        """Return the line; empty for what a person need not see."""
        ...


class InJobLog:
    """Tells a job's log of a run; use it while the log takes foreign lines."""

    def __init__(
        self, log: JobLog, line_of: LineOf, *, is_error: bool = True, asks_a_model: bool = True
    ) -> None:
        """Write to `log`, in the words of `line_of`.

        Args:
            log: Of the job.
            line_of: Says an event in one line.
            is_error: Whether a run that proves nothing is an error of the job, or a remark only.
            asks_a_model: Whether anybody reads the code; otherwise that nobody has is no news.

        """
        self._log, self._line_of = log, line_of
        self._say = log.failure if is_error else log.notice
        self._tells_unproven = asks_a_model
        self._group = ""
        self._failed: dict[str, list[CheckFinished]] = {}
        self._criteria: dict[str, CriterionJudged] = {}
        self._verified = ""
        """The stage of the latest verdict."""
        self.run = ""
        """Id of the run, once it is known."""

    def __call__(self, event: Event) -> None:
        """Write what an event has to say."""
        if isinstance(event, RunStarted):
            self.run = event.run
        if title := _group_of(event):
            self._open(title)
        if line := self._line_of(event):
            self._log.text(tame(line))
        if isinstance(event, Noted) and event.warning:
            self._log.warning(event.text)
        elif isinstance(event, CheckFinished) and event.state in _FAILS:
            self._failed.setdefault(event.stage, []).append(event)
            for line in event.output.splitlines()[-_SHOWN_LINES:]:
                self._log.text(f"    {tame(line)}")
        elif isinstance(event, CriterionJudged):
            self._criteria[event.criterion] = event
        elif isinstance(event, AttemptVerified):
            self._verified = f"attempt {event.attempt}"
            self._open("")
        elif isinstance(event, RunEnded):
            self._end(event)

    def _open(self, title: str) -> None:
        if title == self._group:
            return
        if self._group:
            self._log.end_group()
        if title:
            self._log.group(title)
        self._group = title

    def _end(self, event: RunEnded) -> None:
        """Annotate what is wrong at the end; what an attempt repaired is nobody's trouble."""
        self._open("")
        is_news = event.exit_status != Exit.UNPROVEN or self._tells_unproven
        if event.exit_status == Exit.PROVEN or not is_news:
            return
        self._say(f"{event.outcome}: {event.reason}")
        failed = [one for one in self._criteria.values() if one.status == "failed"]
        if failed:
            names = ", ".join(one.criterion for one in failed)
            self._say("\n".join(one.text for one in failed), title=f"prp {names} failed")
        places = list(_places(self._failed.get(self._verified, [])))
        for check, path, number, words in places[:_MOST_PLACES]:
            self._log.failure(words, title=f"prp {check}", file=path, line=str(number))
        if len(places) > _MOST_PLACES:
            left = len(places) - _MOST_PLACES
            self._log.notice(f"{left} more places failed; the report names them")


def _group_of(event: Event) -> str:
    if isinstance(event, TaskStarted):
        return f"attempt {event.attempt}, task {event.task}: {event.title}"
    if isinstance(event, CheckFinished):
        return (
            "checks on the base commit" if event.stage == "baseline" else f"checks, {event.stage}"
        )
    return "plan" if isinstance(event, Planned) else ""


def _places(failed: list[CheckFinished]) -> Iterator[tuple[str, str, int, str]]:
    """Yield check, path, line and words of what failed where; paths stay inside the repository."""
    seen = set()
    for event in failed:
        before = ""
        for line in event.output.splitlines():
            found = _PLACE.match(line)
            below = None if found else _BELOW.match(line)
            words, before = found[3] if found else before, line.strip()
            at = found or below
            if at is None or PurePosixPath(at[1]).is_absolute() or ".." in at[1]:
                continue
            place = (at[1].removeprefix("./"), int(at[2]))
            if place not in seen:
                seen.add(place)
                yield event.check, *place, words


def add_summary(summary: Path, report: Path) -> None:
    """Append a run's report to the page of the job, cut at the end of a line where it is long."""
    text = report.read_text(encoding="utf-8", errors="replace")
    data = text.encode("utf-8", "replace")
    if len(data) > _LARGEST_SUMMARY:
        kept = data[:_LARGEST_SUMMARY].rpartition(b"\n")[0].decode("utf-8", "replace")
        text = f"{kept}\n\nThe report goes on; `prp report` prints the whole of it.\n"
    with summary.open("a", encoding="utf-8") as file:
        file.write(text)
