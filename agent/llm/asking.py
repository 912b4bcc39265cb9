"""Asks a model until a whole answer is there, within the budget and a bounded patience."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models import CompletedStreamedResponse, Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent.errors import PrpError, ProviderUnavailable, SettingsError
from agent.journal import ModelAnswered, ModelRetried, Noted, Record
from agent.llm.budget import Meter
from agent.llm.caching import cache_settings, with_cache_points
from agent.llm.faults import TryAgain, Whom, unavailable
from agent.llm.flaws import Flaw, flaw_of
from agent.llm.models import ModelChoice, Patience
from agent.llm.prices import Tokens
from agent.llm.receiving import receive

if TYPE_CHECKING:
    from pydantic_ai._run_context import RunContext
    from pydantic_ai.models import StreamedResponse

    from agent.llm.recording import Recorder

# How often a model is told that its answer was cut off or empty before we give up on it.
_MOST_NUDGES = 3
_HIGHEST_LIMIT = 32_000


@dataclass(frozen=True, kw_only=True)
class Link:
    """One model of the chain: the first that is available answers."""

    model: Model
    whom: Whom


class AskingModel(WrapperModel):
    """A model whose answers are whole, counted and journalled."""

    def __init__(
        self,
        links: Sequence[Link],
        *,
        choice: ModelChoice,
        role: str,
        meter: Meter,
        record: Record,
        patience: Patience,
        recorder: "Recorder | None",
        cache_key: str,
    ) -> None:
        """Take the models in order of preference; nothing is asked yet."""
        super().__init__(links[0].model)
        self._links = list(links)
        self._choice = choice
        self._role = role
        self._meter = meter
        self._record = record
        self._patience = patience
        self._recorder = recorder
        self._cache_key = cache_key
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Keep connections open; every model of the chain may be needed."""
        for link in self._links:
            await link.model.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        """Close the connections."""
        for link in self._links:
            await link.model.__aexit__(exc_type, exc_val, exc_tb)
        return None

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return a whole answer of the first model that gives one.

        Raises:
            BudgetExhausted: Nothing is left to ask with.
            ProviderUnavailable: No model of the chain answers; a later time may be better.
            AgentFailed: The model refuses, or its answers stay unusable.
            SettingsError: Key, name or request are not accepted.

        """
        while True:
            link = self._links[0]
            asked = _Question(self, link, messages, model_settings, model_request_parameters)
            try:
                response = await asked.answer()
            except ProviderUnavailable as error:
                if len(self._links) == 1:
                    raise
                self._fall_back(error)
                continue
            if self._recorder:
                self._recorder.write(role=self._role, messages=messages, response=response)
            return response

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: "RunContext[Any] | None" = None,
    ) -> AsyncGenerator["StreamedResponse"]:
        """Give a streaming caller the whole answer at once: half of one must never be acted on."""
        del run_context
        response = await self.request(messages, model_settings, model_request_parameters)
        yield CompletedStreamedResponse(
            response, model_request_parameters=model_request_parameters, replay_events=True
        )

    def _fall_back(self, error: ProviderUnavailable) -> None:
        """Stay with the next model: a change per request would also lose the provider's cache."""
        given_up, *self._links = self._links
        self._links.append
        self.wrapped = self._links[0].model
        self._record(
            Noted(
                text=f"The {self._role} goes on with {self._links[0].whom.model}: {error}",
                warning=True,
            )
        )
