"""`prp init` writes what a repository needs, and nothing over what a person has edited."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.github.install import Home, home_of
from tests.support.project import PRP, Project

ACTION = ("--action", f"octo/prp@{'a' * 40}")
FLOW, FORM = ".github/workflows/prp.yml", ".github/ISSUE_TEMPLATE/prp.yml"
SKILL = ".claude/skills/prp-execute/SKILL.md"
ROOT = Path(__file__).parents[2]


def digest(text: str) -> str:
    """Return the hash that the manifest has of a text."""
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a file."""
    return Project(tmp_path / "project", {"README.md": "x\n"})


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (("--agents", "none", "--github", *ACTION), 5),
        (("--agents", "claude"), 6),
        (("--agents", "codex,gemini"), 9),
        (("--agents", "all", "--github", *ACTION), 17),
    ],
)
def test_written_twice_changes_nothing(
    project: Project, wanted: tuple[str, ...], number: int
) -> None:
    """And taken away it is as it was."""
    before = project.fingerprint()
    told = project.prp("init", *wanted, "--dry-run")
    assert (told.out.count(": would be written"), project.fingerprint()) == (number, before)
    first = project.prp("init", *wanted)
    assert (first.status, first.out.count(": written")) == (0, number), first.err
    written = project.fingerprint()
    again = project.prp("init", *wanted)
    assert (again.out.count(": as it was"), project.fingerprint()) == (number, written)
    assert project.prp("init", *wanted, "--remove").out.count(": removed") == number
    assert project.fingerprint() == before


def test_a_repository_without_a_commit_can_be_set_up(tmp_path: Path) -> None:
    """It is what many begin with."""
    project = Project(tmp_path / "new", {"README.md": "x\n"}, commit=False)
    project.git("init", "-q")
    done = project.prp("init", "--agents", "claude")
    assert done.status == 0, done.err
    assert (project.root / SKILL).exists()


def test_what_a_person_edited_stays(project: Project) -> None:
    """Whether it was written by us before or was there already."""
    wanted = ("init", "--agents", "claude", "--github", *ACTION)
    project.write(FORM, "mine\n")
    project.prp(*wanted)
    for path in (FLOW, SKILL):
        project.write(path, (project.root / path).read_text() + "# mine\n")
    for arguments in ((*wanted, "--dry-run"), wanted, (*wanted, "--remove")):
        assert project.prp(*arguments).out.count(": edited, left alone") == 3
    assert (project.root / FORM).read_text() == "mine\n"
    assert (project.root / FLOW).read_text().endswith("# mine\n")
    assert (project.root / SKILL).read_text().endswith("# mine\n")


def test_tools_are_found_by_the_folders_and_programs_that_they_have(
    project: Project, tmp_path: Path
) -> None:
    """The two common folders are written in any case; each tool is told how to call it."""
    nothing = {"PATH": f"{PRP.parent}:/usr/bin:/bin"}
    plain = project.prp("init", "--dry-run", **nothing).out
    assert (".claude/skills" in plain, ".agents/skills" in plain) == (True, True)
    assert ".gemini" not in plain
    (project.root / ".gemini").mkdir()
    program = tmp_path / "bin" / "opencode"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = project.prp("init", PATH=f"{program.parent}:{nothing['PATH']}").out
    assert (".gemini/commands/prp/execute.toml" in found, ".opencode/commands" in found) == (
        True,
        True,
    )
    assert "in gemini: /prp:execute PRPs/FILE.md" in found
    assert "in codex: $prp-execute PRPs/FILE.md" in found


def test_settings_have_one_place(project: Project) -> None:
    """What `prp init` writes are settings that a repository may have, none of them set."""
    project.write("pyproject.toml", "[tool.prp]\nmax_attempts = 2\n")
    assert "prp.toml" not in project.prp("init", "--dry-run").out
    project.write("pyproject.toml", "")
    project.prp("init", "--agents", "none")
    lines = (project.root / "prp.toml").read_text().splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    settings = [line.removeprefix("# ") for line in lines if " = " in line]
    project.write("prp.toml", "\n".join(settings) + "\n")
    project.write("PRPs/x.md", "# PRP: X\n")
    assert project.prp("execute", "PRPs/x.md", "--no-input").status == 3, "not 4: they are read"


