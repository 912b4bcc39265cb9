"""Packages that a run installs before its checks, in the sandbox, and finds again the next time."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project, Ran
from tests.support.registries import REGISTRIES
from tests.support.scripts import GREET_PRP

PYTHON_PRP = GREET_PRP.replace(
    "from greet import greet;", "import wares; from greet import greet; wares.sold();"
)
NODE_PRP = GREET_PRP.replace('python3 -c "from greet import greet; assert', "node shop.js #")
WHEEL = "--no-index ./wares-1.0-py3-none-any.whl"
OWN = f"uv pip install {WHEEL} || python3 -m pip install {WHEEL}"


def verify(project: Project, *options: str, **variables: str) -> Ran:
    """Ask for a verdict without a model: set-up, baseline and checks are as in every run."""
    project.git("checkout", "-q", "-b", "work")
    project.write("greet.py", 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n')
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
    return verify_again(project, *options, **variables)


def verify_again(project: Project, *options: str, **variables: str) -> Ran:
    """Ask for the same verdict once more."""
    arguments = ("verify", "PRPs/greet.md", "--base", "main", "--max-mutants", "0", *options)
    return project.prp(*arguments, **({"PRP_SETUP": "auto"} | variables))


def setup_events(project: Project) -> list[dict[str, Any]]:
    """Return what the last run installed."""
    return [event for event in project.events() if event["type"] == "setup-finished"]


def states(project: Project) -> dict[str, str]:
    """Return how each check of the branch ended."""
    found = (e for e in project.events() if e["type"] == "check-finished")
    return {e["check"]: e["state"] for e in found if e["stage"] == "attempt 1"}


def a_wheel(folder: Path) -> None:
    """Write a package as pip takes it, without any index."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "wares-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("wares.py", "def sold() -> int:\n    return 3\n")
        head = "Metadata-Version: 2.1\nName: wares\nVersion: 1.0\n"
        wheel.writestr("wares-1.0.dist-info/METADATA", head)
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("wares-1.0.dist-info/WHEEL", tag)
        names = ("wares.py", "wares-1.0.dist-info/METADATA", "wares-1.0.dist-info/WHEEL")
        record = "".join(f"{name},,\n" for name in (*names, "wares-1.0.dist-info/RECORD"))
        wheel.writestr("wares-1.0.dist-info/RECORD", record)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository whose check needs a package that it brings as a wheel."""
    a_wheel(tmp_path / "project")
    return Project(tmp_path / "project", {"PRPs/greet.md": PYTHON_PRP, "README.md": "# greet\n"})


class TestOwnCommand:
    """`--setup COMMAND`."""

    def test_what_it_installs_is_there_for_every_check(self, project: Project) -> None:
        """The check fails without, and passes with it; the second run finds it again."""
        assert verify(project).status == 10
        ran = verify_again(project, "--setup", OWN)
        assert states(project)["L2.1"] == "passed", ran.err
        (event,) = setup_events(project)
        assert (event["kind"], event["state"]) == ("own", "installed")
        assert "setup: own installed" in ran.err
        verify_again(project, "--setup", OWN)
        assert [event["state"] for event in setup_events(project)] == ["cached"]

    def test_another_repository_does_not_find_it(self, project: Project, tmp_path: Path) -> None:
        """While it was installed code of the first one could run, and leave what it liked."""
        # Given a repository of the same manifests whose own program plants something
        evil = Project(tmp_path / "evil", {"PRPs/greet.md": PYTHON_PRP, "README.md": "# greet\n"})
        planted = "def sold() -> int:\n    raise SystemExit('planted')\n"
        wheel = "wares-1.0-py3-none-any.whl"
        with (
            zipfile.ZipFile(project.root / wheel) as good,
            zipfile.ZipFile(evil.root / wheel, "w") as bad,
        ):
            for name in good.namelist():
                bad.writestr(name, planted if name == "wares.py" else good.read(name))
        # When both are verified, one after the other
        verify(evil, "--setup", OWN)
        assert (setup_events(evil)[0]["state"], states(evil)["L2.1"]) == ("installed", "failed")
        verify(project, "--setup", OWN)
        # Then the second one has packages of its own
        assert setup_events(project)[0]["state"] == "installed"
        assert states(project)["L2.1"] == "passed"

    def test_what_fails_is_told_and_sinks_nothing(self, project: Project) -> None:
        """The run goes on to its verdict; the report says what to do."""
        ran = verify(project, "--setup", "echo no such package >&2; exit 3")
        assert ran.status == 10
        (event,) = setup_events(project)
        assert event["state"] == "failed"
        assert "exit status 3" in event["reason"]
        assert "--no-setup" in event["reason"]
        report = (project.runs[-1] / "report.md").read_text(encoding="utf-8")
        assert "## Set-up" in report
        assert "no such package" in report
        # What failed is tried again.
        verify_again(project, "--setup", OWN)
        assert setup_events(project)[0]["state"] == "installed"

    def test_it_is_read_only_afterwards(self, project: Project) -> None:
        """No later command can change what others will import."""
        prp = PYTHON_PRP.replace("wares.sold();", "open(wares.__file__, 'a');")
        project.write("PRPs/greet.md", prp)
        project.git("add", "-A")
        project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "prp")
        verify(project, "--setup", OWN)
        (event,) = (
            e
            for e in project.events()
            if e["type"] == "check-finished" and (e["check"], e["stage"]) == ("L2.1", "attempt 1")
        )
        assert "Read-only file system" in event["output"]

    def test_it_sees_neither_keys_nor_the_checkout(self, project: Project) -> None:
        """It runs where every other command runs."""
        project.write(".env", "X=planted-env\n")
        look = f"env; cat {project.root}/.env; cat .git; ls -A ~; exit 1"
        verify(project, "--setup", look, OPENAI_API_KEY="planted-key-of-somebody")
        output = setup_events(project)[0]["output"]
        assert "planted" not in output.replace(look, "")
        assert "PRP_IN_SANDBOX=1" in output

    def test_hosts_beyond_the_registries_are_out_of_reach(self, project: Project) -> None:
        """Refused by the proxy, recorded, and told with what to do."""
        ran = verify(project, "--setup", "curl -sS https://evil.example.net/")
        (asked,) = (e for e in project.events() if e["type"] == "host-asked")
        assert (asked["host"], asked["state"]) == ("evil.example.net", "refused")
        assert "--allow-host evil.example.net" in setup_events(project)[0]["reason"]
        assert "network: evil.example.net:443 refused" in ran.err
        report = (project.runs[-1] / "report.md").read_text(encoding="utf-8")
        assert "## Network" in report


class TestNewPackages:
    """A branch that changes what a lock file names."""

    def test_each_commit_gets_the_packages_of_its_own_lock_files(self, tmp_path: Path) -> None:
        """The base runs without what only the branch names."""
        a_wheel(tmp_path / "project")
        files = {"PRPs/greet.md": PYTHON_PRP, "requirements.txt": "# none\n"}
        project = Project(tmp_path / "project", files)
        project.write("requirements.txt", "wares\n")
        own = f"grep -q wares requirements.txt || exit 0; {OWN}"
        ran = verify(project, "--setup", own)
        assert [event["state"] for event in setup_events(project)] == ["installed"] * 2
        assert states(project)["L2.1"] == "passed", ran.err
        baseline = [e for e in project.events() if e["type"] == "check-finished"]
        assert "wares" in next(e["output"] for e in baseline if e["check"] == "L2.1")


class TestNpm:
    """A lock file of npm."""

    def test_packages_lie_in_the_worktree_and_their_scripts_have_no_network(
        self, tmp_path: Path
    ) -> None:
        """S46: what a package runs when it is installed reaches nothing and sees nothing."""
        script = "node -e \"require('fs').writeFileSync('told', JSON.stringify(process.env))\""
        lock = {
            "name": "shop",
            "lockfileVersion": 3,
            "requires": True,
            "packages": {
                "": {"name": "shop", "dependencies": {"wares": "file:wares"}},
                "node_modules/wares": {"resolved": "wares", "link": True},
                "wares": {"version": "1.0.0", "hasInstallScript": True},
            },
        }
        wares = {"name": "wares", "version": "1.0.0", "scripts": {"postinstall": script}}
        files = {
            "PRPs/greet.md": NODE_PRP,
            "package.json": json.dumps({"name": "shop", "dependencies": {"wares": "file:wares"}}),
            "package-lock.json": json.dumps(lock),
            "wares/package.json": json.dumps(wares),
            "wares/index.js": "module.exports = 3\n",
            "shop.js": "if (require('wares') !== 3) process.exit(1)\n",
        }
        project = Project(tmp_path / "project", files)
        ran = verify(project, OPENAI_API_KEY="planted-key-of-somebody")
        assert [e["state"] for e in setup_events(project)] == ["installed"], ran.err
        assert states(project)["L2.1"] == "passed", ran.err
        assert not list((project.root).rglob("told"))
        assert [e for e in project.events() if e["type"] == "host-asked"] == []

    def test_a_program_named_in_npmrc_is_not_run_while_the_registry_is_in_reach(
        self, tmp_path: Path
    ) -> None:
        """It could publish what it finds; npm asks git for packages that lie in repositories."""
        wares = {"dependencies": {"wares": "git+https://host.invalid/wares.git"}}
        files = {
            "PRPs/greet.md": NODE_PRP,
            "package.json": json.dumps({"name": "shop", **wares}),
            ".npmrc": "git=./evil\n",
            "evil": "#!/bin/sh\necho planted-program-ran >&2\nexit 1\n",
        }
        project = Project(tmp_path / "project", files, commit=False)
        (project.root / "evil").chmod(0o755)
        project = Project(tmp_path / "project", {})
        verify(project)
        (event,) = setup_events(project)
        assert event["state"] == "failed"
        assert "planted-program-ran" not in event["output"]


def test_an_environment_in_the_checkout_is_used_as_it_is(tmp_path: Path) -> None:
    """Nothing is installed beside it."""
    project = Project(
        tmp_path / "project",
        {"PRPs/greet.md": GREET_PRP, "requirements.txt": "a\n", ".gitignore": ".venv\n"},
    )
    (project.root / ".venv" / "bin").mkdir(parents=True)
    verify(project)
    (event,) = setup_events(project)
    assert event["state"] == "skipped"
    assert ".venv of your checkout" in event["reason"]


def test_in_ci_a_lock_file_is_required(tmp_path: Path) -> None:
    """What was not written down may be another package today; nothing is asked for it."""
    files = {"PRPs/greet.md": PYTHON_PRP, "requirements.txt": "wares>=1\n"}
    project = Project(tmp_path / "project", files)
    verify(project, CI="1")
    (told,) = setup_events(project)
    assert told["state"] == "skipped"
    assert "only locked packages" in told["reason"]
    assert [e for e in project.events() if e["type"] == "host-asked"] == []


def test_packages_that_a_repository_brings_are_not_the_persons(tmp_path: Path) -> None:
    """A `.venv` that is committed keeps nothing from being installed."""
    files = {"PRPs/greet.md": GREET_PRP, "requirements.txt": "x\n", ".venv/bin/x": ""}
    project = Project(tmp_path / "project", files)
    verify(project, CI="1")
    assert "only locked packages" in setup_events(project)[0]["reason"]
    project.git("rm", "-q", "--cached", "-r", ".venv")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "x")
    verify_again(project, CI="1")
    assert "of your checkout" in setup_events(project)[0]["reason"]


@pytest.mark.skipif(not REGISTRIES, reason="asks PyPI and npm")
class TestRegistries:
    """The registries themselves: `PRP_TEST_REGISTRIES=1`, or their names where they are private."""

    def test_pypi(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is imported is what was installed, not what this machine has."""
        from pip._internal.models.index import PyPI

        where = "import iniconfig; assert '/environments/' in iniconfig.__file__; from greet"
        prp = GREET_PRP.replace("from greet", where)
        files = {"PRPs/greet.md": prp, "requirements.txt": "iniconfig==2.0.0\n"}
        project = Project(tmp_path / "project", files)
        self._mirrors(monkeypatch)
        ran = verify(project)
        assert setup_events(project)[0]["state"] == "installed", ran.err
        assert states(project)["L2.1"] == "passed"
        hosts = {e["host"] for e in project.events() if e["type"] == "host-asked"}
        assert hosts <= {PyPI.netloc, PyPI.file_storage_domain}

    def test_npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a lock file."""
        files = {
            "PRPs/greet.md": NODE_PRP,
            "package.json": json.dumps({"dependencies": {"left-pad": "1.3.0"}}),
            "shop.js": "require('left-pad')\n",
        }
        project = Project(tmp_path / "project", files)
        self._mirrors(monkeypatch)
        ran = verify(project)
        assert setup_events(project)[0]["state"] == "installed", ran.err
        assert states(project)["L2.1"] == "passed"

    def _mirrors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if REGISTRIES != "1":
            monkeypatch.setenv("PRP_PRIVATE_HOSTS", REGISTRIES)
