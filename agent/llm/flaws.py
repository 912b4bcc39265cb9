"""What is wrong with an answer that did arrive: unfinished, cut off, refused, empty, endless."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.errors import PrpError
from agent.llm.faults import SHORTER, AnswerRefused, AnswerUnusable, ConversationTooLong, TryAgain

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse

LONGEST_ANSWER = 4_000_000
"""Characters: several times what any model writes at once; a server gone wild is cut off here."""
MOST_CALLS = 128
"""Tool calls in one answer; more are a model gone wild, and each would be carried out."""


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """Something that the model can do better when it is told."""

    reason: str
    """For the journal."""
    nudge: str
    """For the model."""
    cut: bool = False
    """Whether a higher limit of output tokens could have helped."""

    def as_error(self, model: str) -> PrpError:
        """Return the end of a row of answers that were all like this."""
        return AnswerUnusable(
            f"{model}: {self.reason}, and so were the answers after it",
            hint="Split the task into smaller ones, or use another model.",
        )


def flaw_of(response: "ModelResponse", *, model: str) -> Flaw | None:
    """Look an answer over before anybody acts on it.

    Args:
        response: As put together from the stream.
        model: For messages.

    Returns:
        What the model is to be told before it is asked again; None for a whole answer.

    Raises:
        TryAgain: The stream ended before the answer did.
        AnswerRefused: The model or a filter declines; asking again would be the same again.
        ConversationTooLong: The answer did not fit beside the conversation.

    """
    details: dict[str, Any] = response.provider_details or {}
    raw = details.get("finish_reason")
    if response.finish_reason == "content_filter":
        raise AnswerRefused(
            f"{model} refused to answer: {_words(response) or details.get('refusal') or raw}",
            hint="Look at what the PRP asks for, or use another model.",
        )
    if raw == "model_context_window_exceeded":
        raise ConversationTooLong(
            f"{model}: the answer did not fit into the context window", hint=SHORTER
        )
    if response.finish_reason == "length":
        return _CUT
    # A client library that fills in a reason of its own leaves the provider's word empty.
    if raw is None or response.state != "complete":
        raise TryAgain("the stream ended before the answer did")
    if response.finish_reason == "error":
        raise TryAgain(f"the provider broke the answer off: {raw}")
    if len(response.tool_calls) > MOST_CALLS:
        return Flaw(
            reason=f"{len(response.tool_calls)} tool calls in one answer",
            nudge=f"Your last answer held {len(response.tool_calls)} tool calls; none was "
            f"carried out. Make at most {MOST_CALLS} in one turn.",
        )
    if not response.tool_calls and not _words(response):
        return _EMPTY
    return None


_CUT = Flaw(
    reason="the answer was cut off at the limit of output tokens",
    nudge="Your last answer was cut off at the limit of output tokens, so nothing of it was used "
    "and no tool ran. Be shorter: split large files and edits over several calls and turns.",
    cut=True,
)
_EMPTY = Flaw(
    reason="the answer was empty",
    nudge="Your last answer was empty. Go on with the task: call a tool, or finish.",
)


def _words(response: "ModelResponse") -> str:
    return "".join(
        part.content for part in response.parts if part.part_kind == "text" and part.content
    ).strip()
