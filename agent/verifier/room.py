"""The clean room: a fresh checkout of one commit, the contract's files as they were."""

import asyncio
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from agent.prp import Check
from agent.steps import Json, step
from agent.verifier.changes import Edited, edits_between
from agent.verifier.conftest import decides_outcomes
from agent.verifier.contract import Contract, decides
from agent.verifier.figures import COVERAGE_DATA, OWN_REPORT, PREFIX, has_threshold, places, reading
from agent.verifier.watch import BENT, Watch
from agent.workspace import FileProblem, Finished, Repository, Sandbox, Toolchain, checkout, run
from agent.workspace.files import read_bytes, remove, write_bytes
from agent.workspace.repository import hash_of


@dataclass(frozen=True, kw_only=True)
class Room:
    """A checkout that nobody has worked in."""

    path: Path
    sandbox: Sandbox
    toolchain: Toolchain
    check_timeout: float
    logs: Path
    put_back: tuple[str, ...] = ()
    """Files of the contract that the commit had changed, and configuration that it had added."""
    edits: tuple[Edited, ...] = ()
    """What the commit changes against the base, as it is in the commit."""
    watch: Watch = field(default_factory=Watch)
    """What commands may not change for those that come after them."""
    opened: int = 0
    """When it was ready, in nanoseconds since 1970."""
    tell: Callable[[str, Check, str], None] = lambda *_: None
    """Is told of every command that is about to run, its check and its log."""
    _behind: list[tuple[str, Check, str]] = field(default_factory=list)
    """What ran before a crash in the room that this one stands for."""
    _ran: Counter[str] = field(default_factory=Counter)
    """How often each check was run: every run has a log of its own."""
    _catching_up: asyncio.Lock = field(default_factory=asyncio.Lock)
    _held: list[str] = field(default_factory=list)

    async def run(self, command: str, check: Check) -> Finished:
        """Run a check's command with the setup of its fence."""
        is_new = False
        self._ran[check.id] += 1
        log = self._log_name(check)
        # Outside of the step: a run that is taken up tells it no second time.
        self.tell(command, check, self._below(log))

        async def do() -> Json:
            nonlocal is_new
            is_new = True
            # Later checks may rest on what earlier ones built.
            async with self._catching_up:
                while self._behind:
                    await self._run(*self._behind.pop(0))
            return asdict(await self._run(command, check, log))

        told = await step(f"check {check.id}", do)
        known = [(command, check) for command, check, _ in self._behind]
        if not is_new and not self._held and (command, check) not in known:
            self._behind.append((command, check, log))
        return Finished(**told)

    async def _run(self, command: str, check: Check, log: str) -> Finished:
        reports = self.logs / f"{check.id}.reports"
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir(exist_ok=True)
        begun = time.time_ns()
        finished = await run(
            command,
            confinement=self.toolchain.confine(self.path, reports=reports),
            sandbox=self.sandbox,
            setup=(*check.setup, *_before(command)),
            timeout=self.check_timeout,
            log=self.logs / log,
        )
        # What is held for a while is meant to differ.
        if not self._held and (bent := self.watch.put_back(self.path, unless_in=command)):
            finished = replace(finished, reports={**finished.reports, BENT: "\n".join(bent)})
        if not has_threshold(check):
            return finished
        figures = await self._figures(command, check, since=begun, reports=reports)
        # What stands there under this name is not from the process that we start for it.
        own = {name: text for name, text in finished.reports.items() if name != OWN_REPORT}
        return replace(finished, reports={**own, **figures})

    async def _figures(
        self, command: str, check: Check, *, since: int, reports: Path
    ) -> dict[str, str]:
        """Return the figures that a command has left for machines, name to text."""
        found = {
            f"{PREFIX}{path}": text
            for path in places(command)
            if (text := self._written(path, since)) is not None
        }
        # An earlier check may have measured what this one only reports.
        if self._is_newer(COVERAGE_DATA, self.opened):
            told = await run(
                reading(command),
                confinement=self.toolchain.confine(self.path, writable=False, reports=reports),
                sandbox=self.sandbox,
                setup=check.setup,
                timeout=self.check_timeout,
            )
            found |= {name: text for name, text in told.reports.items() if name == OWN_REPORT}
        return found

    def _written(self, path: str, since: int) -> str | None:
        """Return a file's text where it is newer than a time in nanoseconds."""
        if not self._is_newer(path, since):
            return None
        try:
            return read_bytes(self.path, path).decode("utf-8", "replace")
        except FileProblem:
            return None

    def _is_newer(self, path: str, since: int) -> bool:
        try:
            # A file of the commit itself proves nothing; clocks of file systems tick coarsely.
            return (self.path / path).lstat().st_mtime_ns >= since - 20_000_000
        except (OSError, ValueError):
            return False

    def next_log_of(self, check: Check) -> str:
        """Return where a check's output will go while it runs, from the run's folder on."""
        return self._below(self._log_name(check, further=1))

    def log_of(self, check: Check) -> str:
        """Return where the output of a check's last run is, from the run's folder on."""
        return self._below(self._log_name(check))

    def _below(self, log: str) -> str:
        return f"{self.logs.parent.name}/{self.logs.name}/{log}"

    def _log_name(self, check: Check, *, further: int = 0) -> str:
        number = self._ran[check.id] + further
        return f"{check.id}-{number}.txt" if number > 1 else f"{check.id}.txt"

    @contextmanager
    def holding(self, files: Mapping[str, str | None]) -> Iterator[None]:
        """Hold other files for a while: text to write, None to delete; afterwards all is as it was.

        Raises:
            FileProblem: A path can't be written; everything is as it was.

        """
        before: dict[str, bytes | None] = {}
        self._held.append("held")
        try:
            for path, text in files.items():
                before[path] = self._content(path)
                self._put(path, None if text is None else text.encode("utf-8", "replace"))
            yield
        finally:
            self._held.pop()
            for path, content in before.items():
                self._put(path, content)

    def _content(self, path: str) -> bytes | None:
        return read_bytes(self.path, path) if (self.path / path).is_file() else None

    def _put(self, path: str, content: bytes | None) -> None:
        if content is not None:
            write_bytes(self.path, path, content)
        elif os.path.lexists(self.path / path):
            remove(self.path, path)


