"""The outcome in Markdown, and in a few lines for the terminal."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agent.deliver.again import ran_again
from agent.deliver.against import against, task_of
from agent.deliver.attempts import not_judged, passed_over
from agent.deliver.costs import costs, costs_of, spent
from agent.deliver.folding import Rows, rows_of
from agent.deliver.learnt import lessons
from agent.deliver.marks import code, fence, listed, plain, table
from agent.deliver.standing import Group, counted, evidence_of, status_of, still_open, why_of
from agent.deliver.story import Story
from agent.deliver.timeline import Step


def summary(story: Story) -> str:
    """Return how the run ended in a few lines: outcome, criteria with evidence, costs."""
    attempt = story.delivered
    lines = [f"{story.ended['outcome']}: {story.ended['reason']}", *_since(story), ""]
    for event in story.criteria.get(attempt, {}).values():
        first = why_of(story, event).detail or (event["evidence"] or [""])[0]
        text = _clipped(event["text"])
        lines.append(f"  {MARK[event['status']]} {event['criterion']} {text}")
        lines.append(f"      {status_of(story, event)}: {_clipped(first)}")
    failures = story.verdicts.get(attempt, {}).get("failures", ())
    lines += [f"  ✗ {_clipped(failure)}" for failure in failures if _OF_A_CHECK.match(failure)]
    objections = story.verdicts.get(attempt, {}).get("objections", ())
    lines += [
        f"  {_WEIGHED[o['weight']]} {_clipped(o['place'])}: {_clipped(o['what'])}"
        for o in sorted(objections, key=lambda o: o["weight"] == "noted")[:_SAID]
    ]
    if len(objections) > _SAID:
        lines.append(f"  ~ and {len(objections) - _SAID} notes of this kind more, in the report")
    following = [f"next: {story.ended['hint']}"] if story.ended["hint"] else []
    lines += [
        f"  ~ {path}: left out of the clean room, or put back as it was"
        for path in story.verdicts.get(attempt, {}).get("put_back", ())
    ]
    return "\n".join([*lines, "", f"cost: {spent(story.total)}", *following])


def _since(story: Story) -> list[str]:
    """Return what a verdict that is not of the branch's end is told with; often nothing."""
    return [words] if (words := not_judged(story)) else []


