"""What GitHub answers, as far as we read it; everything else in its JSON is left aside."""

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class User(_Answer):
    """An account."""

    login: str
    type: str = "User"
    """`User`, `Bot` or `Organization`."""


class Label(_Answer):
    """A label of an issue."""

    name: str


class Issue(_Answer):
    """An issue; pull requests are issues too."""

    number: int
    title: str = ""
    body: str | None = None
    user: User | None = None
    """None where the account is gone."""
    labels: tuple[Label, ...] = ()
    state: str = "open"
    pull_request: dict[str, object] | None = None
    """Set where it is a pull request."""

    def has_label(self, name: str) -> bool:
        """Return whether it carries a label; GitHub does not tell upper from lower case."""
        return any(label.name.lower() == name.lower() for label in self.labels)


class Comment(_Answer):
    """A comment on an issue or on a pull request."""

    id: int
    body: str | None = None
    user: User | None = None
    created_at: str = ""
    """Time as GitHub writes it, for instance `2026-11-24T01:02:03Z`."""
    updated_at: str = ""
    html_url: str = ""


class ReviewComment(_Answer):
    """What a review says of one line."""

    id: int
    body: str | None = None
    user: User | None = None
    path: str = ""
    line: int | None = None


class Repo(_Answer):
    """A repository as a branch names it."""

    full_name: str


class Branch(_Answer):
    """One end of a pull request."""

    ref: str
    sha: str
    repo: Repo | None = None
    """None where the fork is gone."""


class Pull(_Answer):
    """A pull request."""

    number: int
    node_id: str = ""
    html_url: str = ""
    state: str = "open"
    draft: bool = False
    title: str = ""
    body: str | None = None
    user: User | None = None
    head: Branch
    base: Branch


class Authorship(_Answer):
    """Who wrote an issue, and who changed its words last."""

    author: User | None = None
    editor: User | None = None
    """None where nobody changed it, or the account is gone."""
    edited_at: str | None = Field(default=None, alias="lastEditedAt")
    body: str = ""
    """The words as they are now."""


class JobOfRun(_Answer):
    """A job of a workflow's run."""

    name: str
    status: str = ""


class Jobs(_Answer):
    """The jobs of a workflow's run."""

    jobs: tuple[JobOfRun, ...] = ()


class Artifact(_Answer):
    """What a job of a run has left."""

    id: int
    name: str
    expired: bool = False


class Artifacts(_Answer):
    """What the jobs of a run have left."""

    artifacts: tuple[Artifact, ...] = ()
