"""What a machine can lack: room, open files, locks, a clock that goes right. Nothing is lost."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import odd_machine, side
from tests.support.disks import Disk, a_small_disk
from tests.support.lives import FILES, Coder, Undisturbed, call_killed, options, tree_of
from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request

EXECUTE = ("execute", "PRPs/greet.md")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with a_small_disk(tmp_path / "disk", megabytes=6) as small:
        yield small


@pytest.fixture
def expected(tmp_path: Path) -> Undisturbed:
    return Undisturbed(tmp_path)


class FillsUp:
    """A coder; with the answer to its third request the disk is full."""

    def __init__(self, disk: Disk) -> None:
        self._disk, self._coder, self._asked = disk, Coder(), 0

    def __call__(self, request: Request) -> Answer:
        self._asked += 1
        if self._asked == 3:
            self._disk.fill()
        return self._coder(request)


def test_F05_F06_a_run_whose_own_disk_is_full_goes_on_when_there_is_room(
    tmp_path: Path, disk: Disk, expected: Undisturbed
) -> None:
    """Journal, steps and worktree can't be written: that is said, and nothing is done twice."""
    project = Project(tmp_path / "project", FILES)
    state = {"PRP_STATE_DIR": str(disk.place / "state")}
    with Provider(FillsUp(disk)) as provider:
        full = project.prp(*EXECUTE, *options(provider), **state)
        assert (full.status, "Traceback" in full.err) == (5, False), full.err
        assert "Make room" in full.out + full.err
        assert "prp resume" in full.out + full.err
        disk.make_room()
        done = project.prp("resume", "-q", **state)
        assert done.status == 0, done.out + done.err
        assert tree_of(project) == expected.tree
        # Two answers there was no room for: one that came, and one that was under way.
        assert len(provider.requests) <= expected.asked + 2


class Pauses:
    """A coder whose provider refuses its third request, once: the run stops in order."""

    def __init__(self) -> None:
        self._coder, self._asked = Coder(), 0

    def __call__(self, request: Request) -> Answer:
        self._asked += 1
        return Answer(fault="401") if self._asked == 3 else self._coder(request)


def test_F05_a_disk_that_is_full_when_a_run_is_taken_up_costs_no_step(
    tmp_path: Path, disk: Disk, expected: Undisturbed
) -> None:
    """Its steps can't be read without room: that is said, and they are not taken for damaged."""
    project = Project(tmp_path / "project", FILES)
    state = {"PRP_STATE_DIR": str(disk.place / "state")}
    with Provider(Pauses()) as provider:
        assert project.prp(*EXECUTE, *options(provider), **state).status in (4, 20)
        (steps,) = disk.place.glob("state/runs/*/steps.sqlite")
        with contextlib.closing(sqlite3.connect(steps)) as database:
            # To open it again takes room for what SQLite keeps beside it.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        disk.fill()
        full = project.prp("resume", "-q", **state)
        assert (full.status, "Traceback" in full.err) == (5, False), full.err
        assert "Make room" in full.out + full.err
        disk.make_room()
        done = project.prp("resume", "-q", **state)
        assert (done.status, done.err) == (0, "")
        assert len(provider.requests) == expected.asked + 1
    assert tree_of(project) == expected.tree


def test_F08_a_disk_that_can_only_be_read_is_called_so(tmp_path: Path, disk: Disk) -> None:
    """Room would help nobody; the run is as it was, and can be looked at."""
    project = Project(tmp_path / "project", FILES)
    state = {"PRP_STATE_DIR": str(disk.place / "state")}
    with Provider(Pauses()) as provider:
        assert project.prp(*EXECUTE, *options(provider), **state).status in (4, 20)
        disk.protect()
        for command in (("resume", "-q"), ("resume", "-q", "--afresh"), ("cancel",)):
            refused = project.prp(*command, **state)
            assert (refused.status, "Make room" in refused.err) == (5, False), refused.err
            assert "ead-only" in refused.err
        assert project.prp("status", **state).status == 0


def test_F07_a_commit_that_the_disk_has_no_room_for_is_made_later(
    disk: Disk, expected: Undisturbed
) -> None:
    """Given the repository's disk is full, then what was written waits in the worktree."""
    project = Project(disk.place / "project", FILES)
    with Provider(FillsUp(disk)) as provider:
        full = project.prp(*EXECUTE, *options(provider))
        assert (full.status, "Traceback" in full.err) == (5, False), full.err
        assert "No space left on device" in full.out + full.err
        disk.make_room()
        done = project.prp("resume", "-q")
        assert done.status == 0, done.out + done.err
        assert tree_of(project) == expected.tree
        assert len(provider.requests) == expected.asked


