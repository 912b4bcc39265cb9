"""The harnesses measured so far."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.peers.adapters.base import (
    Adapter,
    Call,
    Job,
    dist_version,
    heredoc,
    patch_add,
    patch_edit,
    program_version,
    search_replace,
    sed_edit,
)
from bench.peers.scenarios import Edit, Finish, Read, Run, Scenario, Write

OFFLINE_LITELLM = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


class Bare(Adapter):
    """Not a peer: the least a Python harness can be (standard library only). The practical limit."""

    name = "bare"

    def program(self) -> Path:
        return Path(sys.executable)

    def version(self) -> str:
        return "stdlib"

    def command(self, job: Job) -> list[str]:
        driver = self.paths.bench / "drivers" / "bare_agent.py"
        return [str(self.program()), "-I", "-S", str(driver), job.v1, job.scenario.task]


class PydanticAI(Adapter):
    """A plain pydantic-ai agent with four tools: the floor of that stack."""

    name = "pai"

    def program(self) -> Path:
        return Path(sys.executable)

    def version(self) -> str:
        return dist_version(self.program(), "pydantic-ai-slim")

    def command(self, job: Job) -> list[str]:
        driver = self.paths.bench / "drivers" / "pai_agent.py"
        return [str(self.program()), str(driver), job.scenario.task, f"{job.v1}={job.repo}"]


class PydanticAIOneProcess(PydanticAI):
    """The same, but a fan-out runs in one process on one event loop."""

    name = "pai1"
    scenarios = frozenset("C")

    def fanout(self, jobs: list[Job]) -> list[tuple[list[str], dict[str, str], Path]]:
        argv = self.command(jobs[0]) + [f"{job.v1}={job.repo}" for job in jobs[1:]]
        return [(argv, self.full_env(jobs[0]), jobs[0].repo)]


class MiniSweAgent(Adapter):
    """mini-SWE-agent's `mini` command in yolo mode."""

    name = "mini"

    def program(self) -> Path:
        return self.paths.venv("mini", "mini")

    def version(self) -> str:
        return dist_version(self.paths.venv("mini", "python"), "mini-swe-agent")

    def command(self, job: Job) -> list[str]:
        return [
            str(self.program()),
            "-m",
            "openai/scripted",
            "-t",
            job.scenario.task,
            "-y",
            "--exit-immediately",
            "-c",
            "mini.yaml",
            "-c",
            f"model.model_kwargs.api_base={job.v1}",
            "-o",
            str(job.home / "traj.json"),
        ]

    def env(self, job: Job) -> dict[str, str]:
        return OFFLINE_LITELLM | {
            "MSWEA_CONFIGURED": "1",
            "MSWEA_COST_TRACKING": "ignore_errors",
            "MSWEA_SILENT_STARTUP": "1",
            "MSWEA_GLOBAL_CONFIG_DIR": str(job.home),
        }

    def bash(self, command: str) -> Call:
        return {"name": "bash", "args": {"command": command}}

    def read(self, move: Read, repo: Path) -> Call:
        return self.bash(f"cat {move.path}")

    def write(self, move: Write, repo: Path) -> Call:
        return self.bash(heredoc(move.path, move.text))

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        return self.bash(sed_edit(move, before))

    def finish(self, move: Finish, repo: Path) -> tuple[str, list[Call]]:
        return move.text, [self.bash("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")]


