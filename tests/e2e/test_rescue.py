"""What a machine and its people do to a run, and what becomes of it: the matrix by its ids."""

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.lives import FILES, Coder, Undisturbed, call_killed, options, tree_of
from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP

EXECUTE = ("execute", "PRPs/greet.md")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", FILES)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(Coder()) as server:
        yield server


@pytest.fixture
def start(project: Project) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start `prp` and leave nobody behind."""
    begun: list[subprocess.Popen[str]] = []

    def started(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [str(PRP), *arguments],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield started
    for process in begun:
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", words: str) -> None:
    """Read what a process says until it says this."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended with {process.wait()} and never said {words!r}")


@pytest.mark.parametrize("number", ["1", "999999", ""])
def test_F03_F04_the_number_in_a_lock_is_not_believed(
    project: Project, provider: Provider, number: str
) -> None:
    """After a reboot it may be anybody's; only a lock that is held counts."""
    assert call_killed(project, "6", *EXECUTE, *options(provider)) == -9
    (project.runs[-1] / "lock").write_text(number)
    assert project.prp("status", "--json").json[0]["state"] == "broken off"
    assert project.prp("resume", "-q").status == 0


def test_F12_a_worktree_survives_gc_and_prune(project: Project, provider: Provider) -> None:
    """Given the person tidies the repository while nobody works on the run."""
    assert call_killed(project, "12", *EXECUTE, *options(provider)) == -9
    project.git("worktree", "prune", "--expire", "now")
    project.git("gc", "-q", "--prune=now")
    done = project.prp("resume")
    assert (done.status, "worktree made again" in done.err) == (0, False), done.err


def test_F15_a_branch_that_is_checked_out_elsewhere_is_said(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """Given the run's folder is gone and the person has its branch, then nothing is touched."""
    assert call_killed(project, "12", *EXECUTE, *options(provider)) == -9
    project.git("worktree", "remove", "-f", "-f", str(project.runs[-1] / "worktree"))
    project.git("worktree", "add", "-q", str(tmp_path / "mine"), "prp/greet")
    done = project.prp("resume")
    assert (done.status, "another folder" in done.err) == (5, True)
    project.git("worktree", "remove", str(tmp_path / "mine"))
    assert project.prp("resume", "-q").status == 0


def test_F16_a_rebased_main_does_not_matter(project: Project, provider: Provider) -> None:
    """The base is a commit, not a name: it stays as long as the run's branch."""
    assert call_killed(project, "12", *EXECUTE, *options(provider)) == -9
    project.git(
        "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--amend", "-m", "other"
    )
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    assert project.prp("resume", "-q").status == 0


def test_F19_two_runs_of_one_repository_at_once(
    project: Project,
    provider: Provider,
    tmp_path: Path,
    start: Callable[..., "subprocess.Popen[str]"],
) -> None:
    expected = Undisturbed(tmp_path)
    project.write("PRPs/welcome.md", GREET_PRP)
    both = [
        start("execute", f"PRPs/{name}.md", *options(provider)) for name in ("greet", "welcome")
    ]
    for process in both:
        _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
    greet = project.git("show", "prp/greet:greet.py")
    assert greet == project.git("show", "prp/welcome:greet.py")
    assert tree_of(project) == expected.tree


def test_F23_a_locked_database_is_waited_for(project: Project, provider: Provider) -> None:
    """Given another program that holds the steps for seconds, then the run waits and goes on."""
    assert call_killed(project, "6", *EXECUTE, *options(provider)) == -9
    held = sqlite3.connect(project.runs[-1] / "steps.sqlite", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    resumed = subprocess.Popen(
        [str(PRP), "resume", "-q"], cwd=project.root, env=project.environment()
    )
    time.sleep(3)
    assert resumed.poll() is None
    held.execute("ROLLBACK")
    held.close()
    assert resumed.wait(60) == 0


def test_F28_a_laptop_that_sleeps_goes_on(
    provider: Provider, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start(*EXECUTE, *options(provider))
    until(process, "attempt 1")
    process.send_signal(signal.SIGSTOP)
    time.sleep(2)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said


def test_F30_ctrl_c_twice_stops_at_once_and_loses_nothing(
    project: Project, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    """Given a command that would take a minute, then the second Ctrl-C does not wait for it."""
    coder = Coder()

    def slow(request: Request) -> Answer:
        answer = coder(request)
        calls = tuple(
            (name, {"command": "sleep 60"}) if name == "run" else (name, given)
            for name, given in answer.calls
        )
        return Answer(calls=calls)

    with Provider(slow) as provider:
        process = start(*EXECUTE, *options(provider))
        until(process, "coder read notes.md")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "prp resume" in out
    assert "greet.py" in project.git("ls-tree", "--name-only", "prp/greet")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_F31_F32_a_closed_terminal_saves_the_run(
    project: Project,
    provider: Provider,
    start: Callable[..., "subprocess.Popen[str]"],
    number: signal.Signals,
    status: int,
) -> None:
    process = start(*EXECUTE, *options(provider))
    until(process, "attempt 1")
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == status
    assert project.prp("status", "--json").json[0]["state"] == "interrupted"
    assert project.prp("resume", "-q").status == 0


def test_F33_output_that_nobody_reads_any_more_ends_no_run(
    project: Project, provider: Provider
) -> None:
    """`prp execute ... 2>&1 | head -1`: the run goes on to its end."""
    command = f"{PRP} {' '.join([*EXECUTE, *options(provider)])} 2>&1 | head -1"
    assert "PRPs/greet.md" in project.bash(command).out
    assert project.events()[-1]["type"] == "run-ended"
    assert project.events()[-1]["outcome"] == "proven"


def test_F34_without_a_terminal_lines_are_plain(project: Project, provider: Provider) -> None:
    ran = project.prp(*EXECUTE, *options(provider), TERM="dumb")
    assert ran.status == 0
    assert "\x1b" not in ran.out + ran.err


def test_F62_a_persons_change_in_the_worktree_is_kept_like_any_other(
    project: Project, provider: Provider
) -> None:
    """Given a file that the person writes while nobody works on the run, then it is not lost."""
    assert call_killed(project, "12", *EXECUTE, *options(provider)) == -9
    (project.runs[-1] / "worktree" / "mine.txt").write_text("mine\n")
    assert project.prp("resume", "-q").status == 0
    assert project.git("show", "prp/greet:mine.txt") == "mine\n"


def test_F65_a_state_folder_with_too_long_a_path_is_said(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    deep = tmp_path.joinpath(*["d" * 200 for _ in range(25)])
    ran = project.prp(*EXECUTE, *options(provider), PRP_STATE_DIR=str(deep))
    assert ran.status == 5, ran.err
    assert "Traceback" not in ran.err
    assert "too long" in ran.err


def test_F66_a_docfile_that_vanishes_is_read_from_the_commit(
    project: Project, provider: Provider
) -> None:
    """References are read from the base commit: what is deleted afterwards was read."""
    context = "\n## All Needed Context\n```yaml\n- docfile: words.md\n  why: the words\n```\n"
    project.write("PRPs/greet.md", GREET_PRP + context)
    project.write("words.md", "Greet warmly.\n")
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "words")
    assert call_killed(project, "4", *EXECUTE, *options(provider)) == -9
    (project.root / "words.md").unlink()
    assert project.prp("resume", "-q").status == 0
    assert any("Greet warmly" in request.text for request in provider.requests)
