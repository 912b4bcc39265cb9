"""What a command can't do where Landlock confines it, with namespaces and without."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.workspace import Limits
from agent.workspace.sandbox.find import Passed, try_sandboxes
from agent.workspace.sandbox.landlock import Landlock
from tests.support.place import Place, a_place

with tempfile.TemporaryDirectory() as _folder:
    if isinstance(next(try_sandboxes("landlock", state=Path(_folder))), Passed):
        pytest.skip("Landlock does not work here", allow_module_level=True)


@pytest.fixture(params=[True, False], ids=["namespaces", "no namespaces"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A worktree with a test file in it, confined by Landlock."""
    with a_place(tmp_path, tests__test_a="def test_a(): assert True\n") as place:
        place.sandbox = Landlock(state=tmp_path / "sandbox", namespaces=request.param)
        yield place


def has_namespaces(place: Place) -> bool:
    """Return whether commands have a network and processes of their own."""
    assert isinstance(place.sandbox, Landlock)
    return place.sandbox.namespaces


def python(script: str) -> str:
    """Return a command that runs a script of Python."""
    return f"/usr/bin/env python3 - <<'END'\n{script}\nEND"


def test_S01_S02_S03_S06_nothing_beyond_this_machine_and_no_service_of_it(place: Place) -> None:
    """Neither by TCP nor by UDP nor by name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attack = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected"
        assert "connected" in place.bare(attack).output
        assert "connected" not in place.run(attack).output
    assert place.run("exec 3<>/dev/tcp/192.0.2.1/80").status != 0
    assert place.run("echo x > /dev/udp/192.0.2.1/53").status != 0
    assert place.run("getent hosts example.com").status != 0


def test_S04_loopback_is_there_with_namespaces_only(place: Place) -> None:
    """Without them no rule could tell this machine's services from the command's own."""
    script = (
        "import socket; s = socket.create_server(('127.0.0.1', 0))\n"
        "c = socket.create_connection(s.getsockname()); print('connected')"
    )
    assert ("connected" in place.run(python(script)).output) is has_namespaces(place)


def test_S07_S08_sockets_of_services_lead_nowhere(place: Place, tmp_path: Path) -> None:
    """Neither one with a path nor one without."""
    with socket.socket(socket.AF_UNIX) as path, socket.socket(socket.AF_UNIX) as abstract:
        path.bind(str(tmp_path / "docker.sock"))
        path.listen()
        abstract.bind(f"\0prp-{os.getpid()}")
        abstract.listen()
        for name in (f"{tmp_path}/docker.sock", f"\\0prp-{os.getpid()}"):
            attack = python(f"import socket; socket.socket(socket.AF_UNIX).connect('{name}')")
            assert place.bare(attack).status == 0
            assert "PermissionError" in place.run(attack).output


def test_S09_S11_S12_S20_nothing_of_the_person_can_be_read(place: Place, tmp_path: Path) -> None:
    """Home, other folders, the checkout beside, a token in git's settings."""
    (tmp_path / "other").write_text("planted")
    (place.project.root / ".env").write_text("planted")
    assert (place.run("git log --oneline && git status").status == 0) is has_namespaces(place)
    place.project.git("config", "http.extraheader", "AUTHORIZATION: planted")
    config = place.project.root / ".git" / "config"
    attack = f"cat {tmp_path}/other {place.project.root}/.env {config}; ls -A {Path.home()} ~ /"
    assert place.bare(attack).output.count("planted") == 3
    done = place.run(attack)
    assert "planted" not in done.output
    assert done.output.count("Permission denied") >= 3


def test_S13_S14_other_processes_keep_their_secrets(place: Place) -> None:
    """Their environment and memory can't be read, nor can they be killed."""
    with subprocess.Popen(["sleep", "60"], env={"SOME_KEY": "planted"}) as other:
        attack = f"cat /proc/{other.pid}/environ; kill {other.pid}"
        assert "planted" not in place.run(attack).output
        time.sleep(0.1)
        assert other.poll() is None
        assert "planted" in place.bare(attack).output
        assert other.wait(5) == -15
    count = int(place.run("ls /proc | grep -c '^[0-9]'").output)
    assert (count < 10) is has_namespaces(place)


@pytest.mark.parametrize("folder", ["/usr", "/etc", "", "/opt", "/tmp", "/dev/shm/.."])
def test_S16_the_system_is_read_only(place: Place, folder: str) -> None:
    """And so is everybody's /tmp; the command's own is elsewhere."""
    # A name that nobody has left there: times of what exists can be changed without namespaces.
    assert place.run(f"touch {folder}/{secrets.token_hex(8)}").status != 0
    assert place.run("touch $TMPDIR/x ~/x").status == 0


def test_S17_S43_what_must_stay_stays_with_namespaces(place: Place) -> None:
    """Without them it can be changed, and docs/security.md says so."""
    frozen = place.tree.path / "tests" / "test_a"
    before = frozen.read_bytes()
    for attack in (
        "rm .git",
        "mv .git g",
        "echo evil > .git",
        "echo evil > tests/test_a",
        "rm tests/test_a",
        "mv tests other && mkdir tests && echo evil > tests/test_a",
    ):
        if has_namespaces(place):
            assert place.run(attack, protect=["tests/test_a"]).status != 0
            assert frozen.read_bytes() == before
            assert (place.tree.path / ".git").is_file()
    assert place.run("touch tests/new", protect=["tests/test_a"]).status == 0
    assert place.run("touch tests/more", writable=False, protect=["tests/test_a"]).status != 0


