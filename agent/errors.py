"""Every error that `prp` explains to the person who ran it, and every exit status.

PrpError
├── DocumentError       the PRP cannot be executed as it is written     exit 3
├── SettingsError       a setting, a model name or a key is wrong       exit 4
├── EnvironmentProblem  git, a tool or the sandbox is missing           exit 5
├── BudgetExhausted     money, tokens, time or attempts ran out         exit 12
├── NeedsApproval       a person has to allow the commands first        exit 13
├── Refused             stopped for safety                              exit 14
└── ProviderUnavailable the model's service does not answer             exit 20

Anything else that escapes is a bug in `prp` and keeps its traceback.
"""

import errno
import os
from enum import IntEnum
from pathlib import PurePath


class Exit(IntEnum):
    """What the exit status of every `prp` command means."""

    PROVEN = 0
    """Every criterion proven, judged or pre-existing, and no new failure."""
    INTERNAL = 1
    USAGE = 2
    INVALID_PRP = 3
    SETTINGS = 4
    ENVIRONMENT = 5
    FAILED = 10
    UNPROVEN = 11
    """No check failed, but a criterion lacks evidence or needs a person."""
    BUDGET = 12
    NEEDS_APPROVAL = 13
    REFUSED = 14
    PROVIDER = 20
    STILL_RUNNING = 75
    INTERRUPTED = 130
    TERMINATED = 143


class PrpError(Exception):
    """An expected failure: what happened, where, and what to do about it."""

    exit_status = Exit.INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DocumentError(PrpError):
    """The PRP cannot be executed as it is written."""

    exit_status = Exit.INVALID_PRP

    def __init__(
        self, message: str, *, path: PurePath, line: int = 0, code: str = "", hint: str = ""
    ) -> None:
        """Name the document and, where there is one, the line (counted from 1; 0 = none)."""
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {f'[{code}] ' if code else ''}{message}", hint=hint)
        self.path = path
        self.line = line
        self.code = code


class SettingsError(PrpError):
    """A setting, a model name or a key is missing or makes no sense."""

    exit_status = Exit.SETTINGS


class EnvironmentProblem(PrpError):  # noqa: N818 - EnvironmentError is Python's own
    """Something outside the PRP is missing: git, a program, the sandbox."""

    exit_status = Exit.ENVIRONMENT


class BudgetExhausted(PrpError):  # noqa: N818 - it is a stop, not a mistake
    """Attempts, tokens, money or time ran out before the criteria held."""

    exit_status = Exit.BUDGET


class NeedsApproval(PrpError):  # noqa: N818 - a question, not a mistake
    """A person has to allow what the document would run; nothing was run."""

    exit_status = Exit.NEEDS_APPROVAL

    def __init__(self, message: str, *, hint: str = "", digest: str = "") -> None:
        """Say what is asked for, and the hash that allows exactly that."""
        super().__init__(message, hint=hint)
        self.digest = digest


class Refused(PrpError):  # noqa: N818 - a decision, not a mistake
    """Stopped for safety; nothing was run."""

    exit_status = Exit.REFUSED


class ProviderUnavailable(PrpError):  # noqa: N818 - a state of the world
    """The model's service does not answer; the run can be taken up again later."""

    exit_status = Exit.PROVIDER


_OF_THE_MACHINE = {
    errno.ENOSPC: "Make room on the disk.",
    errno.EDQUOT: "Your quota on the disk is used up: make room.",
    errno.EIO: "The disk may be failing: look at dmesg.",
    errno.EROFS: "The disk is mounted read-only.",
    errno.EMFILE: "Allow more open files: ulimit -n 1024",
    errno.ENFILE: "The whole machine has too many files open.",
    errno.ENOMEM: "Make memory free.",
}


def problem_of(error: OSError) -> EnvironmentProblem | None:
    """Return what the machine lacks; None where an error has to do with something else."""
    hint = hint_for(error)
    if not hint:
        return None
    where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
    return EnvironmentProblem(f"{where}{error.strerror}", hint=hint)


def hint_for(error: OSError) -> str:
    """Return what to do about what the machine lacks; empty where it is something else."""
    return _OF_THE_MACHINE.get(error.errno or 0, "")
