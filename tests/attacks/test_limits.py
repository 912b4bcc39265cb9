"""Every command ends, and uses no more than it may. Ids as in docs/attacks.md."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.workspace import Limits, counting
from tests.support.flags import taken_away
from tests.support.place import Place, a_place
from tests.support.project import PRP, Project
from tests.support.scripts import GREET_PRP

MIB = 1024**2


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree of a fresh repository."""
    with a_place(tmp_path) as place:
        yield place


def processes() -> str:
    """Return the command lines of all processes."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return listed.stdout


def becomes(true: Callable[[], bool], *, seconds: float = 10) -> bool:
    """Return whether something becomes true while anybody would wait for it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_S27_a_flood_of_processes_is_stopped(place: Place) -> None:
    """By the kernel where it counts them, by us where prp runs as root."""
    bounded = "for n in $(seq 150); do sleep 9 & done; sleep 1; echo begun; kill $(jobs -p)"
    assert "begun" in place.bare(bounded).output
    assert "begun" in place.run(bounded).output
    done = place.run(bounded, limits=Limits(processes=100))
    assert done.ended == "processes"
    assert "[stopped: it ran more than 100 processes]" in done.output
    assert place.run("ulimit -u").output.strip() == "512"


@pytest.mark.parametrize(
    ("groups", "doubled"),
    [pytest.param(True, 12, id="counted"), pytest.param(False, 10, id="only watched")],
)
def test_S27_a_fork_bomb_leaves_the_host_alive(
    place: Place, groups: bool, doubled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the command, and nothing of it stays; with control groups or without."""
    if not groups:
        monkeypatch.setattr(counting, "_groups", lambda: None)
    name = f"bomb{os.getpid()}"
    # It ends by itself: whoever breaks this claim shall not lose the machine as well.
    go_on = f"{name} $(($1 + 1))"
    bomb = f'{name}() {{ [ "$1" -ge {doubled} ] || {go_on} | {go_on} & sleep 60; }}'
    done = place.run(f"{bomb}; {name} 0", seconds=60)
    assert done.ended == "processes"
    assert subprocess.run(["true"], check=False).returncode == 0
    assert becomes(lambda: name not in processes(), seconds=60)


def test_S27_a_command_that_cannot_join_its_group_runs_behind_all_others(tmp_path: Path) -> None:
    """And says nothing about it: what it prints is its own."""
    (tmp_path / "cgroup.procs").mkdir()
    group = counting.ControlGroup(tmp_path, 5)
    done = subprocess.run(group.started(["/usr/bin/nice"]), capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"19\n", b"")


@pytest.mark.skipif(not counting.is_root(), reason="the kernel counts those of everybody but root")
def test_S27_a_command_that_ends_takes_no_group_from_one_that_begins() -> None:
    """Several run at once, and each is counted."""
    with counting.counted(50) as group:
        if group is None:
            pytest.skip("no control groups can be made here")
        with counting.counted(50):
            pass
        shown = subprocess.check_output(group.started(["cat", "/proc/self/cgroup"]), text=True)
        assert f"/prp-{os.getpid()}-" in shown


def test_S28_many_other_processes_of_the_person_are_no_hindrance(place: Place) -> None:
    """The limit counts what runs inside."""
    with subprocess.Popen(
        ["bash", "-c", "for n in $(seq 300); do sleep 60 & done; echo begun; wait"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as others:
        try:
            assert others.stdout
            assert others.stdout.readline() == b"begun\n"
            assert place.run("sleep 0.1 & wait").status == 0
        finally:
            os.killpg(others.pid, signal.SIGKILL)


HOG = 'python3 -c "x = bytearray(120 * 2**20); import time; time.sleep(1.5)"'


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        pytest.param(f"{HOG}; echo done", 80, id="S29 one process"),
        pytest.param(f"{HOG} & {HOG} & {HOG} & wait; echo done", 280, id="S30 several"),
        pytest.param(f"exec >&- 2>&-; {HOG}", 80, id="S29 that prints nothing"),
    ],
)
def test_S29_S30_memory_is_bounded(place: Place, command: str, limit: int) -> None:
    """Of all processes together, and the reason is told."""
    done = place.run(command, limits=Limits(memory=limit * MIB))
    assert done.ended == "memory"
    assert f"more than {limit} MiB of memory" in done.output
    unguarded = place.run(command)
    assert unguarded.ended == "exit"
    assert "done" in unguarded.output or ">&-" in command


def test_S31_private_folders_have_a_size(place: Place) -> None:
    """Whoever fills them fills no memory of the host."""
    done = place.run("df --output=size -BM /tmp ~ /dev/shm /run | tail -n +2; touch /x /var/tmp/x")
    sizes = [int(word.removesuffix("M")) for word in done.output.split("touch")[0].split()]
    assert sizes == [512, 512, 256, 64]
    assert done.output.count("Read-only file system") == 2


def test_S33_many_files_are_stopped(place: Place) -> None:
    """What the worktree's disk loses is looked at, not only single files."""
    many = "for n in $(seq {}); do head -c 1M /dev/urandom > f$n; done; echo done"
    done = place.run(many.format(4000), limits=Limits(disk=64 * MIB))
    assert done.ended == "disk"
    assert "filled more than 64 MiB of the disk" in done.output
    place.run("rm f*")
    unguarded = place.run(many.format(70))
    assert "done" in unguarded.output


def test_S36_output_without_a_line_is_kept(place: Place, tmp_path: Path) -> None:
    """Short or long, on the terminal and in the log."""
    log = tmp_path / "log"
    done = place.run("head -c 300000 /dev/zero | tr '\\0' a; printf end", log=log)
    assert done.output.endswith("aend")
    assert "bytes left out" in done.output
    assert log.read_text() == "a" * 300_000 + "end"


RUN = """\
import sys
from pathlib import Path
from tests.support.flags import without
from tests.support.place import a_place
with without(sys.argv[4]), a_place(Path(sys.argv[1])) as place:
    print("opened", flush=True)
    (place.bare if sys.argv[3] == "bare" else place.run)(sys.argv[2])
"""


@pytest.mark.parametrize("how", ["bare", "confined"])
def test_S39_nothing_survives_a_kill(tmp_path: Path, how: str) -> None:
    """Given prp killed with -9 while a command runs, then all that it started is gone."""
    name = f"prp-survivor-{os.getpid()}-{how}"
    command = f"setsid bash -c 'exec -a {name} sleep 60' & setsid sleep 60"
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path / "place"), command, how, taken_away()],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    ) as process:
        assert becomes(lambda: any(line.startswith(name) for line in processes().splitlines()))
        process.kill()
    gone = becomes(lambda: f"\n{name} " not in processes(), seconds=10 if how != "bare" else 1)
    assert gone is (how == "confined")
    if not gone:
        subprocess.run(["pkill", "-f", f"^{name} "], check=True)


