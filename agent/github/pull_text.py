"""The pull request's words, and the comment's: from the journal, never from a model's claim."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.deliver import Story
from agent.deliver.costs import spent
from agent.deliver.report import MARK
from agent.deliver.standing import status_of
from agent.github import words
from agent.github.papers import Attested, Request, Result, Screened

_CHECK = re.compile(r"\b(?:L\d+|X)\.\d+\b")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What all jobs found, each with its own eyes."""

    request: Request
    result: Result
    story: Story
    attested: Attested | None
    screened: Screened
    run_url: str
    actor_id: int = 0

    @property
    def criteria(self) -> Sequence[Mapping[str, Any]]:
        """Return the criteria of the delivered attempt, as the journal has them."""
        return list(self.story.criteria.get(self.story.delivered, {}).values())

    @property
    def disagreements(self) -> list[str]:
        """Return what the job without keys saw otherwise; empty where it saw the same."""
        if not self.result.commit:
            return []
        if self.attested is None:
            return ["The checks were not run again in a job without keys"]
        if (self.attested.commit, self.attested.digest) != (
            self.result.commit,
            self.request.digest,
        ):
            return ["The checks were run again on something else"]
        stage = self.story.checks.get(f"attempt {self.story.delivered}", {})
        passed = [name for name, event in stage.items() if event["state"] == "passed"]
        again = self.attested.checks
        found = [
            f"{name} passed in the run, and not when it ran again: {again.get(name, 'not run')}"
            for name in passed
            if again.get(name) != "passed"
        ]
        return [*found, *self.attested.objections]

    @property
    def is_proven(self) -> bool:
        """Return whether a pull request needs no more than a reader's consent."""
        ended = self.story.ended.get("outcome") == "proven" and self.result.exit_status == 0
        statuses = {event["status"] for event in self.criteria}
        good = bool(statuses) and statuses <= {"proven", "judged", "pre-existing"}
        against = (*self.disagreements, *self.screened.doubts, *self.screened.blocked)
        return ended and good and not against


def title(evidence: Evidence) -> str:
    """Return the pull request's title, in the form of a conventional commit."""
    name = evidence.story.started.get("title") or evidence.request.title
    bare = re.sub(r"^\s*(?:PRP|Feature)\s*:\s*", "", str(name), flags=re.IGNORECASE)
    whole = words.title(bare)
    is_one = re.match(
        r"(?:feat|fix|docs|refactor|test|chore|perf|build|ci)(?:\([\w-]+\))?!?: ", whole
    )
    return whole if is_one else f"feat: {whole[:1].lower()}{whole[1:]}"


def body(evidence: Evidence) -> str:
    """Return the pull request's text."""
    request = evidence.request
    proven = evidence.is_proven
    closes = f"Closes #{request.issue}" if proven else f"For #{request.issue}"
    who = evidence.actor_id
    trailer = f"{request.actor} <{who}+{request.actor}@users.noreply.github.com>"
    return words.within(
        [
            closes if request.issue else "",
            headline(evidence),
            _reasons(evidence),
            criteria_table(evidence),
            _tasks(evidence),
            _checks(evidence),
            _list("Outside of the blueprint and other notes", evidence.screened.notes),
            _provenance(evidence),
            f"Co-authored-by: {words.neutral(trailer)}" if _is_login(request.actor) else "",
        ]
    )


def _is_login(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9-]{1,39}", name) is not None


def comment(evidence: Evidence, *, pull_url: str, problem: str) -> str:
    """Return the progress comment of a run that has ended."""
    where = f"[Pull request]({pull_url})" if pull_url else ""
    return words.within(
        [
            headline(evidence),
            " · ".join(filter(None, [where, f"[The run]({evidence.run_url})"])),
            problem,
            _reasons(evidence),
            criteria_table(evidence),
            _tasks(evidence),
            _how_to_go_on(evidence),
        ]
    )


def planned(result: Result, *, run_url: str) -> str:
    """Return the comment that shows a plan."""
    return words.within(
        [f"### The plan\n\n[The run]({run_url}); nothing was changed.", words.fence(result.plan)]
    )


def headline(evidence: Evidence) -> str:
    """Return the outcome in one heading and one sentence."""
    outcome = evidence.story.ended.get("outcome") or evidence.result.outcome
    if outcome == "proven" and not evidence.is_proven:
        outcome = "not confirmed"
    mark = "✓" if evidence.is_proven else "✗" if outcome == "failed" else "?"
    reason = evidence.story.ended.get("reason") or evidence.result.reason
    cost = spent(evidence.story.total) if evidence.story.started else ""
    # What happened, and what to do about it.
    what, _, hint = str(reason).partition("\n")
    told = [f"### {mark} {words.plain(str(outcome))}", words.plain(what), words.plain(hint), cost]
    return "\n\n".join(filter(None, told))


