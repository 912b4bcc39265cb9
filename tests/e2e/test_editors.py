"""Our skills in coding tools that are started for real, with a scripted model behind them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP
from tests.support.toolchains import CLAUDE, needs

pytestmark = needs("claude")

Result = dict[str, Any]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a PRP and what `prp init` writes."""
    made = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    assert made.prp("init", "--agents", "claude").status == 0
    return made


def claude(
    home: Path, folder: Path, *arguments: str, url: str = "http://127.0.0.1:9"
) -> "subprocess.CompletedProcess[str]":
    """Start the tests' own copy, which knows nobody's settings and reaches nobody else."""
    return subprocess.run(
        [str(CLAUDE), *arguments],
        cwd=folder,
        env={
            "HOME": str(home),
            "PATH": f"{PRP.parent}:/usr/local/bin:/usr/bin:/bin",
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "test-key-of-nobody",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def typed(project: Project, home: Path, words: str, *, wants: str) -> tuple[str, list[Result]]:
    """Type something while the model wants one command run.

    Returns:
        What the model was asked first, and what it was told of its command.

    """

    def answer(request: Request) -> Answer:
        if "Bash" in request.tools and "tool_result" not in request.text:
            return Answer(calls=(("Bash", {"command": wants, "description": "x"}),))
        return Answer(text="That is all.")

    with Provider(answer) as provider:
        done = claude(home, project.root, "-p", words, url=provider.url.removesuffix("/v1"))
    assert (done.returncode, done.stdout.strip()) == (0, "That is all."), done.stderr
    asked = [request for request in provider.requests if "Bash" in request.tools]
    told = [
        part
        for message in asked[-1].body["messages"]
        for part in (message["content"] if isinstance(message["content"], list) else ())
        if part["type"] == "tool_result"
    ]
    return asked[0].text, told


def test_the_plugin_is_valid(tmp_path: Path) -> None:
    """By the tool's own word."""
    root = Path(__file__).parents[2]
    done = claude(tmp_path, tmp_path, "plugin", "validate", str(root))
    assert (done.returncode, "warning" in done.stdout) == (0, False), done.stdout


def test_the_slash_command_expands_and_runs_prp(project: Project, tmp_path: Path) -> None:
    """With what was typed behind it, and without a question for what only tells."""
    asked, told = typed(
        project,
        tmp_path,
        "/prp-execute PRPs/greet.md --max-cost-usd 2",
        wants="prp lint PRPs/greet.md --severity error",
    )
    assert "The person typed: PRPs/greet.md --max-cost-usd 2" in asked
    assert "call nothing done that the report does not call proven" in asked
    (result,) = told
    own = project.prp("lint", "PRPs/greet.md", "--severity", "error")
    assert (result.get("is_error", False), result["content"]) == (False, own.out.strip())


@pytest.mark.parametrize(
    "wants",
    [
        "prp execute PRPs/greet.md --yes --no-sandbox",
        "prp report latest -o x.txt",
        "prp lint PRPs/greet.md; touch x.txt",
    ],
)
def test_what_does_more_than_tell_is_asked_for(
    project: Project, tmp_path: Path, wants: str
) -> None:
    """Given nobody who could be asked, then it is not done."""
    _, (result,) = typed(project, tmp_path, "/prp-execute PRPs/greet.md", wants=wants)
    assert result["is_error"]
    assert "approval" in result["content"] or "blocked" in result["content"]
    assert not (project.root / "x.txt").exists()
    assert project.prp("status", "--json").json == []


def test_a_model_may_look_how_runs_stand(project: Project, tmp_path: Path) -> None:
    """The other skill."""
    asked, (result,) = typed(project, tmp_path, "/prp-status", wants="prp status --json")
    assert "Say how its runs stand" in asked
    assert result["content"] == "[]"


def test_claude_code_uses_the_mcp_server(project: Project, tmp_path: Path) -> None:
    """It starts `prp mcp`, offers its tools to the model, and gives back what they answer."""
    server = {"command": str(PRP), "args": ["mcp"], "env": {"XDG_STATE_HOME": str(tmp_path / "s")}}
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"prp": server}}))
    name = "mcp__prp__lint"

    def answer(request: Request) -> Answer:
        if "Bash" not in request.tools or "readiness_in_words" in request.text:
            return Answer(text="That is all.")
        # It begins to talk before its servers are there.
        pause = ("Bash", {"command": "sleep 1", "description": "x"})
        lint = (name, {"prp": "PRPs/greet.md"})
        return Answer(calls=(pause, lint) if name in request.tools else (pause,))

    with Provider(answer) as provider:
        given = ("--mcp-config", str(config), "--strict-mcp-config")
        allowed = ("--allowedTools", f"{name},Bash(sleep 1)")
        url = provider.url.removesuffix("/v1")
        done = claude(tmp_path, project.root, "-p", "Lint it.", *given, *allowed, url=url)
    assert (done.returncode, done.stdout.strip()) == (0, "That is all."), done.stderr
    asked = [request for request in provider.requests if name in request.tools]
    assert {"mcp__prp__execute", "mcp__prp__wait"} <= set(asked[0].tools)
    (told,) = (
        part["content"]
        for message in asked[-1].body["messages"]
        for part in (message["content"] if isinstance(message["content"], list) else ())
        if part["type"] == "tool_result" and "readiness" in str(part["content"])
    )
    words = told if isinstance(told, str) else told[0]["text"]
    assert json.loads(words)["ok"] is True