# grep -q stops reading at the first match; what still writes then dies of it and is no failure.
_STOPS_READING = re.compile(r"\|\s*[ef]?grep\s+(?:-\S+\s+)*-\w*q")


def _before(command: str) -> tuple[str, ...]:
    return ("set +o pipefail",) if _STOPS_READING.search(command) else ()


def _differing(path: Path, files: Mapping[str, str]) -> set[str]:
    """Return the files that are not as they were, although the commit has them so.

    Attributes decide about line ends and encoding on the way from a commit to a folder.
    """

    def is_as_it_was(name: str) -> bool:
        with suppress(FileProblem):
            return hash_of(read_bytes(path, name), like=files[name]) == files[name]
        return True  # one that is gone is told by what the commit changes

    return {name for name in files if not is_as_it_was(name)}


@asynccontextmanager
async def clean_room(
    repository: Repository,
    commit: str,
    contract: Contract,
    *,
    base: str,
    folder: Path,
    sandbox: Sandbox,
    toolchain: Toolchain,
    check_timeout: float,
) -> AsyncIterator[Room]:
    """Check a commit out afresh, put the contract's files back and take stray configuration out.

    Args:
        repository: Where the commit is.
        commit: The commit to look at.
        contract: Names the files that must be as they were.
        base: The commit that holds them as they were.
        folder: For the checkout and the logs; the checkout is gone afterwards.
        sandbox: Where checks run.
        toolchain: What they find there.
        check_timeout: Seconds that one check may take.

    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    files = repository.changed(base, commit)
    changed = {file.path for file in files if file.path in contract.files}
    new = [file.path for file in files if file.status == "A"]
    added = {path for path in new if contract.is_stray(path)}
    for helper in filter(contract.is_helper, new):
        text = repository.read(commit, helper).decode("utf-8", "replace")
        if decides_outcomes(text):
            added.add(helper)
    with checkout(repository, folder / "room", commit) as path:
        if any(PurePosixPath(file.path).name == ".gitattributes" for file in files):
            changed |= _differing(path, contract.files)
        for name in changed:
            write_bytes(path, name, repository.read(base, name))
        for name in added:
            remove(path, name)
        yield Room(
            path=path,
            sandbox=sandbox,
            toolchain=toolchain,
            check_timeout=check_timeout,
            logs=logs,
            watch=Watch.over(
                path, files=filter(decides, {*repository.files(commit), *contract.files})
            ),
            opened=time.time_ns() + 20_000_000,
            put_back=tuple(sorted(changed | added)),
            edits=edits_between(repository, base, commit),
        )
