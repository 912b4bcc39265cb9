"""The one comment that says how a run stands, and the labels that say it in a word."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from agent.deliver.report import MARK
from agent.github import words
from agent.github.answers import Comment, User
from agent.github.client import GitHub, GitHubFailed
from agent.github.install import labels
from agent.github.papers import Phase, Request
from agent.prp import parse_prp

RUNNING = "prp:running"
PASSED = "prp:passed"
FAILED = "prp:failed"
WAITING = "prp:needs-approval"
_STATES = (RUNNING, PASSED, FAILED, WAITING)


def marker(key: str) -> str:
    """Return what our comment is known by; nobody sees it."""
    return f"<!-- prp:run issue={key} -->"


def show(github: GitHub, number: int, key: str, text: str, *, comment: int | None = None) -> int:
    """Write the comment, or write it anew, and return its id.

    Args:
        github: The repository.
        number: Of the issue.
        key: Of the run's state.
        text: Markdown.
        comment: Id of the comment where it is known; one that was deleted is made again.

    """
    body = f"{marker(key)}\n{text}"
    known = comment or _own_comment(github, number, key)
    if known is not None:
        try:
            return github.edit_comment(known, body).id
        except GitHubFailed as error:
            if error.status != 404:
                raise
    return github.comment(number, body).id


def rewrite(github: GitHub, comment: int, key: str, text: str) -> None:
    """Write a comment that is there anew; one that somebody deleted stays away."""
    github.edit_comment(comment, f"{marker(key)}\n{text}")


def _own_comment(github: GitHub, number: int, key: str) -> int | None:
    """Return our comment; one that somebody else wrote in its likeness is none."""
    ours = _by_us(github, number)
    return next((c.id for c in ours if (c.body or "").startswith(marker(key))), None)


def own_comments(github: GitHub, number: int) -> Iterator[str]:
    """Return the words of our comments that say how a run stands."""
    for comment in _by_us(github, number):
        if (comment.body or "").startswith("<!-- prp:run issue="):
            yield comment.body or ""


def _by_us(github: GitHub, number: int) -> Iterator[Comment]:
    login = github.own_login()
    for comment in github.comments(number):
        if comment.user and _is(comment.user, login):
            yield comment


def _is(user: User, login: str) -> bool:
    """Return whether an account is one that GraphQL names; there bots may lack their suffix."""
    is_bot = login.endswith("[bot]") or user.type == "Bot"
    same = user.login.removesuffix("[bot]") == login.removesuffix("[bot]")
    return same and (user.type == "Bot") == is_bot


def label(github: GitHub, number: int, state: str | None) -> None:
    """Let an issue carry one of our states, or none."""
    for other in _STATES:
        if other != state:
            github.remove_label(number, other)
    if state is None:
        return
    for one in labels():
        if one["name"] == state:
            # Colours are no reason to stop, nor is somebody who makes it at the same moment.
            with contextlib.suppress(GitHubFailed):
                github.make_label(**one)
    github.add_labels(number, state)


def seen(github: GitHub, number: int, comment: int | None) -> None:
    """Show that something was noticed; where even that fails, nothing else does."""
    with contextlib.suppress(GitHubFailed):
        github.react(number, comment=comment)


_RUN = re.compile(r"<!-- prp:workflow (\d+) -->")


def workflow_run(text: str) -> int | None:
    """Return the workflow's run that a comment of ours is about, while it is under way."""
    found = _RUN.search(text)
    return int(found[1]) if found else None


def marks(run: str, *, usd: float | None, actor: str) -> str:
    """Return what nobody sees: the workflow's run, and what it may cost at most."""
    return f"<!-- prp:workflow {run} --><!-- prp:claim {usd or 0.0:.6f} {actor} -->"


def _marks_of(request: Request, run: str) -> str:
    return marks(run, usd=request.max_cost_usd, actor=request.actor)


def beginning(request: Request, *, run: str, url: str) -> str:
    """Return the comment for a run that begins."""
    prp = parse_prp(request.prp, path=Path(request.prp_name))
    limit = "no limit" if request.max_cost_usd is None else f"US$ {request.max_cost_usd:g} at most"
    what = "Planning" if request.mode == "plan" else "Executing"
    after = " It goes on where the last run ended." if request.start else ""
    tasks = [f"- [ ] {words.plain(f'{task.label}: {task.title}')}" for task in prp.tasks]
    criteria = [f"- {c.id}: {words.plain(c.text)}" for c in prp.promises]
    return words.within(
        [
            f"{_marks_of(request, run)}\n### {what} {words.code(request.prp_name)}",
            f"Started by {words.plain(request.actor)}, {limit}; [the run]({url}).{after} Text and "
            f"commands: `{request.digest[:12]}`, from {words.code(request.base[:12])}.",
            "**Tasks**\n" + "\n".join(tasks) if tasks else "",
            "**To be shown**\n" + "\n".join(criteria) if criteria else "",
        ]
    )


def going_on(request: Request, phase: Phase, *, run: str, url: str) -> str:
    """Return the comment for a run that is under way."""
    limit = "" if request.max_cost_usd is None else f" of US$ {request.max_cost_usd:g}"
    cost = "unknown" if phase.cost_usd is None else f"US$ {phase.cost_usd:.4f}"
    done = {"done", "unchanged"}
    tasks = [
        f"- [{'x' if state in done else ' '}] {words.plain(title)}"
        + ("" if state in ("done", "open") else f" ({words.plain(state)})")
        for title, state in phase.tasks
    ]
    criteria = [
        f"- {MARK.get(status, '·')} {words.plain(f'{name}: {text}')}"
        for name, text, status in phase.criteria
    ]
    verdicts = [f"- {words.plain(one)}" for one in phase.attempts]
    return words.within(
        [
            f"{_marks_of(request, run)}\n### Executing {words.code(request.prp_name)}",
            f"Now: **{words.plain(phase.doing)}**; {cost}{limit}; [the run]({url}). What counts is "
            "said when the checks have run again in a job without keys.",
            "**Attempts**\n" + "\n".join(verdicts) if verdicts else "",
            "**Tasks**\n" + "\n".join(tasks) if tasks else "",
            "**To be shown**\n" + "\n".join(criteria) if criteria else "",
        ]
    )
