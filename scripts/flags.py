"""Takes each flag of the sandbox away in turn and tells whether its test turns red.

    PYTHONPATH=. python scripts/flags.py [PART OF A FLAG'S NAME ...]

Ends with 1 where a flag can go and no test notices, or a test is red with all flags.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.workspace import Confinement
from tests.support.flags import LIMITS, binds_only_as_root, flags, guard_of, turns_red
from tests.support.place import a_place


@contextmanager
def everything(folder: Path) -> Iterator[tuple[Confinement, Path]]:
    """Return a confinement that asks for all that there is, and the place of git's settings."""
    with a_place(folder, tests__test_a="x\n") as place:
        place.project.git("config", "extensions.worktreeConfig", "true")
        place.project.git("-C", str(place.tree.path), "config", "--worktree", "a.b", "c")
        reports, packages, socket = folder / "reports", folder / "packages", folder / "socket"
        reports.mkdir()
        packages.mkdir()
        socket.touch()
        toolchain = replace(place.toolchain, network=socket, laid=((packages, "packages"),))
        confinement = toolchain.confine(place.tree.path, protect=["tests/test_a"], reports=reports)
        yield confinement, folder / "sandbox" / "git-config"


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _main(parts: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder, everything(Path(folder)) as (asked, config):
        names = [*flags(asked, config), *LIMITS]
    wanted = [name for name in names if not parts or any(part in name for part in parts)]
    bad = 0
    for test in sorted({test for name in wanted if (test := guard_of(name))}):
        if turns_red("", test):
            _say(f"RED WITH ALL FLAGS  {test}")
            bad += 1
    for name in wanted:
        test = guard_of(name)
        if binds_only_as_root(name):
            _say(f"only for root       {name}")
        elif test and turns_red(name, test):
            _say(f"noticed             {name}")
        else:
            _say(f"NOT NOTICED         {name}  {test or 'has no test'}")
            bad += 1
    _say(f"{len(wanted)} flags, {bad} not noticed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
