"""What the job with the model could hand over: any commits, in any bundle."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agent.github.job import Job
from agent.github.papers import Request, Result, write
from tests.support.project import Project
from tests.support.scripts import GREET_PRP

BRANCH = "prp/issue-7-x"
OUT = "refs/prp-out/issue-7-x"


class Handed:
    """A checkout of the default branch, and artifacts of an attacker's choice."""

    def __init__(self, folder: Path) -> None:
        """Make the repository; nothing is handed over yet."""
        self.folder = folder
        files = {"README.md": "x\n", "tests/test_a.py": "def test(): ...\n", "run.sh": "true\n"}
        self.project = Project(folder / "work", files)
        self.base = self.project.git("rev-parse", "HEAD").strip()
        self.author = folder / "author"
        self.project.git("clone", "-q", str(self.project.root), str(self.author))
        for name, value in (("user.name", "m"), ("user.email", "m@m")):
            self.git("config", name, value)
        event = folder / "event.json"
        event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
        self.variables = {
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_EVENT_NAME": "issues",
            "GITHUB_REPOSITORY": "octo/demo",
            "GITHUB_WORKSPACE": str(self.project.root),
            "RUNNER_TEMP": str(folder / "temp"),
        }

    @property
    def job(self) -> Job:
        """The job that looks at it."""
        return Job.of(self.variables)

    def git(self, *arguments: str, given: str = "") -> str:
        """Run git as the attacker."""
        done = subprocess.run(
            ["git", "-C", str(self.author), *arguments],
            check=True,
            capture_output=True,
            text=True,
            input=given,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str = "work") -> str:
        """Commit files as they are."""
        for name, content in files.items():
            place = self.author / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def commit_entry(self, mode: str, kind: str, path: str, content: str = "x") -> str:
        """Commit one entry of any mode at any path, as no checkout would let you."""
        blob = self.git("hash-object", "-w", "--stdin", given=content)
        made = blob if kind == "blob" else self.base
        for index, name in enumerate(reversed(path.split("/"))):
            listed = f"{mode if not index else '040000'} {kind if not index else 'tree'} {made}"
            listing = self.git("ls-tree", "HEAD").splitlines(keepends=True)
            kept = [line for line in listing if line.split("\t")[1].strip() != name]
            others = "".join(kept).rstrip() + "\n" if index == path.count("/") else ""
            made = self.git("mktree", "--missing", given=f"{others}{listed}\t{name}\n")
        commit = self.git("commit-tree", made, "-p", "HEAD", "-m", "work")
        self.git("update-ref", "HEAD", commit)
        return commit

    def hand_over(
        self, commit: str, *, since: str = "", refs: tuple[str, ...] = (OUT,), prp: str = GREET_PRP
    ) -> None:
        """Write request, result and bundle."""
        job = self.job
        request = Request(
            mode="run",
            key="7",
            issue=7,
            actor="ada",
            title="x",
            source="path",
            trust="repo",
            prp_name="PRPs/greet.md",
            prp=prp,
            digest="d" * 64,
            base=self.base,
            branch=BRANCH,
            default_branch="main",
        )
        write(request, job.artifact("request") / "request.json")
        result = Result(mode="run", digest="d" * 64, exit_status=0, outcome="proven", commit=commit)
        write(result, job.artifact("result") / "result.json")
        for ref in refs:
            self.git("update-ref", ref, commit)
        file = job.artifact("result") / "branch.bundle"
        self.git("bundle", "create", "-q", str(file), *refs, f"^{since or self.base}")
