"""What a run says in plain lines."""

import io

from agent.cli.progress import Progress
from agent.journal import HostAsked, Noted


def test_what_is_asked_over_and_over_is_said_once() -> None:
    """An installer asks for its registry five times; another line in between is news."""
    refused = HostAsked(
        stage="setup",
        host="registry.example",
        port=443,
        address="",
        state="refused",
        reason="it is not allowed",
        sent=0,
        received=0,
        seconds=0.0,
    )
    stream = io.StringIO()
    say = Progress(stream)
    for event in (refused, refused, refused, Noted(text="begun"), refused):
        say(event)
    said = [line.split("  ", 1)[1].split()[0] for line in stream.getvalue().splitlines()]
    assert len(said) == 3
    assert said[0] == said[2]
