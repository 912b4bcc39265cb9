"""What a command inside of the sandbox can't do. Ids as in docs/attacks.md."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import EnvironmentProblem
from agent.workspace import find_sandbox, find_toolchain, open_worktree
from agent.workspace.sandbox.bubblewrap import advice_for
from tests.support.place import Place, a_place

MIB = 1024**2


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree with a test file in it."""
    with a_place(tmp_path, tests__test_a="def test_a(): assert True\n") as place:
        yield place


class TestNetwork:
    """There is none."""

    def test_S01_tcp_to_outside_is_refused(self, place: Place) -> None:
        """No address but the private loopback can be reached."""
        done = place.run("exec 3<>/dev/tcp/192.0.2.1/80")
        assert done.status != 0
        assert "unreachable" in done.output.lower()

    def test_S03_names_are_not_resolved(self, place: Place) -> None:
        """DNS needs a network as well."""
        assert place.run("getent hosts example.com").status != 0

    def test_S04_loopback_works(self, place: Place) -> None:
        """A test's own server can be reached."""
        script = (
            "import socket; s=socket.create_server(('127.0.0.1', 0));"
            "c=socket.create_connection(s.getsockname()); print('connected')"
        )
        assert "connected" in place.run(f'python3 -c "{script}"').output

    def test_S06_the_hosts_services_are_out_of_reach(self, place: Place) -> None:
        """A server on the host's loopback is on another loopback."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            command = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected"
            # The attack works without the sandbox.
            plain = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
            assert b"connected" in plain.stdout
            assert "connected" not in place.run(command).output

    def test_S07_abstract_sockets_of_the_host_are_out_of_reach(self, place: Place) -> None:
        """They belong to the network namespace."""
        name = f"prp-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"\0{name}")
            server.listen()
            script = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
            assert subprocess.run(["python3", "-c", script], check=False).returncode == 0
            assert place.run(f'python3 -c "{script}"').status != 0


class TestReading:
    """Reading is denied by default."""

    def test_S09_the_home_is_empty(self, place: Place) -> None:
        """Neither keys nor settings of the person are there."""
        secret = Path.home() / ".prp-attack-secret"
        secret.write_text("planted")
        try:
            done = place.run(f"cat {secret} ~/.ssh/* ~/.netrc ~/.config/* ~/.gitconfig; ls -A ~")
        finally:
            secret.unlink()
        assert "planted" not in done.output

    def test_S11_other_repositories_are_not_there(self, place: Place, tmp_path: Path) -> None:
        """Not even their names."""
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "secret").write_text("planted")
        done = place.run(f"cat {tmp_path}/other/secret; ls {tmp_path}")
        assert "planted" not in done.output
        assert "other" not in done.output.replace(str(tmp_path / "other"), "")

    def test_S12_the_persons_checkout_is_not_there(self, place: Place) -> None:
        """What is not committed stays private."""
        (place.project.root / ".env").write_text("KEY=planted")
        assert "planted" not in place.run(f"cat {place.project.root}/.env").output

    def test_S13_the_environment_has_only_the_listed_names(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys of the person never get in."""
        monkeypatch.setenv("SOME_API_KEY", "planted")
        assert "planted" not in place.run("env; cat /proc/self/environ").output

    def test_S14_other_processes_are_invisible(self, place: Place) -> None:
        """Their memory and environment are, too."""
        listed = place.run("ls /proc | grep -c '^[0-9]'").output.strip()
        assert int(listed) < 10

    def test_S15_process_1_shows_nothing_of_the_host(self, place: Place) -> None:
        """Arguments travel by file descriptor, not on the command line."""
        look = "tr '\\0' ' ' < /proc/1/cmdline"
        assert "ro-bind" not in place.run(look).output
        words = (
            "--ro-bind",
            "/",
            "/",
            "--unshare-pid",
            "--proc",
            "/proc",
            "--setenv",
            "A",
            "planted",
        )
        unguarded = subprocess.run(
            ["bwrap", *words, "bash", "-c", look], capture_output=True, check=True
        )
        assert b"planted" in unguarded.stdout

    def test_S20_the_checkouts_token_is_not_readable(self, tmp_path: Path) -> None:
        """CI leaves a token in the repository's configuration."""
        with a_place(tmp_path) as place:
            place.project.git("config", "http.extraheader", "AUTHORIZATION: planted")
            common = place.project.root / ".git"
            assert "planted" in (common / "config").read_text()
            done = place.run(f"cat {common}/config; git config --list")
            assert "planted" not in done.output

    def test_S20_nor_is_what_git_copied_into_the_worktrees_own_configuration(
        self, place: Place, tmp_path: Path
    ) -> None:
        """Newer releases of CI's checkout write the token there."""
        place.project.git("config", "extensions.worktreeConfig", "true")
        place.project.git("config", "--worktree", "http.extraheader", "AUTHORIZATION: planted")
        repository, folder = place.tree.repository, tmp_path / "second"
        with open_worktree(repository, folder, branch="prp/y", base=place.tree.base) as tree:
            place.tree = tree
            look = "cat $(sed 's/gitdir: //' .git)/config.worktree; git config --list"
            assert "planted" in place.bare(look).output
            assert "planted" not in place.run(look).output
            assert place.run("git status --short && git log --oneline").status == 0


