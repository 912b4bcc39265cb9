"""Our commands in OpenCode, Gemini CLI and Codex, each with a scripted model behind it."""

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
from tests.support.toolchains import CODEX, GEMINI, OPENCODE, needs


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


def codex(url: str, skill: str, arguments: str) -> Editor:
    """Any server that speaks the newer of OpenAI's two forms; a skill is called with a dollar."""
    settings = f"""
        model = "scripted"
        model_provider = "here"
        model_providers.here = {{ name = "here", base_url = "{url}", wire_api = "responses" }}
    """
    words = f"$prp-{skill} {arguments}"
    return Editor(
        command=[str(CODEX), "exec", "--dangerously-bypass-approvals-and-sandbox", words],
        tool="exec_command",
        variables={},
        # Its shell is one of a login, which begins with a PATH of its own.
        files={".codex/config.toml": settings, ".profile": f"PATH={PRP.parent}:$PATH\n"},
    )


def asked_of(editor: Editor, project: Project, home: Path) -> str:
    """Start a tool with nobody's settings; return what it printed."""
    for name, content in editor.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        words = content if isinstance(content, str) else json.dumps(content)
        (home / name).write_text(words)
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
        pytest.param(
            codex,
            "execute",
            "PRPs/greet.md",
            "call nothing done that the report does not call proven",
            marks=needs("codex"),
            id="codex",
        ),
    ],
)
def test_a_command_expands_and_runs_prp(
    tmp_path: Path, made: object, skill: str, arguments: str, words: str
) -> None:
    """With what was typed behind it; the model gets what `prp` prints."""
    # Given a repository with what `prp init` writes
    project = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    assert project.prp("init", "--agents", "opencode,gemini,codex").status == 0
    told: list[str] = []

    def answer(request: Request) -> Answer:
        told.append(request.text)
        if tool in request.tools and "checks can run and fail" not in request.text:
            lint = "prp lint PRPs/greet.md"
            run = {"cmd": lint} if made is codex else {"command": lint, "description": "x"}
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
