"""Whether a text holds one of several signs: what is asked before an expression is."""

from collections.abc import Iterable


def has_any(text: str, signs: Iterable[str]) -> bool:
    """Return whether one of several signs stands in a text."""
    for sign in signs:  # noqa: SIM110 - half the time of `any`, asked hundreds of times a document
        if sign in text:
            return True
    return False
