"""Puts the pieces of an answer together, in each of the formats that providers stream."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

from agent.llm.faults import TryAgain

Json: TypeAlias = dict[str, Any]

_IN_PIECES: Mapping[str, Json] = {
    "anthropic": {"stream": True},
    "openai": {"stream": True},
    "openai-responses": {"stream": True},
    "openai-chat": {"stream": True, "stream_options": {"include_usage": True}},
}


def asked_in_pieces(model: str) -> Json | None:
    """Return what a request holds whose answer is put together here; None for other providers.

    Args:
        model: `provider:model`.

    """
    return _IN_PIECES.get(model.partition(":")[0])


class Collector(Protocol):
    """Puts an answer of one format together."""

    size: int
    """Characters so far."""
    is_over: bool
    """Whether nothing of the answer can follow."""

    def take(self, event: Json) -> None:
        """Take the next event of the stream."""

    def whole(self) -> Json:
        """Return the answer as the provider gives it to who does not stream.

        Raises:
            TryAgain: The stream ended before the answer did.

        """


class _Growing:
    """A part of an answer; its texts come in pieces, each of which is joined once."""

    # Said again with every piece by some servers.
    _SAID_ONCE = frozenset({"id", "index", "name", "role", "type"})

    def __init__(self, begun: Json) -> None:
        self._begun = dict(begun)
        self._pieces: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, more: Json) -> int:
        """Take what a piece brings, and return how many characters that is."""
        size = 0
        for name, value in more.items():
            if isinstance(value, str) and name not in self._SAID_ONCE:
                self._pieces[name].append(value)
                size += len(value)
            elif isinstance(value, list):
                self._begun[name] = [*(self._begun.get(name) or ()), *value]
            elif value not in (None, ""):
                self._begun[name] = value
        return size

    def whole(self) -> Json:
        texts = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        return self._begun | {
            name: (self._begun.get(name) or "") + text for name, text in texts.items()
        }


class Completion:
    """An answer of OpenAI's Chat Completions and of servers that speak like it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.size, self.is_over = 0, False
        self._beside: Json = {}
        self._message = _Growing({"role": "assistant", "content": None})
        self._calls: dict[Any, tuple[_Growing, _Growing]] = {}
        self._reason: str | None = None

    def take(self, event: Json) -> None:
        """Take a chunk."""
        self._beside |= {name: value for name, value in event.items() if value is not None}
        for choice in event.get("choices") or ():
            # One answer is asked for.
            if not choice.get("index"):
                self._reason = choice.get("finish_reason") or self._reason
                delta = dict(choice.get("delta") or {})
                for call in delta.pop("tool_calls", None) or ():
                    self._take_call(call)
                self.size += self._message.add(delta)

    def _take_call(self, piece: Json) -> None:
        place = piece.get("index")
        if place is None:
            # Some servers don't number them: then a name begins one.
            place = len(self._calls) - (0 if (piece.get("function") or {}).get("name") else 1)
        if place not in self._calls:
            begun = {"id": f"call_{uuid4().hex}", "type": "function"}
            self._calls[place] = _Growing(begun), _Growing({"arguments": ""})
        call, function = self._calls[place]
        self.size += function.add(piece.get("function") or {})
        call.add({name: piece[name] for name in ("id", "type") if name in piece})

    def whole(self) -> Json:
        """Return a completion."""
        if not self._reason:
            raise _ended_early()
        message = self._message.whole()
        if self._calls:
            message["tool_calls"] = [
                call.whole() | {"function": function.whole()}
                for call, function in self._calls.values()
            ]
        choice = {"index": 0, "finish_reason": self._reason, "message": message}
        return self._beside | {"object": "chat.completion", "choices": [choice]}


class Response:
    """An answer of OpenAI's Responses, whose last event holds all of it."""

    _LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})

    def __init__(self) -> None:
        """Begin with nothing."""
        self.size, self.is_over = 0, False
        self._response: Json | None = None
        self._items: dict[int, Json] = {}

    def take(self, event: Json) -> None:
        """Take an event."""
        kind = event.get("type")
        if kind in self._LAST:
            self._response, self.is_over = event["response"], True
        elif kind == "response.output_item.done":
            self._items[event["output_index"]] = event["item"]
        elif isinstance(delta := event.get("delta"), str):
            self.size += len(delta)

    def whole(self) -> Json:
        """Return a response."""
        if self._response is None:
            raise _ended_early()
        # Some servers leave away at the end what they have said before.
        output = self._response.get("output") or [self._items[at] for at in sorted(self._items)]
        return self._response | {"output": output}


class Message:
    """An answer of Anthropic's Messages."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.size, self.is_over = 0, False
        self._message: Json | None = None
        self._blocks: dict[int, _Growing] = {}

    def take(self, event: Json) -> None:
        """Take an event."""
        match event:
            case {"type": "message_start", "message": dict(begun)}:
                self._message = begun
            case {"type": "content_block_start", "index": int(at), "content_block": dict(block)}:
                self._blocks[at] = _Growing(block)
            case {"type": "content_block_delta", "index": int(at), "delta": dict(delta)}:
                self.size += self._blocks[at].add(_without_kind(delta))
            case {"type": "message_delta"} if self._message is not None:
                used = {name: n for name, n in (event.get("usage") or {}).items() if n is not None}
                self._message |= event.get("delta") or {}
                self._message["usage"] = (self._message.get("usage") or {}) | used
            case {"type": "message_stop"}:
                self.is_over = True

    def whole(self) -> Json:
        """Return a message; one that was broken off has no `stop_reason`."""
        if self._message is None:
            raise _ended_early()
        blocks = [_with_input(self._blocks[at].whole()) for at in sorted(self._blocks)]
        return self._message | {"content": blocks}


_INPUT = "partial_json"


def _without_kind(delta: Json) -> Json:
    """Return what a delta adds: texts under the names of what they add to, citations as a list."""
    added = {name: value for name, value in delta.items() if name != "type"}
    if "citation" in added:
        added["citations"] = [added.pop("citation")]
    return added


def _with_input(block: Json) -> Json:
    """Return a block whose input, if it is a call of a tool, is read."""
    words = block.pop(_INPUT, "")
    if words:
        try:
            block["input"] = json.loads(words)
        except ValueError:
            # The model is told so by who carries the call out.
            block["input"] = words
    return block


def _ended_early() -> TryAgain:
    return TryAgain("the stream ended before the answer did")
