"""Checks with real servers in the real sandbox: started, waited for, asked and ended."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.prp import Check, parse_prp
from agent.verifier import CheckResult, CheckState, run_check
from agent.workspace import Finished, Sandbox, run
from agent.workspace.sandbox import Unconfined
from tests.support.place import Place, a_place

APP = """\
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/broken":
            print("the reason why it is broken", flush=True)
        self.send_response({"/health": 200, "/broken": 500}.get(self.path, 404))
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "count": 200}')


time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
print("the app is there", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
# In a session of its own, as servers that make themselves independent do.
SPAWNS = """\
import subprocess
import sys
from http.server import HTTPServer, BaseHTTPRequestHandler

subprocess.Popen(["sleep", sys.argv[2]], start_new_session=len(sys.argv) > 3)
HTTPServer(("127.0.0.1", int(sys.argv[1])), BaseHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree with programs that serve, and some that don't."""
    with a_place(
        tmp_path,
        **{
            "app.py": APP,
            "spawns.py": SPAWNS,
            "dies.py": "import nothing_of_that_name\n",
            "api/app.py": APP,
        },
    ) as made:
        yield made


def results(
    place: Place, fence: str, *, patience: float = 20.0, sandbox: Sandbox | None = None
) -> list[CheckResult]:
    """Run the checks of a fence as the verifier does."""
    text = f"# A\n\n## Validation Loop\n### Level 1: X\n```bash\n{fence}\n```\n"
    walls = place.toolchain.confine(place.tree.path)

    async def run_here(command: str, check: Check) -> Finished:
        return await run(
            command, confinement=walls, sandbox=sandbox or place.sandbox, setup=check.setup
        )

    async def run_all() -> list[CheckResult]:
        checks = parse_prp(text, path=Path("x.md")).checks
        return [await run_check(check, run_here, patience=patience) for check in checks]

    return asyncio.run(run_all())


def states(found: list[CheckResult]) -> list[CheckState]:
    return [result.state for result in found]


PASSED, FAILED = CheckState.PASSED, CheckState.FAILED


@pytest.mark.parametrize(
    "fence",
    [
        pytest.param("python3 app.py 8000 &\ncurl -f localhost:8000/health", id="background"),
        pytest.param("python3 app.py 8000\ncurl -f localhost:8000/health", id="in front"),
        pytest.param("python3 app.py 8000 1 &\ncurl -f localhost:8000/health", id="slow"),
        pytest.param(
            "python3 app.py 8000 & PID=$!\nsleep 1\n"
            "curl -f localhost:8000/health || (kill $PID; exit 1)\nkill $PID",
            id="its number",
        ),
        pytest.param("cd api\npython3 app.py 8000 &\ncurl -f localhost:8000/health", id="a folder"),
        pytest.param("python3 -m http.server 8001\ncurl -sf localhost:8001/app.py", id="stdlib"),
        pytest.param(
            "export URL=http://127.0.0.1:8000\npython3 app.py 8000 &\n"
            "curl -sf $URL/health | grep -q ok",
            id="in a variable",
        ),
        pytest.param(
            "python3 app.py 8000 &\ncurl -s localhost:8000/health\n# Expected: {'status': 'ok'}",
            id="prose",
        ),
        pytest.param(
            'python3 app.py 8000 &\ncurl localhost:8000/health\n# Expected: {"status": "ok"}',
            id="json",
        ),
        pytest.param("set -eu\npython3 app.py 8000 &\ncurl -f localhost:8000/health", id="set -eu"),
    ],
)
def test_a_server_comes_up_and_its_probe_is_answered(place: Place, fence: str) -> None:
    """Whoever wrote the fence did not have to say how to wait."""
    assert states(results(place, fence)) == [PASSED, PASSED]


def test_a_probe_that_gets_an_error_fails_and_shows_what_the_server_said(place: Place) -> None:
    """The body speaks of 200, the answer was 500."""
    fence = "python3 app.py 8000 &\ncurl -s localhost:8000/broken\n# Expected: HTTP 200"
    _, probe = results(place, fence)
    assert (probe.state, probe.reason) == (FAILED, "HTTP 500, not 200")
    assert "[output of `python3 app.py 8000`]" in probe.output
    assert "the reason why it is broken" in probe.output


@pytest.mark.parametrize(
    ("path", "expected", "state"),
    [
        ("health", "", PASSED),
        ("broken", "", FAILED),
        ("missing", "", FAILED),
        ("missing", "# Expected: 404", PASSED),
        ("health", "# Expected: 404", FAILED),
    ],
)
def test_curl_need_not_be_told_to_fail(
    place: Place, path: str, expected: str, state: CheckState
) -> None:
    """What it prints and what is piped from it stay as they are."""
    fence = (
        f"python3 app.py 8000 &\ncurl -s localhost:8000/{path} | python3 -m json.tool {expected}"
    )
    _, probe = results(place, fence)
    assert probe.state is state, probe
    assert '"count": 200' in probe.output
    assert "prp-" not in probe.output


def test_a_server_that_dies_fails_with_its_traceback(place: Place) -> None:
    """So does the probe, whatever it expects."""
    fence = "python3 dies.py --port 8000 &\ncurl localhost:8000/  # should fail"
    server, probe = results(place, fence)
    assert states([server, probe]) == [FAILED, FAILED]
    assert server.reason == "`python3 dies.py --port 8000` ended with status 1 before it was up"
    assert probe.reason == server.reason
    assert "No module named 'nothing_of_that_name'" in server.output
    assert "No module named 'nothing_of_that_name'" in probe.output


@pytest.mark.parametrize(
    ("command", "tool"),
    [
        ("nosuchserver --port 8000 &", "nosuchserver"),
        ("sh -c 'nosuchserver --port 8000' &", "nosuchserver"),
        ("/opt/nosuch/server --port 8000 &", "/opt/nosuch/server"),
        ("python3 -m nosuchserver --port 8000 &", "the Python module nosuchserver"),
    ],
)
def test_a_server_whose_program_is_missing_is_no_failure_of_the_code(
    place: Place, command: str, tool: str
) -> None:
    """It says what to install."""
    found = results(place, f"{command}\ncurl -f localhost:8000")
    assert states(found) == [CheckState.TOOL_MISSING] * 2
    assert found[0].reason == f"{tool} is not installed"


def test_several_servers_of_a_fence_are_up_together(place: Place) -> None:
    """Each on its port, and the second alone tells nothing of the first."""
    fence = (
        "python3 app.py 8001 &\npython3 app.py 8002 1 &\n"
        "curl -sf localhost:8001/health && curl -sf localhost:8002/health"
    )
    first, second, probe = results(place, fence)
    assert states([first, second, probe]) == [PASSED] * 3
    assert probe.output.count("the app is there") == 2


def test_a_dead_server_does_not_keep_a_probe_from_another(place: Place) -> None:
    """The one that is asked is up."""
    fence = "python3 dies.py &\npython3 app.py 8002 &\ncurl -sf localhost:8002/health"
    assert states(results(place, fence)) == [FAILED, PASSED, PASSED]


def test_a_server_that_opens_no_port_fails(place: Place) -> None:
    """It says which one was waited for, and which one is open instead."""
    fence = "python3 app.py 8000 &\ncurl -f localhost:8001/health"
    server, probe = results(place, fence, patience=2.0)
    assert server.state is PASSED
    told = "nothing listens on port 8001 within 2 s; something listens on 8000"
    assert (probe.state, probe.reason) == (FAILED, told)


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("python3 -c 'import time; time.sleep(600)' --port 8000 &", FAILED),
        ("env NAME=flask sleep 600 & P=$!", FAILED),
        ("sleep 600 & P=$!", CheckState.NOT_RUN),
    ],
)
def test_a_server_that_only_lives_is_not_up(place: Place, command: str, state: CheckState) -> None:
    """It opens no port and says nothing; of a program that nobody knows, nobody can tell."""
    (server,) = results(place, command, patience=1.0)
    assert server.state is state
    assert "within 1 s" in server.reason


