"""The report as one HTML file: no network, nothing in it that a run could have scripted."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from agent.deliver import safety
from agent.deliver.again import ran_again
from agent.deliver.against import WEIGHTS, Against, against, in_words, is_weighty, task_of
from agent.deliver.attempts import checks_after, passed_over
from agent.deliver.filters import FILTERS, duration_of, neutral, tone_of
from agent.deliver.folding import rows_of
from agent.deliver.learnt import lessons
from agent.deliver.report import NOT_ENDED, beside, foreseen, log_of, outcome_of, spent
from agent.deliver.safety import is_replay
from agent.deliver.sides import files_of, side_by_side
from agent.deliver.standing import (
    WITH_THEM,
    counted,
    evidence_of,
    failing,
    news_of,
    output_of,
    still_open,
    why_of,
)
from agent.deliver.story import Story
from agent.deliver.talks import talks_of
from agent.deliver.timeline import Step, steps_of
from agent.llm.transcript import Turn
from agent.shown import printable_lines

Logs = Callable[[str], str | None]
"""Returns a log of a run by its name."""

_PAGE = Path(__file__).parent / "page"
_PARTS = (
    ("against", "What speaks against it"),
    ("criteria", "Criteria"),
    ("checks", "Checks"),
    ("tests", "Tests from the text, mutants"),
    ("work", "Work and changes"),
    ("time", "Time and cost"),
    ("safety", "Safety"),
    ("notes", "Notes"),
    ("learnt", "What was learnt"),
    ("agents", "What the agents did"),
)
# One name for them on the page, whatever the step is called.
_SPECIFIED = "tests of the specification"
# Lessons that stand in the list of what speaks against the run.
_ABOVE = ("concern", "deviation", "doubt")
_SIGNS = (
    ("proven", "by a check that ran, can fail and passed"),
    ("judged", "by reading: an agent quotes the lines that show it, no check does"),
    ("pre-existing", "it failed before any work, and fails no worse"),
    ("failed", "a check or the reading says that it does not hold"),
    ("unproven", "nothing shows it yet, for or against"),
    ("needs a person", "nobody but a person can try it"),
)
_KINDS = (("baseline", "baseline"), ("plan", "plan"), ("task", "tasks"), ("verify", "verification"))


def html(
    story: Story,
    events: Sequence[Mapping[str, Any]],
    *,
    turns: Iterable[Turn] = (),
    patch: str = "",
    missing_patch: str = "",
    logs: Logs = lambda _: None,
) -> str:
    """Return a run as a page that stands alone.

    Args:
        story: The run.
        events: Its journal, for what happened when.
        turns: What its agents and their models said to each other.
        patch: What the branch changes, as git's patch.
        missing_patch: Why there is no patch, in words.
        logs: Returns all that a check printed, by the name of its log; None where it is not kept
            or too large, and then the page shows what the journal has: head and tail.

    """
    packed = _Packed()
    attempt = story.delivered
    patches = files_of(patch)
    for number, file in enumerate(patches, 1):
        packed.add(f"diff-{number}", side_by_side(file))
    if story.holdout:
        guards = story.holdout.get("guards", "")
        packed.add("holdout", "\n\n".join(filter(None, (story.holdout["content"], guards))))
    criteria = list(story.criteria.get(attempt, {}).values())
    objections = against(story)
    steps = steps_of(events)
    shown_tests = bool(story.holdout.get("tests") or attempt in story.mutants)
    not_looked = bool(story.verdicts and not shown_tests and failing(story))
    shown = {
        "learnt": bool(lessons(story)),
        "against": bool(objections),
        "notes": bool(story.notes),
        "tests": shown_tests or not_looked,
    }
    page: str = _template().render(
        story=story,
        started=story.started,
        ended=story.ended,
        outcome=story.ended.get("outcome", "not ended"),
        tone=tone_of(story.ended.get("outcome", "")),
        counts=counted(story),
        news=news_of(story),
        passed_over=passed_over(story),
        groups=still_open(story),
        with_them=WITH_THEM,
        beside=beside(story),
        # What a recording cost is known to be nothing.
        spent=spent(story.total).removesuffix(", US$ 0.0000" if is_replay(story) else ""),
        is_cached=any(u.cache_read_tokens or u.cache_write_tokens for u in story.usage.values()),
        foreseen=foreseen(story),
        parts=[part for part in _PARTS if shown.get(part[0], True)],
        criteria=[
            {
                **event,
                "label": why_of(story, event).label,
                "evidence": evidence_of(story, event),
            }
            for event in criteria
        ],
        signs=[(name, words) for name, words in _SIGNS if name in {c["status"] for c in criteria}],
        untested=[] if story.verdicts else list(story.started.get("criteria", {}).items()),
        against=objections,
        weighed=in_words(objections),
        is_weighty=is_weighty(objections),
        weights={
            name: words
            for name, words in WEIGHTS.items()
            if name in {one.weight for one in objections}
        },
        stages=list(story.checks),
        tasks=_tasks(story, objections),
        again=ran_again(story),
        checks=_checks(story, packed, logs),
        holdout=_holdout(story),
        not_looked=not_looked,
        mutants=story.mutants.get(attempt),
        patches=patches,
        patched={file.path: number for number, file in enumerate(patches, 1)},
        missing_diff=missing_patch,
        steps=_placed(steps),
        total_seconds=steps[-1].end if steps else 0.0,
        kinds=_KINDS,
        has_lessons=shown["learnt"],
        learnt=[one for one in lessons(story) if one.kind not in _ABOVE],
        not_ended=NOT_ENDED,
        is_replay=is_replay(story),
        safety=safety.in_words(story),
        agents=_agents(events, packed),
        talks=_talks(turns, packed),
        packed=packed.parts,
        **_own("style", "report.css"),
        **_own("script", "report.js"),
    )
    return page


def _own(name: str, file: str) -> dict[str, str]:
    """Return a file of ours for a page, and the hash by which the page's policy knows it."""
    text = _PAGE.joinpath(file).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return {name: Markup(text), f"{name}_hash": digest}  # noqa: S704 - a file of ours


