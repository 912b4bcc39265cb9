"""Sends a conversation to OpenAI's formats as it is.

The library walks through every value of a request, once for each type that it may have, to write
out dates and files. After fifty turns that takes 25 ms of each turn, 80 ms with the Responses API,
and more with every further one. Our conversations are texts, and what a request is given beside its
typed body is left alone.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic_ai.models import Model


def sent_as_it_is(model: "Model") -> "Model":
    """Return the model, its client told to send conversations untouched where it is OpenAI's."""
    client = getattr(model, "client", None)
    # Providers of other formats never load the library.
    library = sys.modules.get("openai")
    if library and isinstance(client, library.AsyncOpenAI):
        _leave_alone(client)
    return model


def _leave_alone(client: "AsyncOpenAI") -> None:
    from openai.resources.chat import AsyncChat, AsyncCompletions  # noqa: PLC0415 - heavy
    from openai.resources.responses import AsyncResponses  # noqa: PLC0415 - heavy

    class Completions(AsyncCompletions):
        async def create(self, *, messages: Any, **asked: Any) -> Any:
            return await super().create(messages=(), **_beside(asked, messages=messages))

    class Responses(AsyncResponses):
        async def create(self, *, input: Any, **asked: Any) -> Any:  # type: ignore[override] # noqa: A002
            return await super().create(input="", **_beside(asked, input=input))

    chat = AsyncChat(client)
    # Both are attributes that are made when first asked for, and can be set.
    vars(chat)["completions"] = Completions(client)
    vars(client).update(chat=chat, responses=Responses(client))


def _beside(asked: Mapping[str, Any], **whole: Any) -> dict[str, Any]:
    """Return what is asked, with the long parts where the library adds them as they are."""
    rest = dict(asked)
    if rest.get("tools"):
        whole["tools"] = rest.pop("tools")
    return rest | {"extra_body": {**(asked.get("extra_body") or {}), **whole}}
