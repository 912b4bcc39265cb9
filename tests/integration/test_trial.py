"""Tests run on mutants in a real clean room, in a sandbox."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.prp import Check, read_prp
from agent.verifier import CheckResult, Room, clean_room, freeze, run_check
from agent.verifier.mutants import Mutant
from agent.verifier.trial import Trial, askable, pick_mutants, try_mutants
from agent.workspace import Repository, find_sandbox, find_toolchain
from tests.support.lean import lean_tools
from tests.support.project import Project
from tests.support.scripts import GREET_PRP

PRICE = "def price(amount, age):\n    if age < 6:\n        return 0\n    return amount * 2\n"
HONEST = (
    "from price import price\n\n\ndef test_price():\n"
    "    assert [price(3, age) for age in (5, 6)] == [0, 6]\n"
)
EMPTY = "from price import price\n\n\ndef test_price():\n    price(3, 5)\n    price(3, 6)\n"
PYTEST = "python -m pytest -q -p no:cacheprovider tests"


@asynccontextmanager
async def a_room(
    tmp_path: Path, **files: str
) -> AsyncIterator[tuple[Room, dict[str, frozenset[int]]]]:
    """Open a clean room with a commit that adds the files, and return its changed lines as well."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "old.py": "x = 1\n"})
    for name, content in files.items():
        project.write(name.replace("__", "/") + ".py", content)
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
    repository = Repository.open(project.root)
    base, head = repository.resolve("HEAD~"), repository.resolve("HEAD")
    contract = freeze(
        read_prp(project.root / "PRPs/greet.md"),
        files=repository.blobs(base),
    )
    path = os.pathsep.join([str(lean_tools()), os.environ["PATH"]])
    async with clean_room(
        repository,
        head,
        contract,
        base=base,
        folder=tmp_path / "place",
        sandbox=find_sandbox("auto", state=tmp_path / "sandbox"),
        toolchain=find_toolchain(project.root, search_path=path, home=Path.home()),
        check_timeout=60,
    ) as room:
        yield room, repository.changed_lines(base, head, suffix=".py")


async def passed(room: Room, *commands: str) -> tuple[CheckResult, ...]:
    """Run checks that must pass, and return those that can notice a mutant."""
    checks = [
        Check(id=f"L1.{n}", command=command, line=1, last_line=1, level=1)
        for n, command in enumerate(commands, 1)
    ]
    results = [await run_check(check, room.run) for check in checks]
    assert all(result.passed for result in results), [result.output for result in results]
    return askable(results)


def tried(tmp_path: Path, *commands: str, most: int = 12, **files: str) -> Trial:
    """Return what checks notice; the files must be as they were."""

    async def story() -> Trial:
        async with a_room(tmp_path, **files) as (room, lines):
            tests = await passed(room, *commands)
            before = snapshot(room)
            trial = await try_mutants(pick_mutants(room, lines, most=most), tests, room)
            assert snapshot(room) == before
            return trial

    return asyncio.run(story())


def snapshot(room: Room) -> dict[str, tuple[bytes, int, int]]:
    """Return content, time and mode of the room's Python files."""
    files = sorted(room.path.rglob("*.py"))
    stats = ((file, file.stat()) for file in files)
    return {str(f): (f.read_bytes(), s.st_mtime_ns, s.st_mode) for f, s in stats}


def test_honest_tests_notice_every_mutant(tmp_path: Path) -> None:
    """And nothing is left of any."""
    trial = tried(tmp_path, PYTEST, price=PRICE, tests__test_price=HONEST)
    assert trial.tried == trial.chosen == trial.killed > 5
    assert trial.objections == ()


def test_tests_that_assert_nothing_notice_nothing(tmp_path: Path) -> None:
    """Which is said as a whole, and of each."""
    trial = tried(tmp_path, PYTEST, price=PRICE, tests__test_price=EMPTY, most=4)
    assert (trial.tried, trial.killed) == (4, 0)
    first, *others = map(str, trial.objections)
    assert first == "tests: no test in the branch notices any of 4 changes to the changed lines"
    assert (
        "price.py:2: no test in the branch notices when `if age < 6:` becomes `if age <= 6:`"
        in others
    )