def _reasons(evidence: Evidence) -> str:
    return "\n\n".join(
        filter(
            None,
            [
                _list("Blocked: this change is not pushed", evidence.screened.blocked),
                _list("Seen otherwise by the job without keys", evidence.disagreements),
                _list("To be looked at before it is merged", evidence.screened.doubts),
            ],
        )
    )


def criteria_table(evidence: Evidence) -> str:
    """Return what had to be shown, what shows it, and whether that was so a second time."""
    rows = []
    for event in evidence.criteria:
        first = event["evidence"][0] if event["evidence"] else ""
        status = f"{MARK[event['status']]} {status_of(evidence.story, event)}"
        rows.append(
            f"| {event['criterion']} | {words.plain(event['text'])} | {status} "
            f"| {words.plain(first)} | {_again(evidence, event)} |"
        )
    if not rows:
        return ""
    head = (
        "| | Criterion | Status | Evidence | Again without keys |\n| --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def _again(evidence: Evidence, event: Mapping[str, Any]) -> str:
    """Return what the second look at a criterion's checks said."""
    checks = set(_CHECK.findall(" ".join(event["evidence"])))
    if not checks or evidence.attested is None:
        return "–"
    states = {evidence.attested.checks.get(check, "not run") for check in checks}
    return "✓" if states == {"passed"} else words.plain(", ".join(sorted(states)))


def _tasks(evidence: Evidence) -> str:
    lines = []
    for event in evidence.story.tasks:
        name = f"task {event['task']}" if event["task"] else "repair"
        files = ", ".join(map(words.code, event["files"][:5]))
        more = f" and {len(event['files']) - 5} more" if len(event["files"]) > 5 else ""
        done = "x" if event["commit"] else " "
        lines.append(f"- [{done}] attempt {event['attempt']}, {name}: {files or 'nothing'}{more}")
        lines += [f"  - deviates: {words.plain(text)}" for text in event["deviations"]]
        lines += [f"  - in doubt: {words.plain(text)}" for text in event["doubts"]]
    return "\n".join(["**Tasks**", "", *lines]) if lines else ""


def _checks(evidence: Evidence) -> str:
    """Return every check with what it said at the baseline, in each attempt, and again."""
    stages = list(evidence.story.checks)
    names = dict.fromkeys(name for events in evidence.story.checks.values() for name in events)
    if not names:
        return ""
    again = evidence.attested.checks if evidence.attested else {}
    rows = ["| | Command | " + " | ".join([*stages, "again"]) + " |"]
    rows.append("|" + " --- |" * (len(stages) + 3))
    for name in names:
        events = [evidence.story.checks[stage].get(name) for stage in stages]
        command = next(event["command"] for event in events if event)
        states = [str(event["state"]) if event else "" for event in events]
        first = command.splitlines()[0] if command else ""
        cells = [name, words.code(first), *states, again.get(name, "–")]
        rows.append("| " + " | ".join(cells) + " |")
    return words.details("Checks by attempt", "\n".join(rows))


def _provenance(evidence: Evidence) -> str:
    request, started = evidence.request, evidence.story.started
    models = ", ".join(sorted(set(started.get("models", {}).values())))
    lines = [
        f"- PRP: {words.code(request.prp_name)}, text and commands `{request.digest}`",
        f"- From `{request.base[:12]}`, ends with `{evidence.result.commit[:12]}`",
        f"- Asked for by {words.plain(request.actor)}; trust: {request.trust}",
        f"- Models: {words.code(models) or 'none'}; sandbox: {started.get('sandbox', '')}",
        f"- Run: {words.code(evidence.result.run)}, [its artifacts]({evidence.run_url})",
    ]
    return "\n".join(lines)


def _how_to_go_on(evidence: Evidence) -> str:
    if evidence.is_proven:
        return "Review comments that request changes make it go on; so does `/prp run WORDS` there."
    return "Set the label once more, or answer `/prp resume`, and it goes on where it ended."


def _list(heading: str, items: Sequence[str]) -> str:
    lines = [f"- {words.plain(item)}" for item in items[:50]]
    return "\n".join([f"**{heading}**", "", *lines]) if lines else ""
