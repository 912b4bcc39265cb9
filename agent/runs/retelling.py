"""A run that is taken up tells its beginning again; nobody needs to hear that twice."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.journal import Event, HostAsked, Record, SetupFinished, as_json
from agent.steps import keeper

_OF_THE_JOURNAL = ("v", "seq", "at")
# They come from outside of the steps: told again, they happened again.
_EVERY_TIME = (SetupFinished, HostAsked)


class Retelling:
    """Passes on what is new, and keeps back what the journal has already."""

    def __init__(self, told: Iterable[Mapping[str, Any]], record: Record) -> None:
        """Begin with the events of the journal."""
        self._left = Counter(_words(event) for event in told)
        self._record = record

    def __call__(self, event: Event) -> None:
        """Record an event, unless it stands in the journal as often as it has happened."""
        # Within a step everything is new: a finished one is not done again.
        if keeper.get() is not None and not isinstance(event, _EVERY_TIME):
            words = _words(as_json(event, sequence=0))
            if self._left[words]:
                self._left[words] -= 1
                return
        self._record(event)


def _words(event: Mapping[str, Any]) -> str:
    told = {name: value for name, value in event.items() if name not in _OF_THE_JOURNAL}
    return json.dumps(told, sort_keys=True)


def minutes_of(events: Sequence[Mapping[str, Any]]) -> float:
    """Return how long a run was worked on, the time between its processes left out."""
    total, began, last = 0.0, None, 0.0
    for event in events:
        if event["type"] in ("run-started", "run-resumed") or began is None:
            total += last - began if began is not None else 0.0
            began = event["at"]
        last = event["at"]
    return max(0.0, total + (last - began if began is not None else 0.0)) / 60