class Aider(Adapter):
    """aider in one-message mode: edit blocks, auto-commit, auto-test. It reads and tests by itself, so it
    needs fewer model turns; its commit messages are side requests."""

    name = "aider"
    tools_required = False
    side_if = "commit message"
    scenarios = frozenset("AC")

    def program(self) -> Path:
        return self.paths.venv("aider", "aider")

    def version(self) -> str:
        return dist_version(self.paths.venv("aider", "python"), "aider-chat")

    def command(self, job: Job) -> list[str]:
        tests = [m.command for m in job.scenario.moves if isinstance(m, Run)]
        files = list(dict.fromkeys(m.path for m in job.scenario.moves if isinstance(m, Read)))
        return [
            str(self.program()),
            "--model",
            "openai/scripted",
            "--weak-model",
            "openai/scripted",
            "--edit-format",
            "diff",
            "--openai-api-base",
            job.v1,
            "--yes-always",
            "--no-check-update",
            "--analytics-disable",
            "--no-show-model-warnings",
            "--no-show-release-notes",
            "--no-pretty",
            "--no-fancy-input",
            "--no-detect-urls",
            "--disable-playwright",
            "--no-gitignore",
            "--auto-test",
            "--test-cmd",
            tests[0],
            "--message",
            job.scenario.task,
            *files,
        ]

    def env(self, job: Job) -> dict[str, str]:
        return OFFLINE_LITELLM

    def prepare(self, job: Job) -> None:
        (job.home / ".gitconfig").write_text(
            "[user]\n\tname = bench\n\temail = bench@example.invalid\n"
        )

    def turns(self, scenario: Scenario, repo: Path) -> list[dict[str, Any]]:
        """Edits between two test runs go into one answer; reads and runs are aider's own."""
        out: list[dict[str, Any]] = []
        blocks: list[str] = []
        expect = None
        for move in scenario.moves:
            match move:
                case Write():
                    blocks.append(search_replace(move.path, "", move.text))
                case Edit():
                    blocks.append(search_replace(move.path, move.old, move.new))
                    expect = expect or move.expect
                case Run() if blocks:
                    out.append(
                        {
                            "text": "Here is the change.\n\n" + "\n".join(blocks),
                            "calls": [],
                            "expect": expect,
                            "label": "edit",
                        }
                    )
                    blocks, expect = [], None
        return out


class OpenCode(Adapter):
    """opencode's `run` command with an OpenAI-compatible provider."""

    name = "opencode"
    kind = "bun"
    break_ins = 2  # the first run ends before its background npm install does

    def program(self) -> Path:
        return self.paths.npm("opencode", "opencode-linux-x64/bin/opencode")

    def version(self) -> str:
        return program_version(self.program())

    def command(self, job: Job) -> list[str]:
        return [str(self.program()), "run", "--model", "bench/scripted", job.scenario.task]

    def prepare(self, job: Job) -> None:
        config = job.home / ".config" / "opencode"
        config.mkdir(parents=True, exist_ok=True)
        (config / "opencode.json").write_text(
            json.dumps(
                {
                    "autoupdate": False,
                    "share": "disabled",
                    "permission": {"*": "allow"},
                    "provider": {
                        "bench": {
                            "npm": "@ai-sdk/openai-compatible",
                            "name": "bench",
                            "options": {"baseURL": job.v1, "apiKey": "sk-bench"},
                            "models": {
                                "scripted": {
                                    "name": "scripted",
                                    "tool_call": True,
                                    "limit": {"context": 400000, "output": 32000},
                                }
                            },
                        }
                    },
                }
            )
        )

    def env(self, job: Job) -> dict[str, str]:
        return {
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        }

    def read(self, move: Read, repo: Path) -> Call:
        return {"name": "read", "args": {"filePath": str(repo / move.path)}}

    def write(self, move: Write, repo: Path) -> Call:
        return {"name": "write", "args": {"filePath": str(repo / move.path), "content": move.text}}

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        args = {"filePath": str(repo / move.path), "oldString": move.old, "newString": move.new}
        return {"name": "edit", "args": args}

    def run(self, move: Run, repo: Path) -> Call:
        return {"name": "bash", "args": {"command": move.command, "description": "Runs a command"}}


