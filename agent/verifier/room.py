"""The clean room: a fresh checkout of one commit, the contract's files as they were."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.prp import Check
from agent.verifier.contract import Contract
from agent.workspace import Finished, Repository, Sandbox, Toolchain, checkout, run
from agent.workspace.files import write_bytes


@dataclass(frozen=True, kw_only=True)
class Room:
    """A checkout that nobody has worked in."""

    path: Path
    sandbox: Sandbox
    toolchain: Toolchain
    check_timeout: float
    logs: Path
    put_back: tuple[str, ...] = ()
    """Files of the contract that the commit had changed."""

    async def run(self, command: str, check: Check) -> Finished:
        """Run a check's command with the setup of its fence."""
        return await run(
            command,
            confinement=self.toolchain.confine(self.path),
            sandbox=self.sandbox,
            setup=check.setup,
            timeout=self.check_timeout,
            log=self.logs / f"{check.id}.txt",
        )


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
    """Check a commit out afresh and put the contract's files back.

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
    changed = {file.path for file in repository.changed(base, commit)}
    with checkout(repository, folder / "room", commit) as path:
        put_back = tuple(sorted(changed & contract.files.keys()))
        for name in put_back:
            write_bytes(path, name, repository.read(base, name))
        yield Room(
            path=path,
            sandbox=sandbox,
            toolchain=toolchain,
            check_timeout=check_timeout,
            logs=logs,
            put_back=put_back,
        )
