"""Signals: the first one ends the work in order, a second Ctrl-C ends it now."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from agent.errors import Exit

_Result = TypeVar("_Result")
STATUS = {"SIGINT": Exit.INTERRUPTED}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Who sends SIGTERM sends SIGKILL ten seconds later.
_LATEST_END = 8.0

Gently = Callable[[Callable[[], None]], None]
"""Takes a function to call instead of beginning a further step."""


class _Watch:
    """What becomes of a task when signals come."""

    def __init__(self, task: "asyncio.Future[Any]", gently: Gently | None) -> None:
        self.came: list[signal.Signals] = []
        self._task, self._gently = task, gently
        self._is_ending = False

    def stop(self, number: signal.Signals) -> None:
        self.came.append(number)
        again = len(self.came) > 1
        if self._gently is None or (again and number == signal.SIGINT):
            self.end_now()
        elif not again:
            self._gently(self.end_now)
            if number == signal.SIGINT:
                _say("ending after this step; Ctrl-C again ends it now")
            else:
                asyncio.get_running_loop().call_later(_LATEST_END, self.end_now)

    def end_now(self) -> None:
        # A further signal must not end the tidying up that this begins.
        if not self._is_ending:
            self._is_ending = True
            self._task.cancel(self.came[0].name)


def with_signals(
    run: Callable[[], Coroutine[Any, Any, _Result]], *, gently: Gently | None = None
) -> _Result | Exit:
    """Run to the end, or end early and in order at SIGINT, SIGTERM and SIGHUP.

    Args:
        run: The work.
        gently: How the work is told to end before its next step; without it the first signal ends
            it at once.

    """

    async def watched() -> _Result | Exit:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(run())
        watch = _Watch(task, gently)
        for number in _SIGNALS:
            loop.add_signal_handler(number, watch.stop, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        try:
            return await task
        except asyncio.CancelledError:
            for number in watch.came:
                # The report is still to be written when the loop has given its handlers back.
                signal.signal(number, signal.SIG_IGN)
            return STATUS.get(watch.came[0].name if watch.came else "SIGINT", Exit.TERMINATED)

    return asyncio.run(watched())


@contextmanager
def kept_for_later() -> Iterator[None]:
    """Keep signals that come before `with_signals` listens: they end its work, not the process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
