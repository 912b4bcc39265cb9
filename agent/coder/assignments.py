"""What the coder is asked to do, in words: tests first, then task by task, then repairs."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.llm.prompts import prompt
from agent.prp import Task


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What the coder is asked to do next."""

    number: int
    """Number of the PRP's task; 0 for the tests that come first and for repairs."""
    title: str
    request: str
    """The whole request in words."""
    stronger: bool = False
    """Whether the strongest model at hand is to carry it out: others failed alike."""
    words: str = ""
    """What PRP and plan say of it, without what every request says."""
    files: frozenset[str] = frozenset()
    """The files that it is said to change; none where nobody says."""
    after: frozenset[int] = frozenset()
    """Numbers of those that are said to come before."""


def tests_first() -> Assignment:
    """Return the assignment to write down the PRP's test specification as tests."""
    return Assignment(
        number=0,
        title="Tests from the PRP's test specification",
        request=prompt("coder_tests_first"),
    )


def carry_out(
    task: Task, *, approach: str, files: Iterable[str] = (), after: Iterable[int] = ()
) -> Assignment:
    """Return the assignment for one task of the PRP, with what the plan adds to it."""
    changed = {change.path for change in task.changes} | set(files)
    return Assignment(
        number=task.number,
        title=task.title,
        request=prompt(
            "coder_task",
            number=str(task.number),
            title=task.title,
            text=task.text.strip(),
        ),
        words=f"{task.title}\n{task.text}\n{approach}",
        files=frozenset(posixpath.normpath(path) for path in changed if path),
        after=frozenset(after) | frozenset(task.depends_on),
    )


def beside(assignment: Assignment, others: Iterable[Assignment]) -> Assignment:
    """Return the assignment for a worktree of its own, while others are carried out in theirs."""
    names = ", ".join(f"task {one.number}" for one in others if one is not assignment)
    return replace(
        assignment, request=prompt("coder_beside", task=assignment.request, others=names)
    )


def after_others(assignment: Assignment, done: Sequence[str]) -> Assignment:
    """Return the assignment for a conversation that does not know what was done before.

    Args:
        assignment: The task.
        done: What each task before it came to, in words.

    """
    if not (done and assignment.number):
        return assignment
    request = prompt("coder_after", task=assignment.request, done="\n".join(done))
    return replace(assignment, request=request)


def once_more(assignment: Assignment, *, clashing: Sequence[str], changes: str) -> Assignment:
    """Return the assignment to carry something out again, on top of what did not fit with it.

    Args:
        assignment: What was carried out at the same time as others.
        clashing: The files that both changed.
        changes: What it had changed, as a diff, shortened where it is long.

    """
    request = prompt(
        "coder_once_more",
        task=assignment.request,
        files="\n".join(f"- {path}" for path in clashing),
        changes=changes,
    )
    return replace(assignment, request=request)


def repair(*, commit: str, changes: str, feedback: str, stronger: bool = False) -> Assignment:
    """Return the assignment to mend what the verifier found on a commit.

    Args:
        commit: The commit that was verified.
        changes: The branch's diff since the base commit, shortened where it is long.
        feedback: What the verifier found.
        stronger: Whether a stronger model is to carry it out, where there is one.

    """
    return Assignment(
        number=0,
        title="Repair",
        stronger=stronger,
        request=prompt("coder_repair", commit=commit[:12], changes=changes, feedback=feedback),
    )


def go_on(*, commit: str, feedback: str, stronger: bool = False) -> Assignment:
    """Return the assignment to go on with a repair, in the conversation that it was made in.

    Args:
        commit: The repaired commit, which not all passes on that had failed.
        feedback: What still fails there.
        stronger: Whether a stronger model carries the repair out.

    """
    return Assignment(
        number=0,
        title="Repair",
        stronger=stronger,
        request=prompt("coder_go_on", commit=commit[:12], feedback=feedback),
    )
