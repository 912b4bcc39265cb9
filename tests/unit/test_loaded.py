"""What a worker's runs are copied from."""

import subprocess
import sys

LOOK = """
import agent.runs.fleet.loaded, signal, sys, threading
print(threading.active_count())
print(signal.getsignal(signal.SIGTERM).name)
print(*sorted({"anthropic", "openai", "dbos", "pydantic_ai.agent", "git"} - sys.modules.keys()))
"""


def test_it_has_everything_heavy_and_can_be_copied() -> None:
    """A copy has one thread only: what another one held would be held for ever."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOOK], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:3] == ["1", "SIG_IGN", ""]
