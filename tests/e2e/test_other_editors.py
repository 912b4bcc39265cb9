"""Our commands in OpenCode and Gemini CLI, started for real with a scripted model behind them."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP
from tests.support.toolchains import GEMINI, OPENCODE, needs


@dataclass(frozen=True, kw_only=True)
class Editor:
    """How a tool is started, and pointed at a server of ours."""

    command: Sequence[str]
    tool: str
    """Its tool for commands."""
    variables: Mapping[str, str]
    files: Mapping[str, object]
    """Path below the home folder to content."""


def opencode(url: str, skill: str, arguments: str) -> Editor:
    """Anthropic's models, at another address."""
    provider = {"options": {"baseURL": url, "apiKey": "test-key-of-nobody"}}
    settings = {
        "provider": {"anthropic": provider},
        "model": "anthropic/claude-sonnet-4-5",
        "autoupdate": False,
    }
    return Editor(
        command=[str(OPENCODE), "run", "--command", f"prp-{skill}", arguments],
        tool="bash",
        variables={
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
        files={".config/opencode/opencode.json": settings},
    )


def gemini(url: str, skill: str, arguments: str) -> Editor:
    """Its own models, at another address."""
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    words = f"/prp:{skill} {arguments}"
    return Editor(
        command=["node", str(GEMINI), "--yolo", "-m", "gemini-2.5-pro", "-p", words],
        tool="run_shell_command",
        variables={
            "GEMINI_API_KEY": "test-key-of-nobody",
            "GOOGLE_GEMINI_BASE_URL": url.removesuffix("/v1"),
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        files={".gemini/settings.json": settings},
    )


def asked_of(editor: Editor, project: Project, home: Path) -> str:
    """Start a tool with nobody's settings; return what it printed."""
    for name, content in editor.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(json.dumps(content))
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    done = subprocess.run(
        editor.command,
        cwd=project.root,
        env={
            "HOME": str(home),
            "PATH": f"{PRP.parent}:{node}:/usr/local/bin:/usr/bin:/bin",
            **editor.variables,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("made", "skill", "arguments", "words"),
    [
        pytest.param(
            opencode,
            "execute",
            "PRPs/greet.md",
            "call nothing done that the report does not call proven",
            marks=needs("opencode"),
            id="opencode",
        ),
        pytest.param(
            gemini,
            "draft",
            "greet in French",
            "ask the open questions one by one",
            marks=needs("gemini"),
            id="gemini",
        ),
    ],
)
def test_a_command_expands_and_runs_prp(
    tmp_path: Path, made: object, skill: str, arguments: str, words: str
) -> None:
    """With what was typed behind it; the model gets what `prp` prints."""
    # Given a repository with what `prp init` writes
    project = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    assert project.prp("init", "--agents", "opencode,gemini").status == 0
    told: list[str] = []

    def answer(request: Request) -> Answer:
        told.append(request.text)
        if tool in request.tools and "checks can run and fail" not in request.text:
            run = {"command": "prp lint PRPs/greet.md", "description": "x"}
            return Answer(calls=((tool, run),))
        return Answer(text="That is all.")

    # When a person types our command
    with Provider(answer) as provider:
        assert callable(made)
        editor = made(provider.url, skill, arguments)
        tool = editor.tool
        printed = asked_of(editor, project, tmp_path)
    # Then the model is told of it, and of what `prp` said
    assert "That is all." in printed
    assert any(words in text and arguments in text for text in told)
    assert "3 checks, 2 criteria" in told[-1]
