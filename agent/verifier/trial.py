"""The tests on trial: mutants stand in the clean room one at a time, and the tests run on each."""

import contextlib
import os
import re
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.prp.programs import programs_of, scripts_of
from agent.verifier.checks import CheckResult, run_check
from agent.verifier.contract import decides
from agent.verifier.expectations import CheckState
from agent.verifier.mutants import Candidate, Mutant, candidates, sample
from agent.verifier.objections import Objection, Weight
from agent.verifier.room import Room
from agent.workspace import FileProblem
from agent.workspace.files import read_text, write_bytes

_LEAST_SECONDS, _MOST_SECONDS = 60.0, 300.0
_LEAST_TIMEOUT = 10.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What the tests noticed."""

    chosen: int = 0
    """Mutants that were to be tried."""
    tried: int = 0
    """Mutants that were tried before the time was over."""
    survivors: tuple[Mutant, ...] = ()
    """Those that no test noticed."""
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        """Return how many mutants made a test fail."""
        return self.tried - len(self.survivors)

    def in_words(self) -> str:
        """Return what came of it in a sentence, also where nothing was tried."""
        if not self.tried:
            return "none were tried."
        late = f"; for {self.chosen - self.tried} more there was no time" * (
            self.tried < self.chosen
        )
        return f"{self.tried} tried, {self.killed} noticed by a test{late}."

    @property
    def objections(self) -> tuple[Objection, ...]:
        """Return what no test notices; a note each, for whoever reads or judges."""
        if self.tried > 1 and not self.killed:
            what = f"no test in the branch notices any of {self.tried} changes to the changed lines"
            return (Objection(weight=Weight.NOTED, place="tests", what=what), *self._notes)
        return self._notes

    @property
    def _notes(self) -> tuple[Objection, ...]:
        return tuple(
            Objection(
                weight=Weight.NOTED,
                place=f"{mutant.path}:{mutant.line}",
                what=f"no test in the branch notices when `{mutant.before}` becomes "
                f"`{mutant.after}`",
            )
            for mutant in self.survivors
        )


def pick_mutants(
    room: Room, changed_lines: Mapping[str, Collection[int]], *, most: int
) -> tuple[Mutant, ...]:
    """Return mutants of the product code that a commit changes.

    Args:
        room: Holds the commit.
        changed_lines: Path to the numbers of the lines that the commit changed or added.
        most: How many at most; none for 0.

    """
    if not most:
        return ()
    found: list[Candidate] = []
    for path, lines in changed_lines.items():
        if _is_product(path) and path not in room.put_back:
            with contextlib.suppress(FileProblem):
                found += candidates(path, read_text(room.path, path), lines)
    return sample(found, most=most)


def _is_product(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name.endswith(".py") and name not in ("__main__.py", "setup.py") and not decides(path)


def askable(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the results of the checks that could notice a change of the code, quickest first."""
    able = {
        result.check.command: result
        for result in reversed(results)
        if result.passed and result.check.can_fail and runs_code(result.check.command)
    }
    return tuple(sorted(able.values(), key=lambda result: result.seconds))


_TESTS = re.compile(
    r"(?<![\w.-])(?:pytest|py\.test|unittest|doctest|nose2|tox|nox|behave)(?![\w/.-])"
    r"|\b(?:make|just|hatch|poe|invoke|inv)\b[^|;&]*\btests?\b|\bmanage\.py\s+test\b"
)
_TESTERS = frozenset(
    "pytest py.test tox nox nose2 behave coverage uv poetry pdm hatch make just poe invoke "
    "inv".split()
)
_RUNS_NOTHING = re.compile(
    r"(?<!\S)(?:--co|--collect-only|--version|-V|--help|-h|--fixtures|--markers|--setup-plan)\b"
)
_READERS = re.compile(
    r"\b(?:ruff|mypy|pyright|black|isort|flake8|pylint|bandit|pyflakes|pycodestyle|pydocstyle|"
    r"vulture|compileall|py_compile|pip|build|venv|json\.tool)\b"
)