def test_S18_git_metadata_is_read_only(place: Place) -> None:
    """Settings, hooks, refs, index."""
    own = place.tree.git.git_dir
    for target in (place.project.root / ".git" / "hooks" / "x", f"{own}/index", f"{own}/commondir"):
        assert place.run(f"echo evil >> {target}").status != 0
    assert place.run("git -c user.name=t -c user.email=t@t commit --allow-empty -m x").status != 0


def test_S22_S23_no_way_to_files_outside(place: Place, tmp_path: Path) -> None:
    """By links, by cutting them short, and with namespaces by their permissions."""
    victim = tmp_path / "victim"
    victim.write_text("safe")
    victim.chmod(0o600)
    place.run(f"ln -s {victim} link; echo evil > link; ln {victim} hard; truncate -s 0 {victim}")
    assert victim.read_text() == "safe"
    assert not (place.tree.path / "hard").exists()
    if has_namespaces(place):
        assert place.run(f"chmod 666 {victim}").status != 0


def test_S24_S25_S26_nothing_is_gained(place: Place) -> None:
    """No privileges, no namespaces, no mounts, no devices, no look into others."""
    status = place.run("cat /proc/self/status").output
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    if has_namespaces(place) or os.geteuid() == 0:
        # Others may not shrink it; without new privileges nothing is ever taken out of it.
        assert "CapBnd:\t0000000000000000" in status
    for attack in ("unshare -U true", "unshare -n true", "mount -t tmpfs x /mnt", "mknod d b 7 0"):
        assert place.run(attack).status != 0
    for number in (425, 272 if os.uname().machine == "x86_64" else 97, 438):
        script = f"import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall({number}, 0, 0)"
        assert place.run(python(f"{script}; print(ctypes.get_errno())")).output == "1\n"


def test_S32_S41_limits_and_no_terminal(place: Place) -> None:
    """A huge file is stopped, and nobody can type."""
    assert place.run("truncate -s 2G big").status != 0
    assert place.run("ulimit -c; ulimit -n").output.split() == ["0", "4096"]
    assert place.run("cat; read x < /dev/tty").status != 0


def test_S27_S29_floods_are_stopped(place: Place) -> None:
    """By looking at all that the command has started."""
    many = "for n in $(seq 150); do sleep 9 & done; sleep 5"
    assert place.run(many, limits=Limits(processes=100)).ended == "processes"
    hog = 'python3 -c "x = bytearray(120 * 2**20); import time; time.sleep(5)"'
    assert place.run(hog, limits=Limits(memory=80 * 1024**2)).ended == "memory"


@pytest.mark.parametrize("seconds", [1, 30], ids=["at its time limit", "by itself"])
def test_S37_S38_nothing_outlives_the_command(place: Place, tmp_path: Path, seconds: int) -> None:
    """Neither daemons nor private folders, however it ended; its status is its own."""
    name = f"prp-daemon-{os.getpid()}"
    stay = "sleep 60" if seconds == 1 else "exit 7"
    done = place.run(
        f"(setsid nohup bash -c 'exec -a {name} sleep 300' &); touch ~/x; sleep 0.3; {stay}",
        seconds=seconds,
    )
    assert (done.ended, done.status) == (("timeout", 124) if seconds == 1 else ("exit", 7))
    assert _gone(name)
    assert _becomes_empty(tmp_path / "sandbox" / "private")


def _becomes_empty(folder: Path) -> bool:
    """Return whether the guard, which may outlive prp for a moment, has cleaned up."""
    for _ in range(200):
        if not list(folder.iterdir()):
            return True
        time.sleep(0.05)
    return False


def _gone(name: str) -> bool:
    for _ in range(100):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        if f"\n{name} " not in listed.stdout:
            return True
        time.sleep(0.05)
    return False


RUN = """\
import sys
from pathlib import Path
from agent.workspace.sandbox.landlock import Landlock
from tests.support.place import a_place
with a_place(Path(sys.argv[1])) as place:
    place.sandbox = Landlock(state=Path(sys.argv[1]) / "sandbox", namespaces=sys.argv[3] == "True")
    place.run(sys.argv[2])
"""


def test_S39_nothing_survives_a_kill_of_prp(place: Place, tmp_path: Path) -> None:
    """The guard notices, ends everything and takes the private folder away."""
    name = f"prp-survivor-{os.getpid()}"
    command = f"setsid bash -c 'exec -a {name} sleep 60' & touch ready; wait"
    folder = tmp_path / "second"
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), command, str(has_namespaces(place))],
        cwd=Path(__file__).parents[2],
    ) as process:
        for _ in range(400):
            if (folder / "tree" / "ready").exists():
                break
            time.sleep(0.05)
        assert not _gone_now(name)
        process.kill()
    assert _gone(name)
    assert _becomes_empty(folder / "sandbox" / "private")


def _gone_now(name: str) -> bool:
    time.sleep(0.3)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return f"\n{name} " not in listed.stdout


def test_tests_and_tools_work(place: Place) -> None:
    """What checks are made of."""
    script = "import ssl, sqlite3, asyncio, tempfile; tempfile.mkdtemp()"
    assert place.run(f"python3 -c '{script}'").status == 0
    done = place.run("mkdir -p x/y && mv x/y z && ls; wait; kill -9 $$")
    assert "\nz\n" in done.output
    assert done.status == 137
