"""Runs that are killed and taken up: a coder for them, and what an undisturbed run comes to."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import killed
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, PLAN, WRONG, opinions

KILLED = str(Path(killed.__file__))
FILES = {"PRPs/greet.md": GREET_PRP, "notes.md": "# Notes\n"}


def written(request: Request) -> bool:
    """Return whether the coder just got the results of its first answer."""
    return "wrote greet.py" in request.last or "# Notes" in request.last


class Coder:
    """Answers by how far the conversation is: the same question always gets the same answer."""

    def __call__(self, request: Request) -> Answer:
        """Plan, judge, or go on with the task at hand."""
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(PLAN)),))
        if "submit_judgement" in request.tools:
            judged = opinions({"C1": "yes", "C2": "yes"})
            return Answer(calls=(("submit_judgement", judged),))
        repairs = "Hello, Ada!' != " in request.text or "AssertionError: Hi, Ada!" in request.text
        told = request.last
        if repairs:
            if "edited at" in told:
                return Answer(calls=(("finish", {"summary": "Repaired."}),))
            edit = {"path": "greet.py", "old": "Hi", "new": "Hello"}
            return Answer(calls=(("edit", {"edits": [edit]}),))
        if "appended" in told:
            done = {"summary": "Written.", "doubts": ["Names that are empty."]}
            return Answer(calls=(("finish", done),))
        if written(request):
            # If it ran twice for a run that is taken up, its line would be there twice.
            return Answer(calls=(("run", {"command": "echo more >> notes.md; echo appended"}),))
        write = {"path": "greet.py", "content": WRONG}
        return Answer(calls=(("write", write), ("read", {"paths": ["notes.md"]})))


def options(provider: Provider) -> tuple[str, ...]:
    """Return the options that every run here has."""
    return ("--model", "openai-chat:x", "--base-url", provider.url, "--max-mutants", "0")


def call_killed(project: Project, *arguments: str, **variables: str) -> int:
    """Run `prp` with its killer and return its exit status."""
    done = subprocess.run(
        [sys.executable, KILLED, *arguments],
        cwd=project.root,
        env=project.environment(PYTHONPATH=str(Path(KILLED).parents[2]), **variables),
        capture_output=True,
        check=False,
        timeout=240,
    )
    return done.returncode


def told(project: Project) -> list[str]:
    """Return what the journal says happened, without what a run that is taken up adds."""
    kinds = [event["type"] for event in project.events()]
    return sorted(kind for kind in kinds if kind not in ("run-resumed", "setup-finished"))


def tree_of(project: Project) -> str:
    """Return the hash of everything that the branch holds."""
    return project.git("rev-parse", "prp/greet^{tree}")


def messages_of(project: Project) -> str:
    """Return the commits of the branch."""
    return project.git("log", "--format=%s%n%b", "main..prp/greet")


class Undisturbed:
    """What a run comes to that nothing disturbs."""

    def __init__(self, tmp_path: Path) -> None:
        """Execute the PRP in a project of its own."""
        project = Project(tmp_path / "undisturbed", FILES)
        with Provider(Coder()) as provider:
            done = project.prp("execute", "PRPs/greet.md", *options(provider))
            self.asked = len(provider.requests)
        assert done.status == 0, done.err
        self.tree, self.messages = tree_of(project), messages_of(project)
        self.told, self.events = told(project), len(project.events())
        shutil.rmtree(project.runs[-1])