BEGINS = """\
import os, signal, sys, threading
from pathlib import Path
from agent.workspace.sandbox.landlock import Landlock
from agent.workspace.sandbox import Unconfined
from tests.support.place import a_place

def die_as_the_first_child_is_there(children=Path(f"/proc/self/task/{os.getpid()}/children")):
    while not children.read_text():
        pass
    os.kill(os.getpid(), signal.SIGKILL)

with a_place(Path(sys.argv[1])) as place:
    if sys.argv[3] == "landlock":
        place.sandbox = Landlock(state=Path(sys.argv[1], "landlock"))
    if sys.argv[3] == "bare":
        place.sandbox = Unconfined()
    place.run("true")
    threading.Thread(target=die_as_the_first_child_is_there).start()
    place.run(sys.argv[2])
"""


@pytest.mark.parametrize("how", ["bare", "bubblewrap", "landlock"])
def test_S39_nothing_survives_a_kill_while_it_begins(tmp_path: Path, how: str) -> None:
    """Given prp killed before a sandbox is there, then the command never runs."""
    name = f"prp-begins-{os.getpid()}-{how}"
    command = f"touch begun; exec -a {name} sleep 60"
    process = [sys.executable, "-c", BEGINS, str(tmp_path / "place"), command, how]
    killed = subprocess.run(process, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    begun = tmp_path / "place" / "tree" / "begun"
    assert becomes(begun.exists, seconds=10 if how == "bare" else 1) is (how == "bare")
    assert becomes(lambda: name not in processes(), seconds=1) is (how != "bare")
    if how == "bare":
        subprocess.run(["pkill", "-f", f"^{name} "], check=True)


def test_S40_a_terminated_run_ends_its_commands(tmp_path: Path) -> None:
    """And its record says that it was interrupted."""
    name = f"prp-slow-{os.getpid()}"
    slow = GREET_PRP.replace("ruff check .", f"bash -c 'exec -a {name} sleep 60'")
    project = Project(tmp_path / "project", {"PRPs/slow.md": slow})
    process = subprocess.Popen(
        [str(PRP), "execute", "PRPs/slow.md", "--model", "openai-chat:x", "-q"],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert becomes(lambda: f"\n{name} " in processes(), seconds=30)
    process.terminate()
    assert becomes(lambda: f"\n{name} " not in processes(), seconds=20)
    assert process.wait(40) == 143
    assert project.prp("status", "--json").json[0]["state"] == "interrupted"


def test_S57_a_command_costs_few_starts_of_bubblewrap(place: Place) -> None:
    """All walls, limits and eyes together: on any machine, however busy it is."""
    alone, walled = [], []
    for _ in range(15):
        started = time.perf_counter()
        subprocess.run(["bwrap", "--ro-bind", "/", "/", "bash", "-c", "true"], check=True)
        alone.append(time.perf_counter() - started)
        walled.append(place.run("true").seconds)
    assert statistics.median(walled) < 10 * statistics.median(alone)
