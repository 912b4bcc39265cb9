"""The coder carries out one assignment in the worktree and says what it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.coder.assignments import Assignment
from agent.coder.hands import Hands
from agent.llm.conversation import AgentFailed, Talk, converse
from agent.llm.prompts import prompt

# A conversation is handed on from task to task while its requests are smaller than this: beyond
# it the history costs more than reading the few files of the next task again.
LONGEST_TALK = 60_000


class Done(BaseModel):
    """Call it once the task is done and looked over."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    summary: str
    """What was done, in one to three sentences."""
    deviations: tuple[str, ...] = ()
    """From PRP or plan, and why."""
    doubts: tuple[str, ...] = ()
    """What may be wrong or is not verified."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the coder says of one assignment; the diff says what is true."""

    summary: str
    deviations: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    finished: bool = True
    talk: Talk | None = None
    """The conversation, for the next task to go on with; None where it should start afresh."""


async def code(
    assignment: Assignment,
    *,
    hands: Hands,
    model: Any,
    briefing: Sequence[str],
    environment: str,
    talk: Talk | None = None,
    max_requests: int = 60,
) -> Change:
    """Carry out one assignment in the worktree.

    Args:
        assignment: The task.
        hands: Tools on the worktree.
        model: As opened by `open_model`.
        briefing: PRP, documents, map and plan: what every conversation begins with.
        environment: What the coder can rely on: tools, limits, what the sandbox refuses.
        talk: The conversation of the task before.
        max_requests: Model requests for this assignment.

    Returns:
        What the coder says it did. A coder that comes to no end is an unfinished change, not an
        error: what it wrote is kept, and the verifier decides what it is worth.

    """
    fresh = talk is None
    try:
        reply = await converse(
            model,
            role="coder",
            instructions=prompt("coder", environment=environment),
            output=Done,
            finish=("finish", "End the task"),
            prompt=[*briefing, assignment.request] if fresh else [assignment.request],
            tools=hands.reading,
            alone=hands.changing,
            reject=lambda _: hands.loose_ends(),
            talk=talk,
            max_requests=max_requests,
        )
    except AgentFailed as error:
        return Change(
            summary=f"Not finished: {error}",
            doubts=(f"{error}. {error.hint}".rstrip(". "),),
            finished=False,
        )
    done = reply.output
    return Change(
        summary=done.summary,
        deviations=done.deviations,
        doubts=done.doubts,
        talk=reply.talk if reply.talk.tokens < LONGEST_TALK else None,
    )
