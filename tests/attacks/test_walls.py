"""What the walls keep out, each tried without them first. Ids as in docs/attacks.md."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.workspace import Confinement, find_toolchain
from agent.workspace.history import Histories
from agent.workspace.sandbox.bubblewrap import ETC, LINKED, bubblewrap_arguments
from agent.workspace.shell import probe
from tests.support.place import Place, a_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree with a test file in it."""
    with a_place(tmp_path) as place:
        yield place


def test_S02_datagrams_reach_nobody(place: Place) -> None:
    """Neither the host's services nor anything beyond it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.5)
        command = f"echo $0 > /dev/udp/127.0.0.1/{server.getsockname()[1]}"
        place.bare(command)
        assert server.recv(99)
        place.run(command)
        with pytest.raises(TimeoutError):
            server.recv(99)
    assert "unreachable" in place.run("echo x > /dev/udp/192.0.2.1/53").output


def test_S05_the_clouds_metadata_service_is_out_of_reach(place: Place) -> None:
    """There is no way to its address, while the host may have one."""
    # To connect a datagram socket asks for the way and sends nothing.
    command = "exec 3<>/dev/udp/169.254.169.254/80"
    if place.bare("ip route get 169.254.169.254").status == 0:
        assert place.bare(command).status == 0
    for way in (command, "exec 3<>/dev/tcp/169.254.169.254/80"):
        done = place.run(way)
        assert done.status != 0
        assert "unreachable" in done.output.lower()


def test_S08_sockets_of_services_are_not_there(place: Place, tmp_path: Path) -> None:
    """A container engine's would give everything away."""
    path = tmp_path / "docker.sock"
    command = f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert place.bare(f'python3 -c "{command}"').status == 0
        assert place.run(f'python3 -c "{command}"').status != 0
    assert place.run("ls -A /run /var/run/ 2>/dev/null | grep sock; ls -A /run").output == ""


def test_S10_settings_of_the_person_are_not_there(place: Place, tmp_path: Path) -> None:
    """Clouds, registries, other machines, git."""
    home = tmp_path / "home" / "ann"
    names = (".aws/credentials", ".config/gh/hosts.yml", ".netrc", ".npmrc", ".gitconfig")
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"planted in {name}\n")
    place.toolchain = find_toolchain(
        place.project.root, search_path=f"{home}/.config:{os.environ['PATH']}", home=home
    )
    command = f"cat {' '.join(f'~/{name} {home}/{name}' for name in names)}"
    assert place.bare(command).output.count("planted") == 2 * len(names)
    assert "planted" not in place.run(command).output


@pytest.mark.parametrize("way", ["python", "bin", ".venv", "node_modules/.bin"])
def test_S10_a_repository_shows_no_folder_by_links_of_its_own(tmp_path: Path, way: str) -> None:
    """Given a `.venv` or `node_modules` that is committed, what its links name stays hidden."""
    keys = tmp_path / "home" / "ann" / ".keys"
    (keys / "bin").mkdir(parents=True)
    for folder in (keys, keys / "bin"):
        (folder / "key").write_text("planted\n")
        (folder / "pyvenv.cfg").touch()
    with a_place(tmp_path / "place") as place:
        link, target = {
            "python": (".venv/bin/python", keys / "bin" / "python"),
            "bin": (".venv/bin", keys),
            ".venv": (".venv", keys),
            "node_modules/.bin": ("node_modules/.bin", keys),
        }[way]
        path = place.project.root / link
        path.parent.mkdir(parents=True, exist_ok=True)
        if way == "python":
            path.parent.with_name("pyvenv.cfg").touch()
        path.symlink_to(target)
        look = f"cat {keys}/key {keys}/bin/key {path}/key {path}/bin/key"

        def found() -> str:
            place.toolchain = find_toolchain(
                place.project.root,
                search_path=os.environ["PATH"],
                home=keys.parent,
                tracked=place.tree.repository.is_tracked,
            )
            return place.run(look).output

        # What the person laid there is believed.
        assert "planted" in found()
        place.project.git("add", "-f", "-A")
        place.project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "x")
        assert "planted" not in found()


def test_S21_the_worktree_stays_where_it_is(place: Place) -> None:
    """What the host finds at its path is the worktree."""
    tree = place.tree.path
    command = f"mv {tree} {tree}.away"
    assert place.run(command).status != 0
    assert (tree / ".git").is_file()
    assert place.bare(command).status == 0
    tree.with_name("tree.away").rename(tree)


def test_S23_no_second_name_for_a_file_outside(place: Place, tmp_path: Path) -> None:
    """Neither one of the host's nor one that is shown."""
    victim = tmp_path / "victim"
    victim.write_text("safe")
    for file in (victim, place.project.root / ".git" / "HEAD"):
        assert place.run(f"ln {file} link").status != 0
        assert place.bare(f"ln {file} link && rm link").status == 0
    assert "cross-device" in place.run("ln /usr/bin/env link").output


