"""`prp warm`, and which processes are copies of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.project import Project


@contextmanager
def resident(project: Project, *options: str, **variables: str) -> Iterator[int]:
    """Keep a process with everything loaded; give its number."""
    begun = project.prp("warm", *options, **variables)
    assert begun.status == 0, begun.err
    found = re.search(r"process (\d+)", begun.err)
    assert found
    try:
        yield int(found[1])
    finally:
        project.prp("warm", "--stop")


def copies_of(process: int) -> list[int]:
    """Return the processes that are copies of it and still there."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    return [int(number) for number in children.split()]


def is_alive(process: int) -> bool:
    """Return whether a process is there, and more than the status that nobody has asked for yet."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"
