"""Commands that are copies of a process with everything loaded: as if each had loaded it."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from agent.runs.alive import holder
from agent.runs.folder import RunFolder
from tests.support.lives import FILES, Coder, Undisturbed, options, told, tree_of, written
from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.resident import copies_of, is_alive, resident
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prp warm is for Linux")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP."""
    return Project(tmp_path / "project", FILES)


def _nothing() -> None:
    """Do nothing."""


class Watching(Coder):
    """A coder that notes who asks, and can do something before its second answer."""

    def __init__(self) -> None:
        """Watch nobody yet."""
        self.resident = 0
        self.seen: set[int] = set()
        self.headers: list[str] = []
        self.act: Callable[[], object] = _nothing

    def __call__(self, request: Request) -> Answer:
        """Note the copies that there are."""
        self.headers.append(request.headers.get("authorization", ""))
        if self.resident:
            self.seen.update(copies_of(self.resident))
        if written(request):
            act, self.act = self.act, _nothing
            act()
        return super().__call__(request)


def _holder(project: Project) -> int | None:
    (place,) = project.runs
    return holder(RunFolder(id=place.name, path=place))


def test_a_run_of_a_copy_comes_to_what_any_run_comes_to(project: Project, tmp_path: Path) -> None:
    """Same commits, same journal, same number of questions, and it was a copy that asked."""
    expected = Undisturbed(tmp_path)
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        ran = project.prp("execute", "PRPs/greet.md", *options(provider), "-q")
        assert copies_of(watching.resident) == []
    assert (ran.status, tree_of(project), told(project)) == (0, expected.tree, expected.told)
    assert len(provider.requests) == expected.asked
    assert len(watching.seen) == 1


def test_a_copy_has_the_callers_environment_folder_and_limits(project: Project) -> None:
    """The key is the caller's; what the resident was begun with is nowhere in the copy."""
    with (
        Provider(watching := Watching()) as provider,
        resident(project, OPENAI_API_KEY="of-the-resident") as watching.resident,
    ):
        known = Path(f"/proc/{watching.resident}/environ").read_bytes()
        assert b"of-the-resident" not in known
        line = (
            f"umask 027; ulimit -n 321; {PRP} execute PRPs/greet.md {' '.join(options(provider))}"
        )
        limits: list[str] = []

        def look() -> None:
            (copy,) = copies_of(watching.resident)
            limits.append(Path(f"/proc/{copy}/limits").read_text(encoding="utf-8"))
            limits.append(Path(f"/proc/{copy}/status").read_text(encoding="utf-8"))
            assert Path(f"/proc/{copy}/cwd").readlink() == project.root

        watching.act = look
        assert project.bash(line).status == 0
    assert set(watching.headers) == {"Bearer test-key-of-nobody"}
    assert "321" in limits[0]
    assert "Umask:\t0027" in limits[1]


def test_errors_and_statuses_are_the_commands_own(project: Project) -> None:
    """Usage, a missing document, a defect of the settings: as without it, to the byte."""
    calls = (
        ("execute", "PRPs/none.md"),
        ("execute", "--nonsense"),
        ("execute", "PRPs/greet.md", "--model", "nobody:x"),
        ("resume",),
    )
    alone = [project.prp(*call) for call in calls]
    with resident(project):
        assert [project.prp(*call) for call in calls] == alone
    assert {one.status for one in alone} >= {2, 3, 4}


def test_output_that_nobody_reads_ends_it_as_it_ends_any(project: Project) -> None:
    """A closed pipe, and files instead of pipes."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        line = f"{PRP} plan PRPs/greet.md {' '.join(options(provider))}"
        assert project.bash(f"{line} > out 2> err; echo $?").out == "0\n"
        assert "C1" in (project.root / "out").read_text(encoding="utf-8")
        assert project.bash(f"{line} 2>&1 | head -n 1").status == 0
    assert len(watching.seen) == 2


def _kill(
    project: Project,
    provider: Provider,
    watching: Watching,
    *,
    before: Callable[[], object] = _nothing,
) -> None:
    """Execute, kill what was started in its middle, and wait until no copy is left."""
    with subprocess.Popen(
        [PRP, "execute", "PRPs/greet.md", *options(provider)],
        cwd=project.root,
        env=project.environment(),
        stderr=subprocess.DEVNULL,
    ) as process:

        def act() -> None:
            before()
            process.kill()

        watching.act = act
        assert process.wait() == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while copies_of(watching.resident) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_who_kills_the_command_has_killed_the_run(project: Project) -> None:
    """Given kill -9 of what the person started, then nobody holds the run and it can go on."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        _kill(project, provider, watching)
        assert (copies_of(watching.resident), _holder(project)) == ([], None)
        assert project.prp("resume", "-q").status == 0


