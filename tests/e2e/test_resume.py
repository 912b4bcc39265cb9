"""A run survives whatever stops it, and goes on where it was."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.journal import read_events
from tests.support.lives import (
    FILES,
    Coder,
    Undisturbed,
    call_killed,
    messages_of,
    options,
    told,
    tree_of,
    written,
)
from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, PLAN, WRONG


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP."""
    return Project(tmp_path / "project", FILES)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A model server whose coder needs two attempts."""
    with Provider(Coder()) as server:
        yield server


def test_F01_F02_F63_a_run_killed_at_every_event_comes_to_the_same(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """Killed after each event it records, taken up each time: no answer is asked twice."""
    expected = Undisturbed(tmp_path)
    begun = ("any", "1", "execute", "PRPs/greet.md", *options(provider))
    assert call_killed(project, *begun) == -9
    kills = 1
    # Each process tells that it goes on, and is killed after the first event that is new.
    while (status := call_killed(project, "any", "2", "resume", "-q")) == -9:
        kills += 1
        assert kills < 3 * expected.events, "it does not come nearer to its end"
    assert status == 0
    assert kills > expected.events / 2
    assert (tree_of(project), messages_of(project)) == (expected.tree, expected.messages)
    assert len(provider.requests) == expected.asked
    assert told(project) == expected.told
    assert project.git("worktree", "list").count("\n") == 1


def test_F01_a_run_killed_within_every_step_comes_to_the_same(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """A step that was done, but not yet kept, is done again."""
    expected = Undisturbed(tmp_path)
    status = call_killed(project, "step", "1", "execute", "PRPs/greet.md", *options(provider))
    kills = 0
    while status == -9:
        kills += 1
        # The second new step of each process: the first is the one that was cut off.
        status = call_killed(project, "step", "2", "resume", "-q")
        assert kills < 3 * expected.events, "it does not come nearer to its end"
    assert status == 0
    assert kills > 5
    assert project.git("show", "prp/greet:greet.py") == WRONG.replace("Hi", "Hello")
    assert messages_of(project) == expected.messages
    assert told(project) == expected.told


def test_without_a_name_the_projects_own_open_run_is_taken_up(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """And not another project's, however new that is; it is named."""
    begun = ("6", "execute", "PRPs/greet.md", *options(provider))
    assert call_killed(project, *begun) == -9
    mine = project.runs[-1].name
    other = Project(tmp_path / "other", {**FILES, "x": "x"})
    assert call_killed(other, *begun) == -9
    done = project.prp("resume")
    assert (done.status, f"resuming {mine}" in done.err) == (0, True), done.err
    assert f"Run {mine} has ended" in project.prp("resume").err
    nothing = Project(tmp_path / "nothing", FILES).prp("resume")
    assert (nothing.status, "Nothing was executed in" in nothing.err) == (4, True)


def test_F11_a_lost_worktree_is_made_again(project: Project, provider: Provider) -> None:
    """With the changes that no commit holds yet."""
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    assert project.events()[-1]["type"] == "tool-used"
    shutil.rmtree(project.runs[-1] / "worktree")
    done = project.prp("resume")
    assert done.status == 0, done.err
    assert "worktree made again" in done.err
    assert project.git("show", "prp/greet:greet.py") == WRONG.replace("Hi", "Hello")


def test_F11_a_lost_worktree_gets_back_what_commands_made(
    project: Project, provider: Provider
) -> None:
    """Given a command that had run and no commit, then it has run on the new worktree too."""
    assert call_killed(project, "15", "execute", "PRPs/greet.md", *options(provider)) == -9
    ran = [event for event in project.events() if event.get("tool") == "run"]
    assert ran, [event["type"] for event in project.events()]
    assert project.events()[-1]["type"] == "model-answered"
    shutil.rmtree(project.runs[-1] / "worktree")
    done = project.prp("resume")
    assert done.status == 0, done.err
    assert project.git("show", "prp/greet:notes.md") == "# Notes\nmore\n"