def test_a_server_that_says_that_it_is_ready_is_up(place: Place) -> None:
    """A worker has no port."""
    (server,) = results(place, "sh -c 'echo Worker ready in 3 ms; exec sleep 600' &")
    assert server.state is PASSED


def test_a_program_with_an_end_is_judged_by_it(place: Place) -> None:
    """`npm start` need not be a server."""
    found = results(place, "python3 -c 'print(1)' &\npython3 -c 'raise SystemExit(3)' &")
    assert states(found) == [PASSED, FAILED]


@pytest.mark.parametrize("kind", ["sandbox", "none"])
def test_nothing_that_a_server_started_is_left(place: Place, kind: str) -> None:
    """In the sandbox not even what leaves its session."""
    mark = f"{os.getpid()}9.25"
    own = "own" if kind == "sandbox" else ""
    port = 20_000 + os.getpid() % 10_000
    fence = f"python3 spawns.py {port} {mark} {own} &\ncurl -s localhost:{port}/\n# Expected: 501"
    found = results(place, fence, sandbox=Unconfined() if kind == "none" else None)
    assert states(found) == [PASSED, PASSED], [(one.reason, one.output) for one in found]
    assert all_end(mark)


def all_end(mark: str) -> bool:
    """Return whether no process with a mark is left; one that was killed takes a moment to end."""
    for _ in range(100):
        if not any(mark in line for line in command_lines()):
            return True
        time.sleep(0.1)
    return False


def command_lines() -> list[str]:
    """Return the command line of every process of this machine."""
    lines = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(place.read_text("utf-8", "replace"))
        except OSError:
            continue
    return lines


@pytest.mark.parametrize(
    "server",
    [
        "docker run --rm -p 8000:8000 app > started &",
        "touch started && pip install x && python3 app.py 8000 &",
        "API_KEY=secret python3 app.py 8000 > started &",
    ],
)
def test_what_must_not_be_started_is_not(place: Place, server: str) -> None:
    """Nor is what needs it."""
    found = results(place, f"{server}\ncurl -f localhost:8000/health")
    assert states(found) == [CheckState.NOT_RUN] * 2
    assert not (place.tree.path / "started").exists()
