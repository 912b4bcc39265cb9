"""What an event is about: which task, of which candidate, where several go on at the same time."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from agent.journal.events import Event, Record

_about: ContextVar[dict[str, int]] = ContextVar("about", default={})  # noqa: B039 - never changed


@contextmanager
def about(**numbers: int) -> Iterator[None]:
    """Let the events of what happens inside say what they are about: `task=3`."""
    before = _about.set(_about.get() | numbers)
    try:
        yield
    finally:
        _about.reset(before)


def at_hand() -> dict[str, int]:
    """Return the numbers of what is at hand: `{"task": 3}`; what has no number is left out."""
    return {name: number for name, number in _about.get().items() if number}


def naming(record: Record) -> Record:
    """Return what records events with the task and the candidate that they are about."""

    def named(event: Event) -> None:
        known = {field.name for field in dataclasses.fields(event)}
        missing = {
            name: number
            for name, number in _about.get().items()
            if name in known and not getattr(event, name)
        }
        again: Any = dataclasses.replace
        record(again(event, **missing) if missing else event)

    return named
