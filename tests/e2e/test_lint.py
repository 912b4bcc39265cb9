"""`prp lint` and `prp schema` as people and programs use them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from agent.prp.export import Exported
from agent.workspace.surroundings import syntax_errors
from tests.support.project import PRP, Project
from tests.support.scripts import GREET_PRP

_LINE = re.compile(r"^(?P<path>\S+):(?P<line>\d+): \[[IR]\d\d\] (error|warning|note): .+\. .+\.$")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", {"PRPs/good.md": GREET_PRP, "src/app.py": "x = 1\n"})


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_good_document_ends_with_0(project: Project) -> None:
    ran = project.prp("lint", "PRPs/good.md")
    assert ran.status == 0, ran.out
    assert "readiness" in ran.out
    assert ran.err == ""


def test_every_finding_is_one_line_with_place_code_and_advice(project: Project) -> None:
    bad = "# A\n\n## Context\n- file: src/gone.py\n  why: x\n\n```powershell\nGet-Item x\n```\n"
    project.write("PRPs/bad.md", bad)
    ran = project.prp("lint", "PRPs/bad.md")
    assert ran.status == 3
    *lines, _, _ = ran.out.splitlines()
    assert len(lines) >= 4
    for line in lines:
        assert _LINE.match(line), line


def test_outside_of_a_repository_it_says_once_that_nothing_was_looked_up(tmp_path: Path) -> None:
    """Given two documents in a plain folder, then one note, whose place is the first of them."""
    alone = Project(tmp_path / "alone", {"a.md": GREET_PRP, "b.md": GREET_PRP})
    shutil.rmtree(alone.root / ".git")
    lines = alone.prp("lint", "a.md", "b.md").out.splitlines()
    assert [line.partition(": ")[0] for line in lines if "[R24]" in line] == ["a.md:1"]


def test_json_has_one_object_a_document_and_lines_for_every_item(project: Project) -> None:
    """An unreadable document has its object too."""
    (project.root / "PRPs/bytes.md").write_bytes(b"# A\n\xff\n")
    ran = project.prp("lint", "PRPs/good.md", "PRPs/bytes.md", "PRPs/gone.md", "--json")
    assert ran.status == 3
    good, unread, gone = objects(ran.out)
    assert good["path"] == "PRPs/good.md"
    assert good["title"]
    assert good["readiness"]["score"] > 0
    for kind in ("tasks", "checks", "references", "criteria", "findings"):
        for item in good[kind]:
            assert 1 <= item["line"] <= GREET_PRP.count("\n") + 1
    assert {"command", "kind", "level", "expectation", "can_fail"} <= good["checks"][0].keys()
    assert [f["code"] for f in unread["findings"]] == ["I07"]
    assert unread["findings"][0]["line"] == 2
    assert [f["code"] for f in gone["findings"]] == ["I01"]
    for line in ran.out.splitlines():
        TypeAdapter(Exported).validate_json(line)


def test_sarif_names_rules_places_and_levels(project: Project) -> None:
    project.write("PRPs/bad one.md", "# A\n\n## Goal\nb\n")
    ran = project.prp("lint", "PRPs", "--format", "sarif")
    assert ran.status == 3
    (run,) = json.loads(ran.out)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    }
    assert "PRPs/bad%20one.md" in places


def test_severity_leaves_out_what_matters_less(project: Project) -> None:
    project.write("PRPs/bad.md", "# A\n\n## Goal\nb\n<!-- c -->\n")
    ran = project.prp("lint", "PRPs/bad.md", "--severity", "error")
    assert "[I18]" in ran.out
    assert "[I56]" not in ran.out
    assert "1 note" in ran.out


def test_a_folder_is_searched_for_documents(project: Project) -> None:
    """Its README, changelog, templates and docfiles are none."""
    for name in (
        "README.md",
        "CHANGELOG.md",
        "templates/base.md",
        "ai_docs/notes.md",
        "sub/more.md",
    ):
        project.write(f"PRPs/{name}", GREET_PRP)
    ran = project.prp("lint", "PRPs", "--json")
    assert [each["path"] for each in objects(ran.out)] == ["PRPs/good.md", "PRPs/sub/more.md"]


def test_a_document_outside_of_a_repository_is_linted(tmp_path: Path) -> None:
    """Rules that need the repository are left out."""
    project = Project(tmp_path / "plain", {"x.md": GREET_PRP}, commit=False)
    ran = project.prp("lint", "x.md")
    assert ran.status == 0, ran.out


def test_what_git_ignores_is_there_all_the_same(project: Project) -> None:
    project.write(".gitignore", "notes/\n")
    project.write("notes/plan.md", "words\n")
    project.write("PRPs/more.md", f"{GREET_PRP}\n## Context\n- docfile: notes/plan.md\n  why: x\n")
    assert "[I33]" not in project.prp("lint", "PRPs/more.md").out


def test_I30_I31_I62_links_and_pipes(project: Project, tmp_path: Path) -> None:
    """They are named and not read."""
    (tmp_path / "secret.md").write_text("secret\n")
    (project.root / "out.md").symlink_to(tmp_path / "secret.md")
    os.mkfifo(project.root / "pipe")
    project.write(
        "PRPs/more.md",
        f"{GREET_PRP}\n## Context\n- file: out.md\n  why: x\n- file: ./pipe\n  why: x\n",
    )
    (project.root / "link.md").symlink_to("PRPs/more.md")
    out = project.prp("lint", "link.md").out
    assert "[I30]" in out
    assert "[I62]" in out


def test_nothing_of_a_document_is_run(project: Project) -> None:
    """bash parses and does nothing else."""
    commands = "touch made; $(touch made2)\n`touch made3`\ncat <(touch made4)\n"
    project.write(
        "PRPs/more.md", f"{GREET_PRP}\n## Validation Loop\n### Level 9: x\n```bash\n{commands}```\n"
    )
    project.prp("lint", "PRPs/more.md")
    assert not list(project.root.glob("**/made*"))


def test_R07_names_the_command_that_bash_cannot_parse() -> None:
    """And no other one."""
    commands = ["ls", "if true; then", "echo done", "f(", "pytest -q"]
    assert sorted(syntax_errors(commands)) == [1, 3]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("I06 utf-16", "# A\n".encode("utf-16"), "I06"),
        ("I12 10 MB", b"# A\n" + b"x" * (10 * 1024 * 1024), "I12"),
        ("I13 1 MB line", b"# A\n" + b"x" * 1_000_000, "I13"),
        ("I14 headings", b"# A\n" + b"## B\n" * 100_000, "I14"),
        ("I11 picture", b"\x89PNG\r\n\x1a\n\0\0", "I11"),
    ],
)
def test_what_is_no_document_is_refused(
    project: Project, name: str, content: bytes, code: str
) -> None:
    (project.root / "x.md").write_bytes(content)
    ran = project.prp("lint", "x.md")
    assert (ran.status, f"[{code}]" in ran.out) == (3, True), name


def test_I08_I09_byte_order_mark_and_crlf_change_nothing(project: Project) -> None:
    text = GREET_PRP.replace("\n", "\r\n")
    (project.root / "PRPs/good2.md").write_bytes(b"\xef\xbb\xbf" + text.encode())
    one, two = objects(project.prp("lint", "PRPs/good.md", "PRPs/good2.md", "--json").out)
    assert {**one, "path": ""} == {**two, "path": ""}


def test_the_schema_names_every_key(project: Project) -> None:
    schema = json.loads(project.prp("schema").out)
    (document,) = objects(project.prp("lint", "PRPs/good.md", "--json").out)
    assert set(document) == set(schema["properties"])
    assert {"path", "title", "tasks", "checks", "references", "criteria"} <= set(schema["required"])


KEY = "ghp_" + "q9W8e7R6t5Y4u3I2o1P0aZsXdCfVgBhNjM12"


@pytest.mark.parametrize("form", ["text", "sarif"])
def test_I57_no_finding_shows_a_secret(project: Project, form: str) -> None:
    """Not the one about it, and no other of the same line, cut or whole."""
    command = f"curl -H 'Authorization: Bearer {KEY}' https://bob:hunter2pass@host.example/x"
    project.write("PRPs/key.md", f"# A\n\n## Validation\n```bash\n{command}\n{KEY} || true\n```\n")
    ran = project.prp("lint", "PRPs/key.md", "--format", form)
    assert "I57" in ran.out
    assert KEY[:12] not in ran.out
    assert "hunter2pass" not in ran.out


def test_json_holds_no_character_that_drives_a_terminal(project: Project) -> None:
    """It is escaped, and comes back as it was."""
    words = "greets \x9b31m\x7f\u202e loudly"
    project.write("PRPs/esc.md", f"# A\n\n## Success Criteria\n- [ ] {words}\n")
    ran = project.prp("lint", "--json", "PRPs/esc.md")
    assert ran.out.rstrip("\n").isprintable()
    assert ran.json["criteria"][0]["text"] == words


def test_names_that_are_no_text_are_shown_escaped(tmp_path: Path) -> None:
    """As text, as JSON and as an address."""
    project = Project(tmp_path / "project", {"README.md": "x"})
    name = os.fsdecode(b"n\xff.md")
    project.write(name, "# A\n")
    assert "n\\udcff.md:" in project.prp("lint", name).out
    assert project.prp("lint", name, "--json").json["path"] == name
    uri = "n%FF.md"
    assert uri in project.prp("lint", name, "--format", "sarif").out


def test_output_that_cannot_be_written_is_said(project: Project) -> None:
    """A full disk is no bug of ours."""
    command = f"{PRP} lint PRPs > /dev/full"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 5
    assert ran.stderr == "error: The output can't be written: No space left on device\n"


def test_many_notes_of_one_rule_are_one_line(project: Project) -> None:
    """The first three, then where the others are; JSON has them all."""
    boxes = "".join(f"- [ ] the {name} shines\n" for name in ("sun", "moon", "star", "lamp", "sea"))
    project.write("PRPs/many.md", f"{GREET_PRP}\n## Success Criteria\n{boxes}")
    out = project.prp("lint", "PRPs/many.md").out
    lines = [line for line in out.splitlines() if "[R02]" in line]
    assert len(lines) == 4
    assert all(_LINE.match(line) for line in lines)
    assert "The same is found 2 more times, on lines" in lines[-1]
    (document,) = objects(project.prp("lint", "PRPs/many.md", "--json").out)
    assert sum(finding["code"] == "R02" for finding in document["findings"]) == 5


def test_programs_of_the_repository_are_not_started(project: Project) -> None:
    """Also where PATH names its folder, as an activated environment does."""
    for name in ("git", "bash"):
        project.write(f"bin/{name}", f"#!/bin/sh\ntouch '{project.root}/started'\n")
        (project.root / "bin" / name).chmod(0o755)
    ran = project.prp("lint", "PRPs", PATH=f"{project.root}/bin{os.pathsep}{os.environ['PATH']}")
    assert ran.status == 0, ran.err
    assert not (project.root / "started").exists()


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_many_documents_are_linted_as_one_by_one(project: Project, form: str) -> None:
    """Given more than one process takes on, then order, words and status are the same."""
    for number in range(60):
        text = GREET_PRP.replace("A greeting", f"Greeting {number}")
        project.write(f"PRPs/{number:02}.md", text if number % 7 else f"# {number}\n\x00")
    names = sorted(f"PRPs/{path.name}" for path in (project.root / "PRPs").iterdir())
    many = project.prp("lint", "--format", form, *names)
    assert many.status == 3
    if form == "json":
        assert [entry["path"] for entry in objects(many.out)] == names
        alone = [project.prp("lint", "--json", names[place]).out for place in (0, 1, 40)]
        assert [many.out.splitlines(keepends=True)[place] for place in (0, 1, 40)] == alone
    elif form == "text":
        places = [line.split(": ")[0] for line in many.out.splitlines() if "readiness" in line]
        assert places == [name for name in names if name[-5:-3] not in _BROKEN]
        assert many.out.endswith("61 documents, 9 of them with errors\n")
    else:
        (run,) = json.loads(many.out)["runs"]
        assert {result["level"] for result in run["results"]} >= {"error"}


_BROKEN = {f"{number:02}" for number in range(0, 60, 7)}


def test_severity_counts_for_json_too(project: Project) -> None:
    project.write("PRPs/warn.md", f"{GREET_PRP}\n## Validation\n```bash\npytest || true\n```\n")
    (document,) = project.prp(
        "lint", "--json", "--severity", "error", "PRPs/warn.md"
    ).out.splitlines()
    assert json.loads(document)["findings"] == []
