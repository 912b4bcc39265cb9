"""Runs our workflow's own YAML: jobs in their order, steps in bash, each job with its rights."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.expressions import FUNCTIONS, filled, shown
from tests.support.github import FakeGitHub

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "prp.yml"
Json = dict[str, Any]


@dataclass
class JobRan:
    """What came of one job."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    environments: list[dict[str, str]] = field(default_factory=list)
    """Of each step that ran in bash."""


@dataclass
class Ran:
    """What came of one workflow."""

    jobs: dict[str, JobRan] = field(default_factory=dict)

    def __getitem__(self, name: str) -> JobRan:
        """Return a job."""
        return self.jobs[name]

    @property
    def log(self) -> str:
        """All logs, one after the other."""
        return "\n".join(f"== {name}: {job.result}\n{job.log}" for name, job in self.jobs.items())


@dataclass
class Runner:
    """A runner with nothing on it but what GitHub's have."""

    github: FakeGitHub
    folder: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the machine, for instance the address of a scripted model."""
    between: Mapping[str, Any] = field(default_factory=dict)
    """Job to a function that is called with the artifacts' folder when it has ended."""
    run: int = 0

    def __call__(self, event_name: str, event: Json, *, last: str = "") -> Ran:
        """Run the workflow for an event, as far as the job that is named."""
        self.run += 1
        workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
        # YAML 1.1 reads `on` as true.
        declared = workflow[True]["workflow_call"]
        whole = {"repository": {"default_branch": "main"}, **event}
        inputs = {name: i.get("default", "") for name, i in declared["inputs"].items()}
        assert set(self.inputs) <= set(inputs)
        assert set(self.secrets) <= set(declared["secrets"])
        ran, artifacts = Ran(), self.folder / f"artifacts-{self.run}"
        self.github.state.jobs[self.run] = {}
        beside: dict[str, threading.Thread] = {}
        for name, job in workflow["jobs"].items():
            for needed in set(job.get("needs", ())) & set(beside):
                beside.pop(needed).join()
            one = _Job(
                self, name, job, event_name, whole, {**inputs, **self.inputs}, ran, artifacts
            )
            if job.get("continue-on-error"):  # the only kind that need not be waited for
                ran.jobs[name] = one.done
                beside[name] = threading.Thread(target=one.ran)
                beside[name].start()
                continue
            ran.jobs[name] = one.ran()
            if name in self.between:
                self.between[name](artifacts)
            if name == last:
                break
        return ran