def test_a_command_that_is_killed_while_it_is_paused_takes_its_copy_along(project: Project) -> None:
    """Given a stopped copy, which can't see that its caller has gone, then it ends all the same."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:

        def pause() -> None:
            (copy,) = copies_of(watching.resident)
            os.kill(copy, signal.SIGSTOP)

        _kill(project, provider, watching, before=pause)
        assert (copies_of(watching.resident), _holder(project)) == ([], None)


def test_a_command_in_the_background_takes_no_keys_of_its_shell(project: Project) -> None:
    """Given a question there, then the system stops it, as it stops any that wants to read."""
    project.write("PRPs/new.md", FILES["PRPs/greet.md"])
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        words = shlex.join([str(PRP), "execute", "PRPs/new.md", *options(provider)])
        shell = pexpect.spawn(
            "bash",
            ["--norc", "-i"],
            cwd=str(project.root),
            env=project.environment(PRP_APPROVE=""),
            encoding="utf-8",
            timeout=60,
        )
        shell.sendline(f"{words} &")
        shell.expect(r"\[y/N\]")
        assert copies_of(watching.resident) == []
        shell.sendline("echo for the $(echo shell); jobs")
        shell.expect("for the shell")
        shell.expect("Stopped")
        shell.sendline("kill -9 $!")
        shell.close(force=True)


def test_ctrl_c_at_a_terminal_reaches_the_copy(project: Project) -> None:
    """One ends after the step, with the line to go on; the status is that of any run."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        with Terminal(project, "execute", "PRPs/greet.md", *options(provider)) as terminal:
            watching.act = terminal.process.sendintr
            assert terminal.ended() == 130
        assert "prp resume" in terminal.shown
        assert watching.seen
        assert project.prp("resume", "-q").status == 0


def test_a_question_is_asked_and_answered_through_it(project: Project) -> None:
    """A document that the history does not hold is asked about at the terminal."""
    project.write("PRPs/new.md", FILES["PRPs/greet.md"])
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        arguments = ("execute", "PRPs/new.md", *options(provider))
        with Terminal(project, *arguments, variables={"PRP_APPROVE": ""}) as terminal:
            terminal.until(r"\[y/N\]")
            assert copies_of(watching.resident)
            terminal.process.sendline("n")
            assert terminal.ended() == 13
        assert provider.requests == []


def test_a_signal_that_kills_the_copy_ends_the_command(project: Project) -> None:
    """Somebody kills the copy: what stands in for it does not wait, nor say that all is well."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:

        def kill() -> None:
            (copy,) = copies_of(watching.resident)
            os.kill(copy, signal.SIGKILL)

        watching.act = kill
        ran = project.prp("execute", "PRPs/greet.md", *options(provider), "-q")
        assert ran.status == -signal.SIGKILL
        assert project.prp("resume", "-q").status == 0


ASK = """
import ctypes, sys
libc = ctypes.CDLL(None)
if sys.argv[1:] == ["confined"]:
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
if sys.argv[1:] == ["landlock"]:
    # Nothing may be made a socket, so that all that the command needs is as before.
    rules = ctypes.c_uint64(1 << 9)
    ruleset = libc.syscall(444, ctypes.byref(rules), 8, 0)
    if ruleset < 0 or libc.syscall(446, ruleset, 0):
        sys.exit(9)
from agent.cli.resident import handing
try:
    with handing.connected() as connection:
        handing._asked_of(connection)
except OSError:
    sys.exit(7)
