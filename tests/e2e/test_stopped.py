"""What keeps no steps says what is lost when it is stopped on its way."""

import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP

_COMMANDS = {
    "plan": ("plan", "PRPs/greet.md"),
    "draft": ("draft", "greet people"),
    "verify": ("verify", "PRPs/greet.md", "--branch", "work"),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP, and a branch that does what it asks for."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    project.git("switch", "-q", "-c", "work")
    project.write("greet.py", GOOD)
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
    project.git("switch", "-q", "main")
    return project


@pytest.mark.parametrize(
    ("command", "how"),
    [("plan", "Ctrl-C"), ("draft", "Ctrl-C"), ("verify", "Ctrl-C"), ("plan", "outage")],
)
def test_answers_that_were_paid_are_never_lost_in_silence(
    project: Project, command: str, how: str
) -> None:
    """How many, what they cost, and that the command begins anew."""
    asked_again = threading.Event()

    def answer(_request: Request) -> Answer:
        if len(provider.requests) == 1:
            return Answer(calls=(("read", {"paths": ["PRPs/greet.md"]}),))
        asked_again.set()
        return Answer(fault="hang" if how == "Ctrl-C" else "401")

    with Provider(answer) as provider:
        process = subprocess.Popen(
            [
                *(str(PRP), *_COMMANDS[command], "--no-setup", "-q"),
                *("--model", "openai-chat:x", "--base-url", provider.url),
            ],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked_again.wait(100)
        if how == "Ctrl-C":
            process.send_signal(signal.SIGINT)
        said = "".join(process.communicate(timeout=100))
    assert process.returncode == (130 if how == "Ctrl-C" else 4), said
    lost = f"1 model answer (120 tokens, price unknown) is lost: prp {command} keeps none"
    assert lost in said, said


def test_what_killed_commands_left_goes_with_the_next(project: Project, tmp_path: Path) -> None:
    """Checkouts and temporary files of a plan, a draft and a verdict; the verdict can be ended."""
    hung, temporary = threading.Event(), tmp_path / "temporary"
    temporary.mkdir()

    def answer(_request: Request) -> Answer:
        hung.set()
        return Answer(fault="hang")

    with Provider(answer) as provider:
        for command in ("plan", "draft", "verify"):
            hung.clear()
            process = subprocess.Popen(
                [
                    *(str(PRP), *_COMMANDS[command], "--no-setup", "-q"),
                    *("--model", "openai-chat:x", "--base-url", provider.url),
                ],
                cwd=project.root,
                env=project.environment(TMPDIR=str(temporary)),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            assert hung.wait(100)
            process.kill()
            process.wait(20)
            # The one before is gone, this one's not yet; a verdict's files are its run's.
            assert project.git("worktree", "list").count("\n") == 2
            left = [folder.name.split("-")[1] for folder in temporary.glob("prp-*")]
            assert left == ([command] if command != "verify" else [])
    waited = project.prp("wait")
    assert (waited.status, "next: prp cancel " in waited.err) == (1, True), waited.err
    ended = project.prp("cancel")
    assert ended.status == 0, ended.err
    assert project.prp("status", "--json").json[0]["state"] == "cancelled"
    assert project.git("worktree", "list").count("\n") == 1
