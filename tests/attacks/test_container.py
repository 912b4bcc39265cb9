"""What a command can't do in a container, where an engine is there to run one."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.workspace import Sandbox
from agent.workspace.sandbox.find import Passed, try_sandboxes
from tests.support.place import Place, a_place


def engine(state: Path) -> Sandbox | None:
    """Return docker or podman, whichever works."""
    for name in ("docker", "podman"):
        found = next(try_sandboxes(name, state=state, search=os.environ["PATH"]))
        if not isinstance(found, Passed):
            return found
    return None


with tempfile.TemporaryDirectory() as _folder:
    if engine(Path(_folder)) is None:
        pytest.skip("no container engine works here", allow_module_level=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree with a test file in it, confined by a container."""
    with a_place(tmp_path, tests__test_a="def test_a(): assert True\n") as place:
        found = engine(tmp_path / "sandbox")
        assert found
        place.sandbox = found
        yield place


def test_no_network_but_its_own_loopback(place: Place) -> None:
    """Neither outside nor the host's services."""
    assert place.run("exec 3<>/dev/tcp/192.0.2.1/80").status != 0
    assert place.run("getent hosts example.com").status != 0
    script = "import socket; s=socket.create_server(('127.0.0.1',0)); socket.create_connection"
    assert place.run(f'python3 -c "{script}(s.getsockname())"').status == 0


def test_nothing_of_the_person_can_be_read(place: Place, tmp_path: Path) -> None:
    """Home, other folders, the checkout, tokens, other processes."""
    (tmp_path / "other").write_text("planted")
    place.project.git("config", "http.extraheader", "AUTHORIZATION: planted")
    attack = f"cat {tmp_path}/other {place.project.root}/.git/config; ls -A ~"
    assert place.bare(attack).output.count("planted") == 2
    assert "planted" not in place.run(attack).output
    assert int(place.run("ls /proc | grep -c '^[0-9]'").output) < 10
    assert place.run("git log --oneline && git status").status == 0


def test_only_the_worktree_is_written(place: Place) -> None:
    """Not the system, .git, frozen files or their folders."""
    for attack in (
        *("touch /usr/x", "touch /etc/x", "touch /x", "rm .git", "mv .git g", "echo x > .git"),
        *("echo evil > tests/test_a", "rm tests/test_a", "mv tests other"),
    ):
        assert place.run(attack, protect=["tests/test_a"]).status != 0, attack
    assert place.run("touch new tests/new /tmp/x ~/x", protect=["tests/test_a"]).status == 0
    assert (place.tree.path / "tests" / "new").stat().st_uid == os.getuid()
    assert place.run("touch more", writable=False).status != 0


def test_nothing_is_gained(place: Place) -> None:
    """No capabilities, no further privileges; limits hold."""
    status = place.run("cat /proc/self/status").output
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert place.run("ulimit -c; ulimit -n").output.split() == ["0", "4096"]
    assert place.run("mount -t tmpfs x /mnt").status != 0


@pytest.mark.parametrize("seconds", [3, 60], ids=["at its time limit", "by itself"])
def test_nothing_outlives_the_command(place: Place, seconds: int) -> None:
    """The engine is told to take the container away, however the command ended."""
    name = f"prp-daemon-{os.getpid()}"
    stay = "sleep 60" if seconds == 3 else "exit 7"
    done = place.run(f"(setsid bash -c 'exec -a {name} sleep 300' &); {stay}", seconds=seconds)
    assert done.status == (124 if seconds == 3 else 7)
    for _ in range(200):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        if f"\n{name} " not in listed.stdout:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} lives")