def test_the_template_that_is_written_is_one_that_lint_reads(project: Project) -> None:
    """It is the form that the documentation names, as it stands."""
    project.prp("init", "--agents", "none")
    template = project.root / "PRPs" / "templates" / "prp.md"
    assert template.read_text() == (ROOT / "PRPs" / "templates" / "base.md").read_text()
    told = project.prp("lint", "PRPs/templates/prp.md", "--json").json
    assert len(told["tasks"]) > 0


def test_an_unknown_tool_is_named(project: Project) -> None:
    """With those that are known."""
    before = project.fingerprint()
    told = project.prp("init", "--agents", "claude,emacs")
    assert (told.status, "'emacs'" in told.err, "opencode" in told.err) == (4, True, True)
    assert project.fingerprint() == before


def test_what_was_written_before_is_brought_up_to_date(project: Project) -> None:
    """An older version's file, as its manifest knows it."""
    project.prp("init", "--github", *ACTION)
    manifest = project.root / ".prp" / "installed.json"
    flow = project.root / FLOW
    old = flow.read_text()
    flow.write_text("old\n")
    told = manifest.read_text().replace(digest(old), digest("old\n"))
    manifest.write_text(told)
    assert f"{FLOW}: updated" in project.prp("init", "--github", *ACTION).out
    assert flow.read_text() == old


def test_a_link_that_leads_out_is_not_written_through(project: Project, tmp_path: Path) -> None:
    """Nor does a manifest of the repository's own name what is taken away."""
    (tmp_path / "outside").mkdir()
    (project.root / ".github").symlink_to(tmp_path / "outside")
    assert project.prp("init", "--github", *ACTION).status != 0
    assert list((tmp_path / "outside").iterdir()) == []
    project.write(".prp/installed.json", '{"files": {"README.md": "x", "../../x": 1}}')
    project.prp("init", "--github", "--remove")
    assert (project.root / "README.md").exists()


def test_nobody_s_repository_is_given_a_key(project: Project) -> None:
    """Where the Action lies is said or known, never guessed; a workflow is pinned to its commit."""
    refused = project.prp("init", "--agents", "none", "--github")
    assert refused.status == 4
    assert "--action OWNER/NAME@COMMIT" in refused.err
    assert not (project.root / FLOW).exists()
    assert project.prp("init", "--github", "--action", "octo/prp@x y").status == 4
    short = project.prp("init", "--github", "--action", "octo/prp@7c920b2")
    assert "all 40 digits" in short.err
    project.prp("init", "--agents", "none", "--github", *ACTION)
    called = f"uses: octo/prp/.github/workflows/prp.yml@{'a' * 40}"
    assert called in (project.root / FLOW).read_text(encoding="utf-8")


def test_an_installation_from_github_knows_where_it_comes_from() -> None:
    """As the installer noted it, with the commit; what only looks like GitHub is nobody's."""
    vcs = {"vcs": "git", "commit_id": "b" * 40}
    noted = json.dumps({"url": "https://github.com/octo/prp.git", "vcs_info": vcs})
    assert home_of("", installed=noted) == Home(action="octo/prp", ref="b" * 40)
    for url in (
        "file:///home/ada/prp",
        "https://github.com.evil.test/o/prp",
        "https://evil.test/github.com/o/p",
    ):
        with pytest.raises(SettingsError):
            home_of("", installed=json.dumps({"url": url, "vcs_info": vcs}))


def test_the_mcp_server_is_entered_for_the_tools_in_use(project: Project) -> None:
    """Between what stands in their files; twice changes nothing, and only ours is taken out."""
    settings = project.root / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"theme": "dark"}')
    wanted = ("init", "--agents", "auto", "--mcp")
    said = project.prp(*wanted, "--dry-run").out
    assert ".gemini/settings.json: would be server entered" in said
    assert project.prp(*wanted).status == 0
    assert json.loads(settings.read_text())["mcpServers"]["prp"]["args"] == ["mcp"]
    tree = {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()}
    project.prp(*wanted)
    assert {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()} == tree
    project.prp(*wanted, "--remove")
    assert settings.read_text() == '{"theme": "dark"}'
    assert not (project.root / ".mcp.json").exists()
