"""Runs `prp` and kills it, with SIGKILL, right after its Nth event: `python killed.py N ARGUMENTS`.

With `step` before the number it is killed when its Nth step is done and nobody knows of it yet.
That a command began, and what it may cost, count with `any` before the number only: what comes of
it is told, too.
"""

import os
import signal
import sys
from typing import Any

import agent.cli
from agent import journal

_ASIDE = (journal.CommandStarted, journal.Estimated)


def _kill_at(number: int, what: Any, *, any_event: bool) -> Any:
    seen = 0

    def counted(keeper: Any, event: Any) -> Any:
        nonlocal seen
        came = what(keeper, event)
        seen += any_event or not isinstance(event, _ASIDE)
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return came

    return counted


def _in_steps(number: int) -> None:
    from agent.runs import durable

    seen, step = 0, durable.Steps.step

    async def counted(self: Any, name: str, do: Any, redo: Any, **how: bool) -> Any:
        async def killed() -> Any:
            nonlocal seen
            came = await do()
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return came

        return await step(self, name, killed, redo, **how)

    durable.Steps.step = counted  # type: ignore[method-assign]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "step":
        _in_steps(int(arguments[1]))
        arguments = arguments[2:]
    else:
        any_event = arguments[0] == "any"
        number, *arguments = arguments[any_event:]
        own = _kill_at(int(number), journal.Journal.record, any_event=any_event)
        journal.Journal.record = own  # type: ignore[method-assign]
    sys.argv = ["prp", *arguments]
    agent.cli.main()