def test_F14_a_deleted_branch_is_made_again_or_named(project: Project, provider: Provider) -> None:
    """Before the first commit it holds nothing; later what it held is not there."""
    assert call_killed(project, "4", "execute", "PRPs/greet.md", *options(provider)) == -9
    project.git("worktree", "remove", "-f", "-f", str(project.runs[-1] / "worktree"))
    project.git("branch", "-D", "prp/greet")
    assert project.prp("resume").status == 0


def test_F13_a_moved_branch_is_not_overwritten(project: Project, provider: Provider) -> None:
    """Somebody else committed to it while nobody worked on the run."""
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    own = ("-c", "user.name=t", "-c", "user.email=t@t")
    tree = project.git("rev-parse", "main^{tree}").strip()
    made = project.git(*own, "commit-tree", tree, "-p", "main", "-m", "mine").strip()
    project.git("update-ref", "refs/heads/prp/greet", made)
    done = project.prp("resume")
    assert done.status == 5
    assert "was moved to" in done.err + done.out
    assert project.git("rev-parse", "prp/greet").strip() == made
    # And what the message names goes on from there
    assert "prp resume RUN --afresh" in done.err + done.out
    assert project.prp("resume", "--afresh").status == 0
    assert made in project.git("rev-list", "prp/greet")


