"""What happened on GitHub, read from the event as it was at that time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.github.job import LABEL, Job


class Act(StrEnum):
    """What somebody wants."""

    LABEL = "label"
    RUN = "run"
    PLAN = "plan"
    APPROVE = "approve"
    RESUME = "resume"
    CANCEL = "cancel"
    STATUS = "status"
    REVIEW = "review"
    RETRY = "retry-criterion"
    DISPATCH = "dispatch"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Who wants what, and the words that it is about."""

    act: Act
    actor: str
    """Who did it just now: set the label, wrote the comment; not who wrote the issue."""
    is_bot: bool
    actor_id: int = 0
    number: int | None = None
    """Of the issue or pull request."""
    is_pull: bool = False
    title: str = ""
    body: str = ""
    """Of the issue, as it was when this happened."""
    comment: int | None = None
    review: int | None = None
    digest: str = ""
    """Beginning of the hash that is approved."""
    words: str = ""
    """What a reviewer wants, or what stands behind the command."""


def read_trigger(job: Job) -> Trigger | None:
    """Return what an event asks of us; None where it is none of our business."""
    event = job.event
    match job.event_name:
        case "issues" if event.get("action") == "labeled":
            named = str((event.get("label") or {}).get("name", ""))
            return _on_issue(event, Act.LABEL) if named.lower() == LABEL else None
        case "issue_comment" if event.get("action") == "created":
            return _command(event, event.get("issue") or {})
        case "pull_request_review_comment" if event.get("action") == "created":
            return _command(event, event.get("pull_request") or {}, is_pull=True)
        case "pull_request_review" if event.get("action") == "submitted":
            return _review(event)
        case "workflow_dispatch":
            issue = job.asked("ISSUE")
            act = Act.PLAN if job.asked("MODE") == "plan" else Act.DISPATCH
            number = int(issue) if issue.isdigit() else None
            return Trigger(act=act, number=number, **_actor(event))
    return None


def _actor(event: Mapping[str, Any]) -> dict[str, Any]:
    sender = event.get("sender") or {}
    return {
        "actor": str(sender.get("login", "")),
        "actor_id": int(sender.get("id") or 0),
        "is_bot": sender.get("type") != "User",
    }


def _on_issue(event: Mapping[str, Any], act: Act) -> Trigger:
    issue = event.get("issue") or {}
    return Trigger(
        act=act,
        number=int(issue.get("number") or 0),
        is_pull="pull_request" in issue,
        title=str(issue.get("title") or ""),
        body=str(issue.get("body") or ""),
        **_actor(event),
    )


# The first word of the comment, alone or before a blank: no quotation, no `/prpx`.
_COMMAND = re.compile(r"\A/prp(?:[ \t]+(?P<word>[\w-]+))?(?P<rest>.*)\Z", re.DOTALL)
_DIGEST = re.compile(r"\A\s*(?P<digest>[0-9a-fA-F]{12,64})\s*\Z")
_SPOKEN = {
    "run": Act.RUN,
    "plan": Act.PLAN,
    "approve": Act.APPROVE,
    "resume": Act.RESUME,
    "cancel": Act.CANCEL,
    "status": Act.STATUS,
    "retry-criterion": Act.RETRY,
}


def _command(
    event: Mapping[str, Any], subject: Mapping[str, Any], *, is_pull: bool = False
) -> Trigger | None:
    comment = event.get("comment") or {}
    found = _COMMAND.match(str(comment.get("body") or ""))
    if found is None or not (found["word"] or not found["rest"].strip()):
        return None
    act = _SPOKEN.get((found["word"] or "status").lower())
    if act is None:
        return None
    is_pull = is_pull or "pull_request" in subject
    rest, place = found["rest"].strip(), _place(comment)
    if is_pull and act is Act.RUN and rest:
        act = Act.REVIEW
    digest = _DIGEST.match(rest)
    return Trigger(
        act=act,
        number=int(subject.get("number") or 0),
        is_pull=is_pull,
        title=str(subject.get("title") or ""),
        body=str(subject.get("body") or ""),
        comment=int(comment.get("id") or 0),
        digest=digest["digest"].lower() if digest else "",
        words=f"{place}{rest}" if rest and act is not Act.RETRY else rest,
        **_actor(event),
    )


def _place(comment: Mapping[str, Any]) -> str:
    """Return where a comment on a line stands; empty for one on the whole."""
    line = comment.get("line") or comment.get("original_line")
    return f"{comment['path']}:{line}: " if comment.get("path") and line else ""


def _review(event: Mapping[str, Any]) -> Trigger | None:
    """Return a review that wants changes; approvals and remarks start nothing."""
    review, pull = event.get("review") or {}, event.get("pull_request") or {}
    branch = str((pull.get("head") or {}).get("ref", ""))
    if str(review.get("state", "")).lower() != "changes_requested" or not branch.startswith("prp/"):
        return None
    return Trigger(
        act=Act.REVIEW,
        number=int(pull.get("number") or 0),
        is_pull=True,
        title=str(pull.get("title") or ""),
        review=int(review.get("id") or 0),
        words=str(review.get("body") or ""),
        **_actor(event),
    )
