"""THE CODE: carries out one task in the worktree; answers a Change."""

from agent.coder.code import Assignment, Change, code
from agent.coder.hands import Hands

__all__ = ["Assignment", "Change", "Hands", "code"]
