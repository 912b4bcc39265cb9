"""Runs `prp` and kills it, with SIGKILL, right after its Nth event: `python killed.py N ARGUMENTS`.

With `step` before the number it is killed when its Nth step is done and nobody knows of it yet.
"""

import os
import signal
import sys
from typing import Any

import agent.cli
from agent import journal


def _kill_at(number: int, what: Any) -> Any:
    seen = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal seen
        came = what(*given, **named)
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return came

    return counted


def _in_steps(number: int) -> None:
    from agent.runs import durable

    seen, step = 0, durable.Steps.step

    async def counted(self: Any, name: str, do: Any, redo: Any, *, settles: bool) -> Any:
        async def killed() -> Any:
            nonlocal seen
            came = await do()
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return came

        return await step(self, name, killed, redo, settles=settles)

    durable.Steps.step = counted  # type: ignore[method-assign]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "step":
        _in_steps(int(arguments[1]))
        arguments = arguments[2:]
    else:
        own = journal.Journal.record
        journal.Journal.record = _kill_at(int(arguments[0]), own)  # type: ignore[method-assign]
        arguments = arguments[1:]
    sys.argv = ["prp", *arguments]
    agent.cli.main()
