"""A run's life: from the order to the report."""

from agent.runs.desk import Order
from agent.runs.detaching import Begun, detach_order
from agent.runs.drifting import drift_order
from agent.runs.ending import Done
from agent.runs.start import Planned, plan_order, resume_run, run_order
from agent.runs.verifying import verify_order

__all__ = [
    "Begun",
    "Done",
    "Order",
    "Planned",
    "detach_order",
    "drift_order",
    "plan_order",
    "resume_run",
    "run_order",
    "verify_order",
]
