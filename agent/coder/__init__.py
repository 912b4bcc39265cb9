"""THE CODE: carries out one task in the worktree; answers a Change."""

from agent.coder.assignments import Assignment, carry_out, repair, tests_first
from agent.coder.code import Change, code
from agent.coder.hands import Hands

__all__ = ["Assignment", "Change", "Hands", "carry_out", "code", "repair", "tests_first"]
