"""Which checks seem to show which criteria and tasks: a guess from words, for the author."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.prp.lint.hazards import is_shell
from agent.prp.model import Check, CheckKind, Criterion, Finding, Prp, Task
from agent.prp.rules import finding, shortened

_MANUAL = re.compile(
    r"\b(manual(ly)?|visual(ly)?|by hand|stakeholders?|sign.?off|user feedback|users? (report|find|"
    r"like)|looks? (good|right)|feels?|intuitive|code review|reviewed|approved|demo(ed)?|"
    r"on (a )?real device|in production|adoption|satisfaction)\b",
    re.IGNORECASE,
)
_TOPICS: tuple[tuple[str, str], ...] = (
    (
        r"\btests?\b.*\b(pass|green|succeed|run|work)|\b(pass|run)\w*\b.*\btests?\b|\bregression",
        r"\b(pytest|jest|vitest|tox|nox|phpunit|rspec|ctest|busted|gut|unittest|playwright test|"
        r"node\b[^|;&]*\s--test|"
        r"(npm|pnpm|yarn|bun|go|cargo|dotnet|mvn|gradle|gradlew|mix|swift|flutter|make|deno)\b.*\btest)",
    ),
    (
        r"\b(lint\w*|style|format\w*|ruff|eslint|clippy|biome|flake8|black)\b",
        r"\b(ruff|eslint|clippy|biome|flake8|black|golangci-lint|lint\w*|fmt|prettier|stylelint)\b",
    ),
    (
        r"\btyp(e|es|ing|ed|escript)\b.{0,20}\b(check|error|clean|safe|pass|hint)|\b(mypy|pyright|tsc)\b",
        r"\b(mypy|pyright|tsc|type-?check|pyre)\b",
    ),
    (
        r"\b(build|builds|compil\w+|bundl\w+)\b",
        r"\b(build|compile|tsc|cargo check|go vet|assemble|bundle)\b",
    ),
    (r"\bcoverage\b", r"\bcov(erage)?\b|--cov"),
    (r"\bbenchmark|\bperformance|\blatency|\bp9[59]\b|\d+ ?ms\b", r"\b(bench\w*|locust|k6|wrk|ab|perf\w*)\b"),
)  # fmt: skip
_WANTED = tuple((re.compile(a, re.IGNORECASE), re.compile(b)) for a, b in _TOPICS)
_EVERY_CHECK = re.compile(
    r"\ball (\w+ ){0,2}(loops|levels|gates|checks)\b.{0,20}\b(pass|green)", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]{3,}|\d{3,}")
_FILE = re.compile(r"[\w-]+(?=\.\w{1,5}\b)")
_MOST_CHECKS = 300
_COMMON = frozenset(
    "the and for with that this from are all not can has have will should must when than each any its "
    "into new use used using via per only both more less least most such they them then there which "
    "work works working correct correctly properly successfully success test tests pass passes passing "
    "error errors run runs src add added support make file files code data".split()
)
_IDENTIFIER = re.compile(r"`([^`\n]{3,80})`|(--[a-z][\w-]+)|\b(\w+_\w+)\b|\b([\w-]+\.\w{1,5})\b")


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What the checks seem to show."""

    criteria: Mapping[str, tuple[str, ...]]
    """Ids of the checks by the criterion's id."""
    by_person: frozenset[str]
    """Ids of criteria that only a person can tell."""
    tasks: Mapping[int, tuple[str, ...]]
    """Ids of the checks by the task's number."""


def find_coverage(prp: Prp) -> Coverage:
    """Return which checks seem to show which criteria and which tasks.

    All checks count for a criterion that is about all of them. Otherwise one counts where it
    stands in the criterion, is of the kind that the criterion speaks of
    (tests, lint, types, build, coverage, speed), or shares a name or enough words with it.
    """
    shell = [c for c in prp.checks if is_shell(c) and CheckKind.DESTRUCTIVE not in c.kinds]
    # Each criterion is compared with each check.
    offers = _Offers.of(shell[:_MOST_CHECKS])
    names = [word.text for spec in prp.test_specs for word in spec.tests]
    tests = [_stems(name) for name in names[:_MOST_CHECKS]]
    criteria = {criterion.id: _showing(criterion, offers, tests) for criterion in prp.promises}
    return Coverage(
        criteria=criteria,
        by_person=frozenset(
            criterion.id
            for criterion in prp.promises
            if not criteria[criterion.id] and _MANUAL.search(criterion.text[:_MOST_WORDS])
        ),
        tasks={task.number: _touching(task, offers) for task in prp.tasks},
    )


