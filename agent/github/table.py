"""What the gate has on its table, and what it can say."""

from dataclasses import dataclass
from enum import StrEnum

from agent.github.client import GitHub
from agent.github.job import Job
from agent.github.trigger import Trigger
from agent.settings import Settings
from agent.workspace import Repository
from agent.workspace.remote import Remote


class Decision(StrEnum):
    """What the gate says; further jobs begin with `run`, `plan`, `draft` or `template` only."""

    NONE = "none"
    """It is none of our business."""
    REFUSED = "refused"
    RUN = "run"
    PLAN = "plan"
    DRAFT = "draft"
    """There is no PRP, and a model writes one."""
    TEMPLATE = "template"
    """There is none, and people write one."""
    WAITS = "needs-approval"
    CANCEL = "cancel"
    TOLD = "told"
    """A question was answered."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the gate has on its table."""

    job: Job
    github: GitHub
    trigger: Trigger
    repository: Repository
    """A checkout of the default branch: rules and settings are read from nowhere else."""
    remote: Remote
    settings: Settings

    @property
    def number(self) -> int:
        """Return the issue or pull request that is answered; 0 where there is none."""
        return self.trigger.number or 0
