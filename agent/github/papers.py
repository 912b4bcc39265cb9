"""What the jobs of a workflow hand each other: small files, checked by whoever opens one."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import Refused

_LARGEST = 4 * 1024 * 1024
_SHA = r"^[0-9a-f]{40,64}$"
_BRANCH = r"^prp/[a-z0-9][a-z0-9-]*$"


_Short = Annotated[str, Field(max_length=300)]


class _Paper(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1


class Request(_Paper):
    """What the gate allows: this text, from this commit, within these limits."""

    mode: Literal["run", "plan"]
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")
    """Names the state in the repository: the issue's number, or the PRP's name."""
    issue: int | None
    actor: str
    title: str
    source: Literal["path", "body", "form"]
    trust: Literal["repo", "maintainer", "approved"]
    prp_name: str
    """Path of the document below the repository; of one from an issue, where it is put."""
    prp: str
    digest: str
    """SHA-256 of text and commands, as `prp execute --approved` takes it."""
    base: str = Field(pattern=_SHA)
    start: str | None = Field(default=None, pattern=_SHA)
    """Commit with earlier work to go on from; None for a fresh start."""
    branch: str = Field(pattern=_BRANCH)
    default_branch: str
    comment: int | None = None
    """The progress comment."""
    max_cost_usd: float | None = None


class DraftWish(_Paper):
    """What the gate found where no PRP is: words from which one can be made."""

    issue: int
    actor: str
    words: str
    """Title and body as readers see them; anybody may have written them."""
    name: str
    """Path of the document below the repository."""
    template: str
    """The document for people to complete, where no model writes one."""
    by_model: bool
    base: str = Field(pattern=_SHA)
    max_cost_usd: float | None = None


class DraftResult(_Paper):
    """What the job with the model wrote."""

    text: str = ""
    """The document; empty where there is none."""
    told: str = ""
    """What is known of it, for people."""
    usd: float | None = None
    problem: str = ""
    """Why there is none."""


class Result(_Paper):
    """What the job with the model says that it did; looked into before it is believed."""

    mode: Literal["run", "plan"]
    digest: str
    exit_status: int
    outcome: str = ""
    reason: str = ""
    run: str = ""
    commit: str = ""
    """Empty where nothing changed."""
    plan: str = ""


class Phase(_Paper):
    """How far a run is, as the job with the model says; nothing is decided by it."""

    doing: _Short
    attempt: int = 0
    tasks: tuple[tuple[_Short, _Short], ...] = Field(default=(), max_length=200)
    """Title and state of each."""
    criteria: tuple[tuple[_Short, _Short, _Short], ...] = Field(default=(), max_length=200)
    """Id, words and status of each."""
    attempts: tuple[_Short, ...] = Field(default=(), max_length=50)
    """What the verifier said of each."""
    cost_usd: float | None = None
    """None where the price of an answer is not known."""


class Attested(_Paper):
    """What the checks said again, in a job without keys."""

    digest: str
    base: str = Field(pattern=_SHA)
    commit: str = Field(pattern=_SHA)
    outcome: str
    reason: str
    checks: dict[str, str]
    """Check to state."""
    objections: tuple[str, ...] = ()


class Screened(_Paper):
    """What the change itself looks like."""

    commit: str = ""
    blocked: tuple[str, ...] = ()
    """Why it may not be pushed."""
    doubts: tuple[str, ...] = ()
    """Why a person should look before it is merged."""
    notes: tuple[str, ...] = ()


class Spent(_Paper):
    """One run in the account of an issue."""

    at: str
    """UTC, as `2026-11-24T01:02:03Z`."""
    actor: str
    usd: float | None
    outcome: str


class Account(_Paper):
    """All runs of an issue."""

    runs: tuple[Spent, ...] = ()


_Kind = TypeVar("_Kind", bound=_Paper)


def write(paper: _Paper, file: Path) -> None:
    """Write a paper for another job."""
    file.write_text(paper.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read(kind: type[_Kind], file: Path) -> _Kind:
    """Read a paper of another job.

    Raises:
        Refused: It is missing, too large, or no such paper.

    """
    if not file.is_file() or file.is_symlink():
        raise Refused(f"There is no {file.name}; the job before did not get that far")
    if file.stat().st_size > _LARGEST:
        raise Refused(f"{file.name} is larger than {_LARGEST:,} bytes")
    return parse(kind, file.read_bytes(), name=file.name)


def parse(kind: type[_Kind], content: bytes | str, *, name: str) -> _Kind:
    """Return the paper that JSON holds.

    Raises:
        Refused: It is no such paper.

    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        where: list[Any] = [".".join(map(str, e["loc"])) or "whole" for e in error.errors()]
        raise Refused(f"{name} is no {kind.__name__.lower()}: {', '.join(where)}") from None
