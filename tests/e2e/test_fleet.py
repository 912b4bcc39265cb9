"""A queue and its workers: whatever dies, every run ends once and nothing is done twice."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.support.fleet import Fleet, a_fleet, wait_for
from tests.support.lives import FILES, Coder, Undisturbed, options
from tests.support.postgres import a_database, stopped
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP
from tests.support.toolchains import needs

pytestmark = needs("postgres")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_database() as (port, _):
        yield f"postgresql://shop@127.0.0.1:{port}"


@pytest.fixture
def fleet(tmp_path: Path, server: str) -> Iterator[Fleet]:
    project = Project(tmp_path / "project", FILES)
    with a_fleet(tmp_path, project, f"{server}/{os.urandom(4).hex()}") as made:
        yield made


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(Coder()) as model:
        yield model


def execute(fleet: Fleet, provider: Provider, *more: str) -> None:
    done = fleet.prp("execute", "PRPs/greet.md", "--queue", "team", *options(provider), *more)
    assert done.status == 0, done.err


def test_a_queued_run_ends_on_the_server(fleet: Fleet, provider: Provider, tmp_path: Path) -> None:
    """Its branch is in the repository, its report in the storage; the project saw nothing."""
    before = fleet.project.fingerprint()
    execute(fleet, provider)
    (entry,) = fleet.entries()
    assert (entry["state"], entry["branch"]) == ("waiting", "prp/greet")
    worker = fleet.worker("one", "--until-empty", PRP_STORAGE_URL=str(tmp_path / "store"))
    assert worker.wait(60) == 0, fleet.said("one")
    (entry,) = fleet.entries()
    assert (entry["state"], entry["exit_status"], entry["outcome"]) == ("ended", 0, "proven")
    assert fleet.on_server("log", "--format=%s", "prp/greet").splitlines()[0] == "Repair"
    assert (Path(entry["stored"]) / "report.html").exists()
    assert fleet.project.fingerprint() == before
    assert fleet.project.git("branch", "--list").split() == ["*", "main"]


def test_a_worker_killed_between_a_runs_end_and_the_queues_word_of_it(
    fleet: Fleet, provider: Provider
) -> None:
    """Given a storage that never answers, then another machine tells the same end, unasked."""
    execute(fleet, provider)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = f"ftp://127.0.0.1:{silent.getsockname()[1]}/reports"
        worker = fleet.worker("one", PRP_STORAGE_URL=storage)
        wait_for(lambda: '"run-ended"' in fleet.events("one"))
        with silent.accept()[0]:
            os.kill(worker.pid, signal.SIGKILL)
    asked, tree = len(provider.requests), fleet.tree("prp/greet")
    assert [entry["state"] for entry in fleet.entries()] == ["working"]
    other = fleet.worker("two", "--until-empty")
    assert other.wait(60) == 0, fleet.said("two")
    (entry,) = fleet.entries()
    assert (entry["state"], entry["exit_status"], entry["outcome"]) == ("ended", 0, "proven")
    assert (len(provider.requests), fleet.tree("prp/greet")) == (asked, tree)
    with psycopg.connect(fleet.url) as database:
        count = "SELECT count(*) FROM dbos.workflow_status WHERE name = 'run'"
        assert database.execute(count).fetchone() == (0,)


def test_a_worker_may_be_the_first_to_come(fleet: Fleet, provider: Provider) -> None:
    """Given a server without the database, then it is made; without a server that is said."""
    worker = fleet.worker("one")
    wait_for(lambda: "takes runs from team" in fleet.said("one"))
    execute(fleet, provider)
    wait_for(lambda: [entry["state"] for entry in fleet.entries()] == ["ended"])
    worker.terminate()
    assert worker.wait(30) == 0
    nowhere = {"PRP_DATABASE_URL": "postgresql://shop@127.0.0.1:9/x"}
    for command in (("worker", "--queue", "team"), ("queue", "team")):
        refused = fleet.project.prp(*command, **nowhere)
        assert (refused.status, "PRP_DATABASE_URL names it" in refused.err) == (5, True)
        assert fleet.project.prp(*command).status == 5


def test_a_second_run_of_a_prp_has_a_branch_of_its_own(fleet: Fleet, provider: Provider) -> None:
    execute(fleet, provider)
    execute(fleet, provider)
    assert [entry["branch"] for entry in fleet.entries()] == ["prp/greet", "prp/greet-2"]


def test_what_cannot_be_queued_leaves_nothing_behind(fleet: Fleet, provider: Provider) -> None:
    """One bad PRP of two, an unknown model, a commit that nobody else has: nothing is queued."""
    fleet.project.write("PRPs/bad.md", "# A\n\n## Goal\nB\n")
    both = ("execute", "PRPs/greet.md", "PRPs/bad.md", "--queue", "team", *options(provider))
    one = ("execute", "PRPs/greet.md", "--queue", "team")
    assert fleet.prp(*both).status == 3
    assert fleet.prp(*one, "--model", "opnai:x").status == 4
    assert fleet.project.prp(*one, *options(provider)).status == 5
    assert fleet.prp("execute", "PRPs/greet.md", "PRPs/bad.md", *options(provider)).status == 4
    fleet.project.git(
        "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x", "--allow-empty"
    )
    refused = fleet.prp(*one, *options(provider))
    assert (refused.status, "Push it first" in refused.err) == (5, True)
    assert fleet.entries() == []
    assert fleet.on_server("branch", "--list", "prp/*") == ""


def test_a_worker_that_is_killed_is_followed_by_another(
    fleet: Fleet, provider: Provider, tmp_path: Path
) -> None:
    """On another machine, which has nothing but the database and the repository."""
    expected = Undisturbed(tmp_path)
    execute(fleet, provider)
    one = fleet.worker("one")
    wait_for(lambda: '"task-finished"' in fleet.events("one"))
    one.kill()
    one.wait()
    assert fleet.entries()[0]["worker_silent"]
    assert "gives no sign of life" in fleet.prp("queue", "team").out
    asked = len(provider.requests)
    two = fleet.worker("two", "--until-empty")
    assert two.wait(90) == 0, fleet.said("two")
    assert "is gone" in fleet.said("two")
    assert not fleet.entries()[0]["worker_silent"]
    assert fleet.tree("prp/greet") == expected.tree
    # What was under way when it was killed is asked once more.
    assert asked < expected.asked
    assert len(provider.requests) <= expected.asked + 1


def test_a_worker_whose_loaded_process_dies_goes_on(
    fleet: Fleet, provider: Provider, tmp_path: Path
) -> None:
    """Given that what runs are copied from is killed, then its run is taken up by a new copy."""
    expected = Undisturbed(tmp_path)
    execute(fleet, provider)
    one = fleet.worker("one", "--until-empty")
    wait_for(lambda: '"task-finished"' in fleet.events("one"))
    loaded = subprocess.check_output(["pgrep", "-P", str(one.pid), "-f", "multiprocessing.forks"])
    os.kill(int(loaded), signal.SIGKILL)
    assert one.wait(90) == 0, fleet.said("one")
    assert fleet.tree("prp/greet") == expected.tree
    assert len(provider.requests) <= expected.asked + 1


def test_a_worker_leaves_no_temporary_files(fleet: Fleet, provider: Provider) -> None:
    """Those of one that is killed are taken away with the next run on its machine."""
    with TemporaryDirectory(dir="/tmp") as place:
        killed = fleet.worker("one", TMPDIR=place)
        wait_for(lambda: "takes runs from team" in fleet.said("one"))
        assert list(Path(place).iterdir())
        killed.kill()
        killed.wait()
        execute(fleet, provider)
        worker = fleet.worker("one", "--until-empty", TMPDIR=place)
        assert worker.wait(60) == 0, fleet.said("one")
        assert not list(Path(place).iterdir())


def test_a_worker_works_where_no_socket_can_be_made(fleet: Fleet, provider: Provider) -> None:
    """Given a folder for temporary files with a long name, then each run loads for itself."""
    place = fleet.folder / ("long" * 30)
    place.mkdir()
    execute(fleet, provider)
    worker = fleet.worker("one", "--until-empty", TMPDIR=str(place))
    assert worker.wait(60) == 0, fleet.said("one")
    assert [entry["outcome"] for entry in fleet.entries()] == ["proven"]


def test_a_worker_takes_its_code_from_nowhere_else(fleet: Fleet, provider: Provider) -> None:
    """Given a folder with an `agent` package and one of the library's names, neither is run."""
    place = fleet.folder / "one"
    for name in ("agent", "agent/runs", "agent/runs/fleet"):
        (place / name).mkdir(parents=True)
        (place / name / "__init__.py").write_text(f"open({str(place / 'ran')!r}, 'w')")
    (place / "multiprocessing.py").write_text(f"open({str(place / 'ran')!r}, 'w')")
    execute(fleet, provider)
    worker = fleet.worker("one", "--until-empty")
    assert worker.wait(60) == 0, fleet.said("one")
    assert [entry["outcome"] for entry in fleet.entries()] == ["proven"]
    assert not (place / "ran").exists()


