"""Puts an answer together that arrives in pieces, before the provider's library sees it.

An answer is streamed so that a connection that fell silent is told from a model that thinks. For
nobody to look at, the library would build objects for each of its hundreds of pieces, a quarter of
a millisecond each; whole, an answer costs what one piece does.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any, TypeVar

import httpx2

from agent.llm.faults import AnswerUnusable, TryAgain
from agent.llm.flaws import LONGEST_ANSWER
from agent.llm.pieces import Collector, Json

_Client = TypeVar("_Client", bound=httpx2.AsyncClient)

# Bytes of a stream: what is around each piece of an answer is many times the piece.
_LONGEST_STREAM = 16 * LONGEST_ANSWER

# Seconds until a stream ends whose answer is complete.
_LAST_WORD = 0.1

# Kinds of errors that come within a stream, to the status of a refusal for the same reason.
_STATUS = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "context_length_exceeded": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
}


class Refused(Exception):  # noqa: N818 - not ours: what the provider said
    """The provider broke the stream off with an error."""

    def __init__(self, error: Json) -> None:
        """Keep what it said."""
        super().__init__(error.get("message"))
        kinds = (error.get("code"), error.get("type"))
        self.status = next((_STATUS[kind] for kind in map(str, kinds) if kind in _STATUS), 500)
        self.body = {"type": "error", "error": error}


def collecting(
    kind: type[_Client], collector: Callable[[], Collector], *, idle_seconds: float
) -> _Client:
    """Open a client to which an answer is there as a whole or not at all.

    Args:
        kind: The provider's own class of clients.
        collector: Puts an answer together, in the format that the provider speaks.
        idle_seconds: How long an answer may be silent.

    """

    class Collecting(kind):  # type: ignore[misc, valid-type]
        async def send(
            self, request: httpx2.Request, *, stream: bool = False, **options: Any
        ) -> httpx2.Response:
            answer: httpx2.Response = await super().send(request, stream=True, **options)
            if stream:
                return answer
            try:
                return await _whole(answer, collector(), idle_seconds)
            finally:
                await answer.aclose()

    return Collecting()


async def _whole(
    answer: httpx2.Response, collector: Collector, idle_seconds: float
) -> httpx2.Response:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "text/event-stream" and answer.is_success:
        try:
            return _told(answer, 200, await _collected(answer, collector, idle_seconds))
        except Refused as refusal:
            return _told(answer, refusal.status, refusal.body)
    await answer.aread()
    if answer.is_success and not kind.endswith("json"):
        raise TryAgain(f"the answer is no JSON: {answer.text[:80]!r}")
    return answer


async def _collected(answer: httpx2.Response, collector: Collector, idle_seconds: float) -> Json:
    events = _Events()
    async with aclosing(_heard(answer, idle_seconds)) as pieces:
        async for piece in pieces:
            with _of_its_format():
                for event in events.ended_by(piece):
                    collector.take(event)
            if collector.size > LONGEST_ANSWER:
                raise AnswerUnusable(f"An answer of over {LONGEST_ANSWER:,} characters")
            if events.are_over or collector.is_over:
                await _heard_to_its_end(pieces)
                break
    with _of_its_format():
        return collector.whole()


async def _heard_to_its_end(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows the answer, mostly nothing: then the next request finds a connection."""
    with suppress(TimeoutError, TryAgain):
        async with asyncio.timeout(_LAST_WORD):
            async for _ in pieces:
                pass


@contextmanager
def _of_its_format() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise TryAgain(f"the answer does not keep to its format: {error!r}") from error


def _told(answer: httpx2.Response, status: int, body: Json) -> httpx2.Response:
    """Return an answer as if it had come in one piece."""
    of_pieces = ("content-type", "content-length", "content-encoding", "transfer-encoding")
    headers = [(name, value) for name, value in answer.headers.items() if name not in of_pieces]
    return httpx2.Response(status, headers=headers, json=body, request=answer.request)


async def _heard(answer: httpx2.Response, idle_seconds: float) -> AsyncGenerator[bytes]:
    """Yield what arrives; silence is an error, and so is a stream that never ends."""
    arriving, size = aiter(answer.aiter_bytes()), 0
    while size <= _LONGEST_STREAM:
        try:
            async with asyncio.timeout(idle_seconds):
                piece = await anext(arriving)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TryAgain(f"the answer fell silent for {idle_seconds:g} s") from None
        except httpx2.TransportError as error:
            raise TryAgain(f"the connection broke off: {error}") from error
        size += len(piece)
        yield piece
    raise AnswerUnusable(f"An answer of over {_LONGEST_STREAM:,} bytes")


class _Events:
    """Reads server-sent events from a stream that is cut anywhere."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._data: list[bytes] = []
        self.are_over = False

    def ended_by(self, piece: bytes) -> Iterator[Json]:
        """Yield the data of the events that end with the next bytes of the stream."""
        first, *others = piece.split(b"\n")
        self._begun.append(first)
        for following in others:
            line = b"".join(self._begun).rstrip(b"\r")
            self._begun = [following]
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif not line and self._data:
                words = b"\n".join(self._data)
                self._data = []
                if words == b"[DONE]":
                    self.are_over = True
                    return
                yield _read(words)


def _read(words: bytes) -> Json:
    try:
        event = json.loads(words)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise TryAgain("the answer holds an event that is no JSON object")
    if isinstance(error := event.get("error"), dict):
        raise Refused(error)
    if event.get("type") == "error":
        # The Responses API has what went wrong beside the type.
        raise Refused({**event, "type": None})
    return event