class Codex(Adapter):
    """codex exec with a custom Responses provider, approvals and sandbox off."""

    name = "codex"
    kind = "rust"

    def program(self) -> Path:
        found = sorted(
            self.paths.npm("codex", "@openai").glob("codex-*/vendor/*/*/codex")
        ) or sorted(self.paths.npm("codex", "@openai").glob("codex-*/vendor/*/codex/codex"))
        return found[0] if found else self.paths.npm("codex", ".bin/codex")

    def version(self) -> str:
        return program_version(self.program())

    def prepare(self, job: Job) -> None:
        home = job.home / ".codex"
        home.mkdir(parents=True, exist_ok=True)
        (home / "config.toml").write_text(
            'model = "gpt-5.5"\nmodel_provider = "bench"\ncheck_for_update_on_startup = false\n'
            "[analytics]\nenabled = false\n[feedback]\nenabled = false\n"
            f'[model_providers.bench]\nname = "bench"\nbase_url = "{job.v1}"\nenv_key = "OPENAI_API_KEY"\n'
            'wire_api = "responses"\n'
        )
        (job.home / ".profile").write_text(f'export PATH="{self.full_env(job)["PATH"]}"\n')

    def command(self, job: Job) -> list[str]:
        return [
            str(self.program()),
            "exec",
            "--dangerously-bypass-approvals-and-sandbox",
            job.scenario.task,
        ]

    def env(self, job: Job) -> dict[str, str]:
        return {"CODEX_HOME": str(job.home / ".codex")}

    def shell(self, command: str) -> Call:
        return {"name": "exec_command", "args": {"cmd": command}}

    def read(self, move: Read, repo: Path) -> Call:
        return self.shell(f"cat {move.path}")

    def write(self, move: Write, repo: Path) -> Call:
        return {"name": "apply_patch", "args": patch_add(move.path, move.text)}

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        return {"name": "apply_patch", "args": patch_edit(move)}

    def run(self, move: Run, repo: Path) -> Call:
        return self.shell(move.command)


class Gemini(Adapter):
    """gemini-cli in prompt mode against a custom Gemini endpoint."""

    name = "gemini"
    kind = "node"
    # From turn 30 on it asks the model whether it is in a loop, and wants JSON.
    side_text = json.dumps(
        {"unproductive_state_analysis": "none", "unproductive_state_confidence": 0.0}
    )

    def program(self) -> Path:
        return self.paths.npm("gemini", ".bin/gemini")

    def version(self) -> str:
        return program_version(self.program())

    def prepare(self, job: Job) -> None:
        home = job.home / ".gemini"
        home.mkdir(parents=True, exist_ok=True)
        (home / "settings.json").write_text(
            json.dumps(
                {
                    "general": {
                        "enableAutoUpdate": False,
                        "enableAutoUpdateNotification": False,
                        "disableAutoUpdate": True,
                    },
                    "privacy": {"usageStatisticsEnabled": False},
                    "telemetry": {"enabled": False},
                    "security": {
                        "auth": {"selectedType": "gemini-api-key"},
                        "folderTrust": {"enabled": False},
                    },
                    "ide": {"enabled": False},
                }
            )
        )

    def command(self, job: Job) -> list[str]:
        return [
            str(self.program()),
            "--model",
            "gemini-2.5-pro",
            "--yolo",
            "--prompt",
            job.scenario.task,
        ]

    def env(self, job: Job) -> dict[str, str]:
        return {
            "GEMINI_API_KEY": "bench",
            "GOOGLE_GEMINI_BASE_URL": job.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_TELEMETRY_ENABLED": "false",
        }

    def read(self, move: Read, repo: Path) -> Call:
        return {"name": "read_file", "args": {"file_path": str(repo / move.path)}}

    def write(self, move: Write, repo: Path) -> Call:
        return {
            "name": "write_file",
            "args": {"file_path": str(repo / move.path), "content": move.text},
        }

    def edit(self, move: Edit, before: str, repo: Path) -> Call:
        args = {
            "file_path": str(repo / move.path),
            "old_string": move.old,
            "new_string": move.new,
            "instruction": "Make the change that the task asks for.",
        }
        return {"name": "replace", "args": args}

    def run(self, move: Run, repo: Path) -> Call:
        return {
            "name": "run_shell_command",
            "args": {"command": move.command, "description": "Runs a command"},
        }