"""
OWN_NAMESPACE = ("unshare", "--user", "--map-current-user")


@pytest.mark.parametrize(
    ("before", "words", "status"),
    [
        pytest.param((), (), 0, id="as free as it"),
        pytest.param((), ("confined",), 7, id="may gain no rights"),
        pytest.param((), ("landlock",), 7, id="confined by Landlock"),
        pytest.param(OWN_NAMESPACE, (), 7, id="in a user namespace of its own"),
    ],
)
def test_who_may_do_less_gets_no_copy_that_may_do_more(
    project: Project, before: tuple[str, ...], words: tuple[str, ...], status: int
) -> None:
    """Given a caller that is confined where the resident is not, then it is refused."""
    if before and subprocess.run([*before, "true"], check=False, stderr=-3).returncode:
        pytest.skip("this system gives no user namespaces")
    root = str(Path(__file__).parents[2])
    with resident(project, PYTHONPATH=root):
        done = subprocess.run(
            [*before, sys.executable, "-c", ASK, *words],
            cwd=project.root,
            env=project.environment(PYTHONPATH=root),
            check=False,
        )
        if done.returncode == 9:
            pytest.skip("this system has no Landlock for its user")
        assert done.returncode == status


def test_another_locale_or_an_upgrade_finds_nobody(project: Project) -> None:
    """What is read once when a process begins must be the same; else the command does it alone."""
    with Provider(watching := Watching()) as provider, resident(project) as watching.resident:
        arguments = ("execute", "PRPs/greet.md", *options(provider), "-q")
        assert project.prp(*arguments, LC_ALL="C.UTF-8", PYTHONUTF8="1").status == 0
    assert watching.seen == set()


def test_a_folder_that_others_can_write_is_not_used(project: Project) -> None:
    """Neither to listen in nor to ask."""
    place = Path(os.environ["XDG_STATE_HOME"]) / "prp" / "warm"
    place.mkdir(parents=True)
    place.chmod(0o777)
    begun = project.prp("warm")
    assert begun.status == 5
    assert "can be written by others" in begun.err


def test_it_is_begun_once_and_ends_when_told_or_unused(project: Project) -> None:
    """A second call says that it is there; after its time, or --stop, no process and no socket."""
    place = Path(os.environ["XDG_STATE_HOME"]) / "prp" / "warm"
    with resident(project) as process:
        again = project.prp("warm")
        assert (again.status, str(process) in again.err) == (0, True)
        assert len(list(place.iterdir())) == 1
        assert project.prp("warm", "--stop").err == "ended\n"
    assert list(place.iterdir()) == []
    assert not is_alive(process)
    with resident(project, "--for", "0.05") as process:
        deadline = time.monotonic() + 60
        while is_alive(process) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not is_alive(process)
        assert list(place.iterdir()) == []
    assert project.prp("warm", "--stop").status == 0


def test_to_stop_one_that_is_elsewhere_ends_nobody(project: Project) -> None:
    """Given a resident that has no number where --stop is typed, then nothing there is ended."""
    inside = ("unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc")
    if subprocess.run([*inside, "true"], check=False, stderr=-3).returncode:
        pytest.skip("this system gives no namespaces of processes")
    with resident(project) as process:
        done = subprocess.run(
            [*inside, "bash", "-c", f"{PRP} warm --stop; echo after"],
            cwd=project.root,
            env=project.environment(),
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (
            0,
            "after\n",
            "Nothing was loaded.\n",
        )
        assert is_alive(process)


def test_what_a_killed_one_left_is_replaced(project: Project) -> None:
    """A socket that nobody listens at hinders neither commands nor the next one."""
    with resident(project) as process:
        os.kill(process, signal.SIGKILL)
        assert project.prp("execute", "PRPs/none.md").status == 3
        with resident(project) as other:
            assert other != process


def test_one_that_is_stopped_holds_nobodys_output_and_ends_when_told(project: Project) -> None:
    """The command does its work alone, what reads its output comes to an end, --stop ends it."""
    with resident(project) as process:
        os.kill(process, signal.SIGSTOP)
        # The pipe behind it ends only when nobody can write to it any more.
        alone = project.bash(f"{PRP} execute PRPs/none.md 2>&1 | cat; echo ended")
        assert "there is no such file" in alone.out
        assert alone.out.endswith("ended\n")
        assert project.prp("warm", "--stop").err == "ended\n"
        assert not is_alive(process)


def test_it_keeps_no_file_of_who_started_it(project: Project) -> None:
    """Given a lock and a pipe that the shell had open, then both are free when it is loaded."""
    held = f"( flock -n 9 && {PRP} warm ) 9>lock; flock -n lock true && echo free"
    piped = "{ " + f"{PRP} warm 3>&1; " + "} | cat; echo ended"
    for line, said in ((held, "free"), (piped, "ended")):
        assert said in project.bash(line).out
        assert project.prp("warm", "--stop").err == "ended\n"


def test_a_state_folder_below_the_folder_at_hand_is_found_again(project: Project) -> None:
    """`PRP_STATE_DIR=state`: the resident does not stand where the command does."""
    assert project.prp("warm", PRP_STATE_DIR="state").status == 0
    assert list((project.root / "state" / "warm").iterdir())
    assert project.prp("warm", "--stop", PRP_STATE_DIR="state").err == "ended\n"


def test_statuses_are_the_same_where_nothing_can_be_said_or_had(project: Project) -> None:
    """A full device, little memory, a thousand open files, /dev/fd, closed standard files."""
    lines = (
        "{} execute PRPs/none.md 2>/dev/full",
        "ulimit -v 3000000; {} execute PRPs/none.md",
        "exec 3<PRPs/greet.md; {} plan /dev/fd/3 --model nobody:x",
        "{} execute PRPs/none.md <&-",
        "{} execute PRPs/none.md >&-",
        "PRP_STATE_DIR='~nobody-of-that-name/x' {} execute PRPs/none.md",
    )
    calls = [f"{line.format(PRP)}; echo $?" for line in lines]
    alone = [project.bash(call) for call in calls]
    with resident(project):
        assert [project.bash(call) for call in calls] == alone
        assert "Traceback" not in "".join(one.err for one in alone)
        many = "import os, sys\nfor n in range(1100): os.dup2(0, os.open('/dev/null', 0))\n"
        many += "[os.set_inheritable(n, True) for n in range(3, 1100)]\n"
        many += "os.execv(sys.argv[1], sys.argv[1:])"
        limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 4096))\n"
        done = subprocess.run(
            [sys.executable, "-c", limit + many, PRP, "execute", "PRPs/none.md"],
            cwd=project.root,
            env=project.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr.count("error:")) == (3, 1)
