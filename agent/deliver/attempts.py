"""Which attempt a report shows where there was a later one, why, and what the other one mended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.deliver.findings import tests_of
from agent.deliver.standing import failing, joined
from agent.deliver.story import Story

_NAMED = 5


def passed_over(story: Story) -> list[str]:
    """Return of each attempt after the one that is delivered how it compares, in words."""
    return [_compared(story, number) for number in story.verdicts if number > story.delivered]


def not_judged(story: Story) -> str:
    """Return what the branch holds beyond the last verdict, where a run stopped on its way."""
    verdict, tip = story.verdicts.get(story.delivered), story.ended.get("commit")
    if not (verdict and tip and story.ended.get("can_go_on")) or verdict["commit"] == tip:
        return ""
    return (
        f"This is the verdict on attempt {story.delivered}, commit {verdict['commit'][:12]}; what "
        f"was done since, up to {tip[:12]}, has none yet."
    )


def checks_after(story: Story, attempt: int) -> str:
    """Return what the checks said on an attempt's last commit, in a few words."""
    results = story.checks.get(f"attempt {attempt}", {}).values()
    if attempt not in story.verdicts or not results:
        return ""
    names: dict[str, list[str]] = {}
    for event in results:
        names.setdefault(event["state"], []).append(event["check"])
    return ", ".join(
        f"{len(those)} {'not run' if state == 'gated' else state}"
        f"{f' ({_listed(those)})' if state not in _QUIET else ''}"
        for state, those in names.items()
    )


_QUIET = ("passed", "gated", "not run")


def _compared(story: Story, number: int) -> str:
    kept, other = _counts(story, story.delivered), _counts(story, number)
    told = joined([f"{count} {name}" for count, name in zip(other, _COUNTED, strict=True)])
    if kept == other:
        why = f"has {told} as well; of equals the earlier one is kept"
    else:
        why = f"has {told}, against {joined([str(count) for count in kept])}"
        why += "; checks count first, then criteria, then tests" if kept < other else ""
    commit = story.verdicts[number]["commit"][:12]
    at = story.verdicts[story.delivered]["commit"][:12]
    return (
        f"Attempt {number} {why}. {_changed(story, number)} Its changes are not below: "
        f"`git diff {at} {commit}` shows what it did beyond attempt {story.delivered}."
    )


_COUNTED = ("failing checks", "failing criteria", "failing tests")


def _counts(story: Story, attempt: int) -> tuple[int, int, int]:
    criteria = story.criteria.get(attempt, {}).values()
    failed = sum(event["status"] == "failed" for event in criteria)
    checks = failing(story, attempt)
    tests = {one.test for event in checks for one in tests_of(event["output"])}
    return len(checks), failed, len(tests)


def _changed(story: Story, number: int) -> str:
    before, after = (_failures(failing(story, n)) for n in (story.delivered, number))
    mended = [name for name in before if name not in after]
    broken = [name for name in after if name not in before]
    parts = [
        *([f"It mended {_listed(mended)}"] if mended else ["It mended nothing that failed"]),
        *([f"newly fails {_listed(broken)}"] if broken else []),
    ]
    return f"{'; '.join(parts)}."


def _failures(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what fails: tests by their names, and checks whose output names none."""
    found: dict[str, None] = {}
    for event in events:
        tests = [one.test.rsplit("::", 1)[-1] for one in tests_of(event["output"])]
        found |= dict.fromkeys(tests or [event["check"]])
    return list(found)


def _listed(names: Sequence[str]) -> str:
    left = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {left} more" if left > 0 else "")
