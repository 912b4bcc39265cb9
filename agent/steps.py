"""Steps: what was done once is not done again when a run is taken up after a crash.

Code that asks a model, runs a command or commits says so with `step`. Where nobody keeps steps (a
test, `prp verify`, `prp plan`) a step is simply done. A durable run keeps what each step came to,
and when it is taken up again it gets that back instead of doing the step once more. Everything
between steps runs again, so it must come out the same: no clock, no dice, no file that others
change.
"""

import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol

Json = Any
"""What JSON can say; tuples come back as lists."""


class Keeper(Protocol):
    """Keeps what steps came to."""

    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[Json]],
        redo: Callable[[], object] | None,
        *,
        settles: bool,
    ) -> Json:
        """Return what the step came to, now or before the crash."""

    def token(self) -> str:
        """Return what nobody can foresee, and the same again when the run is taken up."""


keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)
"""Who keeps the steps of the run that this code belongs to; None where nobody does, or where the
code is part of a step."""


async def step(
    name: str,
    do: Callable[[], Awaitable[Json]],
    *,
    redo: Callable[[], object] | None = None,
    settles: bool = False,
) -> Json:
    """Do a step, or return what it came to before.

    Args:
        name: What it is, in few words; it must be the same when the run is taken up again.
        do: Does it and returns what JSON can say. When it raises nothing is kept: the step is
            done again. A step that was cut off half-way is done again too.
        redo: Brings back what it did to the worktree, where the worktree was lost; a command is
            run once more, on what stood there before.
        settles: Whether everything that was done to the worktree so far is safe with it.

    """
    kept_by = keeper.get()
    return await (do() if kept_by is None else kept_by.step(name, do, redo, settles=settles))


def new_token() -> str:
    """Return 16 hex digits that nobody can foresee; a run that is taken up gets the same again."""
    kept_by = keeper.get()
    return secrets.token_hex(8) if kept_by is None else kept_by.token()
