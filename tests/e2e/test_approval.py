"""Commands of a document that the repository does not know run after a person's word only."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.project import PRP, Project, Ran
from tests.support.provider import Provider
from tests.support.scripts import GREET_PRP, crew

SEEN = "| tee /tmp/seen ../x # \N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one PRP in its history and one that was just written."""
    made = Project(tmp_path / "project", {"PRPs/known.md": GREET_PRP})
    made.write("PRPs/new.md", GREET_PRP)
    return made


def executed(project: Project, *options: str, prp: str = "PRPs/new.md", **variables: str) -> Ran:
    """Execute with a crew that knows its work."""
    with Provider(crew()) as provider:
        model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        ran = project.prp("execute", prp, *model, *options, **({"PRP_APPROVE": ""} | variables))
        assert ran.status != 13 or not provider.requests
    return ran


def typed(project: Project, answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command at a terminal and type an answer where it asks."""
    own, others = pty.openpty()
    with subprocess.Popen(
        [PRP, *arguments],
        cwd=project.root,
        env=project.environment(PRP_APPROVE=""),
        stdin=others,
        stdout=others,
        stderr=others,
        start_new_session=True,
    ) as process:
        os.close(others)
        shown, is_answered, deadline = b"", False, time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([own], [], [], 0.1)[0]:
                continue
            try:
                shown += os.read(own, 65536)
            except OSError:
                break
            if b"[y/N]" in shown and not is_answered:
                os.write(own, answer.encode())
                is_answered = True
        status = process.wait(10)
    os.close(own)
    return status, shown.decode()


def test_a_document_of_the_history_runs_unasked(project: Project) -> None:
    """Also in its last version but one; the report says why it ran."""
    project.write("PRPs/known.md", GREET_PRP + "\nMore.\n")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "more")
    project.write("PRPs/known.md", GREET_PRP)
    ran = executed(project, "--json", prp="PRPs/known.md")
    assert ran.status == 0, ran.err
    assert ran.json["allowed"] == "the repository's history holds the PRP"


def test_a_new_document_waits_where_nobody_is_there(project: Project) -> None:
    """Its commands are shown, nothing ran, nothing is left behind; the hash allows exactly it."""
    before = project.fingerprint()
    ran = executed(project)
    assert ran.status == 13
    assert "ruff check ." in ran.err
    assert "network: none" in ran.err
    assert project.runs == []
    assert project.fingerprint() == before
    digest = ran.err.split("hash of text and commands: ")[1][:12]
    # Another text is another question
    project.write("PRPs/new.md", GREET_PRP.replace("ruff check .", "ruff check src"))
    assert executed(project, "--approved", digest).status == 13
    project.write("PRPs/new.md", GREET_PRP)
    assert executed(project, "--approved", digest[:8]).status == 13
    ran = executed(project, "--approved", digest.upper(), "--json")
    assert ran.status == 0, ran.err
    assert ran.json["allowed"] == f"allowed by --approved {digest}"


def test_a_person_is_asked_once_for_the_same_words(project: Project) -> None:
    """No is no, yes is remembered for this repository, a changed document is asked about again."""
    order = ("plan", "PRPs/new.md", "--model", "openai-chat:x", "--base-url", "http://127.0.0.1:9")
    status, shown = typed(project, "n\n", *order)
    assert (status, "nothing was run" in shown) == (13, True)
    status, shown = typed(project, "\x04", *order)
    assert (status, "nothing was run" in shown) == (13, True)
    with Provider(crew()) as provider:
        order = (*order[:-1], provider.url)
        status, shown = typed(project, "y\n", *order)
        assert status == 0, shown
        assert project.prp(*order, PRP_APPROVE="").status == 0
    project.write("PRPs/new.md", GREET_PRP.replace("ruff check .", "ruff check . && env"))
    assert project.prp(*order, PRP_APPROVE="").status == 13


@pytest.mark.parametrize(
    ("options", "variables", "status"),
    [
        (["--yes"], {}, 0),
        (["--approve", "none"], {}, 0),
        ([], {"PRP_APPROVE": "none"}, 0),
        (["--approve", "nobody"], {}, 4),
        (["--approve", "commands"], {}, 13),
        (["--yes", "--no-sandbox"], {}, 14),
        (["--no-sandbox"], {"CI": "true"}, 14),
    ],
)
def test_what_options_mean(
    project: Project, options: list[str], variables: dict[str, str], status: int
) -> None:
    """Everything, nothing, or all documents."""
    assert executed(project, *options, prp="PRPs/known.md", **variables).status == status


def test_a_repository_can_only_ask_for_more(project: Project) -> None:
    """`none` in its file is left aside and told, `commands` counts."""
    project.write("prp.toml", 'approve = "none"\n')
    assert executed(project).status == 13
    project.write("prp.toml", 'approve = "commands"\n')
    assert executed(project, prp="PRPs/known.md").status == 13


def test_a_command_cannot_hide_from_the_person(project: Project) -> None:
    """Control characters are shown, places outside of the project are named, all lines stand."""
    project.write("PRPs/new.md", GREET_PRP.replace("ruff check .", f"ls {SEEN}"))
    ran = executed(project, "--ignore-missing-references")
    assert ran.status in (3, 13)
    assert "\x1b" not in ran.err
    project.write("PRPs/new.md", GREET_PRP.replace("ruff check .", "ls /etc ../x ~/.ssh > /tmp/a"))
    assert "names /etc, ../x, ~/.ssh, /tmp/a" in executed(project).err