def test_a_worker_that_ends_puts_its_runs_back(fleet: Fleet, tmp_path: Path) -> None:
    """SIGTERM: the run saves itself and waits for the next worker."""
    expected = Undisturbed(tmp_path)
    coder = Coder()
    held: list[int] = []

    def slow(request: Request) -> Answer:
        if not held and "edit" in request.tools:
            held.append(1)
            return Answer(fault="500")
        return coder(request)

    with Provider(slow) as provider:
        execute(fleet, provider)
        one = fleet.worker("one")
        wait_for(lambda: bool(held))
        one.terminate()
        assert one.wait(30) == 0, fleet.said("one")
        assert [entry["state"] for entry in fleet.entries()] == ["waiting"]
        two = fleet.worker("two", "--until-empty")
        assert two.wait(90) == 0, fleet.said("two")
    assert fleet.tree("prp/greet") == expected.tree


def test_a_worker_that_is_cut_off_stops_at_once(
    fleet: Fleet, provider: Provider, tmp_path: Path
) -> None:
    """Given a worker whom the database takes for dead, then it kills its runs and ends."""
    expected = Undisturbed(tmp_path)
    execute(fleet, provider)
    one = fleet.worker("one")
    wait_for(lambda: "run-started" in fleet.events("one"))
    with psycopg.connect(fleet.url, autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
    assert one.wait(30) == 5
    assert "takes this worker for dead" in fleet.said("one")
    two = fleet.worker("two", "--until-empty")
    assert two.wait(90) == 0, fleet.said("two")
    assert fleet.tree("prp/greet") == expected.tree


def test_a_worker_ends_at_a_signal_although_the_server_hangs(tmp_path: Path) -> None:
    """Given a PostgreSQL that answers no more, then the worker ends before it is killed."""
    coder = Coder()
    begun: list[int] = []

    def noticed(request: Request) -> Answer:
        begun.append(1)
        return coder(request)

    with a_database() as (port, place), Provider(noticed) as provider:
        project = Project(tmp_path / "project", FILES)
        url = f"postgresql://shop@127.0.0.1:{port}/{os.urandom(4).hex()}"
        with a_fleet(tmp_path, project, url) as fleet, stopped(Path(place)) as stop:
            execute(fleet, provider)
            one = fleet.worker("one")
            wait_for(lambda: bool(begun))
            stop()
            one.terminate()
            assert one.wait(40) == 5, fleet.said("one")
            assert "left to other workers" in fleet.said("one")


def test_a_branch_that_somebody_moved_ends_the_run(fleet: Fleet, provider: Provider) -> None:
    """Given a person's commit on the run's branch, then it is not overwritten."""
    execute(fleet, provider)
    git = fleet.project.git
    git("fetch", "-q", "origin")
    git("checkout", "-q", "-b", "mine", "origin/prp/greet")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "mine", "--allow-empty")
    mine = git("rev-parse", "HEAD").strip()
    git("push", "-q", "origin", "mine:prp/greet")
    worker = fleet.worker("one", "--until-empty")
    assert worker.wait(60) == 0, fleet.said("one")
    (entry,) = fleet.entries()
    assert entry["state"] == "stopped"
    assert "prp/greet" in entry["reason"]
    assert fleet.on_server("rev-parse", "prp/greet").strip() == mine