def test_S24_no_device_is_made(place: Place) -> None:
    """Not even by root: a disk could be read past all files."""
    command = "mknod disk b 7 0"
    if os.geteuid() == 0:
        assert place.bare(f"{command} && rm disk").status == 0
    assert place.run(command).status != 0
    assert not (place.tree.path / "disk").exists()


def test_S46_what_tests_and_install_scripts_run_sees_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conftest is a program; so is npm's postinstall."""
    secret = tmp_path / "secret"
    secret.write_text("planted")
    monkeypatch.setenv("SOME_API_KEY", "planted")
    look = (
        f"import os, socket\ntold = [str(dict(os.environ)), os.path.exists('{secret}')]\n"
        "try: socket.create_connection(('192.0.2.1', 80), 1)\n"
        "except OSError as error: told.append(error.strerror)\n"
        "open('told', 'w').write(repr(told))\n"
    )
    (place.tree.path / "conftest.py").write_text(look)
    (place.tree.path / "test_a.py").write_text("def test_a(): pass\n")
    told = place.tree.path / "told"
    place.toolchain = replace(place.toolchain, path=(*_own_programs(), *place.toolchain.path))
    place.toolchain = replace(
        place.toolchain, binds=(*place.toolchain.binds, Path(sys.prefix), Path(sys.base_prefix))
    )
    assert place.run("pytest -q -p no:cacheprovider").status == 0
    assert "planted" not in told.read_text()
    assert "True" not in told.read_text()
    assert "unreachable" in told.read_text()
    place.bare("pytest -q -p no:cacheprovider")
    assert "True" in told.read_text()


def _own_programs() -> tuple[str, ...]:
    return (str(Path(sys.executable).parent),)


def test_S52_the_arguments_are_what_they_should_be(tmp_path: Path) -> None:
    """Every flag and its order, wherever bubblewrap itself may be."""
    tree, tool, config = tmp_path / "tree", tmp_path / "tool", tmp_path / "config"
    reports = tmp_path / "reports"
    (tree / "tests").mkdir(parents=True)
    (tree / "tests" / "a").touch()
    confinement = Confinement(
        tree=tree,
        protect=("tests/a",),
        tools=(tool,),
        reports=reports,
        environment={"HOME": "/home/ann", "A": "b c"},
    )
    words = bubblewrap_arguments(
        confinement, git_config=config, histories=Histories(place=tmp_path / "histories")
    )
    start, end = words.index("--ro-bind"), words.index("--proc")
    golden = f"""\
--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try
--disable-userns --die-with-parent --new-session --cap-drop ALL --hostname prp-sandbox --clearenv
--proc /proc --dev /dev --size 268435456 --tmpfs /dev/shm --size 536870912 --tmpfs /tmp
--size 536870912 --tmpfs /home/ann --size 67108864 --tmpfs /run --dir /var/tmp
--ro-bind {tool} {tool} --bind {tree} {tree} --ro-bind-try {tree}/.git {tree}/.git
--bind {tree}/tests {tree}/tests --ro-bind {tree}/tests/a {tree}/tests/a --bind {reports} {reports}
--remount-ro /dev --remount-ro / --setenv HOME /home/ann --setenv A"""
    assert [*words[:start], *words[end:]] == [*golden.split(), "b c", "--chdir", str(tree)]
    assert {word for word in words[start:end] if word.startswith("--")} <= {
        "--ro-bind",
        "--ro-bind-try",
        "--symlink",
    }


@pytest.mark.parametrize("where", ["another file system", "a link"])
def test_S56_the_worktree_may_lie_anywhere(tmp_path: Path, where: str) -> None:
    """Its path and its file system make no difference."""
    folder = tmp_path / "link"
    if where == "a link":
        (tmp_path / "real").mkdir()
        folder.symlink_to("real")
    else:
        folder = Path("/dev/shm") / f"prp-test-{os.getpid()}"
        if not Path("/dev/shm").is_dir():
            pytest.skip("/dev/shm is not there")
    try:
        with a_place(folder) as place:
            done = place.run("pwd; touch new && git status --short; rm .git; touch ../beside")
            assert f"{place.tree.path}\n?? new\n" in done.output
            assert (place.tree.path / ".git").is_file()
            assert not (folder / "beside").exists()
            assert place.bare("touch ../beside").status == 0
            assert (folder / "beside").exists()
    finally:
        if where != "a link":
            subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_S13_no_variable_comes_from_outside(place: Place) -> None:
    """Not even one that the sandbox's own program was started with."""
    launch = place.sandbox.launch(place.toolchain.confine(place.tree.path), "env")
    planted = replace(launch, environment={**launch.environment, "PLANTED": "planted"})
    status, words = probe(planted)
    assert (status, "PLANTED" in words) == (0, False)


