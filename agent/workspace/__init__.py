"""Where code changes and commands run: worktree, git, sandbox, shell, files, repository map."""

from agent.workspace.edit import EditResult, apply_edit, syntax_problem
from agent.workspace.files import FileProblem
from agent.workspace.joining import Checkout, How, by_hand
from agent.workspace.limits import Limits
from agent.workspace.reading import Reading
from agent.workspace.repository import FileStatus, Repository, create_repository
from agent.workspace.sandbox.confinement import Confinement, Sandbox
from agent.workspace.sandbox.find import find_sandbox
from agent.workspace.shell import Finished, clip, conversing, run
from agent.workspace.toolchain import Toolchain, find_toolchain
from agent.workspace.worktree import Worktree, checkout, clear_worktrees, open_worktree

__all__ = [
    "Checkout",
    "Confinement",
    "EditResult",
    "FileProblem",
    "FileStatus",
    "Finished",
    "How",
    "Limits",
    "Reading",
    "Repository",
    "Sandbox",
    "Toolchain",
    "Worktree",
    "apply_edit",
    "by_hand",
    "checkout",
    "clear_worktrees",
    "clip",
    "conversing",
    "create_repository",
    "find_sandbox",
    "find_toolchain",
    "open_worktree",
    "run",
    "syntax_problem",
]