def test_F29_ctrl_c_ends_after_the_step_and_says_how_to_go_on(
    project: Project, provider: Provider
) -> None:
    """Exit status 130, the line to type, and no answer asked twice."""
    process = subprocess.Popen(
        [str(PRP), "execute", "PRPs/greet.md", *options(provider)],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "attempt 1" in line:
            process.send_signal(signal.SIGINT)
            break
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"prp resume {project.runs[-1].name}" in out
    assert project.prp("status", "--json").json[0]["state"] == "interrupted"
    assert project.prp("resume", "greet").status == 0
    asked = [request.text for request in provider.requests]
    assert len(asked) == len(set(asked))


def test_F29_ctrl_c_ends_a_run_whose_provider_told_it_to_wait(project: Project) -> None:
    """Nothing is under way then; otherwise it would end ten minutes later."""
    coder = Coder()
    refused: list[Request] = []

    def busy(request: Request) -> Answer:
        if not refused and "edit" in request.tools:
            refused.append(request)
            return Answer(fault="429", retry_after="600")
        return coder(request)

    with Provider(busy) as provider:
        process = subprocess.Popen(
            [str(PRP), "execute", "PRPs/greet.md", *options(provider)],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "(try 2 of" in line:
                process.send_signal(signal.SIGINT)
                break
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert f"prp resume {project.runs[-1].name}" in out
        assert project.prp("resume").status == 0


def test_F20_a_run_that_is_worked_on_is_not_taken_up(project: Project) -> None:
    """Nor is one that has ended."""
    slow = GREET_PRP.replace("ruff check .", "sleep 60")
    project.write("PRPs/slow.md", slow)
    process = subprocess.Popen(
        [str(PRP), "execute", "PRPs/slow.md", "--model", "openai-chat:x", "-q"],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (project.runs and (project.runs[-1] / "events.jsonl").is_file()):
        assert process.poll() is None
        time.sleep(0.05)
    done = project.prp("resume")
    assert (done.status, "worked on by another process" in done.err) == (5, True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)


def test_F21_a_changed_document_is_noticed(project: Project, provider: Provider) -> None:
    """The person says which of the two counts."""
    assert call_killed(project, "6", "execute", "PRPs/greet.md", *options(provider)) == -9
    project.write("PRPs/greet.md", GREET_PRP + "\nMore.\n")
    done = project.prp("resume")
    assert done.status == 14
    assert "--keep-prp" in done.err
    assert project.prp("resume", "--keep-prp").status == 0


def test_F09_locks_that_a_crash_left_are_taken_away(project: Project, provider: Provider) -> None:
    """Nobody else works there: the run's own lock is held."""
    assert call_killed(project, "9", "execute", "PRPs/greet.md", *options(provider)) == -9
    (own,) = (project.root / ".git" / "worktrees").glob("worktree*")
    (own / "index.lock").touch()
    assert project.prp("resume").status == 0


def test_F10_a_lock_on_the_branch_that_a_crash_left_is_taken_away(
    project: Project, provider: Provider
) -> None:
    """Given git killed while it moved the run's branch, then the run goes on."""
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    lock = project.root / ".git/refs/heads/prp/greet.lock"
    lock.touch()
    with pytest.raises(subprocess.CalledProcessError):
        project.git("update-ref", "refs/heads/prp/greet", "HEAD")
    done = project.prp("resume")
    assert done.status == 0, done.err
    assert not lock.exists()


def test_F25_a_torn_line_is_dropped_and_told(project: Project, provider: Provider) -> None:
    """The rest of the journal is as it was."""
    assert call_killed(project, "9", "execute", "PRPs/greet.md", *options(provider)) == -9
    with (project.runs[-1] / "events.jsonl").open("a") as journal:
        journal.write('{"v": 1, "seq": 10, "ty')
    done = project.prp("resume")
    assert done.status == 0
    assert "23 bytes of the journal's last line were lost" in done.err
    assert [event["seq"] for event in project.events()] == list(range(1, len(project.events()) + 1))


def test_a_pause_for_a_provider_goes_on_with_another(project: Project) -> None:
    """What was half done is committed, and taken back when the run goes on."""
    answers = iter([Answer(calls=(("submit_plan", dict(PLAN)),))])

    def out_soon(request: Request) -> Answer:
        if written(request):
            return Answer(fault="401")
        return next(answers, None) or Coder()(request)

    with Provider(out_soon) as provider:
        done = project.prp("execute", "PRPs/greet.md", *options(provider))
    assert done.status == 4
    assert project.git("log", "-1", "--format=%s", "prp/greet").strip() == "Keep unfinished work"
    with Provider(Coder()) as provider:
        done = project.prp("resume", "--base-url", provider.url)
    assert done.status == 0, done.err
    assert "Keep unfinished work" not in messages_of(project)


def test_a_run_in_the_background_outlives_who_began_it(
    project: Project, provider: Provider
) -> None:
    """Its id is printed, and it can be waited for."""
    done = project.prp("execute", "PRPs/greet.md", *options(provider), "--detach", "--json")
    assert done.status == 0, done.err
    assert done.json["run"] == project.runs[-1].name
    assert project.prp("wait", done.json["run"]).status == 0
    assert project.git("show", "prp/greet:greet.py") == WRONG.replace("Hi", "Hello")
    assert project.prp("plan", "PRPs/greet.md", *options(provider), "--detach").status == 4


PREAMBLE = "Task 2 - Words:\n  CREATE words.md:\n    - says what greet does\n"


def test_F21_only_what_changed_is_done_again(project: Project) -> None:
    """A task that is worded as before stays done, and its plan's neighbour is added."""
    with Provider(Coder()) as provider:
        stopped = call_killed(project, "17", "execute", "PRPs/greet.md", *options(provider))
    assert stopped == -9
    assert "task-finished" in [event["type"] for event in project.events()]
    blueprint = GREET_PRP.replace("returns the greeting\n", f"returns the greeting\n{PREAMBLE}")
    project.write("PRPs/greet.md", blueprint)
    plan = {**PLAN, "steps": [*PLAN["steps"], {"task": 2, "approach": "Few.", "files": []}]}

    def answer(request: Request) -> Answer:
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", plan),))
        repairs = "AssertionError" in request.text
        if "submit_judgement" not in request.tools and "Words" in request.last and not repairs:
            words = {"path": "words.md", "content": "It greets.\n"}
            return Answer(calls=(("write", words), ("finish", {"summary": "Worded."})))
        return Coder()(request)

    with Provider(answer) as provider:
        done = project.prp("resume", "--accept-prp-change", "--base-url", provider.url)
    assert done.status == 0, done.err
    started = [e["task"] for e in project.events() if e["type"] == "task-started"]
    assert started == [1, 2, 0]


@pytest.mark.parametrize("harm", ["broken", "gone", "older"])
def test_F22_F24_a_run_without_its_steps_goes_on_from_what_is_committed(
    project: Project, harm: str
) -> None:
    """Their database is broken, gone, or of another version: no task is done twice."""
    with Provider(Coder()) as provider:
        stopped = call_killed(project, "17", "execute", "PRPs/greet.md", *options(provider))
        planned = len([r for r in provider.requests if "submit_plan" in r.tools])
        assert stopped == -9
        steps = project.runs[-1] / "steps.sqlite"
        if harm == "broken":
            for file in steps.parent.glob("steps.sqlite*"):
                file.write_bytes(b"no database at all" * 1000)
        elif harm == "gone":
            steps.unlink()
        else:
            with sqlite3.connect(steps) as database:
                database.execute("UPDATE workflow_status SET application_version = '0'")
        done = project.prp("resume")
        assert done.status == 0, done.err
        assert "goes on from what is committed" in done.err
        assert len([r for r in provider.requests if "submit_plan" in r.tools]) == planned
        # And what the coder doubted then reaches who judges now.
        judge = next(r for r in provider.requests if "submit_judgement" in r.tools)
        assert "Task 1: Names that are empty." in judge.text
    started = [e["task"] for e in project.events() if e["type"] == "task-started"]
    assert started == [1, 0]


def test_F11_a_worktree_lost_just_after_a_commit_comes_to_the_same(
    provider: Provider, tmp_path: Path
) -> None:
    """Given a commit that no step knows of yet, then what led to it is not done on top of it."""
    expected = Undisturbed(tmp_path)
    for number in range(5, 30):
        project = Project(tmp_path / f"step-{number}", FILES)
        step = ("step", str(number))
        assert call_killed(project, *step, "execute", "PRPs/greet.md", *options(provider)) == -9
        if project.git("log", "--format=%s", "main..prp/greet"):
            break
    assert project.events()[-1]["type"] == "model-answered"
    shutil.rmtree(project.runs[-1] / "worktree")
    assert project.prp("resume", "-q").status == 0
    assert tree_of(project) == expected.tree


def test_F25_a_line_torn_in_the_middle_of_the_journal_is_told_again(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """Given a power failure that took what lay between, then the run goes on and says it anew."""
    expected = Undisturbed(tmp_path)
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    journal = project.runs[-1] / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    torn = next(n for n, line in enumerate(lines) if b'"type": "planned"' in line)
    lines[torn] = b"\0" * 40 + lines[torn][40:]
    journal.write_bytes(b"".join(lines))
    for command in ("status", "events"):
        assert project.prp(command).status == 0
    done = project.prp("resume")
    assert done.status == 0, done.err
    assert tree_of(project) == expected.tree
    readable = [event["type"] for event in read_events(journal)]
    assert readable.count("planned") == 1


def test_a_state_folder_that_was_moved_is_gone_on_with(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """The worktree is made again where the state is now, with the changes that nobody committed."""
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    moved = tmp_path / "moved"
    Path(os.environ["XDG_STATE_HOME"]).rename(moved)
    done = project.prp("resume", XDG_STATE_HOME=str(moved))
    assert done.status == 0, done.err
    assert "worktree made again" in done.err
    assert project.git("show", "prp/greet:greet.py") == WRONG.replace("Hi", "Hello")
    assert project.git("worktree", "list").count("\n") == 1


def test_a_project_that_was_moved_is_named_and_a_link_helps(
    project: Project, provider: Provider, tmp_path: Path
) -> None:
    """The run says where its project was, and how to take it up all the same."""
    assert call_killed(project, "12", "execute", "PRPs/greet.md", *options(provider)) == -9
    was, run = project.root, project.runs[-1].name
    project.root = was.rename(tmp_path / "elsewhere")
    done = project.prp("resume", run)
    assert done.status == 5
    assert f"was begun in {was}, and that is gone" in done.err
    was.symlink_to(project.root)
    done = project.prp("resume", run)
    assert done.status == 0, done.err
