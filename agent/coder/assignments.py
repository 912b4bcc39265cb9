"""What the coder is asked to do, in words: tests first, then task by task, then repairs."""

from dataclasses import dataclass

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


def tests_first() -> Assignment:
    """Return the assignment to write down the PRP's test specification as tests."""
    return Assignment(
        number=0,
        title="Tests from the PRP's test specification",
        request=prompt("coder_tests_first"),
    )


def carry_out(task: Task, *, approach: str) -> Assignment:
    """Return the assignment for one task of the PRP, with what the plan adds to it."""
    return Assignment(
        number=task.number,
        title=task.title,
        request=prompt(
            "coder_task",
            number=str(task.number),
            title=task.title,
            text=task.text.strip(),
            approach=approach.strip(),
        ),
    )


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
