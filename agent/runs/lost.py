"""What was paid for and is lost, where work that keeps no steps is stopped on its way."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from agent.deliver.story import Usage
from agent.errors import Exit, PrpError
from agent.journal import Event, ModelAnswered, Record, as_json
from agent.runs.signals import with_signals

_Result = TypeVar("_Result")


class Stopped(PrpError):  # noqa: N818 - what the person wanted
    """The person or the system ended it."""

    def __init__(self, signal: Exit, *, hint: str) -> None:
        """Say which signal it was, by the exit status that stands for it."""
        name = "Ctrl-C" if signal is Exit.INTERRUPTED else "SIGTERM or a closed terminal"
        super().__init__(f"stopped by {name}", hint=hint)
        self.exit_status = signal


class Paid:
    """Counts the answers that were paid for, on their way to whoever listens."""

    def __init__(self, listen: Record) -> None:
        """Begin with none."""
        self._listen, self._usage = listen, Usage()

    def __call__(self, event: Event) -> None:
        """Count an event, and pass it on."""
        if isinstance(event, ModelAnswered):
            self._usage.add(as_json(event, sequence=0))
        self._listen(event)

    def lost(self, what: str) -> str:
        """Return in words what is lost when `what` ends now; nothing where nothing was paid."""
        used = self._usage
        if not used.answers:
            return ""
        tokens = used.input_tokens + used.output_tokens
        cost = "price unknown" if used.cost_usd is None else f"US$ {used.cost_usd:.2f}"
        many = f"{used.answers} model answer{'s' if used.answers > 1 else ''}"
        are = "are" if used.answers > 1 else "is"
        return f"{many} ({tokens:,} tokens, {cost}) {are} lost: {what} keeps none and begins anew."


def whole_or_lost(
    what: str, listen: Record, do: Callable[[Record], Coroutine[Any, Any, _Result]]
) -> _Result:
    """Do what keeps no steps, and say what is lost where it comes to no end.

    Args:
        what: The command, as the person typed it.
        listen: Is told of every event.
        do: The work; its events go to the function that it gets.

    Raises:
        PrpError: As the work raised it, its hint with what is lost; `Stopped` after a signal.

    """
    paid = Paid(listen)
    try:
        found = with_signals(lambda: do(paid))
    except PrpError as error:
        error.hint = f"{error.hint} {paid.lost(what)}".strip()
        raise
    if isinstance(found, Exit):
        raise Stopped(found, hint=paid.lost(what))
    return found
