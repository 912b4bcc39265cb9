"""`prp mcp` driven by the official client library, over both transports."""

import asyncio
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult, ListRootsResult, Root

from agent.editors.mcp_server import make_server
from tests.support.drafts import FILES, drafter
from tests.support.project import PRP, Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, crew


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one PRP in its history and one that was just written."""
    # A package that is called as ours is: a run in the background must not take it for ours.
    theirs = {
        "agent/__init__.py": "",
        "agent/cli/__init__.py": "",
        "agent/cli/__main__.py": 'raise SystemExit("the code of the checkout ran")\n',
    }
    made = Project(tmp_path / "project", {"PRPs/known.md": GREET_PRP, **theirs})
    made.write("PRPs/new.md", GREET_PRP)
    return made


def variables(project: Project, provider: Provider) -> dict[str, str]:
    """Return the environment in which a person starts the server."""
    return project.environment(
        PRP_MODEL="openai-chat:scripted", PRP_BASE_URL=provider.url, PRP_APPROVE=""
    )


def over_stdio(project: Project, provider: Provider) -> StdioServerParameters:
    """Return how a client starts the server."""
    return StdioServerParameters(
        command=str(PRP), args=["mcp"], env=variables(project, provider), cwd=str(project.root)
    )


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    """Call a tool and return its structured answer."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


