"""A conversation as it is sent: without secrets, and not longer than its model reads."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelRequest

from agent.llm.compaction import Room, compacted, size_of
from agent.masking import Mask


@dataclass(frozen=True)
class _Known:
    """A message that was sent before."""

    message: ModelMessage
    """The original; without it, its place in memory could become another message's."""
    masked: ModelMessage
    size: int
    """Characters of the masked one."""


class Fitting:
    """Makes conversations fit; each of their messages is looked through once.

    Otherwise every turn would cost more than the one before.
    """

    def __init__(self, mask: Mask) -> None:
        """Know no message yet."""
        self._mask = mask
        self._known: dict[int, _Known] = {}

    def __call__(self, messages: Sequence[ModelMessage], room: Room) -> list[ModelMessage]:
        """Return what may be sent of a conversation."""
        for message in messages:
            if id(message) not in self._known:
                masked = _without_secrets(message, self._mask)
                self._known[id(message)] = _Known(message, masked, size_of([masked]))
        known = [self._known[id(message)] for message in messages]
        told = [one.masked for one in known]
        is_short = sum([one.size for one in known]) <= room.most
        return told if is_short else compacted(told, room)


def _without_secrets(message: ModelMessage, mask: Mask) -> ModelMessage:
    """Return a message without secrets; what the model said itself stays as its provider signed it.

    The same text gives the same text again, so that the provider's cache still knows it.
    """
    if not isinstance(message, ModelRequest):
        return message
    parts = [_masked_part(part, mask) for part in message.parts]
    return dataclasses.replace(message, parts=parts)


def _masked_part(part: Any, mask: Mask) -> Any:
    content = getattr(part, "content", None)
    if isinstance(content, str | list | tuple | dict):
        masked = mask.all_in(content)
        return part if masked == content else dataclasses.replace(part, content=masked)
    return part
