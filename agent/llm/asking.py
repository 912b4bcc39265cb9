"""Asks a model until a whole answer is there, within the budget and a bounded patience."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pydantic_ai
from pydantic import TypeAdapter
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.stop import stop_before_delay

from agent.errors import ProviderUnavailable, PrpError
from agent.journal import ModelAnswered, ModelRetried, Noted, Record
from agent.llm.budget import Meter
from agent.llm.compaction import USUAL, size_of
from agent.llm.conversation import AgentFailed
from agent.llm.faults import (
    ENDS,
    AnswerUnusable,
    ConversationTooLong,
    TryAgain,
    Whom,
    explained,
    unavailable,
)
from agent.llm.fitting import Fitting
from agent.llm.flaws import LONGEST_ANSWER, Flaw, flaw_of
from agent.llm.models import ModelChoice, Patience
from agent.llm.pieces import asked_in_pieces
from agent.llm.prices import Tokens
from agent.masking import Mask
from agent.steps import Json, resting, step

if TYPE_CHECKING:
    from agent.llm.recording import Recorder
    from agent.llm.transcript import Transcript

# How often a model is told that its answer was cut off or empty before we give up on it.
_MOST_NUDGES = 3
# The provider's library would otherwise cut every answer at 4,096 tokens.
_RESPONSE = TypeAdapter(ModelResponse)
_USUAL_LIMIT, _HIGHEST_LIMIT = 16_000, 32_000

# It would be drawn into the terminal in the middle of a run.
pydantic_ai.BANNER_ENABLED = False


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
        listeners: "Sequence[Recorder | Transcript]",
        cache_key: str,
        mask: Mask,
    ) -> None:
        """Take the models in order of preference; nothing is asked yet."""
        self._fitting = Fitting(mask)
        super().__init__(links[0].model)
        self._all = tuple(links)
        self._links = list(links)
        self._met: set[Whom] = set()
        self._quiet_until: dict[Whom, float] = {}
        self._room = USUAL
        self._choice, self._role, self._step = choice, role, f"{role}: answer"
        self._meter, self._record = meter, record
        self._patience, self._listeners, self._cache_key = patience, listeners, cache_key

    async def close(self) -> None:
        """Close the connections; a conversation leaves them open for the next one."""
        for link in self._all:
            client = getattr(link.model, "client", None)
            if client is not None:
                await client.close()

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
        whole = messages
        messages = self._fitting(whole, self._room)
        while True:
            link = self._links[0]
            try:
                response = await self._usable(
                    link, messages, model_settings, model_request_parameters
                )
            except ConversationTooLong:
                # Its model reads less than most do. Once it is known how much, it stays so.
                self._room = self._room.below(size_of(messages))
                shorter = self._fitting(whole, self._room)
                if size_of(shorter) >= size_of(messages):
                    raise
                messages = shorter
                continue
            except ProviderUnavailable as error:
                if link is self._all[-1]:
                    raise
                # Another conversation may have gone on to the next one meanwhile.
                if link is self._links[0]:
                    self._fall_back(error)
                continue
            for listener in self._listeners:
                listener.write(role=self._role, messages=messages, response=response)
            return response

    def _fall_back(self, error: ProviderUnavailable) -> None:
        """Stay with the next model: a change per request would lose the provider's cache."""
        self._links.pop(0)
        self.wrapped = self._links[0].model
        following = self._links[0].whom.model
        self._record(
            Noted(text=f"{error}; the {self._role} goes on with {following}", warning=True)
        )

    async def _usable(
        self,
        link: Link,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Ask until an answer has no flaw; a flawed one is never acted on, only spoken about."""
        asked, limit = list(messages), self._choice.max_output_tokens
        for nudged in range(_MOST_NUDGES + 1):
            merged = self._requested(link, settings, limit)
            response = await self._whole(link, asked, merged, parameters)
            is_replay = link.model.system == "replay"
            flaw = None if is_replay else flaw_of(response, model=link.whom.model)
            if flaw is None:
                return response
            if nudged == _MOST_NUDGES:
                raise flaw.as_error(link.whom.model)
            self._record(
                ModelRetried(
                    role=self._role,
                    model=str(link.whom),
                    reason=flaw.reason,
                    wait_seconds=0,
                    tried=nudged + 1,
                    most=_MOST_NUDGES + 1,
                )
            )
            # A limit that the provider chose itself is not ours to raise: it may refuse more.
            if flaw.cut and (limit or link.whom.model.startswith("anthropic:")):
                limit = max(limit or 0, _HIGHEST_LIMIT)
            asked = [*messages, _nudge(flaw)]
        raise AssertionError  # the loop returns or raises

    async def _whole(
        self,
        link: Link,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Ask until an answer arrives whole, or patience ends."""
        async with AsyncExitStack() as open_until_counted:

            async def ask() -> Json:
                await open_until_counted.enter_async_context(self._meter.asking())
                return await self._answered(link, messages, settings, parameters)

            # A recording answers the same again, in no time and for nothing.
            is_replay = link.model.system == "replay"
            told = (
                await ask() | {"seconds": 0.0}
                if is_replay
                else await step(self._step, ask, apart=True)
            )
            if "failed" in told:
                raise ENDS[told.get("kind", "")](told["failed"], hint=told["hint"])
            if "unavailable" in told:
                raise ProviderUnavailable(told["unavailable"], hint=told["hint"])
            response = _RESPONSE.validate_python(told["answer"])
            # When a run is taken up, another conversation may not have fallen back yet.
            link = self._all[told["link"]]
            self._met.add(link.whom)
            self._count(link, response, tries=told["tries"], seconds=told["seconds"])
        return response

    async def _answered(
        self,
        link: Link,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> Json:
        """Return an answer, or an end that stays one however often the run is taken up."""
        started, tries = time.monotonic(), 0
        try:
            async for attempt in self._retrying(link):
                with attempt:
                    tries += 1
                    if tries == 1:
                        await self._pause_of_others(link)
                    self._meter.require_left()
                    response = await self._once(link, messages, settings, parameters)
        except (TryAgain, ProviderUnavailable) as last:
            error = (
                unavailable(last, link.whom, tries=tries) if isinstance(last, TryAgain) else last
            )
            # The last of the chain is asked again when the run is taken up; the others are over.
            if link is self._all[-1]:
                raise error from last
            return {"unavailable": str(error), "hint": error.hint}
        except AgentFailed as error:
            kind = type(error).__name__
            return {"failed": str(error), "hint": error.hint, "kind": kind}
        answer = _RESPONSE.dump_python(response, mode="json")
        seconds = round(time.monotonic() - started, 3)
        number = self._all.index(link)
        return {"answer": answer, "tries": tries, "seconds": seconds, "link": number}

    async def _pause_of_others(self, link: Link) -> None:
        """Wait as long as the provider has told another conversation to wait."""
        left = self._quiet_until.get(link.whom, 0.0) - time.monotonic()
        if left > 0:
            await self._rest(left)

    async def _rest(self, seconds: float) -> None:
        with resting.get()():
            await self._patience.sleep(seconds)

    def _retrying(self, link: Link) -> AsyncRetrying:
        patience = self._patience

        def tries(state: RetryCallState) -> int:
            # An address where nobody ever answered is more often wrong than busy.
            error = state.outcome.exception() if state.outcome else None
            strange = isinstance(error, TryAgain) and error.unreached and link.whom not in self._met
            return min(patience.tries, patience.strange) if strange else patience.tries

        too_late = stop_before_delay(patience.seconds)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            after = error.after if isinstance(error, TryAgain) else None
            if after is not None:
                self._quiet_until[link.whom] = time.monotonic() + after
                return after
            return patience.jitter() if tries(state) == patience.tries else state.attempt_number

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self._record(
                ModelRetried(
                    role=self._role,
                    model=str(link.whom),
                    reason=str(error),
                    wait_seconds=round(state.upcoming_sleep, 1),
                    tried=state.attempt_number,
                    most=tries(state),
                )
            )

        return AsyncRetrying(
            retry=retry_if_exception_type(TryAgain),
            stop=lambda state: state.attempt_number >= tries(state) or too_late(state),
            wait=wait,
            sleep=self._rest,
            before_sleep=tell,
            reraise=True,
        )

    async def _once(
        self,
        link: Link,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        try:
            async with asyncio.timeout(self._choice.timeout_seconds):
                response = await self._received(link, messages, settings, parameters)
            self._require_whole(link, response)
        except (PrpError, TryAgain, UserError):
            raise
        except TimeoutError:
            raise TryAgain("the answer did not arrive in time") from None
        except (AgentRunError, OSError, ValueError, RuntimeError) as error:
            raise explained(error, link.whom) from error
        return response

    def _require_whole(self, link: Link, response: ModelResponse) -> None:
        """Raise `TryAgain` for half an answer; it is paid for all the same."""
        if link.model.system == "replay":
            return
        try:
            flaw_of(response, model=link.whom.model)
        except (PrpError, TryAgain):
            tokens = _tokens_of(response)
            self._meter.count(role=self._role, model=link.whom.model, tokens=tokens)
            raise

    async def _received(
        self,
        link: Link,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Stream an answer to its end: a silent connection is noticed, a long one is not."""
        if link.model.system == "replay" or asked_in_pieces(link.whom.model):
            return await link.model.request(messages, settings, parameters)
        size = 0
        async with link.model.request_stream(messages, settings, parameters) as stream:
            events = aiter(stream)
            while True:
                try:
                    async with asyncio.timeout(self._choice.idle_seconds):
                        event = await anext(events)
                except StopAsyncIteration:
                    return stream.get()
                size += _characters(event)
                if size > LONGEST_ANSWER:
                    raise AnswerUnusable(f"An answer of over {LONGEST_ANSWER:,} characters")

    def _requested(
        self, link: Link, settings: ModelSettings | None, limit: int | None
    ) -> ModelSettings:
        """Return what a request asks of its provider: length, and to keep the beginning cached."""
        merged: dict[str, Any] = dict(settings or {})
        name = link.whom.model
        if in_pieces := asked_in_pieces(name):
            merged["extra_body"] = {**(merged.get("extra_body") or {}), **in_pieces}
        if name.startswith("anthropic:"):
            # The tools stand before the instructions, and are cached with them.
            merged |= {
                "anthropic_cache_instructions": True,
                "anthropic_cache_messages": True,
                "max_tokens": limit or _USUAL_LIMIT,
            }
        elif name.startswith("openai") and link.whom.base_url is None:
            merged["openai_prompt_cache_key"] = self._cache_key
        if limit:
            merged["max_tokens"] = limit
        return cast("ModelSettings", merged)

    def _count(self, link: Link, response: ModelResponse, *, tries: int, seconds: float) -> None:
        tokens = _tokens_of(response)
        cost = self._meter.count(role=self._role, model=link.whom.model, tokens=tokens)
        self._record(
            ModelAnswered(
                role=self._role,
                model=link.whom.model,
                requests=tries,
                input_tokens=tokens.read,
                output_tokens=tokens.written,
                cache_read_tokens=tokens.cache_read,
                cache_write_tokens=tokens.cache_written,
                cost_usd=cost,
                seconds=seconds,
            )
        )
        for words in self._meter.newly_low():
            self._record(Noted(text=words, warning=True))


def _characters(event: Any) -> int:
    """Return how much of an answer an event brings; the first one of a part has words, too."""
    if event.event_kind == "part_start":
        return len(str(event.part))
    return len(str(getattr(event, "delta", "")))


def _tokens_of(response: ModelResponse) -> Tokens:
    usage = response.usage
    return Tokens(
        read=usage.input_tokens,
        written=usage.output_tokens,
        cache_read=usage.cache_read_tokens,
        cache_written=usage.cache_write_tokens,
    )


def _nudge(flaw: Flaw) -> ModelRequest:
    return ModelRequest(parts=[UserPromptPart(content=flaw.nudge)])
