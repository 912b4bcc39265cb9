"""A disk that is small enough to be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """A file system of a few megabytes."""

    def __init__(self, place: Path) -> None:
        """Take one that is mounted."""
        self.place = place
        self._filling = place / "filling"

    def fill(self) -> None:
        """Leave no room for anything."""
        with self._filling.open("wb", buffering=0) as file:
            try:
                for size in (1 << 16, 1 << 12, 1):
                    while file.write(b"x" * size) == size:
                        pass
            except OSError:
                return

    def protect(self) -> None:
        """Let nobody write to it any more."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.place)], check=True)

    def make_room(self) -> None:
        """Take away what filled it."""
        self._filling.unlink(missing_ok=True)


@contextmanager
def a_small_disk(place: Path, *, megabytes: int) -> Iterator[Disk]:
    """Mount one; where that is not allowed the test is left out."""
    place.mkdir(parents=True)
    size = f"size={megabytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "prp-test", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
