"""Connects to a provider; loads the library of the one that is asked and of no other."""

from typing import TYPE_CHECKING, Any

from pydantic_ai.exceptions import UserError

from agent.errors import SettingsError
from agent.llm.collecting import collecting
from agent.llm.pieces import Completion, Message, Response
from agent.llm.schemas import translated_once
from agent.llm.sending import sent_as_it_is

if TYPE_CHECKING:
    from pydantic_ai.models import Model

# Said out loud, because the libraries would otherwise let a variable decide where keys are sent.
_OWN_ADDRESS = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "openai-chat": "https://api.openai.com/v1",
    "openai-responses": "https://api.openai.com/v1",
}
_NO_KEY = "none"


def connect(name: str, *, base_url: str | None, key: str | None, idle_seconds: float) -> "Model":
    """Open the plain model, without budget, retries or checks.

    Args:
        name: `provider:model`, checked before.
        base_url: Address of a compatible server.
        key: None where the server needs none.
        idle_seconds: How long an answer may be silent.

    Raises:
        SettingsError: The provider's library does not take the name or the settings.

    """
    provider, _, model = name.partition(":")
    address = base_url or _OWN_ADDRESS.get(provider)
    try:
        if provider == "anthropic":
            opened = _anthropic(model, address, key or _NO_KEY, idle_seconds)
        elif provider in _OWN_ADDRESS:
            is_chat = provider == "openai-chat"
            opened = _openai(model, address, key or _NO_KEY, idle_seconds, chat=is_chat)
        else:
            opened = _other(name, address, key)
    except (UserError, ImportError) as error:
        raise SettingsError(f"{name} can't be opened: {error}") from error
    return translated_once(sent_as_it_is(opened))


def _anthropic(model: str, address: str | None, key: str, idle_seconds: float) -> "Model":
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient  # noqa: PLC0415
    from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
    from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

    http = collecting(DefaultAsyncHttpxClient, Message, idle_seconds=idle_seconds)
    client = AsyncAnthropic(http_client=http, **_untried(address, key))
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))


def _openai(
    model: str, address: str | None, key: str, idle_seconds: float, *, chat: bool
) -> "Model":
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel  # noqa: PLC0415
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

    collector = Completion if chat else Response
    http = collecting(DefaultAsyncHttpxClient, collector, idle_seconds=idle_seconds)
    client = AsyncOpenAI(http_client=http, **_untried(address, key))
    provider = OpenAIProvider(openai_client=client)
    if chat:
        return OpenAIChatModel(model, provider=provider)
    return OpenAIResponsesModel(model, provider=provider)


def _untried(address: str | None, key: str) -> dict[str, Any]:
    # Tries are counted and time is limited in one place, and that is not the library.
    return {"api_key": key, "base_url": address, "max_retries": 0, "timeout": None}


def _other(name: str, address: str | None, key: str | None) -> "Model":
    from pydantic_ai.models import infer_model  # noqa: PLC0415
    from pydantic_ai.providers import infer_provider_class  # noqa: PLC0415

    def provider(kind: str) -> Any:
        options = {"api_key": key} | ({"base_url": address} if address else {})
        return infer_provider_class(kind)(**options)

    return infer_model(name, provider_factory=provider)
