"""What came of each test in a run: ids from reports, else counts from the summary line."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.verifier.reports import FAILED, PASSED, SKIPPED, outcomes_by_id

__all__ = ["FAILED", "PASSED", "SKIPPED", "Outcomes", "outcomes_of"]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The tests of one run."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    """`tests.test_x.TestY::test_z[1]`, `src/x.test.js::suite::test`, `./price::TestX/case`,
    `crate::tests::test` or `tap::title` to `passed`, `failed` or `skipped`; empty where only counts
    are known."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def ran(self) -> int:
        """Return how many tests ran to an end."""
        return self.passed + self.failed

    def lost(self, later: "Outcomes") -> tuple[str, ...]:
        """Return the ids that ran here and don't run in a later run, skipped ones included."""
        return tuple(
            name
            for name, outcome in self.by_id.items()
            # A file that could not be collected is reported as a test without a class.
            if outcome != SKIPPED and "::" in name and later.by_id.get(name, SKIPPED) == SKIPPED
        )

    def new(self, earlier: "Outcomes | None") -> tuple[str, ...]:
        """Return the ids that pass here and neither ran nor passed in an earlier run."""
        before = earlier.by_id if earlier else {}
        return tuple(
            name
            for name, outcome in self.by_id.items()
            if outcome == PASSED and before.get(name) != PASSED
        )


def outcomes_of(reports: Mapping[str, str], output: str) -> Outcomes | None:
    """Return what came of a run's tests, None where neither reports nor output tell.

    Args:
        reports: What the runners wrote down, name to text. It may come from the code under test.
        output: What the command printed; it counts only where no runner wrote anything down.

    """
    by_id = outcomes_by_id(reports)
    if by_id is None:
        return _from_words(output)
    counts = Counter(by_id.values())
    return Outcomes(
        by_id=by_id, passed=counts[PASSED], failed=counts[FAILED], skipped=counts[SKIPPED]
    )


def _number(pattern: str, output: str) -> int:
    return sum(int(found) for found in re.findall(pattern, output, re.MULTILINE))


def _from_words(output: str) -> Outcomes | None:
    for counts in (_jest, _vitest, _cargo, _go, _unittest, _tap, _node, _pytest):
        if found := counts(output):
            return found
    return None


def _jest(output: str) -> Outcomes | None:
    line = re.search(r"^Tests:\s+(.*\btotal)\s*$", output, re.MULTILINE)
    return _counted(line[1]) if line else None


def _vitest(output: str) -> Outcomes | None:
    line = re.search(r"^\s*Tests\s+(\d+ (?:passed|failed|skipped|todo).*)$", output, re.MULTILINE)
    return _counted(line[1]) if line else None


def _counted(line: str) -> Outcomes:
    return Outcomes(
        passed=_number(r"(\d+) passed", line),
        failed=_number(r"(\d+) (?:failed|errors?)", line),
        skipped=_number(r"(\d+) (?:skipped|todo|pending|xfailed|deselected)", line),
    )


def _cargo(output: str) -> Outcomes | None:
    if not re.search(r"^test result: ", output, re.MULTILINE):
        return None
    return Outcomes(
        passed=_number(r"^test result: .*?(\d+) passed", output),
        failed=_number(r"^test result: .*?(\d+) failed", output),
        skipped=_number(r"^test result: .*?(\d+) ignored", output),
    )


def _go(output: str) -> Outcomes | None:
    tests = {"PASS": PASSED, "FAIL": FAILED, "SKIP": SKIPPED}
    found = re.findall(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", output, re.MULTILINE)
    if found:
        by_id = {name: tests[word] for word, name in found}
        counts = Counter(by_id.values())
        return Outcomes(
            by_id=by_id, passed=counts[PASSED], failed=counts[FAILED], skipped=counts[SKIPPED]
        )
    packages = re.findall(
        r"^(ok|FAIL|\?)\s+\S+\s+(?:[\d.]+s|\(cached\)|\[no test files\])(.*)$", output, re.MULTILINE
    )
    if not packages:
        return None
    ran = Counter(word for word, rest in packages if "no tests to run" not in rest)
    return Outcomes(passed=ran["ok"], failed=ran["FAIL"])


def _unittest(output: str) -> Outcomes | None:
    total = re.search(r"^Ran (\d+) tests? in ", output, re.MULTILINE)
    if not total:
        return None
    bad = _number(r"(?:failures|errors|unexpected successes)=(\d+)", output)
    skipped = _number(r"(?:skipped|expected failures)=(\d+)", output)
    return Outcomes(passed=max(int(total[1]) - bad - skipped, 0), failed=bad, skipped=skipped)


_TAP_POINT = re.compile(
    r"^\s*(?P<bad>not )?ok\b(?: \d+)?(?: -)?\s*(?P<title>.*?)"
    r"(?:\s+#\s*(?P<directive>SKIP|TODO)\b.*)?$",
    re.IGNORECASE,
)
_TAP_TITLE = re.compile(
    r"^# (?!(?:tests|suites|pass|fail|failed|cancelled|skip|skipped|todo) +\d"
    r"|duration_ms |time=|ok$|Subtest: )(?P<title>\S.*)$"
)


def _tap(output: str) -> Outcomes | None:
    """Read what tape, ava and others write: where a title stands above points, they are its own."""
    start = re.search(r"^TAP version \d+$", output, re.MULTILINE)
    if not start:
        return None
    by_id: dict[str, str] = {}
    group = ""
    for line in output[start.end() :].splitlines():
        if title := _TAP_TITLE.match(line):
            group = title["title"].strip()
        elif point := _TAP_POINT.match(line):
            name = f"tap::{group or point['title'] or len(by_id) + 1}"
            came = SKIPPED if point["directive"] else FAILED if point["bad"] else PASSED
            by_id[name] = max(by_id.get(name, came), came, key=_TAP_ORDER.index)
    counts = Counter(by_id.values())
    return Outcomes(
        by_id=by_id, passed=counts[PASSED], failed=counts[FAILED], skipped=counts[SKIPPED]
    )


# One bad point makes a test bad, and one good one makes it a test that ran.
_TAP_ORDER = (SKIPPED, PASSED, FAILED)


def _node(output: str) -> Outcomes | None:
    if not re.search(r"^[#ℹ] tests \d+$", output, re.MULTILINE):
        return None
    return Outcomes(
        passed=_number(r"^[#ℹ] pass (\d+)$", output),
        failed=_number(r"^[#ℹ] fail (\d+)$", output),
        skipped=_number(r"^[#ℹ] (?:skipped|todo|cancelled) (\d+)$", output),
    )


def _pytest(output: str) -> Outcomes | None:
    line = re.findall(
        r"^(?:=+ )?((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)"
        r"(?:, )?)+|no tests ran)(?: in [\d.]+s.*)?$",
        output,
        re.MULTILINE,
    )
    return _counted(line[-1]) if line else None