class TestWriting:
    """Only the worktree can be written."""

    @pytest.mark.parametrize("path", ["/usr/x", "/etc/x", "/x", "/dev/x", "/opt/x", "/bin/x"])
    def test_S16_the_system_is_read_only(self, place: Place, path: str) -> None:
        """Not even files that nobody would miss."""
        assert place.run(f"touch {path}").status != 0

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param("rm .git", id="rm"),
            pytest.param("mv .git g", id="mv"),
            pytest.param(": > .git", id="truncate"),
            pytest.param("ln -sf /tmp .git", id="link"),
            pytest.param("rm -rf .git && mkdir .git", id="folder"),
        ],
    )
    def test_S17_the_git_pointer_stays(self, place: Place, command: str) -> None:
        """Whoever replaces it decides what git runs on the host."""
        before = (place.tree.path / ".git").read_bytes()
        assert place.run(command).status != 0
        assert (place.tree.path / ".git").read_bytes() == before

    @pytest.mark.parametrize(
        "name",
        ["config", "hooks/pre-commit", "HEAD", "worktrees/*/commondir", "worktrees/*/index"],
    )
    def test_S18_git_metadata_is_read_only(self, place: Place, name: str) -> None:
        """Configuration, hooks, refs and index are the host's."""
        git = place.project.root / ".git"
        target = next(git.glob(name), git / name)
        before = target.read_bytes() if target.exists() else None
        place.run(f"mkdir -p {target.parent}; echo evil >> {target}; rm -f {target}")
        assert (target.read_bytes() if target.exists() else None) == before

    def test_S19_git_can_look(self, place: Place) -> None:
        """Status, diff and log work."""
        (place.tree.path / "README").write_text("changed\n")
        done = place.run("git status --short && git diff && git log --oneline")
        assert done.status == 0
        assert "+changed" in done.output
        assert "first" in done.output

    def test_S22_a_link_to_outside_leads_nowhere(self, place: Place, tmp_path: Path) -> None:
        """The target does not exist inside."""
        victim = tmp_path / "victim"
        victim.write_text("safe")
        attack = f"ln -sf {victim} link; echo evil > link"
        place.run(attack)
        assert victim.read_text() == "safe"
        place.bare(attack)
        assert victim.read_text() == "evil\n"

    @pytest.mark.parametrize(
        "command",
        [
            pytest.param("echo evil > tests/test_a", id="write"),
            pytest.param("sed -i s/True/False/ tests/test_a", id="sed"),
            pytest.param("rm tests/test_a", id="rm"),
            pytest.param("mv tests/test_a tests/b", id="mv"),
            pytest.param("mv tests other && mkdir tests && echo evil > tests/test_a", id="parent"),
        ],
    )
    def test_S43_a_protected_file_stays(self, place: Place, command: str) -> None:
        """Nor can its folder be moved away and replaced."""
        path = place.tree.path / "tests" / "test_a"
        before = path.read_bytes()
        place.run(command, protect=["tests/test_a"])
        assert path.read_bytes() == before

    def test_S44_a_new_sibling_is_allowed(self, place: Place) -> None:
        """New tests go beside the frozen ones."""
        assert place.run("echo 1 > tests/new", protect=["tests/test_a"]).status == 0
        assert (place.tree.path / "tests" / "new").exists()

    def test_S45_a_read_only_worktree_can_be_read(self, place: Place) -> None:
        """And not written."""
        assert place.run("cat README", writable=False).status == 0
        assert place.run("touch x", writable=False).status != 0
        beside = "touch tests/x"
        assert place.run(beside, writable=False, protect=["tests/test_a"]).status != 0
        unguarded = place.run(beside, protect=["tests/test_a"])
        assert unguarded.status == 0