def runs_code(command: str) -> bool:
    """Return whether a command runs Python code of the project, as tests do and linters don't."""
    if _RUNS_NOTHING.search(command):
        return False
    programs = programs_of(command)
    is_python = any(re.fullmatch(r"python[\d.]*", name) for name in programs)
    if _TESTS.search(command):
        return is_python or not _TESTERS.isdisjoint(programs) or bool(scripts_of(command))
    return is_python and not _READERS.search(command)


async def try_mutants(mutants: Sequence[Mutant], tests: Sequence[CheckResult], room: Room) -> Trial:
    """Run tests on mutants, one at a time, until one fails or all pass.

    Args:
        mutants: In the order in which to try them.
        tests: Results of checks that passed in the room, in the order in which to ask them.
        room: Where they passed; its files are as they were afterwards, whatever happens.

    Returns:
        What they noticed in 60 seconds or five times the tests' own time, 300 seconds at most.
        A test that runs into its time limit has noticed; one that also fails without a mutant
        can't be asked.

    """
    if not (mutants and tests):
        return Trial()
    began = time.monotonic()
    bench = _Bench(room, tests, deadline=began + _allowance(tests))
    tried, survivors = 0, []
    for mutant in mutants:
        noticed = await bench.notices(mutant)
        if noticed is None:
            break
        tried += 1
        survivors += [] if noticed else [mutant]
    return Trial(
        chosen=len(mutants),
        tried=tried,
        survivors=tuple(survivors),
        seconds=round(time.monotonic() - began, 3),
    )


def _allowance(tests: Sequence[CheckResult]) -> float:
    own = sum(test.seconds for test in tests)
    return min(max(_LEAST_SECONDS, 5 * own), _MOST_SECONDS)


class _Bench:
    """Asks tests about mutants until a deadline."""

    def __init__(self, room: Room, tests: Sequence[CheckResult], *, deadline: float) -> None:
        self._tests, self._deadline = list(tests), deadline
        # The logs of the real runs are evidence.
        logs = room.logs / "mutants"
        logs.mkdir(exist_ok=True)
        self._room = replace(room, logs=logs)
        self._steady: set[str] = set()

    async def notices(self, mutant: Mutant) -> bool | None:
        """Return whether a test fails on a mutant; None where time or tests have run out."""
        for test in tuple(self._tests):
            with _in_place(mutant, self._room):
                result = await self._run(test)
            if result is None:
                return None
            if not result.passed and await self._is_steady(test):
                return True
        return False if self._tests else None

    async def _is_steady(self, test: CheckResult) -> bool:
        """Return whether a test that failed passes again without the mutant."""
        if test.check.id not in self._steady:
            again = await self._run(test)
            if again is None or not again.passed:
                self._tests.remove(test)
                return False
            self._steady.add(test.check.id)
        return True

    async def _run(self, test: CheckResult) -> CheckResult | None:
        """Run a test, and return nothing where it was the deadline that stopped it."""
        usual = max(_LEAST_TIMEOUT, 4 * test.seconds)
        left = self._deadline - time.monotonic()
        if left <= 0:
            return None
        room = replace(self._room, check_timeout=min(usual, left, self._room.check_timeout))
        result = await run_check(test.check, room.run)
        is_cut = result.state is CheckState.TIMED_OUT and left < usual
        return None if is_cut else result


@contextlib.contextmanager
def _in_place(mutant: Mutant, room: Room) -> Iterator[None]:
    """Put a mutant in the place of its file, and the file back."""
    place = room.path / mutant.path
    own = place.lstat().st_mtime_ns
    write_bytes(room.path, mutant.path, mutant.content)
    try:
        # Python takes compiled code for that of any file of the same size and second.
        another = own - 10**9 * (1 + zlib.crc32(mutant.content) % 10**6)
        os.utime(place, ns=(another, another), follow_symlinks=False)
        yield
    finally:
        write_bytes(room.path, mutant.path, mutant.original)
        os.utime(place, ns=(own, own), follow_symlinks=False)
