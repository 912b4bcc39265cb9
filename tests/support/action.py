"""A repository on the fake GitHub, the Action's workflow, and a scripted model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.github import FakeGitHub
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, crew
from tests.support.workflow import Ran, Runner

Json = dict[str, Any]
Script = Callable[[Request], Answer]
TITLE = "Greet people"


class Place:
    """A repository on the fake GitHub, and a runner for its workflow."""

    def __init__(self, folder: Path, github: FakeGitHub, project: Project) -> None:
        """Take what was made."""
        self.folder, self.github, self.project = folder, github, project
        self.runner = Runner(
            github,
            folder / "runner",
            secrets={"OPENAI_API_KEY": "test-key-of-nobody"},
            inputs={"model": "openai-chat:scripted"},
            variables={"PRP_HOLDOUT_TESTS": "0", "PRP_SETUP": "none"},
        )

    def label(self, number: int = 7, *, by: str = "ada", label: str = "prp", **sender: Any) -> Json:
        """Set a label, and return the event."""
        issue = self.github.state.issues[number]
        issue["labels"] = [*issue["labels"], {"name": label}]
        return {
            "action": "labeled",
            "label": {"name": label},
            "issue": dict(issue),
            "sender": {"login": by, "type": "User", "id": 1, **sender},
        }

    def comment(self, words: str, number: int = 7, *, by: str = "ada") -> Json:
        """Write a comment, and return the event."""
        return {
            "action": "created",
            "issue": dict(self.github.state.issues[number]),
            "comment": {"id": 55, "body": words},
            "sender": {"login": by, "type": "User", "id": 1},
        }

    def run(self, event: Json, script: Script | None = None, *, name: str = "") -> Ran:
        """Run the whole workflow with a scripted model."""
        with Provider(script or crew()) as provider:
            self.runner.inputs = {**self.runner.inputs, "base-url": provider.url}
            ran = self.runner(name or _kind(event), event)
            self.requests = provider.requests
        return ran

    def gate(self, event: Json, *, name: str = "") -> str:
        """Run the first job, and return what it decides."""
        self.ran = self.runner(name or _kind(event), event, last="gate")
        assert self.ran["gate"].result == "success", self.ran.log
        return self.ran["gate"].outputs["decision"]

    @property
    def pull(self) -> Json:
        """The only pull request."""
        (pull,) = self.github.state.pulls.values()
        return pull


def _kind(event: Json) -> str:
    return {"labeled": "issues", "created": "issue_comment", "submitted": "pull_request_review"}[
        event["action"]
    ]


@contextmanager
def on_github(folder: Path) -> Iterator[Place]:
    """Serve a repository with one PRP on its default branch, and issue 7, which names it."""
    project = Project(folder / "project", {"PRPs/greet.md": GREET_PRP, "README.md": "# greet\n"})
    bare = folder / "demo.git"
    project.git("clone", "-q", "--bare", str(project.root), str(bare))
    with FakeGitHub(bare) as github:
        github.issue(7, TITLE, "PRP: PRPs/greet.md\n")
        yield Place(folder, github, project)
