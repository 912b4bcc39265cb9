"""The one caller of git. It believes nothing that a worktree says about git.

A repository can name programs for git to run (hooks, filters, fsmonitor, textconv, pagers) in
places that untrusted code can write. So every call has an environment made from nothing, the
directories given by name, and each such program overridden.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from agent.errors import EnvironmentProblem, PrpError
from agent.workspace.locks import release
from agent.workspace.trusted import trusted_program

_OVERRIDES = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.sshCommand": "false",
    "core.editor": "true",
    "core.pager": "cat",
    "core.quotePath": "false",
    # As many as there are cores; git itself takes one.
    "checkout.workers": "0",
    "diff.external": "",
    "diff.ignoreSubmodules": "all",
    "submodule.recurse": "false",
    "commit.gpgSign": "false",
    "log.showSignature": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "credential.helper": "",
    "advice.detachedHead": "false",
}
# git lists the worktrees before it does anything: what died of one did nothing.
_HALF_MADE = re.compile(
    rb"failed to read \S*worktrees/[^/]+/commondir|bad object worktrees/[^/]+/HEAD"
    rb"|Invalid path '[^'\n]*/worktrees/[^/'\n]+'"
)
_MAKING_SECONDS = 2.0
_DRIVERS = (
    r"^((filter|diff|merge)\..*\.(clean|smudge|process|textconv|command|driver|required)"
    r"|hook\..*\.command)$"
)


class GitFailed(PrpError):  # noqa: N818 - git said no
    """A git command ended with another status than 0."""

    exit_status = EnvironmentProblem.exit_status

    def __init__(self, arguments: Sequence[str], status: int, words: str) -> None:
        """Keep what git said."""
        super().__init__(f"git {' '.join(arguments[:2])} ended with {status}: {words.strip()}")
        self.status = status
        self.words = words


@dataclass(frozen=True, kw_only=True)
class Git:
    """Runs git on one set of directories, remembered from when they were made."""

    common_dir: Path
    """The repository's own git directory."""
    git_dir: Path | None = None
    """The worktree's directory below `common_dir`; None for the repository itself."""
    work_tree: Path | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    """`GIT_AUTHOR_NAME` and its kind, read once from the person's configuration."""
    settled: Mapping[str, bytes] | None = None
    """The files of the worktree's directory that decide what git runs; see `settled_in`."""
    seconds: float | None = None
    """How long one command may take; None where it may take what it needs."""
    notice: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)
    """Is told what else was found and mended."""
    further: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings that come after the overrides; a token among them reaches no command line."""

    def __call__(
        self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a git command and return what it printed.

        Raises:
            GitFailed: Its exit status is not 0.
            EnvironmentProblem: It took longer than it may.

        """
        self._require_untouched()
        environment = self._environment | dict(variables or {})
        until, freed = time.monotonic() + _MAKING_SECONDS, False
        while True:
            done = self._run(
                arguments,
                stdin=stdin,
                cwd=self.work_tree or self.common_dir,
                environment=environment,
            )
            if not done.returncode:
                return done.stdout
            if _met_a_half_made_worktree(done) and time.monotonic() <= until:
                time.sleep(0.02)
                continue
            words = (done.stderr or done.stdout).decode("utf-8", "replace")
            lock = self._lock_in(words)
            if freed or lock is None:
                raise GitFailed(arguments, done.returncode, words)
            release(lock, self.notice)
            freed = True

    def _lock_in(self, words: str) -> Path | None:
        """Return the lock of the worktree's own that kept git from working."""
        if self.git_dir and (found := re.search(r"'(/[^'\n]+\.lock)': File exists", words)):
            lock = Path(found[1])
            return lock if lock.parent == self.git_dir else None
        return None

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a git command and return what it printed as text, bad bytes kept as surrogates."""
        return self(*arguments, stdin=stdin).decode("utf-8", "surrogateescape")

    def names(self, *arguments: str) -> list[str]:
        """Run a git command that prints NUL-separated names."""
        return [name for name in self.text(*arguments).split("\0") if name]

    def _require_untouched(self) -> None:
        """Refuse a worktree whose own configuration is not as git made it."""
        # Whoever can write there could name another repository, or a filter of his own.
        if self.git_dir is None or self.settled is None:
            return
        now = settled_in(self.git_dir)
        for name in sorted(now.keys() | self.settled.keys()):
            if now.get(name) != self.settled.get(name):
                raise EnvironmentProblem(
                    f"{self.git_dir / name} was changed by somebody else",
                    hint="Something outside of the sandbox wrote git's configuration.",
                )

    def _run(
        self, arguments: Sequence[str], *, stdin: bytes, cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [git_program(), *arguments],
                input=stdin,
                capture_output=True,
                check=False,
                cwd=cwd,
                env=dict(environment),
                timeout=self.seconds,
            )
        except subprocess.TimeoutExpired:
            raise EnvironmentProblem(
                f"git {arguments[0]} did not answer within {self.seconds:.0f} s in {cwd}",
                hint="Look for a pipe or a device where git reads: .gitignore, .git/config and "
                "what it includes, .git/info/exclude.",
            ) from None

    @cached_property
    def _environment(self) -> dict[str, str]:
        directories = {
            "GIT_DIR": str(self.git_dir or self.common_dir),
            "GIT_COMMON_DIR": str(self.common_dir),
        }
        if self.work_tree:
            directories["GIT_WORK_TREE"] = str(self.work_tree)
        fixed = directories | _fixed_environment() | dict(self.identity)
        return fixed | _configuration(_OVERRIDES | self._no_drivers(fixed) | dict(self.further))

    def _no_drivers(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what takes away each program that the configuration names for some purpose.

        Filters, diffs, merges and, since git 2.54, hooks.
        """
        done = self._run(
            ("config", "--null", "--name-only", "--get-regexp", _DRIVERS),
            stdin=b"",
            cwd=self.common_dir,
            environment=environment,
        )
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return dict(_taken_away(name) for name in names if name)


def _taken_away(name: str) -> tuple[str, str]:
    """Return the setting that takes away what another one names."""
    if name.startswith("hook."):
        return name.removesuffix("command") + "enabled", "false"
    return name, "false" if name.endswith(".required") else ""


def _met_a_half_made_worktree(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Return whether git died of a worktree that another makes or takes away at this moment."""
    return bool(done.returncode and _HALF_MADE.search(done.stderr))


def settled_in(git_dir: Path) -> dict[str, bytes]:
    """Return the files of a worktree's directory that only git itself writes, and once."""
    files = (git_dir / name for name in ("commondir", "config.worktree", "gitdir"))
    return {file.name: file.read_bytes() for file in files if file.is_file()}


def git_program() -> str:
    """Return the path of git.

    Raises:
        EnvironmentProblem: git is not installed.

    """
    found = trusted_program("git")
    if found is None:
        raise EnvironmentProblem("git is not installed", hint="Install git 2.30 or newer.")
    return found


def git_version() -> str:
    """Return what git calls itself, for instance `git version 2.39.5`.

    Raises:
        EnvironmentProblem: git is not installed.

    """
    done = subprocess.run(
        [git_program(), "--version"],
        capture_output=True,
        text=True,
        check=False,
        env=_fixed_environment(),
    )
    return done.stdout.strip()


def _fixed_environment() -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def _configuration(values: Mapping[str, str]) -> dict[str, str]:
    numbered = {"GIT_CONFIG_COUNT": str(len(values))}
    for number, (key, value) in enumerate(values.items()):
        numbered[f"GIT_CONFIG_KEY_{number}"] = key
        numbered[f"GIT_CONFIG_VALUE_{number}"] = value
    return numbered
