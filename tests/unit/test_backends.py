"""What docker, podman and sandbox-exec are told. None of them runs here: words only."""

import itertools
import json
import tarfile
from pathlib import Path

import pytest

from agent.errors import EnvironmentProblem
from agent.workspace import Confinement, find_sandbox
from agent.workspace.sandbox.container import IMAGE, Container
from agent.workspace.sandbox.find import SANDBOXES, Passed, try_sandboxes
from agent.workspace.sandbox.landlock import guarded
from agent.workspace.sandbox.seatbelt import Seatbelt, profile
from agent.workspace.shell import probe


def confinement(folder: Path, *, writable: bool = True) -> Confinement:
    """Return the confinement of a command in a worktree whose name needs quoting."""
    tree = folder / 'a,"b'
    (tree / "tests").mkdir(parents=True)
    (tree / "tests" / "a").touch()
    return Confinement(
        tree=tree,
        writable=writable,
        protect=("tests/a",),
        environment={"HOME": "/home/ann", "A": "b c"},
    )


def ordered(sandbox: Container | Seatbelt, asked: Confinement) -> tuple[list[str], list[str]]:
    """Return the words of a command and of what follows it."""
    order = json.loads(sandbox.launch(asked, "exit 3").arguments)
    return order["argv"], order.get("after", [])


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_has_every_wall(tmp_path: Path, engine: str) -> None:
    """No network, no rights, bounded, read-only, and taken away however the command ends."""
    sandbox = Container(f"/usr/bin/{engine}", state=tmp_path)
    words, after = ordered(sandbox, confinement(tmp_path))
    pairs = set(itertools.pairwise(words))
    assert sandbox.name == engine
    assert words[:2] == [f"/usr/bin/{engine}", "run"]
    assert (
        words[-7:]
        == [*(IMAGE, "/bin/bash", "--noprofile", "--norc", "-o", "pipefail", "-c", "exit 3")][-7:]
    )
    assert {
        ("--network", "none"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--pids-limit", "512"),
        ("--memory", "4g"),
        ("--memory-swap", "4g"),
        ("--ulimit", "core=0"),
        ("--pull", "never"),
        ("--env", "A=b c"),
        ("--tmpfs", "/tmp:rw,exec,mode=1777,size=536870912"),
        ("--tmpfs", "/home/ann:rw,exec,mode=1777,size=536870912"),
    } <= pairs
    assert {"--read-only", "--rm"} <= set(words)
    assert after == [f"/usr/bin/{engine}", "rm", "--force", words[words.index("--name") + 1]]
    assert not [word for word in words if word.endswith("docker.sock") or word == "--privileged"]


def test_a_container_shows_what_bubblewrap_would(tmp_path: Path) -> None:
    """The worktree to be written, frozen files and the system's not; names are quoted."""
    words, _ = ordered(Container("/usr/bin/docker", state=tmp_path), confinement(tmp_path))
    mounts = [words[n + 1] for n, word in enumerate(words) if word == "--mount"]
    tree = str(tmp_path / 'a,""b')
    bound = f'type=bind,"source={tree}","target={tree}"'
    assert bound in mounts
    frozen = f'type=bind,"source={tree}/tests/a","target={tree}/tests/a",readonly'
    assert frozen in mounts
    writable = [one for one in mounts if not one.endswith(",readonly")]
    assert writable == [bound, bound.replace('""b"', '""b/tests"')]
    words, _ = ordered(
        Container("/usr/bin/docker", state=tmp_path), confinement(tmp_path / "2", writable=False)
    )
    mounts = [one for n, one in enumerate(words) if words[n - 1] == "--mount"]
    assert [one for one in mounts if not one.endswith(",readonly")] == []


def test_everybody_can_write_where_a_container_keeps_temporary_files(tmp_path: Path) -> None:
    """What is mounted there takes the folder's mode from the image."""
    sandbox = Container("/usr/bin/docker", state=tmp_path)
    with tarfile.open(sandbox.make_image().argv[2]) as archive:
        modes = {name: archive.getmember(name).mode for name in ("tmp", "var/tmp", "usr")}
    assert modes == {"tmp": 0o1777, "var/tmp": 0o1777, "usr": 0o755}


def test_whoever_cleans_up_asks_the_engine_that_was_used(tmp_path: Path) -> None:
    """Which engine that is, variables say."""
    clean_up = ["/bin/sh", "-c", f'echo "$DOCKER_HOST" > {tmp_path}/cleaned']
    order = {"argv": ["/bin/true"], "environment": {"DOCKER_HOST": "unix:///x"}, "after": clean_up}
    assert probe(guarded(order))[0] == 0
    assert (tmp_path / "cleaned").read_text() == "unix:///x\n"


def test_the_profile_of_macos_allows_what_is_listed(tmp_path: Path) -> None:
    """Everything is denied first; the denials of what is frozen come last, so they win."""
    asked = confinement(tmp_path)
    lines = profile(asked).splitlines()
    tree = str(asked.tree.resolve()).replace('"', '\\"')
    assert lines[:2] == ["(version 1)", "(deny default)"]
    (write,) = [line for line in lines if line.startswith("(allow file-write* ")]
    assert write == f'(allow file-write* (subpath "{{private}}") (subpath "{tree}"))'
    assert f'(subpath "{tree}/.git") (subpath "{tree}/tests/a")' in lines[-2]
    assert lines[-2].startswith("(deny file-write* ")
    assert lines[-1] == (f'(deny file-write-unlink (literal "{tree}") (literal "{tree}/tests"))')
    assert not [line for line in lines if "network" in line and "localhost" not in line]
    assert str(Path.home()) not in profile(asked)
    words, _ = ordered(Seatbelt(state=tmp_path), asked)
    assert words[:2] == ["/usr/bin/sandbox-exec", "-p"]


def test_the_strongest_comes_first(tmp_path: Path) -> None:
    """And what is passed over is told with what would mend it."""
    assert SANDBOXES == ("bubblewrap", "landlock", "docker", "podman", "sandbox-exec")
    tried = list(try_sandboxes("auto", state=tmp_path, search=str(tmp_path)))
    assert isinstance(tried[0], Passed)
    assert "apt-get install bubblewrap" in tried[0].fix
    assert all(isinstance(one, Passed) for one in tried[:-1])


@pytest.mark.parametrize("name", ["docker", "podman", "sandbox-exec"])
def test_one_that_is_asked_for_and_not_there_is_no_other(tmp_path: Path, name: str) -> None:
    """Whoever names a sandbox gets that one, or nothing runs."""
    with pytest.raises(EnvironmentProblem, match="no command was run") as caught:
        find_sandbox(name, state=tmp_path, search=str(tmp_path))
    assert caught.value.exit_status == 5
    assert name in str(caught.value)


def test_an_engine_that_does_not_answer_is_passed_over(tmp_path: Path) -> None:
    """A client alone, whose engine is not there, is no sandbox."""
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2; exit 1\n")
    client.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="Cannot connect to the Docker daemon"):
        find_sandbox("docker", state=tmp_path, search=str(tmp_path))


def test_a_program_that_confines_nothing_is_found_out(tmp_path: Path) -> None:
    """Given a docker that runs commands as they are, then its writing outside is noticed."""
    client = tmp_path / "docker"
    client.write_text(
        "#!/bin/sh\n[ $1 = run ] || exit 0\nwhile [ $1 != --workdir ]; do shift; done\n"
        'cd "$2"; for last; do :; done; exec bash -c "$last"\n'
    )
    client.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="lets commands write everywhere"):
        find_sandbox("docker", state=tmp_path, search=str(tmp_path))
