"""What ran again within attempts, between a repair and the verdict, and what waited for that."""

from collections.abc import Iterable, Mapping

from agent.deliver.story import Story


def ran_again(story: Story) -> list[str]:
    """Return a sentence for each time, with the checks that did not run then, and why."""
    return [
        f"Attempt {event['attempt']}, after repair {event['turn']}: "
        f"{_grouped(event['checks'].items())}{waiting(event['left_out'])}"
        for event in story.again
    ]


def waiting(left_out: Mapping[str, str]) -> str:
    """Return which checks did not run again before the verdict, and why; nothing where all did."""
    if not left_out:
        return ""
    return f"; not run again before the verdict, which runs all: {_grouped(left_out.items())}"


def _grouped(told: Iterable[tuple[str, str]]) -> str:
    """Return names with what is told of them, the same words once."""
    names: dict[str, list[str]] = {}
    for name, words in told:
        names.setdefault(words, []).append(name)
    return "; ".join(f"{', '.join(these)} {words}" for words, these in names.items())
