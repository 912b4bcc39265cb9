"""Work on many documents, spread over the machine's cores."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from agent.errors import PrpError

_In = TypeVar("_In")
_Out = TypeVar("_Out")

# To start a process takes as long as to lint a few documents.
_WORTH_IT = 24
_AT_ONCE = 8
_MOST = 8


def side_by_side(work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
    """Yield what the work makes of each item, in their order; many are shared out to processes.

    Args:
        work: A function of a module, bound to what can be pickled.
        items: What it works on.

    Raises:
        PrpError: The work raised it; what comes before in order is yielded first.

    """
    processes = min(_cores(), _MOST, len(items) // _WORTH_IT + 1)
    if processes == 1:
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - few calls need it
    from multiprocessing import get_context  # noqa: PLC0415

    # A fork knows all that is loaded; elsewhere it is not safe, or not to be had.
    way = get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(processes, mp_context=way, initializer=_leave_interrupts) as pool:
        came = pool.map(partial(_tried, work), items, chunksize=_AT_ONCE)
        try:
            for item, results in zip(items, came, strict=True):
                # Our errors can't be sent; they come about again here.
                yield results[0] if results else work(item)
        finally:
            pool.shutdown(cancel_futures=True)


def _tried(work: Callable[[_In], _Out], item: _In) -> tuple[_Out, ...]:
    try:
        return (work(item),)
    except PrpError:
        return ()


def _leave_interrupts() -> None:
    """Let Ctrl-C end the process that the person started, which then ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
