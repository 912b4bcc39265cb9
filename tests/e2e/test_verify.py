"""`prp verify` on branches that nobody of ours made."""

import re
from pathlib import Path

import pytest

from tests.support.journals import unpacked
from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, WRONG, opinions


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A solution, a wrong solution and no solution, each on a branch."""
    made = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})
    for branch, content in (("good", GOOD), ("wrong", WRONG), ("nothing", "")):
        made.git("checkout", "-q", "-b", branch, "main")
        made.write("greet.py" if content else "notes.md", content)
        made.git("add", "-A")
        made.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", branch)
    made.git("checkout", "-q", "main")
    return made


def judged(project: Project, branch: str, holds: str = "yes", *options: str) -> Ran:
    """Verify with a verifier that says this of every criterion."""

    def answer(_request: Request) -> Answer:
        said = opinions({"C1": holds, "C2": holds})
        return Answer(calls=(("submit_judgement", said),))

    with Provider(answer) as provider:
        model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        return project.prp("verify", "PRPs/greet.md", "--branch", branch, *model, *options)


def test_a_solution_is_proven(project: Project) -> None:
    """Its check was red on the base, and a reader quotes what shows it."""
    ran = judged(project, "good")
    assert ran.status == 0, ran.out
    assert "proven: every criterion holds (2 proven)" in ran.out
    assert "red on the base commit" in ran.out


def test_without_a_reader_a_solution_is_not_proven(project: Project) -> None:
    """What passed is said, and that nobody has read it."""
    ran = project.prp("verify", "PRPs/greet.md", "--branch", "good")
    assert ran.status == 11
    assert "passed, exit status 0; nobody has quoted what shows it" in ran.out
    assert "0 model answers" in ran.out


def test_a_reader_lowers_a_verdict_and_never_raises_one(project: Project) -> None:
    """No on green is failed; yes on red is failed all the same."""
    assert judged(project, "good", "no").status == 10
    assert judged(project, "wrong", "yes").status == 10


@pytest.mark.parametrize("branch", ["wrong", "nothing"])
def test_what_is_no_solution_is_not_proven(project: Project, branch: str) -> None:
    """For the right reason: the check that would show it fails."""
    ran = project.prp("verify", "PRPs/greet.md", "--branch", branch)
    assert ran.status == 10, ran.out
    assert "✗ C1" in ran.out
    assert "L2.1" in ran.out


def test_nothing_of_the_repository_changes(project: Project) -> None:
    """No branch, no worktree, no file."""
    before = project.fingerprint(), project.git("for-each-ref"), project.git("worktree", "list")
    assert judged(project, "good").status == 0
    after = project.fingerprint(), project.git("for-each-ref"), project.git("worktree", "list")
    assert after == before


def test_a_merged_branch_is_held_against_the_base_that_is_named(project: Project) -> None:
    """Without one there is nothing to look at."""
    base = project.git("rev-parse", "HEAD").strip()
    project.git("merge", "-q", "--ff-only", "good")
    ran = project.prp("verify", "PRPs/greet.md")
    assert ran.status == 5
    assert "HEAD holds nothing that its base does not hold" in ran.err
    assert judged(project, "HEAD", "yes", "--base", base).status == 0


def test_the_whole_log_of_a_failed_check_lies_beside_the_report(project: Project) -> None:
    """The report links it, the page holds it; also where the check was run again after that."""
    assert project.prp("verify", "PRPs/greet.md", "--branch", "wrong").status == 10
    folder = project.runs[-1]
    report = (folder / "report.md").read_text(encoding="utf-8")
    (log,) = set(re.findall(r"\[log\]\((room-2/[^)]+)\)", report))
    assert "AssertionError: Hi, Ada!" in (folder / log).read_text(encoding="utf-8")
    page = unpacked((folder / "report.html").read_text(encoding="utf-8"))
    assert any("AssertionError: Hi, Ada!" in part for part in page.values())


def test_json_says_the_same(project: Project) -> None:
    """One object, as of `prp execute`."""
    ran = project.prp("verify", "PRPs/greet.md", "--branch", "wrong", "--json", "--quiet")
    assert (ran.json["outcome"], ran.json["branch"]) == ("failed", "wrong")
    assert {c["criterion"]: c["status"] for c in ran.json["criteria"]}["C1"] == "failed"


SERVED_PRP = GREET_PRP.replace(
    "python3 -c \"from greet import greet; assert greet('Ada') == 'Hello, Ada!', greet('Ada')\"\n"
    "# Expected: no output\n",
    "python3 greet.py 8000 &\nSERVER_PID=$!\nsleep 3\n"
    "curl -s localhost:8000/Ada\n# Expected: HTTP 200\n"
    "curl -s localhost:8000/Ada | grep -q 'Hello, Ada!'\nkill $SERVER_PID\n",
)
SERVES = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({status})
        self.end_headers()
        self.wfile.write(f"Hello, {{self.path[1:]}}!".encode())


HTTPServer(("127.0.0.1", int(sys.argv[1])), Greeter).serve_forever()
"""


@pytest.mark.parametrize(("status", "outcome"), [(200, 0), (500, 10)])
def test_a_server_is_proven_by_its_answers(tmp_path: Path, status: int, outcome: int) -> None:
    """It was red on the base, which had no server; what answers with an error is no solution."""
    project = Project(tmp_path / "project", {"PRPs/greet.md": SERVED_PRP})
    project.git("checkout", "-q", "-b", "branch")
    project.write("greet.py", SERVES.format(status=status))
    project.git("add", "-A")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "serve")
    project.git("checkout", "-q", "main")

    def answer(_request: Request) -> Answer:
        said = opinions({"C1": "yes", "C2": "yes"}, quote="class Greeter")
        return Answer(calls=(("submit_judgement", said),))

    with Provider(answer) as provider:
        model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        ran = project.prp("verify", "PRPs/greet.md", "--branch", "branch", *model)
    assert ran.status == outcome, ran.out + ran.err
    before = {e["check"]: e["state"] for e in project.events() if e.get("stage") == "baseline"}
    after = {e["check"]: e["state"] for e in project.events() if e.get("stage") == "attempt 1"}
    assert [before[check] for check in ("L2.1", "L2.2", "L2.3")] == ["failed"] * 3
    assert after["L2.1"] == "passed"
    assert after["L2.2"] == ("passed" if status == 200 else "failed")
