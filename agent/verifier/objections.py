"""What speaks against a branch although its checks pass."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """What an objection does to the verdict."""

    NOTED = "noted"
    """Told, and nothing else."""
    ASKED = "asked"
    """A person has to say whether it is meant; until then nothing is proven."""
    REFUSED = "refused"
    """The verdict is a failure, and the coder is told why."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """One thing in the changes of a branch that checks do not see."""

    weight: Weight
    place: str
    """Where it is: `path:line`, or `path::test` for a test."""
    what: str
    """What is wrong there and why it counts, one sentence without its full stop."""

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.place}: {self.what}"
