"""A run told by its journal, over all that it was stopped and taken up."""

from typing import Any

import pytest

from agent.deliver import tell

BEGUN = {"type": "run-started", "at": 1000.0}
RESUMED = {"type": "run-resumed", "at": 5000.0, "after": "it was killed"}
LATER = {"type": "noted", "text": "on", "at": 5020.0}
ENDED = {"type": "run-ended", "outcome": "proven", "seconds": 30.0, "at": 5030.0}


@pytest.mark.parametrize(
    ("before", "seconds"),
    [
        pytest.param([], 0, id="nothing happened"),
        pytest.param([{"type": "noted", "text": "x", "at": 1010.0}], 10, id="it was killed"),
        pytest.param([ENDED | {"seconds": 12.0, "at": 1012.0}], 12, id="it was interrupted"),
    ],
)
def test_what_was_worked_before_it_was_taken_up_counts_and_the_pause_does_not(
    before: list[dict[str, Any]], seconds: float
) -> None:
    """Given a run that stopped, when it goes on an hour later, then both parts are added."""
    assert tell([BEGUN, *before]).seconds == seconds
    assert tell([BEGUN, *before, RESUMED, LATER]).seconds == seconds + 20
    assert tell([BEGUN, *before, RESUMED, LATER, ENDED]).seconds == seconds + 30
    more = RESUMED | {"at": 9000.0}
    assert tell([BEGUN, *before, RESUMED, ENDED, more, LATER | {"at": 9001.0}]).seconds == (
        seconds + 31
    )
