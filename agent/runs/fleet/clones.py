"""Clones of repositories on a worker's machine: one for each address, for all runs."""

import fcntl
from hashlib import sha256
from pathlib import Path

from agent.errors import EnvironmentProblem
from agent.runs.fleet.jobs import Job
from agent.runs.folder import RunFolder
from agent.workspace import Repository, clear_worktrees
from agent.workspace.entries import mend_entries
from agent.workspace.git import GitFailed
from agent.workspace.remote import Remote
from agent.workspace.repository import init_repository

# The branch that a clone's own HEAD names: git wants one, and nothing is ever checked out of it.
_OWN = "prp-clone"


def clone_for(job: Job, folder: RunFolder, state: Path, *, token: str) -> Path:
    """Return a clone that holds the commits that a job begins at and has come to.

    Args:
        job: What is to be executed.
        folder: The run's on this machine; a worktree that an earlier time left is taken away.
        state: The machine's folder for runs.
        token: For the repository's server; may be empty.

    Raises:
        EnvironmentProblem: The repository can't be reached, or does not hold the commit.

    """
    root = state / "clones" / sha256(job.url.encode()).hexdigest()[:16]
    root.mkdir(parents=True, mode=0o700, exist_ok=True)
    with (root.parent / f"{root.name}.lock").open("w") as lock:
        # Several workers of a machine share it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        repository = Repository(root=root, git=init_repository(root, branch=_OWN))
        git = repository.git
        mend_entries(git)
        Remote.of(repository, job.url, token=token).fetch("+refs/heads/*:refs/remotes/origin/*")
        try:
            git("update-ref", f"refs/heads/{_OWN}", job.base)
        except GitFailed:
            raise EnvironmentProblem(
                f"{job.url} holds no commit {job.base[:12]}",
                hint="Push the commit that the run begins at.",
            ) from None
        # Others may have worked on it since: what they wrote and no commit holds is done again.
        clear_worktrees(repository, folder.path)
        _bring(repository, job.branch)
    return root


def _bring(repository: Repository, branch: str) -> None:
    """Make the run's branch what it is on the server; what this machine had alone is kept aside."""
    git = repository.git
    name, there = f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"
    listed = git.text("for-each-ref", "--format=%(refname) %(objectname)", name, there)
    refs = dict(line.split(" ") for line in listed.splitlines())
    if there not in refs or refs.get(name) == refs[there]:
        return
    if name in refs:
        git("update-ref", f"refs/prp/aside/{refs[name]}", refs[name])
    git("update-ref", name, refs[there])
