"""What each part of the page shows, as the names that the template uses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from agent.deliver import safety
from agent.deliver.again import ran_again
from agent.deliver.against import WEIGHTS, Against, in_words, is_weighty, task_of
from agent.deliver.attempts import checks_after, not_judged, passed_over
from agent.deliver.costs import foreseen, spent
from agent.deliver.filters import duration_of, tone_of
from agent.deliver.folding import rows_of
from agent.deliver.learnt import lessons
from agent.deliver.packed import Packed
from agent.deliver.report import NOT_ENDED, beside, log_of, outcome_of
from agent.deliver.safety import is_replay
from agent.deliver.sides import FilePatch, side_by_side
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
from agent.deliver.timeline import Step
from agent.llm.transcript import Turn
from agent.shown import printable_lines

Logs = Callable[[str], str | None]
"""Returns a log of a run by its name."""

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


def head_part(story: Story) -> dict[str, Any]:
    """Return what stands above all: the outcome, and what holds and what does not."""
    outcome = story.ended.get("outcome", "")
    return {
        "started": story.started,
        "ended": story.ended,
        "outcome": outcome or "not ended",
        "tone": tone_of(outcome),
        "not_ended": NOT_ENDED,
        "counts": counted(story),
        "news": news_of(story),
        "not_judged": not_judged(story),
        "passed_over": passed_over(story),
        "groups": still_open(story),
        "with_them": WITH_THEM,
        "beside": beside(story),
        "is_replay": is_replay(story),
    }


def against_part(objections: Sequence[Against]) -> dict[str, Any]:
    """Return what speaks against the run, and how much that weighs."""
    weights = {one.weight for one in objections}
    return {
        "against": objections,
        "weighed": in_words(objections),
        "is_weighty": is_weighty(objections),
        "weights": {name: words for name, words in WEIGHTS.items() if name in weights},
    }


def criteria_part(story: Story) -> dict[str, Any]:
    """Return the criteria with their evidence, and the signs that they use."""
    criteria = [
        {**event, "label": why_of(story, event).label, "evidence": evidence_of(story, event)}
        for event in story.criteria.get(story.delivered, {}).values()
    ]
    statuses = {event["status"] for event in criteria}
    return {
        "criteria": criteria,
        "signs": [(name, words) for name, words in _SIGNS if name in statuses],
        "untested": [] if story.verdicts else list(story.started.get("criteria", {}).items()),
    }


def checked_part(story: Story, packed: Packed, logs: Logs) -> dict[str, Any]:
    """Return the checks, a cell for each stage that ran them."""
    return {
        "stages": list(story.checks),
        "checks": _checks(story, packed, logs),
        "again": ran_again(story),
    }


def tests_part(story: Story, packed: Packed) -> dict[str, Any]:
    """Return the tests from the text and the mutants, or that nobody looked."""
    if story.holdout:
        guards = story.holdout.get("guards", "")
        packed.add("holdout", "\n\n".join(filter(None, (story.holdout["content"], guards))))
    has_tests = bool(story.holdout.get("tests") or story.delivered in story.mutants)
    return {
        "has_tests": has_tests,
        "not_looked": bool(story.verdicts and not has_tests and failing(story)),
        "holdout": _holdout(story),
        "mutants": story.mutants.get(story.delivered),
    }


def work_part(
    story: Story, objections: Sequence[Against], patches: Sequence[FilePatch], packed: Packed
) -> dict[str, Any]:
    """Return what the tasks did, and the diff of each file."""
    for number, file in enumerate(patches, 1):
        packed.add(f"diff-{number}", side_by_side(file))
    return {
        "tasks": _tasks(story, objections),
        "patches": patches,
        "patched": {file.path: number for number, file in enumerate(patches, 1)},
    }


def time_part(story: Story, steps: Sequence[Step]) -> dict[str, Any]:
    """Return what it took: steps on a line of time, tokens and money."""
    return {
        # What a recording cost is known to be nothing.
        "spent": spent(story.total).removesuffix(", US$ 0.0000" if is_replay(story) else ""),
        "is_cached": any(u.cache_read_tokens or u.cache_write_tokens for u in story.usage.values()),
        "foreseen": foreseen(story),
        "steps": _placed(steps),
        "total_seconds": steps[-1].end if steps else 0.0,
        "kinds": _KINDS,
    }


def notes_part(story: Story) -> dict[str, Any]:
    """Return what was promised about safety, and what was learnt."""
    learnt = lessons(story)
    return {
        "safety": safety.in_words(story),
        "has_lessons": bool(learnt),
        "learnt": [one for one in learnt if one.kind not in _ABOVE],
    }


def talk_part(
    events: Sequence[Mapping[str, Any]], turns: Iterable[Turn], packed: Packed
) -> dict[str, Any]:
    """Return what the agents did, and what they and their models said."""
    return {"agents": _agents(events, packed), "talks": _talks(turns, packed)}


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


def _checks(story: Story, packed: Packed, logs: Logs) -> list[dict[str, Any]]:
    """Return the rows of checks; those that did not run are folded into one."""
    return [
        {
            "folded": row.in_words if row.state else "",
            "checks": [_check(story, name, packed, logs) for name in row.checks],
        }
        for row in rows_of(story)
    ]


def _check(story: Story, name: str, packed: Packed, logs: Logs) -> dict[str, Any]:
    """Return a check with a cell for each stage."""
    cells: list[dict[str, Any] | None] = []
    for stage, events in story.checks.items():
        event = events.get(name)
        cells.append(_cell(event, output_of(story, name, stage), packed, logs) if event else None)
    command = next(e[name]["command"] for e in story.checks.values() if name in e)
    return {"id": name, "command": command, "cells": cells}


def _cell(event: Mapping[str, Any], part: str, packed: Packed, logs: Logs) -> dict[str, Any]:
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


def _agents(events: Iterable[Mapping[str, Any]], packed: Packed) -> list[tuple[str, str, int]]:
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


def _talks(turns: Iterable[Turn], packed: Packed) -> list[dict[str, Any]]:
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
