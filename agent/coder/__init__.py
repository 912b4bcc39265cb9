"""THE CODE: carries out one task in the worktree; answers a Change."""

from agent.coder.assignments import Assignment, carry_out, go_on, repair, tests_first
from agent.coder.code import Change, code
from agent.coder.hands import Hands
from agent.coder.rounds import rounds
from agent.coder.side_by_side import Team

__all__ = [
    "Assignment",
    "Change",
    "Hands",
    "Team",
    "carry_out",
    "code",
    "go_on",
    "repair",
    "rounds",
    "tests_first",
]
