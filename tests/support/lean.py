"""The environment that sample projects are checked in: what their checks call, and nothing else.

pytest imports every plugin that is installed beside it. Those that our own tests need cost a
sample's run of one test four times what the run itself costs, and there are hundreds of such runs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

_WANTED = ("pytest", "pytest-cov", "ruff", "mypy")
_OWN = Path(sys.prefix)


@cache
def lean_tools() -> Path:
    """Return the folder of programs of an environment with pytest, its coverage, ruff and mypy.

    It is made of the very files of the environment that the tests run in, once for each set of
    versions.
    """
    found = {dist.metadata["Name"]: dist for dist in _closure(_WANTED)}
    versions = " ".join(sorted(f"{name} {dist.version}" for name, dist in found.items()))
    place = _OWN / f"lean-{sha256(versions.encode()).hexdigest()[:12]}"
    if not place.is_dir():
        made = _OWN / f".lean-{os.getpid()}"
        _make(made, found.values())
        try:
            made.rename(place)
        except OSError:  # another process was quicker
            shutil.rmtree(made)
    return place / "bin"


def _closure(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Return distributions with everything that they need here."""
    left, seen = list(names), set()
    while left:
        name = left.pop()
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            continue
        yield dist
        needed = map(Requirement, dist.requires or ())
        left += [n.name for n in needed if n.marker is None or n.marker.evaluate({"extra": ""})]


def _make(place: Path, distributions: Iterable[Distribution]) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(place)], check=True
    )
    for dist in distributions:
        for file in dist.files or ():
            source = Path(str(dist.locate_file(file))).resolve()
            if source.is_file() and source.is_relative_to(_OWN):
                _put(source, place / source.relative_to(_OWN))


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shebang = f"#!{_OWN / 'bin'}/".encode()
    if target.parent.name == "bin" and source.read_bytes()[: len(shebang)] == shebang:
        text = source.read_bytes().partition(b"\n")[2]
        target.write_bytes(b"#!/usr/bin/env python3\n" + text)
        target.chmod(0o755)
    elif not target.exists():
        os.link(source, target)