@pytest.mark.parametrize("network", ["none", "proxy"])
def test_S13_the_environment_is_what_was_asked_for(
    place: Place, tmp_path: Path, network: str
) -> None:
    """Name by name, and nothing that bash does not add itself."""
    asked = place.toolchain.confine(place.tree.path)
    if network == "proxy":
        (tmp_path / "socket").touch()
        (tmp_path / "reports").mkdir()
        asked = replace(place.toolchain, network=tmp_path / "socket").confine(
            place.tree.path, reports=tmp_path / "reports"
        )
    _, words = probe(place.sandbox.launch(asked, "env"))
    got = dict(line.split("=", 1) for line in words.splitlines())
    assert {name: got.get(name) for name in asked.environment} == dict(asked.environment)
    assert set(got) - set(asked.environment) <= {"PWD", "SHLVL", "_", "OLDPWD"}


_NAMESPACES = ("user", "pid", "net", "ipc", "uts", "cgroup")


def test_S14_every_namespace_is_its_own(place: Place) -> None:
    """Users, processes, network, shared memory, host name, groups of processes."""
    command = " && ".join(f"readlink /proc/self/ns/{name}" for name in _NAMESPACES)
    outside, inside = place.bare(command), place.run(command)
    assert outside.status == inside.status == 0
    assert not set(outside.output.split()) & set(inside.output.split())
    assert place.run("cat /proc/sys/kernel/hostname").output == "prp-sandbox\n"


def test_S18_hooks_are_hidden_and_cannot_be_written(place: Place) -> None:
    """A hook may hold what nobody else should read."""
    hooks = place.project.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("planted")
    assert "planted" in place.bare(f"cat {hooks}/*").output
    done = place.run(f"cat {hooks}/*; mkdir -p {hooks}")
    assert "planted" not in done.output
    assert "Read-only" in done.output


def test_S19_git_shows_what_it_should(place: Place) -> None:
    """Settings that name no program, tags, what is ignored; no name of a branch."""
    git = place.project.root / ".git"
    place.project.git("tag", "v1")
    (git / "info").mkdir(exist_ok=True)
    (git / "info" / "exclude").write_text("ignored\n")
    (place.tree.path / "ignored").touch()
    done = place.run(
        "git status --short && git log --oneline | wc -l && git tag && git rev-parse --abbrev-ref "
        "HEAD && git config core.filemode"
    )
    assert done.output == "1\nv1\nHEAD\ntrue\n"
    assert place.run(f"git --git-dir={git} log --oneline").status == 0
    other = git / "refs" / "heads"
    assert place.bare(f"ls {other}").status == 0
    assert place.run(f"ls {other}").status != 0


def test_S32_limits_hold_inside(place: Place) -> None:
    """Whoever it is that runs prp, and whatever limits his own shell has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        done = place.run("ulimit -c; ulimit -f; ulimit -n; ulimit -u")
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert done.output.split() == ["0", str(1024**2), "4096", "512"]


LIMITS_INSIDE = """\
import sys
from pathlib import Path
from tests.support.place import a_place
with a_place(Path(sys.argv[1])) as place:
    done = place.run("ulimit -n; ulimit -u")
    print(done.output, done.status)
"""


def test_S32_where_the_machine_allows_less_that_counts(tmp_path: Path) -> None:
    """A lower limit of who runs prp is no broken sandbox."""
    done = subprocess.run(
        ["prlimit", "--nofile=512", sys.executable, "-c", LIMITS_INSIDE, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["512", "512", "0"], done.stderr[-2000:]


def test_S41_the_session_is_its_own(place: Place) -> None:
    """What is typed into the person's terminal comes from the person."""
    session = "cut -d' ' -f6 /proc/self/stat"
    assert int(place.run(session).output) > 0


def test_the_system_is_there(place: Place) -> None:
    """Programs, libraries, names of users, certificates: as on the host."""
    paths = [f"/{name}" for name in (*LINKED, "opt", "usr", *(f"etc/{name}" for name in ETC))]
    there = [path for path in paths if Path(path).exists()]
    assert len(there) > 10
    assert place.run(f"ls -d {' '.join(there)}").status == 0


def test_a_command_begins_in_the_worktree(place: Place) -> None:
    """Wherever prp itself was started."""
    launch = place.sandbox.launch(place.toolchain.confine(place.tree.path), "pwd")
    assert probe(launch) == (0, f"{place.tree.path}\n")


def test_reports_can_be_written(place: Place, tmp_path: Path) -> None:
    """The one folder beside the worktree that a command may write."""
    reports = tmp_path / "reports"
    reports.mkdir()
    place.toolchain.confine(place.tree.path)
    confinement = place.toolchain.confine(place.tree.path, reports=reports)
    assert probe(place.sandbox.launch(confinement, f"echo x > {reports}/x"))[0] == 0
    assert (reports / "x").read_text() == "x\n"


def test_installed_packages_are_shown_and_stay(place: Place, tmp_path: Path) -> None:
    """In the worktree, read-only, for other commands to find."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "a").write_text("shown\n")
    place.toolchain = replace(place.toolchain, laid=((packages, "packages"),))
    done = place.run("cat packages/a; echo evil > packages/a")
    assert "shown" in done.output
    assert (packages / "a").read_text() == "shown\n"
    assert done.status != 0
