"""One conversation with a model: instructions, tools and a typed end."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from agent.errors import Exit, PrpError

T = TypeVar("T")

# What the model reads of its own end, where the conversation goes on with something else.
_ENDED = "Recorded. This part is closed."


class AgentFailed(PrpError):  # noqa: N818 - an ending, and the run may go on after it
    """A model did not come to a usable end: it kept answering what nobody can use."""

    exit_status = Exit.FAILED


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What was said so far; handed on so that the next task goes on where this one ended."""

    messages: tuple[Any, ...] = ()
    tokens: int = 0
    """Tokens of the last request: how long the conversation is."""


@dataclass(frozen=True, kw_only=True)
class Reply(Generic[T]):
    """How a conversation ended."""

    output: T
    talk: Talk


async def converse(
    model: Any,
    *,
    role: str,
    instructions: str,
    output: type[T],
    finish: tuple[str, str],
    prompt: Sequence[str],
    tools: Sequence[Callable[..., Any]] = (),
    alone: Sequence[Callable[..., Any]] = (),
    reject: Callable[[T], Sequence[str] | Awaitable[Sequence[str]]] = lambda _: (),
    talk: Talk | None = None,
    max_requests: int = 60,
) -> Reply[T]:
    """Talk to a model until it finishes with a value of the wanted type.

    Args:
        model: As opened by `open_model`.
        role: Names the agent in messages.
        instructions: The system text; stays the same over all conversations of a role.
        output: pydantic model of the typed end.
        finish: Name and description of the tool that ends the conversation.
        prompt: User texts, the stable ones first; where there are several, what stands before the
            last is marked for the provider's cache: other conversations begin with it too.
        tools: Functions that may run side by side; their docstrings are what the model reads.
        alone: Functions that change something and run one after the other.
        reject: Says what is wrong with an end that has the right type; it is sent back.
        talk: An earlier conversation to go on with.
        max_requests: Model requests that it may take.

    Raises:
        AgentFailed: No usable end: too many requests, or the same mistake over and over.

    """
    from pydantic_ai import (  # noqa: PLC0415 - costs a second, needed only to talk
        Agent,
        CachePoint,
        ModelRetry,
        Tool,
        ToolOutput,
        UnexpectedModelBehavior,
        UsageLimitExceeded,
        UsageLimits,
    )

    agent: Agent[None, T] = Agent(
        model,
        output_type=ToolOutput(output, name=finish[0], description=finish[1], max_retries=4),
        instructions=instructions,
        tools=[
            *(Tool(**_tool(tool), max_retries=6) for tool in tools),
            *(Tool(**_tool(tool), max_retries=6, sequential=True) for tool in alone),
        ],
        retries={"tools": 6, "output": 4},
    )

    @agent.output_validator
    async def accept(value: T) -> T:
        reasons = reject(value)
        if inspect.isawaitable(reasons):
            reasons = await reasons
        if reasons:
            raise ModelRetry("\n".join(f"- {reason}" for reason in reasons))
        return value

    try:
        result = await agent.run(
            [*prompt[:-1], CachePoint(), prompt[-1]] if len(prompt) > 1 else list(prompt),
            message_history=list(talk.messages) if talk else None,
            usage_limits=UsageLimits(request_limit=max_requests),
        )
    except UsageLimitExceeded:
        raise AgentFailed(
            f"The {role} did not finish within {max_requests} model requests",
            hint="Raise --max-requests-per-task, or split the task.",
        ) from None
    except UnexpectedModelBehavior as error:
        raise AgentFailed(f"The {role} gave no usable answer: {error}") from error
    last = result.response.usage
    return Reply(
        output=result.output,
        talk=Talk(
            messages=tuple(result.all_messages(output_tool_return_content=_ENDED)),
            tokens=last.total_tokens,
        ),
    )


_schemas: dict[Any, Any] = {}
"""Method to what models are told of it. Made once: a run of a hundred tasks has as many
conversations, and the same tools in all of them."""


def _tool(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the function as a tool that takes what its signature says and nothing else."""
    from pydantic_ai import Tool  # noqa: PLC0415 - heavy

    made: dict[str, Any] = {"function": function, "takes_ctx": False}
    method = getattr(function, "__func__", None)
    if method is None:
        return made
    if method not in _schemas:
        schema = Tool(**made).function_schema
        _schemas[method] = replace(schema, function=method)
    return made | {"function_schema": replace(_schemas[method], function=function)}