class TestPrivileges:
    """Nothing inside gains any."""

    def test_S25_no_further_namespaces(self, place: Place) -> None:
        """A smaller kernel surface."""
        assert place.run("unshare -U true").status != 0
        assert place.run("mount -t tmpfs x /mnt").status != 0

    def test_S26_no_capabilities(self, place: Place) -> None:
        """Also when the host's user is root."""
        status = place.run("cat /proc/self/status").output
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status

    def test_S41_nobody_can_type(self, place: Place) -> None:
        """stdin is empty and there is no terminal."""
        assert place.run("cat; read x < /dev/tty").status != 0


class TestLimits:
    """A command ends, and so does everything that it started."""

    def test_S33_and_S31_private_folders_are_bounded(self, place: Place) -> None:
        """Filling /tmp fails long before the host's memory does."""
        done = place.run("head -c 700M /dev/zero > /tmp/x; ls -s --block-size=1M /tmp/x")
        assert "No space left" in done.output
        assert place.bare("fallocate -l 700M x; rm x").status == 0

    def test_S32_a_huge_file_is_stopped(self, place: Place) -> None:
        """At 1 GiB."""
        command = "truncate -s 2G big; echo status $?; rm big"
        assert "status 0" not in place.run(command).output
        assert "status 0" in place.bare(command).output

    def test_S34_F59_endless_output_is_stopped(self, place: Place, tmp_path: Path) -> None:
        """Both ends are kept, the log is bounded, and of memory little more than both ends goes."""
        log = tmp_path / "log"
        done, peak = self._peak(lambda: place.run("yes", log=log))
        assert done.ended == "output"
        assert len(done.output) < 140_000
        assert log.stat().st_size <= 64 * MIB
        assert peak < 50 * MIB

        def unguarded() -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                ["head", "-c", "70M", "/dev/zero"], capture_output=True, check=True
            )

        _, peak = self._peak(unguarded)
        assert peak > 70_000_000

    def _peak(self, call: Callable[[], Any]) -> tuple[Any, int]:
        """Return what a call returns, and the most bytes that were held meanwhile."""
        tracemalloc.start()
        try:
            return call(), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_S35_F59_bytes_that_are_no_text_are_shown(self, place: Place) -> None:
        """Nothing breaks on them."""
        command = "printf 'a\\xff\\xfeb'"
        assert "\N{REPLACEMENT CHARACTER}" in place.run(command).output
        unguarded = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
        with pytest.raises(UnicodeDecodeError):
            assert unguarded.stdout.decode()

    def test_S37_F58_F60_a_timeout_kills_the_whole_tree(self, place: Place) -> None:
        """And what was printed until then is kept."""
        done = place.run("echo begun; (sleep 60; touch late) & sleep 60", seconds=1)
        assert (done.ended, done.status) == ("timeout", 124)
        assert "begun" in done.output
        name = f"prp-late-{os.getpid()}"
        unguarded = ["bash", "-c", f"bash -c 'exec -a {name} sleep 60' & sleep 60"]
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(unguarded, timeout=1, check=False)
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        assert f"\n{name} " in listed.stdout
        subprocess.run(["pkill", "-f", f"^{name} "], check=True)

    def test_F61_a_signal_is_named(self, place: Place) -> None:
        """Whether it ended the shell or what the shell had started, within walls or without."""
        whole, part = "kill -SEGV $$", "bash -c 'kill -SEGV $$'; exit $?"
        done = [run(words) for run in (place.run, place.bare) for words in (whole, part)]
        assert {end.status_in_words for end in done} == {"exit status 139 (SIGSEGV)"}

    def test_S38_a_daemon_does_not_survive(self, place: Place) -> None:
        """Not with setsid, nohup and a double fork."""
        marker = f"prp-daemon-{os.getpid()}"
        daemon = "(setsid nohup bash -c 'exec -a {} sleep 300' >&- 2>&- &) ; sleep 0.2"
        assert place.bare(daemon.format(f"{marker}-bare")).status == 0
        assert place.run(daemon.format(marker)).status == 0
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        assert f"\n{marker}-bare " in listed.stdout
        assert f"\n{marker} " not in listed.stdout
        subprocess.run(["pkill", "-f", f"^{marker}-bare "], check=True)

    def test_S42_a_command_that_closes_its_output_is_waited_for(self, place: Place) -> None:
        """Until it ends or its time is up."""
        command = "exec >&- 2>&-; sleep 60"
        assert place.run(command, seconds=1).ended == "timeout"
        # Who only reads what it prints takes it for over.
        unguarded = subprocess.Popen(
            ["bash", "-c", command], stdout=subprocess.PIPE, start_new_session=True
        )
        with unguarded:
            assert unguarded.stdout
            assert unguarded.stdout.read() == b""
            assert unguarded.poll() is None
            os.killpg(unguarded.pid, signal.SIGKILL)

    def test_S54_sandboxes_run_side_by_side(self, place: Place) -> None:
        """Four commands in one worktree."""
        done: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: done.append(place.run(f"exit {n}").status))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == [0, 1, 2, 3]

    def test_S55_a_strange_path_works(self, tmp_path: Path) -> None:
        """Spaces, a line break, letters of many scripts and a leading dash."""
        with a_place(tmp_path / "-a b\nc \N{SNOWMAN} é") as place:
            assert place.run("pwd && git log --oneline && touch x").status == 0


