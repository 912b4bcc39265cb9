"""What still stands open in a run: the checks that fail, the criteria without evidence, and why."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.deliver.findings import findings_of, tests_of
from agent.deliver.story import Story

_CHECK_FIRST = re.compile(r"((?:L\d+|X)\.\d+) ")
_LAST = 99
WITH_THEM = "Fails with these checks"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that keeps a run from being proven."""

    id: str
    row: str
    """The row of the report that tells more: `check-L1.1`, `criterion-C1`, `against`."""
    text: str
    """What it is: a command, a criterion's words."""
    why: str
    all: str = ""
    """Where the report has everything that it printed; empty where it printed nothing."""
    each: tuple[str, ...] = ()
    """What fails in it, where that is more than one thing."""

    def in_words(self) -> str:
        """Return why, and all that fails in it, in one line."""
        return ": ".join(filter(None, (self.why, "; ".join(self.each))))


@dataclass(frozen=True, kw_only=True)
class Group:
    """Things that stand open in the same way."""

    title: str
    items: tuple[Item, ...]
    is_short: bool = False
    """Whether the ids say enough: what they stand for has its rows below."""


def still_open(story: Story) -> tuple[Group, ...]:
    """Return what the delivered attempt leaves to do, what fails first.

    Where it holds, only a set-up that failed: checks that need it may not have said what they
    would.
    """
    groups = [Group(title="Set-up failed", items=tuple(_set_up(story)))]
    verdict = story.verdicts.get(story.delivered)
    if verdict is not None and story.ended.get("outcome") != "proven":
        criteria = story.criteria.get(story.delivered, {}).values()
        groups += [
            Group(title="Still fails", items=(*_checks(story), *_failed(story, criteria))),
            Group(title=WITH_THEM, items=tuple(_with_them(story, criteria)), is_short=True),
            Group(title="Speaks against it", items=tuple(_objections(verdict))),
            *_unshown(story, criteria),
            Group(title="Passes", items=tuple(_passing(story)), is_short=True),
        ]
    return tuple(group for group in groups if group.items)


def _set_up(story: Story) -> Iterable[Item]:
    for event in story.setup:
        if event["state"] == "failed":
            yield Item(id=event["kind"], row="setup", text=event["command"], why=event["reason"])


def failing(story: Story, attempt: int | None = None) -> list[Mapping[str, Any]]:
    """Return the checks of an attempt that fail, and did not so on the base commit.

    Args:
        story: The run.
        attempt: Its number, the delivered one unless told.

    """
    number = story.delivered if attempt is None else attempt
    said = story.verdicts.get(number, {}).get("failures", ())
    names = {found[1] for words in said if (found := _CHECK_FIRST.match(words))}
    results = story.checks.get(f"attempt {number}", {})
    return [event for name, event in results.items() if name in names]


def _checks(story: Story) -> Iterable[Item]:
    """Yield the checks that fail; a test that several of them run is named with the first."""
    named: dict[str, str] = {}
    for event in failing(story):
        said = f"{event['state']}, {event['reason']}" if event["reason"] else event["state"]
        first = (event["command"].splitlines() or [""])[0]
        name = event["check"]
        line, each = _told(event, named)
        place = output_of(story, name, f"attempt {story.delivered}") if event["output"] else ""
        why = f"{said}: {line}" if line else said
        yield Item(id=name, row=f"check-{name}", text=first, why=why, all=place, each=each)


