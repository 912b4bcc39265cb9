"""A conversation that grows too long loses old tool results, and nothing before them changes."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelRequestPart, ToolReturnPart


@dataclass(frozen=True, kw_only=True)
class Room:
    """How long a conversation may become; characters, about four of them a token."""

    most: int = 480_000
    """Where old results are left out."""
    until: int = 160_000
    """How far it is brought down then: each time costs the provider's cache once."""
    kept: int = 8
    """The last messages, of which nothing is left out."""
    short: int = 400
    """Results up to this length stay: what would stand for them is no shorter."""

    def below(self, size: int) -> "Room":
        """Return a room for a model that could not read a conversation of so many characters."""
        return Room(most=size // 2, until=size // 4, kept=2, short=self.short)


USUAL = Room()


def compacted(messages: Sequence[ModelMessage], room: Room = USUAL) -> list[ModelMessage]:
    """Return a conversation that fits: PRP, plan and task first, as they were, then what is left.

    What is left out is decided message by message, as if each had just come. So a longer
    conversation begins with the same text as the shorter one, until the next time it has to be
    brought down.
    """
    sizes = [size_of([message]) for message in messages]
    told: list[ModelMessage] = []
    total, next_out = 0, 1
    for size, message in zip(sizes, messages, strict=True):
        told.append(message)
        total += size
        if total <= room.most:
            continue
        while total > room.until and next_out < len(told) - room.kept:
            shorter = _without_results(told[next_out], room.short)
            total -= size_of([told[next_out]]) - size_of([shorter])
            told[next_out] = shorter
            next_out += 1
    return told


def size_of(messages: Sequence[ModelMessage]) -> int:
    """Return how many characters a conversation has."""
    return sum(
        len(str(getattr(part, "content", "") or getattr(part, "args", "")))
        for message in messages
        for part in message.parts
    )


def _without_results(message: ModelMessage, short: int) -> ModelMessage:
    if not isinstance(message, ModelRequest):
        return message
    parts = [_shorter(part, short) for part in message.parts]
    return dataclasses.replace(message, parts=parts)


def _shorter(part: ModelRequestPart, short: int) -> ModelRequestPart:
    if type(part) is not ToolReturnPart or len(said := str(part.content)) <= short:
        return part
    return dataclasses.replace(part, content=_stand_in(said))  # type: ignore[arg-type] # by its class


def _stand_in(content: str) -> str:
    first, lines = content.split("\n", 1)[0][:200], content.count("\n") + 1
    return (
        f"{first}\n[{lines} lines left out, the conversation is long: ask again if you need them]"
    )