def _tasks(story: Story, objections: Sequence[Against]) -> list[dict[str, Any]]:
    """Return what the coder did, with what speaks against it and what the checks said after it."""
    rows = []
    for number, event in enumerate(story.tasks):
        is_last = all(later["attempt"] != event["attempt"] for later in story.tasks[number + 1 :])
        rows.append(
            {
                **event,
                "name": task_of(event),
                "against": [n for n, one in enumerate(objections, 1) if number in one.tasks],
                "after": checks_after(story, event["attempt"]) if is_last else "",
                "is_on_branch": event["attempt"] <= story.delivered or not story.delivered,
            }
        )
    return rows


def _holdout(story: Story) -> list[Mapping[str, Any]]:
    tried = story.tried.get(story.delivered) or {}
    return [
        {**test, "outcome": outcome_of(test["name"], tried)}
        for test in story.holdout.get("tests", ())
    ]


class _Packed:
    """The large parts of a page: compressed, and unpacked when somebody opens them."""

    def __init__(self) -> None:
        self.parts: dict[str, Markup] = {}

    def add(self, name: str, text: str) -> None:
        data = gzip.compress(text.encode("utf-8", "surrogatepass"), compresslevel=6, mtime=0)
        self.parts[name] = Markup(base64.b64encode(data).decode("ascii"))  # noqa: S704 - base64


def _checks(story: Story, packed: _Packed, logs: Logs) -> list[dict[str, Any]]:
    """Return the rows of checks; those that did not run are folded into one."""
    return [
        {
            "folded": row.in_words if row.state else "",
            "checks": [_check(story, name, packed, logs) for name in row.checks],
        }
        for row in rows_of(story)
    ]


def _check(story: Story, name: str, packed: _Packed, logs: Logs) -> dict[str, Any]:
    """Return a check with a cell for each stage."""
    cells: list[dict[str, Any] | None] = []
    for stage, events in story.checks.items():
        event = events.get(name)
        cells.append(_cell(event, output_of(story, name, stage), packed, logs) if event else None)
    command = next(e[name]["command"] for e in story.checks.values() if name in e)
    return {"id": name, "command": command, "cells": cells}


def _cell(event: Mapping[str, Any], part: str, packed: _Packed, logs: Logs) -> dict[str, Any]:
    whole = logs(log) if (log := log_of(event)) else None
    output = event["output"] if whole is None else whole
    if output.strip():
        packed.add(part, printable_lines(output))
    status = f"exit status {event['status']}" if event["status"] is not None else ""
    if event["status"] and event["state"] == "passed":
        status += ", as the PRP expects"
    reason = "" if status.startswith(event["reason"]) else event["reason"]
    took = duration_of(event["seconds"]) if event["seconds"] else ""
    # Red before any work is what a run is for.
    is_before = event["stage"] == "baseline" and event["state"] == "failed"
    return {
        "state": event["state"],
        "tone": "" if is_before else tone_of(event["state"]),
        "about": ", ".join(words for words in (status, reason, took) if words),
        "part": part if part in packed.parts else "",
        "is_cut": bool(log) and whole is None,
        "log": log,
    }


def _agents(events: Iterable[Mapping[str, Any]], packed: _Packed) -> list[tuple[str, str, int]]:
    """Return of each role its name, its part of the page, and how many steps it took."""
    lines: dict[str, list[str]] = {}
    began = 0.0
    for event in events:
        began = began or event["at"]
        at = f"{event['at'] - began:9.1f} s  "
        if event["type"] == "tool-used":
            failed = "  (failed)" if event["failed"] else ""
            line = f"{event['tool']}  {event['summary']}{failed}"
        elif event["type"] == "model-answered":
            line = f"answer of {event['output_tokens']:,} tokens in {event['seconds']:.1f} s"
        else:
            continue
        lines.setdefault(event["role"], []).append(at + printable_lines(line))
    for role, told in lines.items():
        packed.add(f"agent-{role}", "\n".join(told))
    return [(role, f"agent-{role}", len(told)) for role, told in lines.items()]


def _talks(turns: Iterable[Turn], packed: _Packed) -> list[dict[str, Any]]:
    """Return the conversations, each turn of them a part of the page that opens by itself."""
    talks = talks_of(turns)
    for place, talk in enumerate(talks, 1):
        for turn in talk.turns:
            packed.add(f"turn-{place}-{turn.number}", turn.text)
    return [{"place": place, "talk": talk} for place, talk in enumerate(talks, 1)]


def _placed(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return steps with their place on a line of 1,000 units."""
    whole = (steps[-1].end if steps else 0.0) or 1.0
    return [
        {
            "x": round(1000 * step.start / whole, 2),
            "width": round(max(1000 * step.seconds / whole, 1), 2),
            "kind": step.kind,
            "title": step.title.replace("Tests from the PRP's test specification", _SPECIFIED),
            "seconds": step.seconds,
            "usage": step.usage,
            "parts": step.parts,
        }
        for step in steps
    ]


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        # Journals of older versions lack what newer ones tell.
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=neutral,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("report.html.j2")