def test_runs_are_cancelled_waiting_or_at_work(fleet: Fleet) -> None:
    """A cancelled run ends, keeps its commits and leaves its slot."""
    coder = Coder()
    held: list[int] = []

    def stuck(request: Request) -> Answer:
        if "more >> notes" in request.text:
            held.append(1)
            return Answer(fault="hang")
        return coder(request)

    with Provider(stuck) as provider:
        execute(fleet, provider)
        execute(fleet, provider, "--priority", "200")
        first, second = (entry["run"] for entry in fleet.entries())
        worker = fleet.worker("one", "--until-empty", "--max-running", "1")
        wait_for(lambda: bool(held))
        assert [entry["state"] for entry in fleet.entries()] == ["working", "waiting"]
        assert fleet.prp("queue", "team", "--cancel", second).status == 0
        assert fleet.prp("queue", "team", "--cancel", first).status == 0
        assert worker.wait(40) == 0, fleet.said("one")
    assert [entry["state"] for entry in fleet.entries()] == ["cancelled", "cancelled"]
    assert fleet.prp("queue", "team", "--cancel", first).status == 14


def test_many_runs_are_ended_at_once(fleet: Fleet, provider: Provider) -> None:
    """A `*` means all that it fits; how many there are in which state stands below the list."""
    for name in ("one", "two", "three"):
        fleet.project.write(f"PRPs/{name}.md", GREET_PRP)
    names = [f"PRPs/{name}.md" for name in ("one", "two", "three")]
    done = fleet.prp("execute", *names, "--queue", "team", *options(provider))
    assert done.status == 0, done.err
    unclear = fleet.prp("queue", "team", "--cancel", "t")
    assert (unclear.status, "'t*' means all of them" in unclear.err) == (14, True)
    ended = fleet.prp("queue", "team", "--cancel", "-t*")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "2 runs: 2 cancelled")
    listed = fleet.prp("queue", "team").out.splitlines()
    assert (len(listed), listed[-1]) == (4, "3 runs: 2 cancelled, 1 waiting")
    assert fleet.prp("queue", "team", "--cancel", "-t*").status == 14
    assert fleet.prp("queue", "team", "--put-back", "*").status == 14