def test_any_of_several_tests_may_notice(tmp_path: Path) -> None:
    """unittest and a line of Python count as tests, a linter does not."""
    lines = 'python3 -c "from price import price; assert price(1, 5) == 0"'
    case = (
        "import unittest\nfrom price import price\n\n\nclass TestPrice(unittest.TestCase):\n"
        "    def test_price(self):\n        self.assertEqual(price(3, 6), 6)\n"
    )
    unit = "python3 -m unittest discover -s tests"
    trial = tried(tmp_path, "ruff check price.py", lines, unit, price=PRICE, tests__test_price=case)
    assert trial.tried == trial.killed > 5


def test_a_mutant_that_never_ends_is_noticed(tmp_path: Path) -> None:
    """By the clock."""
    loop = "def price():\n    n = 3\n    while n:\n        n -= 1\n    return n\n"
    test = "from price import price\n\n\ndef test_price():\n    price()\n"

    async def story() -> Trial:
        async with a_room(tmp_path, price=loop, tests__test_price=test) as (room, lines):
            (endless,) = (
                mutant for mutant in pick_mutants(room, lines, most=12) if "+=" in mutant.after
            )
            return await try_mutants([endless], await passed(room, PYTEST), room)

    assert asyncio.run(story()).killed == 1


def test_a_test_that_fails_by_itself_has_noticed_nothing(tmp_path: Path) -> None:
    """It is asked again without the mutant, and then no more."""
    once = "python3 -c \"open('seen', 'x'); import price\""
    trial = tried(tmp_path, once, price=PRICE)
    assert (trial.tried, trial.killed) == (0, 0)
    trial = tried(tmp_path / "second", once, PYTEST, price=PRICE, tests__test_price=HONEST)
    assert trial.tried == trial.killed > 5


def test_a_file_is_put_back_when_a_run_is_cancelled(tmp_path: Path) -> None:
    """Whoever reads the room afterwards reads the commit."""
    slow = "import time\n\n\ndef test_slow():\n    time.sleep(0.2)\n"

    async def story() -> None:
        async with a_room(tmp_path, price=PRICE, tests__test_slow=slow) as (room, lines):
            tests = await passed(room, PYTEST)
            before = snapshot(room)
            trial = asyncio.create_task(try_mutants(pick_mutants(room, lines, most=3), tests, room))
            while snapshot(room) == before:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.01)
            trial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trial
            assert snapshot(room) == before

    asyncio.run(story())


def test_only_lines_of_the_product_that_changed_have_mutants(tmp_path: Path) -> None:
    """No test, no old line, nothing where none is wanted."""

    async def story() -> tuple[tuple[Mutant, ...], tuple[Mutant, ...]]:
        new = {"old": "x = 1\ny = 2\n", "tests__help": "z = 3\n"}
        async with a_room(tmp_path, **new) as (room, lines):
            return pick_mutants(room, lines, most=12), pick_mutants(room, lines, most=0)

    some, none = asyncio.run(story())
    assert [str(mutant) for mutant in some] == ["`y = 2` becomes `y = 3` at old.py:2"]
    assert none == ()


def test_a_file_without_a_line_end_and_a_deleted_one_are_understood(tmp_path: Path) -> None:
    """Lines are counted from the patch, whatever stands in them or in a name."""
    project = Project(tmp_path, {"a b.py": "x = 1\n\n@@ -1 +9 @@\n", "gone.py": "x = 1\n"})
    project.write("a b.py", "x = 1\n@@ -1 +7 @@\n\n@@ -1 +9 @@\ny = 2")
    project.write("ü.py", "\nx = 3\n")
    (tmp_path / "gone.py").unlink()
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
    repository = Repository.open(tmp_path)
    found = repository.changed_lines(
        repository.resolve("HEAD~"), repository.resolve("HEAD"), suffix=".py"
    )
    assert found == {"a b.py": {2, 5}, "ü.py": {1, 2}}
