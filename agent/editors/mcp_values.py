"""What the MCP server's tools take and answer, as their schemas say it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.editors.asking import Standing, order_for
from agent.editors.places import Places
from agent.runs.desk import Order


class Found(BaseModel):
    """One thing that is wrong with a document."""

    line: int
    code: str
    severity: str
    message: str
    hint: str


class Linted(BaseModel):
    """What there is to say of a document before it costs anything."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    document: str
    title: str
    ok: bool
    """Whether it can be executed."""
    findings: list[Found]
    tasks: int
    checks: int
    criteria: int
    readiness: int | None
    """How ready it is to be proven, out of 100."""
    readiness_in_words: str


class PlannedStep(BaseModel):
    """What the planner wants done for one task."""

    task: int
    files: list[str]
    approach: str


class PlanShown(BaseModel):
    """A plan, and what the checks said on the base commit."""

    summary: str
    steps: list[PlannedStep]
    proofs: list[dict[str, Any]]
    concerns: list[str]
    baseline: list[dict[str, Any]]
    estimate: dict[str, Any] | None


class DraftShown(BaseModel):
    """A PRP that was written, and what the person should know before it is executed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    path: str
    """The new file, from the project's top."""
    readiness: int
    """How ready it is to be proven, out of 100."""
    reasons: dict[str, str]
    findings: list[dict[str, Any]]
    baseline: list[dict[str, Any]]
    """What its checks say on the code as it is now."""
    questions: list[str]
    """What only the person can decide, with what the draft assumes."""
    unopened: list[str]
    """Pages that it names and nobody has opened."""
    cost_usd: float | None


class Standings(BaseModel):
    """How runs stand, the latest first."""

    runs: list[Standing]


class Answer(BaseModel):
    """A person's answer to what a document asks for."""

    allow: bool = Field(
        default=False, title="Run these commands", description="Allow exactly the commands shown."
    )


class Options(BaseModel):
    """Choices for one run. What is left away is as the person has set it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    model: str | None = None
    """Model for all roles, as provider:name; further names after commas are fallbacks."""
    planner: str | None = None
    coder: str | None = None
    verifier: str | None = None
    max_attempts: int | None = None
    """Attempts before the run stops."""
    max_cost_usd: float | None = None
    """US dollars for the whole run."""
    max_minutes: float | None = None
    """Wall time of the whole run."""
    max_tokens: int | None = None
    """Tokens of all models together."""
    strict: bool | None = None
    """Accept proven criteria only, no judged ones."""
    base: str = "HEAD"
    """Commit or branch to start from."""

    def order(self, prp: str, places: Places, *, approved: str = "") -> Order:
        """Return the order; nobody is there to ask."""
        flags = self.model_dump(exclude={"base"})
        return order_for(prp, places, flags, base=self.base, approved=approved)