@dataclass(frozen=True, kw_only=True)
class _Offers:
    """What is known of the checks, worked out once."""

    checks: tuple[Check, ...]
    said: Mapping[str, str]
    """Everything that is said in and of a check."""
    stems: Mapping[str, frozenset[str]]
    files: Mapping[str, frozenset[str]]
    """Stems of the names of files in a command."""
    topics: tuple[tuple[str, ...], ...]
    """Checks of each kind that criteria speak of; the first is tests."""

    @classmethod
    def of(cls, checks: Sequence[Check]) -> "_Offers":
        said = {
            # One kind of quotes: `greet("Ada")` stands in a check as `greet('Ada')`.
            c.id: f"{c.command}\n{c.comment}\n{c.expectation.text}"[:_MOST_WORDS].replace('"', "'")
            for c in checks
        }
        return cls(
            checks=tuple(checks),
            said=said,
            stems={name: _stems(words) for name, words in said.items()},
            files={c.id: _stems(" ".join(_FILE.findall(c.command[:_MOST_WORDS]))) for c in checks},
            topics=tuple(
                tuple(c.id for c in checks if command.search(c.command[:_MOST_WORDS]))
                for _, command in _WANTED
            ),
        )


# Nobody says more in a criterion or a command that has to do with words at all.
_MOST_WORDS = 2_000


def _showing(
    criterion: Criterion, offers: _Offers, tests: Sequence[frozenset[str]]
) -> tuple[str, ...]:
    inline = tuple(check.id for check in offers.checks if check.line == criterion.line)
    if inline:
        return inline
    text = criterion.text[:_MOST_WORDS].replace('"', "'")
    if _EVERY_CHECK.search(text):
        return tuple(check.id for check in offers.checks)
    for (topic, _), found in zip(_WANTED, offers.topics, strict=True):
        if found and topic.search(text):
            return found
    names = {next(filter(None, groups)) for groups in _IDENTIFIER.findall(text)}
    stems = _stems(text)
    distinct = frozenset[str]().union(*(_stems(name) for name in names))
    showing = tuple(
        check.id
        for check in offers.checks
        if any(name in offers.said[check.id] for name in names)
        or _shares(stems, offers.stems[check.id])
        or not distinct.isdisjoint(offers.files[check.id])
    )
    if showing:
        return showing
    return offers.topics[0] if any(_shares(stems, test) for test in tests) else ()


def _shares(wanted: frozenset[str], offered: frozenset[str]) -> bool:
    common = len(wanted & offered)
    return common >= 2 or (common == 1 and len(wanted) <= 2)


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)
    words = {word.lower() for word in _WORD.findall(plain)}
    return frozenset(re.sub(r"(ing|ed|es|s|ly)$", "", w) for w in words - _COMMON if w)


def _touching(task: Task, offers: _Offers) -> tuple[str, ...]:
    checks = offers.checks
    inside = [check.id for check in checks if task.line <= check.line <= task.last_line]
    names = {_stem(change.path) for change in task.changes}
    named = [
        check.id
        for check in checks
        if any(len(name) > 2 and name in check.command for name in names)
    ]
    return tuple(dict.fromkeys([*inside, *named, *offers.topics[0]]))


def _stem(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2].partition(".")[0]
    return name.removeprefix("test_").removesuffix("_test")


def about_coverage(prp: Prp, coverage: Coverage) -> Iterator[Finding]:
    """Return findings about criteria and tasks without a check."""
    if not prp.checks:
        return
    for criterion in prp.promises:
        if criterion.id in coverage.by_person:
            yield finding(
                "R04",
                criterion.line,
                f"Only a person can tell whether {criterion.id} holds: {shortened(criterion.text)}",
                "Write what a command can see, or keep it for the review.",
            )
        elif not coverage.criteria[criterion.id]:
            yield finding(
                "R02",
                criterion.line,
                f"No check seems to show {criterion.id}: {shortened(criterion.text)}",
                "Add a command or a test that fails where it does not hold.",
            )
    for task in prp.tasks:
        if not coverage.tasks[task.number]:
            yield finding(
                "R03",
                task.line,
                f"No check seems to touch what task {task.label} does",
                "Add a command that fails when the task is not done.",
            )
