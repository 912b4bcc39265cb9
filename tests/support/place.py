"""A worktree in a real repository and a sandbox around it."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.workspace import (
    Finished,
    Limits,
    Repository,
    Sandbox,
    Worktree,
    find_sandbox,
    find_toolchain,
    open_worktree,
    run,
)
from agent.workspace.sandbox import Unconfined
from tests.support.project import Project


class Place:
    """Runs commands in a worktree as the coder's are run."""

    def __init__(self, project: Project, tree: Worktree, sandbox: Sandbox) -> None:
        """Take a worktree and a sandbox."""
        self.project, self.tree, self.sandbox = project, tree, sandbox
        self.toolchain = find_toolchain(
            project.root, search_path=os.environ["PATH"], home=Path.home()
        )

    def run(
        self,
        command: str,
        *,
        protect: Sequence[str] = (),
        writable: bool = True,
        seconds: float = 30.0,
        log: Path | None = None,
        limits: Limits | None = None,
        sandbox: Sandbox | None = None,
    ) -> Finished:
        """Run a command in the sandbox, or in another one."""
        return asyncio.run(
            run(
                command,
                confinement=self.toolchain.confine(
                    self.tree.path, protect=protect, writable=writable
                ),
                sandbox=sandbox or self.sandbox,
                timeout=seconds,
                log=log,
                limits=limits or Limits(),
            )
        )

    def bare(self, command: str) -> Finished:
        """Run a command without any walls, to see that an attack works at all."""
        return self.run(command, sandbox=Unconfined())


@contextmanager
def a_place(tmp_path: Path, **files: str) -> Iterator[Place]:
    """Open a worktree of a repository that holds the files (`a__b` stands for `a/b`)."""
    content = {name.replace("__", "/"): text for name, text in files.items()}
    project = Project(tmp_path / "project", {"README": "x\n", **content})
    repository = Repository.open(project.root)
    sandbox = find_sandbox("bubblewrap", state=tmp_path / "sandbox")
    base = repository.resolve("HEAD")
    with open_worktree(repository, tmp_path / "tree", branch="prp/x", base=base) as tree:
        yield Place(project, tree, sandbox)
