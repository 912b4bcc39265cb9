"""THE PROOF: contract, baseline, checks, clean room, evidence, judge."""

from agent.verifier.again import affected, is_stuck, run_again
from agent.verifier.checks import CheckResult, run_check, run_levels
from agent.verifier.contract import Contract, freeze
from agent.verifier.evidence import (
    Proof,
    Status,
    describe,
    with_failing_tests,
    with_last_words,
)
from agent.verifier.expectations import CheckState
from agent.verifier.feedback import feedback_on
from agent.verifier.judge import judge_criteria
from agent.verifier.room import Room, clean_room
from agent.verifier.verdict import Verdict
from agent.verifier.verify import measure, stands_again, verify

__all__ = [
    "CheckResult",
    "CheckState",
    "Contract",
    "Proof",
    "Room",
    "Status",
    "Verdict",
    "affected",
    "clean_room",
    "describe",
    "feedback_on",
    "freeze",
    "is_stuck",
    "judge_criteria",
    "measure",
    "run_again",
    "run_check",
    "run_levels",
    "stands_again",
    "verify",
    "with_failing_tests",
    "with_last_words",
]