def _told(event: Mapping[str, Any], named: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return what a check found, in a line and in a list of more than one; remember its tests."""
    tests = tests_of(event["output"])
    new = [one for one in tests if one.test not in named]
    before = list(dict.fromkeys(named[one.test] for one in tests if one.test in named))
    named.update({one.test: event["check"] for one in new})
    same = f"{len(tests) - len(new)} of the tests above, in {joined(before)}" if before else ""
    if len(tests) <= 1 and not same:
        return findings_of(event["output"]).in_words(), ()
    if not new:
        return f"nothing but {same}", ()
    shown = [one.in_words() for one in new[:_TESTS]]
    left = [f"and {len(new) - _TESTS} more"] if len(new) > _TESTS else []
    return "", (*shown, *left, *([same] if same else []))


_TESTS = 8


def _passing(story: Story) -> Iterable[Item]:
    """Yield, where a check fails, those that pass and how many of the tests in the others do."""
    fails = {event["check"] for event in failing(story)}
    for name, event in story.checks.get(f"attempt {story.delivered}", {}).items():
        tests = event.get("tests") or {}
        all_of = tests.get("passed", 0) + tests.get("failed", 0)
        if fails and event["state"] == "passed":
            yield Item(id=name, row=f"check-{name}", text=event["command"], why="")
        elif name in fails and all_of:
            told = f"{tests['passed']} of {all_of} tests of {name}"
            yield Item(id=told, row=f"check-{name}", text=event["command"], why="")


def output_of(story: Story, check: str, stage: str) -> str:
    """Return the name of the report's part with what a check printed in a stage."""
    return f"output-{check}-{list(story.checks).index(stage)}"


def _failed(story: Story, criteria: Iterable[Mapping[str, Any]]) -> Iterable[Item]:
    """Yield the criteria that fail by themselves: by what was read, not by a check named above."""
    for event in criteria:
        if event["status"] == "failed" and not _fails_with(story, event):
            yield _criterion(event, (event["evidence"] or [""])[0])


def _with_them(story: Story, criteria: Iterable[Mapping[str, Any]]) -> Iterable[Item]:
    for event in criteria:
        if event["status"] == "failed" and (names := _fails_with(story, event)):
            yield _criterion(event, joined(names))


def _fails_with(story: Story, event: Mapping[str, Any]) -> list[str]:
    """Return the failing checks that a criterion's evidence names."""
    fails = {one["check"] for one in failing(story)}
    found = (_CHECK_FIRST.match(line) for line in event["evidence"])
    return list(dict.fromkeys(one[1] for one in found if one and one[1] in fails))


def _criterion(event: Mapping[str, Any], why: str) -> Item:
    name = event["criterion"]
    return Item(id=name, row=f"criterion-{name}", text=event["text"], why=why)


def _objections(verdict: Mapping[str, Any]) -> Iterable[Item]:
    for one in verdict.get("objections", ()):
        if one["weight"] != "noted":
            yield Item(id=one["place"], row="against", text=one["what"], why=one["weight"])


def _unshown(story: Story, criteria: Iterable[Mapping[str, Any]]) -> Iterable[Group]:
    groups: dict[str, list[Item]] = {}
    for event in criteria:
        if event["status"] in ("unproven", "needs a person"):
            title, why = status_of(story, event), why_of(story, event).detail
            groups.setdefault(title, []).append(_criterion(event, why))
    for title, items in groups.items():
        yield Group(title=title[:1].upper() + title[1:], items=tuple(items), is_short=True)


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why a criterion has no evidence: nothing of both for one that has, or that failed."""

    label: str = ""
    detail: str = ""
    """Empty where its evidence says it."""


def status_of(story: Story, event: Mapping[str, Any]) -> str:
    """Return a criterion's status, with what is meant by it where that can be several things."""
    label = why_of(story, event).label
    return f"{event['status']}, {label}" if label else str(event["status"])


def why_of(story: Story, event: Mapping[str, Any]) -> Why:
    """Return why a criterion is unproven: it was not its turn, its check can't run, it has none."""
    if event["status"] != "unproven":
        return Why()
    results = story.checks.get(f"attempt {event['attempt']}", {})
    bound = [results[name] for name in _bound(story, event) if name in results]
    fails = failing(story)
    if waiting := [one for one in bound if one["state"] == "gated"]:
        said = _waits(waiting, fails)
        return Why(label="not tested yet", detail="; ".join([said, *_alike(event, fails)]))
    if any(one["state"] in ("failed", "timed out") for one in bound):
        return Why(label="only new tests fail in its check")
    if any(one["state"] != "passed" for one in bound):
        return Why(label="its check could not run")
    if bound:
        return Why(label="not read yet" if fails else "its check does not show it")
    later = "the verifier reads the code for it once no check fails" if fails else ""
    return Why(label="no check judges it", detail=later)


def _bound(story: Story, event: Mapping[str, Any]) -> list[str]:
    """Return the ids of the checks that a criterion's evidence names, or else the plan."""
    found = (_CHECK_FIRST.match(line) for line in event["evidence"])
    named = [one[1] for one in found if one]
    proofs: Sequence[Mapping[str, Any]] = story.plan.get("proofs", ())
    planned = (p.get("checks", ()) for p in proofs if p.get("criterion") == event["criterion"])
    return named or [name for checks in planned for name in checks]


def _waits(waiting: Sequence[Mapping[str, Any]], fails: Sequence[Mapping[str, Any]]) -> str:
    """Return which checks wait for which."""
    names = joined([one["check"] for one in waiting])
    level = max(one["level"] or _LAST for one in waiting)
    before = [one["check"] for one in fails if (one["level"] or _LAST) < level]
    verb = "wait" if len(waiting) > 1 else "waits"
    until = f"{joined(before)} pass{'' if len(before) > 1 else 'es'}"
    return f"{names} {verb} until {until if before else 'earlier levels pass'}"


def _alike(event: Mapping[str, Any], fails: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Yield of checks that fail, with a tool that a criterion names, that it has to do with it."""
    words = set(re.findall(r"[\w-]+", event["text"]))
    for one in fails:
        tool = one["command"].split(maxsplit=1)[0] if one["command"].strip() else ""
        if len(tool) > _SHORT_TOOL and tool in words:
            yield f"{one['check']} runs {tool} too, and fails"


_SHORT_TOOL = 2


def evidence_of(story: Story, event: Mapping[str, Any]) -> list[str]:
    """Return what a criterion's status rests on, first why there is nothing; no wait twice."""
    why = why_of(story, event)
    found = list(event["evidence"])
    if why.label == "not tested yet":
        found = [line for line in found if not _GATED.search(line)]
    if why.detail:
        found = [line for line in found if line != "nothing shows it"]
    return [*([why.detail] if why.detail else []), *found]


_GATED = re.compile(r"`: gated, ")


def joined(names: Sequence[str]) -> str:
    """Return names as a person lists them, the first three and how many more."""
    shown = [*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def counted(story: Story) -> str:
    """Return how many criteria have which status, and how many of the unproven for which reason."""
    criteria = story.criteria.get(story.delivered, {}).values()
    by_status: dict[str, int] = {}
    for event in criteria:
        status = status_of(story, event)
        by_status[status] = by_status.get(status, 0) + 1
    told = ", ".join(
        f"{count} {status.replace(', ', ' (', 1)}{')' if ', ' in status else ''}"
        for status, count in by_status.items()
    )
    return f"{len(criteria)} criteria: {told}." if criteria else ""


def news_of(story: Story) -> str:
    """Return in a few words what did not hold; nothing where all did, or nothing was tested."""
    criteria = list(story.criteria.get(story.delivered, {}).values())
    for status in ("failed", "unproven", "needs a person"):
        if count := sum(event["status"] == status for event in criteria):
            verb = {"failed": "failed", "unproven": "unproven"}.get(status, "left to a person")
            return f"{count} of {len(criteria)} criteria {verb}"
    return ""