def markdown(story: Story, steps: Iterable[Step] = ()) -> str:
    """Return the whole report for people: verdict first, then what it rests on."""
    parts = [
        _head(story),
        _against(story),
        _criteria(story),
        _checks(story),
        listed("Within attempts", ran_again(story)),
        _holdout(story),
        _mutants(story),
        _tasks(story),
        listed("Candidates", candidates(story)),
        _feedback(story),
        _plan(story),
        _setup(story),
        _network(story),
        costs(story),
        costs_of(steps),
        listed("Notes", story.notes),
        listed("Learnt", (f"{one.kind}: {one.text}" for one in lessons(story))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_OF_A_CHECK = re.compile(r"(?:L\d+|X)\.\d+ ")
_WEIGHED = {"noted": "~", "asked": "?", "refused": "✗"}
MARK = {
    "proven": "✓",
    "judged": "◐",
    "pre-existing": "~",
    "failed": "✗",
    "unproven": "?",
    "needs a person": "?",
}


NOT_ENDED = (
    "The run has not ended: it goes on, or it was broken off. `prp status` says which, and "
    "`prp resume` takes up what was broken off."
)


def _head(story: Story) -> str:
    started, ended = story.started, story.ended
    return "\n".join(
        [
            f"# {plain(started.get('title', ''))}: {ended.get('outcome', 'not ended')}",
            "",
            plain(ended.get("reason", "")) or NOT_ENDED,
            *(f"\n{plain(words)}" for words in (*_since(story), *passed_over(story))),
            *_standing(story),
            *([f"\nNext: {plain(ended['hint'])}"] if ended.get("hint") else []),
            "",
            f"- PRP: {code(started.get('prp', ''))} (sha256 {started.get('sha256', '')[:12]})",
            _branch(started, ended),
            f"- Attempts: {len(story.verdicts)}, {story.seconds:.0f} s, {spent(story.total)}",
            f"- Sandbox: {started.get('sandbox', '')}",
            f"- Commands: {plain(started.get('allowed', ''))}",
            f"- Run: {code(started.get('run', ''))}",
        ]
    )


def _standing(story: Story) -> list[str]:
    """Return what still fails and what is not shown, in a few lines; more stands in the tables."""
    if not story.verdicts:
        return ["", "No attempt was verified, so no criterion is tested yet."]
    lines = [f"- {plain(group.title)}: {_items(group)}" for group in still_open(story)]
    return ["", plain(counted(story)), *(["", *lines] if lines else [])]


_NAMED = 5
# Objections at the terminal.
_SAID = 30


def _items(group: Group) -> str:
    most = len(group.items) if group.is_short else _NAMED
    shown = [
        plain(one.id)
        if group.is_short
        else f"{plain(one.id)} {code(one.text)} ({plain(_clipped(one.in_words(), _SHORT))})"
        for one in group.items[:most]
    ]
    left = len(group.items) - len(shown)
    return ("; ", ", ")[group.is_short].join([*shown, *([f"and {left} more"] if left else [])])


# Characters of a cell; the page and run.json have all.
_LONG, _SHORT = 600, 160


def _clipped(text: str, most: int = _LONG) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} ..."


def _branch(started: Mapping[str, Any], ended: Mapping[str, Any]) -> str:
    base = code(started.get("base", "")[:12])
    if not ended:
        return f"- Branch: {code(started.get('branch', ''))}, from {base}"
    if not ended.get("branch"):
        return f"- Branch: none, nothing changed; the base was {base}"
    return f"- Branch: {code(ended['branch'])} at {code(ended['commit'][:12])}, from {base}"


def _criteria(story: Story) -> str:
    rows = [
        (
            event["criterion"],
            plain(_clipped(event["text"])),
            f"{MARK[event['status']]} {status_of(story, event)}",
            "<br>".join(plain(_clipped(line)) for line in evidence_of(story, event)),
        )
        for event in story.criteria.get(story.delivered, {}).values()
    ]
    return table("Criteria", ("", "Criterion", "Status", "Evidence"), rows)


def _against(story: Story) -> str:
    rows = [
        (one.weight, code(_clipped(one.place)), plain(_clipped(one.what))) for one in against(story)
    ]
    return table("What speaks against it", ("", "Where", "What"), rows)


def _holdout(story: Story) -> str:
    """Return the tests from the text; the latest attempt that they were run on decides."""
    tried = story.tried.get(story.delivered) or {}
    rows = [
        (
            code(test["name"]),
            test["criterion"],
            plain(test["words"]),
            outcome_of(test["name"], tried),
        )
        for test in story.holdout.get("tests", ())
    ]
    return table("Tests from the text", ("Test", "", "Rests on", "Outcome"), rows)


def outcome_of(test: str, tried: Mapping[str, Any]) -> str:
    """Return what came of a test from the text."""
    if test in tried.get("passed", ()):
        return "passes"
    failed = tried.get("failed", {})
    return f"fails; {plain(failed[test])}" if test in failed else "not run"


def _checks(story: Story) -> str:
    stages = list(story.checks)
    rows = [_row(story, row) for row in rows_of(story)]
    return table("Checks", ("", "Command", *stages), rows)


def _row(story: Story, row: Rows) -> tuple[str, ...]:
    """Return the cells of a check, or of several that did not run."""
    if row.state:
        return ("", row.in_words, *(_states(row, events) for events in story.checks.values()))
    (name,) = row.checks
    command = next(e[name] for e in story.checks.values() if name in e)["command"]
    states = (_state(events.get(name)) for events in story.checks.values())
    return (name, code(_clipped(_first(command))), *states)


def _states(row: Rows, events: Mapping[str, Mapping[str, Any]]) -> str:
    counts = Counter(events[name]["state"] for name in row.checks if name in events)
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _mutants(story: Story) -> str:
    event = story.mutants.get(story.delivered)
    if event is None:
        return ""
    left = event["chosen"] - event["tried"]
    told = (
        f"The tests in the branch notice {event['killed']} of {event['tried']} small changes to "
        f"the changed lines{f'; there was no time for {left} more' if left else ''}."
    )
    return f"## Mutants\n\n{told} Those that none notices stand above.{beside(story)}"


def beside(story: Story) -> str:
    """Return that tests from the text don't count among those that mutants are tried on."""
    if not story.holdout.get("tests"):
        return ""
    return (
        " The tests from the text are not part of the branch and were not tried on them: one of "
        "those may well notice what these don't."
    )


def _state(event: Mapping[str, Any] | None) -> str:
    if event is None:
        return ""
    said = f"{event['state']}: {plain(event['reason'])}" if event["reason"] else event["state"]
    said = _clipped(said)
    return f"{said} ([log]({log}))" if (log := log_of(event)) else said


def log_of(event: Mapping[str, Any]) -> str:
    """Return where all that a check printed is kept beside the report; nothing for one that passed.

    The path is ours, but a journal may come from elsewhere: only the form that we write counts.
    """
    log = str(event.get("log", ""))
    is_ours = re.fullmatch(r"room-\d+/logs/[\w.-]+\.txt", log)
    return log if is_ours and event["state"] not in _QUIET else ""


_QUIET = ("passed", "gated", "not run")


def _tasks(story: Story) -> str:
    parts = []
    for event in story.tasks:
        commit = code(event["commit"][:12]) if event["commit"] else "no change"
        name = task_of(event)
        parts.append(f"- Attempt {event['attempt']}, {name} ({commit}): {plain(event['summary'])}")
    return "\n".join(["## Tasks", "", *parts]) if parts else ""


def candidates(story: Story) -> Iterable[str]:
    """Return of each attempt at the whole what came of it, where there were several."""
    chosen = story.candidates.get("chosen")
    for one in story.candidates.get("candidates", ()):
        taken = "taken" if one["candidate"] == chosen else f"kept as {one['kept']}"
        commit = one["commit"][:12]
        yield f"Candidate {one['candidate']} ({commit}, {taken}): {one['outcome']}"


def _feedback(story: Story) -> str:
    parts = []
    for attempt, text in story.feedback.items():
        parts.append(f"### After attempt {attempt}\n\n{fence(text)}")
        if way := story.ways.get(attempt):
            who = "; the planner's model carries it out" if way["stronger"] else ""
            parts.append(f"{way['times']} attempts failed alike. Another way{who}:")
            parts.append(fence(f"{way['cause']}\n{way['approach']}".strip() or "none was found"))
    return "\n\n".join(["## Feedback", *parts]) if parts else ""


def _plan(story: Story) -> str:
    if not story.plan:
        return ""
    steps = [f"{s['task']}. {plain(s['approach'])}" for s in story.plan["steps"]]
    return "\n".join(["## Plan", "", plain(story.plan["summary"]), "", *steps])


def _setup(story: Story) -> str:
    rows = [
        (event["kind"], code(event["command"]), event["state"], plain(event["reason"]))
        for event in story.setup
    ]
    drawn = table("Set-up", ("", "Command", "", ""), rows)
    failed = [event for event in story.setup if event["state"] == "failed" and event["output"]]
    return "\n\n".join([drawn, *(fence(event["output"]) for event in failed)]) if drawn else ""


def _network(story: Story) -> str:
    """Return every host that a command asked for; what is not here was not reached."""
    rows = [
        (
            stage,
            code(f"{host}:{port}"),
            f"{state}{f': {plain(asked.reason)}' if asked.reason else ''}",
            str(asked.times),
            f"{asked.sent:,}",
            f"{asked.received:,}",
        )
        for (stage, host, port, state), asked in story.asked.items()
    ]
    return table("Network", ("", "Host", "", "Times", "Bytes out", "Bytes in"), rows)


def _first(text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return first + (" ..." if rest else "")
