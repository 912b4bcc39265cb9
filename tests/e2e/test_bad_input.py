"""Bad input: one error with its place and what to do, the right status, nothing left behind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.scripts import GREET_PRP

MODEL = ("--model", "openai-chat:x", "--base-url", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("files", "arguments", "status", "words"),
    [
        pytest.param({}, ["PRPs/x.md", *MODEL], 3, "PRPs/x.md: [I01]", id="I01 missing"),
        pytest.param({"x.md/y": ""}, ["x.md", *MODEL], 3, "[I02] it is a folder", id="I02"),
        pytest.param({"x.md": ""}, ["x.md", *MODEL], 3, "[I04]", id="I04 empty"),
        pytest.param({"x.md": " \n\n"}, ["x.md", *MODEL], 3, "[I05]", id="I05 blanks"),
        pytest.param({"x.md": "a\0b"}, ["x.md", *MODEL], 3, "x.md:1: [I11]", id="I11 NUL"),
        pytest.param(
            {"x.md": "# A\n\n## Goal\nB\n"},
            ["x.md", *MODEL],
            3,
            "[I18] There is no task",
            id="no tasks",
        ),
        pytest.param(
            {"x.md": "# A\n\n## Goal\nB\n\n## Tasks\nTask 1: CREATE a.py\n"},
            ["x.md", *MODEL],
            3,
            "[I18] There is neither",
            id="nothing to prove",
        ),
        pytest.param(
            {
                "x.md": GREET_PRP
                + "\n## Context\n- file: src/gone.py\n- docfile: ../../etc/passwd\n"
            },
            ["x.md", *MODEL],
            3,
            "x.md:30: [I33] There is no file src/gone.py",
            id="I27 I33 references",
        ),
        pytest.param({"x.md": GREET_PRP}, ["x.md"], 4, "No model for the planner", id="no model"),
        pytest.param(
            {"x.md": GREET_PRP}, ["x.md", "--model", "opnai:x"], 4, "`openai:x`", id="model name"
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "anthropic:x"],
            4,
            "ANTHROPIC_API_KEY is not set",
            id="no key",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", *MODEL, "--max-attempts", "0"],
            4,
            "--max-attempts is 0",
            id="budget of zero",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", *MODEL, "--max-cost-usd", "inf"],
            4,
            "--max-cost-usd is inf, but must be a number above 0",
            id="endless budget",
        ),
        pytest.param(
            {"x.md": GREET_PRP, "prp.toml": "max_tokens = 'lots'"},
            ["x.md", *MODEL],
            4,
            "prp.toml: max_tokens is 'lots', which is not a whole number",
            id="limit in a file",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "claude-x-1"],
            4,
            "`anthropic:claude-x-1`",
            id="model without its provider",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "anthropic/claude-x"],
            4,
            "`anthropic:claude-x`",
            id="model with a slash",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "openai:x", "--base-url", "http://"],
            4,
            "no http address",
            id="address without host",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "replay:README.md"],
            4,
            "README.md:1: this is no recording",
            id="replay of a text",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", "--model", "replay:."],
            4,
            ". is a folder, not a recording",
            id="replay of a folder",
        ),
        pytest.param(
            {"x.md": GREET_PRP, "empty.jsonl": ""},
            ["x.md", "--model", "replay:empty.jsonl"],
            4,
            "empty.jsonl is empty",
            id="replay of nothing",
        ),
        pytest.param(
            {"x.md": GREET_PRP},
            ["x.md", *MODEL, "--max-cost-usd", "1"],
            4,
            "price of openai-chat:x is not known",
            id="unknown price",
        ),
        pytest.param(
            {"x.md": GREET_PRP, "prp.toml": "base_url = 'http://evil'"},
            ["x.md", *MODEL],
            4,
            "may not be set by a repository",
            id="repository widens",
        ),
        pytest.param(
            {"x.md": GREET_PRP, "prp.toml": "modle = 'x'"},
            ["x.md", *MODEL],
            4,
            "unknown setting 'modle'",
            id="unknown setting",
        ),
        pytest.param(
            {"x.md": GREET_PRP}, ["x.md", *MODEL, "--base", "nope"], 5, "'nope'", id="no such base"
        ),
        pytest.param({}, ["x.md", "--frobnicate"], 2, "--frobnicate", id="unknown option"),
    ],
)
def test_bad_input_is_one_error(
    tmp_path: Path, files: Mapping[str, str], arguments: Sequence[str], status: int, words: str
) -> None:
    """No traceback, no run folder, no branch."""
    project = Project(tmp_path / "project", {"README.md": "x", **files})
    ran = project.prp("execute", *arguments)
    assert ran.status == status, ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert project.runs == []
    assert project.git("branch", "--list", "prp/*") == ""


def test_a_folder_without_a_repository_is_said(tmp_path: Path) -> None:
    """The hint says how to make one."""
    project = Project(tmp_path / "plain", {"x.md": GREET_PRP}, commit=False)
    ran = project.prp("execute", "x.md", *MODEL)
    assert ran.status == 5
    assert "is not in a git repository" in ran.err
    assert "git init" in ran.err


def test_a_repository_without_a_commit_is_said(tmp_path: Path) -> None:
    """The hint says how to make one."""
    project = Project(tmp_path / "fresh", {"x.md": GREET_PRP}, commit=False)
    project.git("init", "-q")
    ran = project.prp("execute", "x.md", *MODEL)
    assert ran.status == 5
    assert "has no commit yet" in ran.err


def test_latin_1_is_refused_with_its_line(tmp_path: Path) -> None:
    """I07: the byte and its line are named."""
    project = Project(tmp_path / "project", {"README.md": "x"})
    (project.root / "x.md").write_bytes("# Café\n\nGrüße\n".encode("latin-1"))
    ran = project.prp("execute", "x.md", *MODEL)
    assert ran.status == 3
    assert "x.md:1: [I07]" in ran.err


def test_F08_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """With the variable that names another."""
    project = Project(tmp_path / "project", {"x.md": GREET_PRP})
    (tmp_path / "file").write_text("in the way")
    ran = project.prp("execute", "x.md", *MODEL, PRP_STATE_DIR=str(tmp_path / "file"))
    assert ran.status == 5
    assert "PRP_STATE_DIR" in ran.err
    assert "Traceback" not in ran.err
