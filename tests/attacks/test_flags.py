"""S53: each flag of the sandbox is there for something, and a test notices when it is gone.

`make flags` takes every flag away in turn; here each has its test, and a few are tried.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.workspace import Confinement
from scripts.flags import everything
from tests.support.flags import LIMITS, flags, guard_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def names(tmp_path: Path) -> Iterator[list[str]]:
    """The names of all flags that a command is started with."""
    with everything(tmp_path) as (confinement, config):
        yield [*flags(confinement, config), *LIMITS]


def test_S53_every_flag_has_a_test(names: list[str]) -> None:
    """A new flag without one is a wall that nobody watches."""
    assert len(names) > 60
    assert [name for name in names if guard_of(name) is None] == []


def test_S53_without_a_flag_its_test_turns_red(names: list[str]) -> None:
    """And green with it; three here, all by `make flags`."""
    sample = ["--unshare-net", "--ro-bind CONFIG", "--size /run"]
    assert set(sample) <= set(names)
    done = subprocess.run(
        [sys.executable, "scripts/flags.py", *sample],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("noticed   ") == 3, done.stdout + done.stderr
    assert "3 flags, 0 not noticed" in done.stdout
    assert done.returncode == 0


def test_S53_flags_are_named_alike_wherever_they_are(tmp_path: Path) -> None:
    """The worktree's place is no part of a flag's name."""
    confinement = Confinement(tree=tmp_path, environment={"HOME": "/home/ann"})
    named = flags(confinement, tmp_path / "config")
    assert {"--bind TREE", "--tmpfs HOME", "--unshare-net"} <= set(named)
    assert str(tmp_path) not in " ".join(named)
