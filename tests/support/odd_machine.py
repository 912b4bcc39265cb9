"""Runs `prp` on an odd machine: `python odd_machine.py clock|locks ARGUMENTS`.

`clock`: its clock goes back an hour and ahead a day, again and again. `locks`: no file system of it
knows locks.
"""

import errno
import fcntl
import itertools
import os
import sys
import time
from typing import NoReturn

import agent.cli


def _odd_clock() -> None:
    right, jumps = time.time, itertools.cycle((0.0, -3_600.0, 86_400.0))
    time.time = lambda: right() + next(jumps)


def _no_locks() -> None:
    def refused(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl.flock = refused


if __name__ == "__main__":
    {"clock": _odd_clock, "locks": _no_locks}[sys.argv[1]]()
    sys.argv = ["prp", *sys.argv[2:]]
    agent.cli.main()