def test_F07_a_cancelled_run_whose_work_no_commit_can_take_keeps_it_in_its_folder(
    disk: Disk,
) -> None:
    """Given a run killed in the middle of a task, when its repository's disk is full."""
    project = Project(disk.place / "project", FILES)
    with Provider(Coder()) as provider:
        assert call_killed(project, "14", *EXECUTE, *options(provider)) == -9
    (run,) = project.runs
    written = (run / "worktree" / "greet.py").read_text(encoding="utf-8")
    # When it is ended all the same
    disk.fill()
    ended = project.prp("cancel")
    # Then what the coder wrote is there, and the person is told where
    assert (ended.status, "Traceback" in ended.err) == (0, False), ended.err
    assert str(run / "worktree") in ended.err
    assert (run / "worktree" / "greet.py").read_text(encoding="utf-8") == written


def test_F07_what_no_commit_can_take_is_not_given_up_for_going_on_afresh(disk: Disk) -> None:
    """Given a run killed in the middle of a task, then it goes on once there is room."""
    project = Project(disk.place / "project", FILES)
    with Provider(Coder()) as provider:
        assert call_killed(project, "14", *EXECUTE, *options(provider)) == -9
        (run,) = project.runs
        written = (run / "worktree" / "greet.py").read_text(encoding="utf-8")
        disk.fill()
        refused = project.prp("resume", "--afresh")
        assert (refused.status, "Traceback" in refused.err) == (5, False), refused.err
        assert "could not be committed" in refused.err + refused.out
        assert (run / "worktree" / "greet.py").read_text(encoding="utf-8") == written
        disk.make_room()
        done = project.prp("resume", "--afresh")
    assert done.status == 0, done.err


def test_F07_tasks_side_by_side_that_no_commit_can_take_stay_in_their_folders(disk: Disk) -> None:
    """Given two at work when the run is cancelled, and their repository's disk is full."""
    project = Project(disk.place / "project", side.FILES)

    def cancelled() -> None:
        assert "asked run" in project.prp("cancel").out
        disk.fill()

    parts = side.Coder(4)
    both_have_written = threading.Barrier(2, cancelled)

    def coder(request: Request) -> Answer:
        if "wrote" in request.last:
            both_have_written.wait(side.WAIT)
        return parts(request)

    with Provider(coder) as provider:
        arguments = ("execute", "PRPs/parts.md", "--jobs", "2", *options(provider))
        project.prp(*arguments)
    (run,) = project.runs
    kept = {path.name for path in (run / "beside").glob("*/part_*.py")}
    assert kept == {"part_1.py", "part_2.py"}


def on_an_odd_machine(
    project: Project, oddity: str, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    wrapper = Path(odd_machine.__file__)
    return subprocess.run(
        [sys.executable, str(wrapper), oddity, *arguments],
        cwd=project.root,
        env=project.environment(PYTHONPATH=str(wrapper.parents[2])),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_F26_a_file_system_without_locks_is_said_before_anything_begins(tmp_path: Path) -> None:
    """Two processes could work on one run."""
    project = Project(tmp_path / "project", FILES)
    done = on_an_odd_machine(project, "locks", *EXECUTE, "--model", "openai-chat:x")
    assert (done.returncode, "Traceback" in done.stderr) == (5, False), done.stderr
    assert "PRP_STATE_DIR" in done.stderr
    assert project.git("branch", "--list", "prp/*") == ""


def test_F27_a_clock_that_jumps_changes_nothing(tmp_path: Path, expected: Undisturbed) -> None:
    """Limits and durations don't ask it."""
    project = Project(tmp_path / "project", FILES)
    with Provider(Coder()) as provider:
        done = on_an_odd_machine(
            project, "clock", *EXECUTE, "--max-minutes", "5", *options(provider)
        )
        assert done.returncode == 0, done.stderr
        assert len(provider.requests) == expected.asked
    assert tree_of(project) == expected.tree
    took = [event["seconds"] for event in project.events() if "seconds" in event]
    assert took
    assert all(0 <= seconds < 3_000 for seconds in took)


def test_F64_too_few_open_files_are_said_and_the_run_goes_on_with_more(
    tmp_path: Path, expected: Undisturbed
) -> None:
    project = Project(tmp_path / "project", FILES)
    with Provider(Coder()) as provider:
        command = f"ulimit -Sn 18; exec {PRP} {' '.join([*EXECUTE, *options(provider)])}"
        ran = project.bash(command)
        assert (ran.status, "Traceback" in ran.err) == (5, False), ran.err
        assert "ulimit -n" in ran.out + ran.err
        assert project.prp("resume", "-q").status == 0
    assert tree_of(project) == expected.tree