class _Job:
    """One job on a machine of its own."""

    def __init__(
        self,
        runner: Runner,
        name: str,
        job: Json,
        event_name: str,
        event: Json,
        inputs: Mapping[str, str],
        before: Ran,
        artifacts: Path,
    ) -> None:
        self.runner, self.job, self.artifacts = runner, job, artifacts
        self.name, self.event_name, self.event = name, event_name, event
        needs = job.get("needs", [])
        self.needs = {n: before.jobs[n] for n in ([needs] if isinstance(needs, str) else needs)}
        self.machine = runner.folder / f"{runner.run}-{name}"
        self.done = JobRan("success")
        self.context: Json = {
            "github": {
                "event": event,
                "event_name": event_name,
                "token": "",
                "run_attempt": "1",
            },
            "inputs": inputs,
            "secrets": runner.secrets,
            "vars": {},
            "needs": {n: {"result": r.result, "outputs": r.outputs} for n, r in self.needs.items()},
            "steps": {},
            "runner": {"temp": str(self.machine / "temp")},
        }
        self.failed = False
        self.background: list[threading.Thread] = []
        self.steps = itertools.count()

    def ran(self) -> JobRan:
        """Run the job, or say that it is left out."""
        condition = str(self.job.get("if", "success()"))
        told = " ".join(r.result for r in self.needs.values())
        good = not self.needs or set(told.split()) == {"success"}
        functions: Json = {**FUNCTIONS} | {
            "always": lambda: True,
            "cancelled": lambda: False,
            "success": lambda: good,
            "failure": lambda: "failure" in told,
        }
        is_wanted = condition if "${{" in condition else f"${{{{ {condition} }}}}"
        asks = any(f"{name}(" in condition for name in ("always", "cancelled", "failure"))
        if not (filled(is_wanted, self.context, functions) and (good or asks)):
            self.done.result = "skipped"
            return self.done
        self._prepare()
        told_jobs = self.runner.github.state.jobs[self.runner.run]
        told_jobs[f"prp / {self.job['name']}"] = "in_progress"
        for step in self.job["steps"]:
            self._step(step)
        for step in self.background:
            step.join()
        told_jobs[f"prp / {self.job['name']}"] = "completed"
        self.done.outputs = {
            name: shown(filled(value, self.context, FUNCTIONS))
            for name, value in self.job.get("outputs", {}).items()
        }
        self.done.result = "failure" if self.failed else "success"
        return self.done

    def _prepare(self) -> None:
        rights = self.job["permissions"]
        self.context["github"]["token"] = self.runner.github.token(**rights)
        for place in ("temp", "home", "bin"):
            (self.machine / place).mkdir(parents=True)
        (self.machine / "event.json").write_text(json.dumps(self.event), encoding="utf-8")
        # What a hosted runner has: sudo, and uv once its action was there.
        _program(self.machine / "bin" / "sudo", "exit 0")
        installed = Path(sys.executable).parent / "prp"
        _program(
            self.machine / "bin" / "uv",
            f'mkdir -p "$UV_TOOL_BIN_DIR" && ln -sf {installed} "$UV_TOOL_BIN_DIR/prp"',
        )

    def _step(self, step: Json) -> None:
        functions: Json = {**FUNCTIONS} | {
            "always": lambda: True,
            "success": lambda: not self.failed,
        }
        condition = str(step.get("if", "success()"))
        wanted = condition if "${{" in condition else f"${{{{ {condition} }}}}"
        if not filled(wanted, self.context, functions):
            return
        if self.failed and "always()" not in condition:
            return
        if step.get("background"):
            assert step["continue-on-error"], "what goes on beside the work may not fail it"
            alone = threading.Thread(target=self._one, args=(step, self.context))
            self.background.append(alone)
            alone.start()
            return
        status, outputs = self._one(step, self.context)
        if "id" in step:
            self.context["steps"][step["id"]] = {"outputs": outputs}
        if status and not step.get("continue-on-error"):
            self.failed = True

    def _one(self, step: Json, context: Json) -> tuple[int, dict[str, str]]:
        given = {
            name: shown(filled(shown(value), context, FUNCTIONS))
            for name, value in step.get("with", {}).items()
        }
        if "run" in step:
            assert "${{" not in step["run"], "text of others would reach a shell"
            return self._bash(step, context)
        uses = step["uses"].partition("@")[0]
        if uses.startswith("$/"):
            return self._ours(given, ROOT / uses.removeprefix("$/") / "action.yml")
        return _ACTIONS[uses](self, given), {}

    def _ours(self, given: Mapping[str, str], file: Path) -> tuple[int, dict[str, str]]:
        """Run a composite action of ours."""
        action = yaml.safe_load(file.read_text(encoding="utf-8"))
        known = action.get("inputs", {})
        assert set(given) <= set(known), set(given) - set(known)
        inputs = {name: one.get("default", "") for name, one in known.items()}
        status = 0
        inner: Json = {**self.context, "inputs": {**inputs, **given}, "steps": {}, "secrets": {}}
        for step in action["runs"]["steps"]:
            if not filled(step.get("if", "${{ true }}"), inner, FUNCTIONS):
                continue
            status, outputs = self._one(step, inner)
            if "id" in step:
                inner["steps"][step["id"]] = {"outputs": outputs}
            if status:
                break
        return status, {
            name: shown(filled(one["value"], inner, FUNCTIONS))
            for name, one in action.get("outputs", {}).items()
        }

    def _bash(self, step: Json, context: Json) -> tuple[int, dict[str, str]]:
        own = {
            name: shown(filled(shown(value), context, FUNCTIONS))
            for name, value in step.get("env", {}).items()
        }
        number = next(self.steps)
        files = {n: self.machine / f"{n}-{number}" for n in ("output", "summary", "env", "path")}
        for file in files.values():
            file.touch()
        files["output"].write_text("")
        environment = {**self._machine_variables(files), **own}
        self.done.environments.append(environment)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.machine / "work" if (self.machine / "work").is_dir() else self.machine,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        self.done.log += done.stdout
        self.done.summary = files["summary"].read_text(encoding="utf-8") or self.done.summary
        assert not files["env"].read_text(), "a step changed the environment of later ones"
        return done.returncode, _outputs(files["output"].read_text(encoding="utf-8"))

    def _machine_variables(self, files: Mapping[str, Path]) -> dict[str, str]:
        github = self.runner.github
        return {
            "PATH": f"{self.machine / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.machine / "home"),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(self.machine / "event.json"),
            "GITHUB_REPOSITORY": github.repository,
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": github.url,
            "GITHUB_WORKSPACE": str(self.machine / "work"),
            "GITHUB_RUN_ID": str(self.runner.run),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_ENV": str(files["env"]),
            "GITHUB_PATH": str(files["path"]),
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(self.machine / "temp"),
            **self.runner.variables,
        }

    def checkout(self, given: Mapping[str, str]) -> int:
        """Stand for actions/checkout: the commit, with its history and without a token."""
        assert given["persist-credentials"] == "false"
        work = self.machine / "work"
        _git("clone", "-q", "--no-local", str(self.runner.github.bare), str(work))
        _git("-C", str(work), "checkout", "-q", given["ref"])
        # Only the server knows other branches afterwards, as on a runner's shallow clone.
        _git("-C", str(work), "remote", "remove", "origin")
        return 0

    def upload(self, given: Mapping[str, str]) -> int:
        """Stand for actions/upload-artifact: a name is taken once."""
        source, place = Path(given["path"]), self.artifacts / given["name"]
        if not source.is_dir() or not any(source.iterdir()):
            return 0 if given.get("if-no-files-found") in ("ignore", "warn") else 1
        if place.exists() and given.get("overwrite") != "true":
            return 1
        shutil.copytree(source, place)
        self.runner.github.uploaded(self.runner.run, given["name"], place)
        return 0

    def download(self, given: Mapping[str, str]) -> int:
        """Stand for actions/download-artifact."""
        place = self.artifacts / given["name"]
        if not place.is_dir():
            return 1
        shutil.copytree(place, given["path"], dirs_exist_ok=True)
        return 0


_ACTIONS: Mapping[str, Callable[["_Job", Mapping[str, str]], int]] = {
    "actions/checkout": _Job.checkout,
    "actions/upload-artifact": _Job.upload,
    "actions/download-artifact": _Job.download,
    "astral-sh/setup-uv": lambda _job, _given: 0,
}


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def _program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def _outputs(text: str) -> dict[str, str]:
    """Return what a step wrote into GITHUB_OUTPUT."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark, end = line.partition("<<")
        assert mark, f"not the form for several lines: {line}"
        value: list[str] = []
        while (one := next(lines)) != end:
            value.append(one)
        found[name] = "\n".join(value)
    return found