class TestFinding:
    """Without a sandbox nothing runs."""

    def test_S50_a_machine_without_bubblewrap_is_told(self, tmp_path: Path) -> None:
        """How to install it, with exit status 5."""
        with pytest.raises(EnvironmentProblem) as caught:
            find_sandbox("bubblewrap", state=tmp_path, search=str(tmp_path))
        assert caught.value.exit_status == 5
        assert "apt-get install bubblewrap" in caught.value.hint

    @pytest.mark.parametrize(
        ("words", "advice"),
        [
            ("bwrap: No permissions to create new namespace", "apparmor"),
            ("bwrap: setting up uid map: Permission denied", "apparmor"),
            ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor"),
            ("bwrap: Creating new namespace failed: nesting depth (ENOSPC)", "inside of a sandbox"),
            ("bwrap: Can't mount proc on /newroot/proc", "container"),
        ],
    )
    def test_S51_each_known_failure_has_its_advice(self, words: str, advice: str) -> None:
        """So that the person can mend it."""
        assert advice in advice_for(words)

    def test_S49_a_program_of_the_repository_is_not_taken_for_a_tool(self, tmp_path: Path) -> None:
        """A folder of PATH inside of the checkout is left out."""
        folder = tmp_path / "project" / "bin"
        folder.mkdir(parents=True)
        (folder / "git").write_text("#!/bin/sh\n")
        (folder / "git").chmod(0o755)
        search = f"{folder}:{os.environ['PATH']}"
        toolchain = find_toolchain(tmp_path / "project", search_path=search, home=Path.home())
        assert str(folder) not in toolchain.path
        unguarded = shutil.which("git", path=search)
        assert unguarded == str(folder / "git")