def test_what_was_queued_before_it_broke_off_is_said(fleet: Fleet, provider: Provider) -> None:
    """Given a server that takes one branch and no second one, then one run waits, and is named."""
    hook = fleet.server / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\n[ ! -e refs/heads/prp/greet ]\n")
    hook.chmod(0o755)
    names = ("PRPs/greet.md", "PRPs/other.md")
    fleet.project.write(names[1], GREET_PRP)
    broken = fleet.prp("execute", *names, "--queue", "team", *options(provider))
    assert (broken.status, "Only 1 of 2 were queued, up to PRPs/greet.md" in broken.err) == (
        5,
        True,
    )
    assert [entry["prp"] for entry in fleet.entries()] == ["PRPs/greet.md"]


def test_how_far_it_has_come_is_said_of_many(fleet: Fleet, provider: Provider) -> None:
    """Given more runs than are queued in a moment, then the person sees that it goes on."""
    names = [f"PRPs/part_{number}.md" for number in range(21)]
    for name in names:
        fleet.project.write(name, GREET_PRP)
    queued = fleet.prp("execute", *names, "--queue", "team", *options(provider))
    assert (queued.status, "20 of 21 are queued" in queued.err) == (0, True)
    assert len(fleet.entries()) == len(names)


def test_limits_and_priorities(fleet: Fleet, provider: Provider) -> None:
    """With one slot the most urgent run comes first, whenever it was queued."""
    for priority in ("30", "20", "10"):
        execute(fleet, provider, "--priority", priority)
    names = [entry["run"] for entry in fleet.entries()]
    worker = fleet.worker("one", "--until-empty", "--concurrency", "3", "--max-per-model", "1")
    assert worker.wait(120) == 0, fleet.said("one")
    begun = [line for line in fleet.said("one").splitlines() if ": PRPs/greet.md on" in line]
    assert [line.partition(":")[0] for line in begun] == names[::-1]


def test_40_runs_survive_workers_that_are_killed_at_random(
    fleet: Fleet, provider: Provider, tmp_path: Path
) -> None:
    """Three workers, one of them killed every few seconds: each run ends once, as it should."""
    expected = Undisturbed(tmp_path)
    dice, number, kills = random.Random(1), 40, 0  # noqa: S311 - no secret
    names = [f"PRPs/greet-{index}.md" for index in range(number)]
    for name in names:
        fleet.project.write(name, GREET_PRP)
    fleet.project.git("add", "-A")
    fleet.project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "PRPs")
    fleet.project.git("push", "-q", "origin", "main")
    done = fleet.prp("execute", *names, "--queue", "team", *options(provider))
    assert done.status == 0, done.err
    at_work = {place: fleet.worker(place, "--concurrency", "2") for place in ("a", "b", "c")}

    def open_ones() -> int:
        return sum(entry["state"] in ("waiting", "working") for entry in fleet.entries())

    while left := open_ones():
        before = left
        # Some progress between two deaths, so that it comes to an end.
        wait_for(lambda before=before: open_ones() <= max(0, before - 4), seconds=120)
        if open_ones():
            place = dice.choice(sorted(at_work))
            os.kill(at_work[place].pid, signal.SIGKILL)
            at_work[place].wait()
            at_work[place] = fleet.worker(place, "--concurrency", "2")
            kills += 1
    # How many depends on how fast the machine is: several runs may end between two looks.
    assert kills >= 2
    entries = fleet.entries()
    assert len(entries) == number
    others = [
        f"{entry['run']} {entry['state']}: {entry.get('reason')}"
        for entry in entries
        if (entry["state"], entry["exit_status"]) != ("ended", 0)
    ]
    assert not others, "\n".join(others)
    assert len({entry["branch"] for entry in entries}) == number
    for entry in entries:
        greet = fleet.on_server("show", f"{entry['branch']}:greet.py")
        assert greet == fleet.on_server("show", f"{entries[0]['branch']}:greet.py")
    # Only what was under way in a killed worker's two runs is asked once more.
    assert number * expected.asked <= len(provider.requests) <= number * expected.asked + 2 * kills
    for worker in at_work.values():
        worker.terminate()
        assert worker.wait(30) == 0
    execute(fleet, provider)
    assert fleet.worker("d", "--until-empty", "--max-running", "1").wait(60) == 0
    assert [entry["state"] for entry in fleet.entries()][-1] == "ended"