def test_a_client_executes_a_document_over_stdio(project: Project) -> None:
    """Linted, planned, begun; it goes on when its client goes, and another one sees it end."""
    heard: list[tuple[float, str | None]] = []
    script, is_back = crew(), threading.Event()

    def patient(request: Request) -> Answer:
        """Let the coder answer when there is somebody again to hear of what follows."""
        if "finish" in request.tools:
            is_back.wait(60)
        return script(request)

    async def note(progress: float, _total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async def story(provider: Provider) -> None:
        async with Client(over_stdio(project, provider)) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert names == {
                *("lint", "draft", "plan", "execute"),
                *("status", "wait", "report", "cancel"),
            }
            linted = await called(client, "lint", prp="PRPs/known.md")
            assert (linted["ok"], linted["tasks"], linted["criteria"]) == (True, 1, 2)
            planned = await called(client, "plan", prp="PRPs/known.md")
            assert planned["steps"][0]["files"] == ["greet.py"]
            begun = await called(client, "execute", prp="PRPs/known.md", wait_seconds=0)
            assert begun["state"] == "running"
        async with Client(over_stdio(project, provider)) as client:
            is_back.set()
            waiting = {"run": begun["run"], "wait_seconds": 120}
            ended = (
                await client.call_tool("wait", waiting, progress_callback=cast("Any", note))
            ).structured_content
            assert ended is not None
            assert (ended["state"], ended["exit_status"]) == ("proven", 0)
            assert ended["tasks"] == {"1 Greeting": "done"}
            told: Any = (await client.call_tool("report", {"run": ended["run"]})).content[0]
            assert "proven" in told.text
            (listed,) = (await client.list_resources()).resources
            assert str(listed.uri) == f"prp://runs/{ended['run']}/report.md"
            read: Any = (await client.read_resource(str(listed.uri))).contents[0]
            assert read.text == (project.runs[-1] / "report.md").read_text()
            runs = await called(client, "status")
            assert [run["state"] for run in runs["runs"]] == ["proven"]
            prompt: Any = await client.get_prompt("execute", {"prp": "PRPs/known.md"})
            assert "PRPs/known.md" in prompt.messages[0].content.text

    before = project.fingerprint()
    with Provider(patient) as provider:
        asyncio.run(story(provider))
    assert project.fingerprint() == before
    assert [number for number, _ in heard] == sorted({number for number, _ in heard})
    assert any("attempt 1: L2.1 passed" in (message or "") for _, message in heard)


def test_a_client_has_a_prp_drafted(tmp_path: Path) -> None:
    """A new file in the project, with what the person should know of it."""
    project = Project(tmp_path / "project", FILES)

    async def story(provider: Provider) -> Any:
        async with Client(over_stdio(project, provider)) as client:
            shown = await called(client, "draft", wish="round to five cents")
            prompt: Any = await client.get_prompt("draft", {"wish": "round to five cents"})
            assert "round to five cents" in prompt.messages[0].content.text
            return shown

    with Provider(drafter()) as provider:
        shown = asyncio.run(story(provider))
    assert shown["path"] == "PRPs/round-a-total-to-five-cents.md"
    assert (project.root / shown["path"]).is_file()
    states = {check["check"]: check["state"] for check in shown["baseline"]}
    assert (states["L2.1"], states["L2.2"]) == ("failed", "passed")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_person_is_asked_where_the_client_can_ask(
    project: Project, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question shows every command; a no begins nothing, also with the hash; a yes counts."""
    answers = iter([False, True])
    seen: list[str] = []

    async def answer(_context: Any, params: ElicitRequestParams) -> ElicitResult:
        seen.append(params.message)
        return ElicitResult(action="accept", content={"allow": next(answers)})

    async def story(provider: Provider) -> None:
        for name, value in variables(project, provider).items():
            monkeypatch.setenv(name, value)
        server = make_server(project.root)
        async with Client(server, mode=mode) as told:
            asked = await called(told, "execute", prp="PRPs/new.md")
        hash_of_it = {"approved": asked["approve_with"]}
        async with Client(server, mode=mode, elicitation_callback=cast("Any", answer)) as client:
            refused = await called(client, "execute", prp="PRPs/new.md", **hash_of_it)
            assert (refused["state"], refused["run"]) == ("needs approval", "")
            assert not project.runs
            begun = await called(client, "execute", prp="PRPs/new.md", wait_seconds=0)
            ended = await called(client, "cancel", run=begun["run"])
            assert ended["state"] == "cancelled"

    with Provider(crew()) as provider:
        asyncio.run(story(provider))
    assert all("ruff check ." in words and "sandbox: bubblewrap" in words for words in seen)
    order = json.loads((project.runs[-1] / "order.json").read_text())
    assert "a person who was asked" in order["allowed"]


def test_without_a_way_to_ask_the_commands_and_their_hash_come_back(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that hash begins it; one for something else does not."""

    async def story(provider: Provider) -> None:
        for name, value in variables(project, provider).items():
            monkeypatch.setenv(name, value)
        async with Client(make_server(project.root)) as client:
            asked = await called(client, "execute", prp="PRPs/new.md")
            assert (asked["state"], asked["run"]) == ("needs approval", "")
            assert "ruff check ." in asked["approval"]
            wrong = await client.call_tool(
                "execute", {"prp": "PRPs/new.md", "approved": "0" * 12, "wait_seconds": 0}
            )
            assert wrong.is_error
            assert "exit status: 13" in str(wrong.content)
            assert not project.runs
            begun = await called(
                client, "execute", prp="PRPs/new.md", approved=asked["approve_with"]
            )
            assert begun["state"] == "proven"

    with Provider(crew()) as provider:
        asyncio.run(story(provider))


OUTSIDE = [
    pytest.param({"prp": "../other/PRPs/x.md"}, "lies outside", id="climbing out"),
    pytest.param({"prp": "/etc/passwd"}, "lies outside", id="absolute"),
    pytest.param({"prp": "PRPs/link.md"}, "lies outside", id="link"),
    pytest.param({"prp": "PRPs/x.md; touch pwned"}, "no such file", id="shell"),
    pytest.param({"prp": "--help"}, "no such file", id="option"),
    pytest.param(
        {"prp": "PRPs/known.md", "options": {"base": "--output=pwned"}},
        "no commit",
        id="git option",
    ),
    pytest.param(
        {"prp": "PRPs/known.md", "options": {"coder": "acp:touch pwned"}}, "person", id="program"
    ),
    pytest.param(
        {"prp": "PRPs/known.md", "options": {"model": "x:y, replay:/etc/passwd"}},
        "person",
        id="file as a model",
    ),
    pytest.param(
        {"prp": "PRPs/known.md", "options": {"sandbox": "none"}}, "sandbox", id="no sandbox"
    ),
]


@pytest.mark.parametrize(("arguments", "words"), OUTSIDE)
def test_no_argument_reaches_beyond_the_project(
    project: Project, tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    """Told as an error with what to do; nothing begins, nothing runs."""
    Project(tmp_path / "other", {"PRPs/x.md": GREET_PRP})
    (project.root / "PRPs/link.md").symlink_to(tmp_path / "other/PRPs/x.md")

    async def story() -> None:
        async with Client(make_server(project.root)) as client:
            answer = await client.call_tool("execute", arguments)
        assert answer.is_error
        assert words in str(answer.content).lower()

    asyncio.run(story())
    assert not project.runs
    assert not list(tmp_path.rglob("pwned*"))


def test_folders_that_the_client_has_open_count_too(project: Project, tmp_path: Path) -> None:
    """Its roots, and nothing beside them; runs of other projects stay theirs."""
    other = Project(tmp_path / "other", {"PRPs/x.md": GREET_PRP})
    third = Project(tmp_path / "third", {"PRPs/x.md": GREET_PRP})
    opened = [Root(uri=f"file://{other.root}")]  # type: ignore[arg-type]

    async def roots(_context: Any) -> ListRootsResult:
        return ListRootsResult(roots=opened)

    async def story() -> None:
        async with Client(
            make_server(project.root), list_roots_callback=cast("Any", roots)
        ) as client:
            linted = await called(client, "lint", prp=str(other.root / "PRPs/x.md"))
            assert linted["ok"]
            refused = await client.call_tool("lint", {"prp": str(third.root / "PRPs/x.md")})
            assert refused.is_error
            foreign = await client.call_tool("report", {"run": "theirs"})
            assert foreign.is_error
            assert "another project" in str(foreign.content)

    run = Path(os.environ["XDG_STATE_HOME"]) / "prp/runs/20260101-theirs"
    run.mkdir(parents=True)
    (run / "order.json").write_text(json.dumps({"root": str(third.root)}))
    asyncio.run(story())


@contextmanager
def over_http(project: Project, *arguments: str, **more: str) -> Iterator[str]:
    """Start the server, and yield its address."""
    with subprocess.Popen(
        [str(PRP), "mcp", "--http", *arguments],
        cwd=project.root,
        env=project.environment(**more),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[-1]
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def test_clients_of_this_machine_use_http_and_web_pages_do_not(project: Project) -> None:
    """A run over HTTP; a foreign origin or a name bent to this machine gets nothing."""

    async def story(address: str) -> None:
        async with Client(address) as client:
            ended = await called(client, "execute", prp="PRPs/known.md", wait_seconds=120)
            assert ended["state"] == "proven"
        ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        for name, value, status in (
            ("origin", "https://evil.example", 403),
            ("host", "evil.example:80", 421),
        ):
            accept = "application/json, text/event-stream"
            answer = httpx2.post(address, json=ping, headers={name: value, "accept": accept})
            assert answer.status_code == status

    with Provider(crew()) as provider:
        models = {"PRP_MODEL": "openai-chat:scripted", "PRP_BASE_URL": provider.url}
        with over_http(project, "127.0.0.1:0", **models) as address:
            asyncio.run(story(address))


def test_other_machines_need_a_secret(project: Project) -> None:
    """Without one nobody listens; with one only who shows it is served."""
    refused = project.prp("mcp", "--http", "0.0.0.0:0")
    assert refused.status == 14
    assert "PRP_MCP_TOKEN" in refused.err
    secret = "a-secret-of-nobody-at-all"
    with over_http(project, "127.0.0.1:0", PRP_MCP_TOKEN=secret) as address:

        async def story() -> None:
            shown = {"authorization": f"Bearer {secret}"}
            async with (
                httpx2.AsyncClient(headers=shown) as http,
                Client(streamable_http_client(address, http_client=http)) as client,
            ):
                assert (await called(client, "status"))["runs"] == []

        asyncio.run(story())
        assert httpx2.post(address, json={}).status_code == 401
