"""The rows of checks: those that did not run, all for the same reason, are folded into one."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.deliver.story import Story

_FOLDED = ("gated", "not run")
_FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Checks that stand together: one by itself, or several that did not run."""

    checks: tuple[str, ...]
    state: str = ""
    """Why they are folded, empty for one by itself: `gated` or `not run`."""
    reason: str = ""

    @property
    def in_words(self) -> str:
        """Return what is folded away, in one line."""
        ids = self.checks
        named = ", ".join(ids) if len(ids) <= _FEWEST else f"{ids[0]} to {ids[-1]}"
        why = self.reason or "the run ended before their turn"
        return f"{len(ids)} checks were not run ({named}): {why}"


def rows_of(story: Story) -> Iterator[Rows]:
    """Yield all checks of a run in their order; what is folded stands where its first one stood."""
    names = list(dict.fromkeys(name for events in story.checks.values() for name in events))
    latest = story.checks.get(f"attempt {story.delivered}") or dict(
        pair for events in story.checks.values() for pair in events.items()
    )
    together: dict[tuple[str, str], list[str]] = {}
    for name in names:
        if name in latest and latest[name]["state"] in _FOLDED and not _own_reason(story, name):
            key = (latest[name]["state"], latest[name]["reason"])
            together.setdefault(key, []).append(name)
    folded = {
        name: (key, group)
        for key, group in together.items()
        if len(group) >= _FEWEST
        for name in group
    }
    for name in names:
        if name not in folded:
            yield Rows(checks=(name,))
        elif folded[name][1][0] == name:
            (state, reason), group = folded[name]
            yield Rows(checks=tuple(group), state=state, reason=reason)


def _own_reason(story: Story, name: str) -> bool:
    """Return whether a check that waits could not have run anyway, for a reason of its own."""
    states = [events[name]["state"] for events in story.checks.values() if name in events]
    return "gated" in states and "not run" in states
