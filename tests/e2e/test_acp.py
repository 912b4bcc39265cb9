"""`prp acp` driven by the official client library, as an editor would."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from acp import PROTOCOL_VERSION, spawn_agent_process, text_block
from acp.schema import AllowedOutcome, RequestPermissionResponse

from tests.support.project import PRP, Project
from tests.support.provider import Provider
from tests.support.scripts import GREET_PRP, crew

SLOW_PRP = GREET_PRP.replace("ruff check .", "sleep 60")


class Editor:
    """Shows nothing, keeps everything, and answers what it is asked."""

    def __init__(self, answers: list[str]) -> None:
        """Take the answers to give, one after the other."""
        self.answers, self.asked = answers, list[str]()
        self.said, self.plans, self.commands = "", list[list[tuple[str, str]]](), list[str]()
        self.heard = asyncio.Condition()

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Keep what the agent tells."""
        del session_id
        async with self.heard:
            match update.session_update:
                case "agent_message_chunk":
                    self.said += update.content.text
                case "plan":
                    self.plans.append([(e.content, e.status) for e in update.entries])
                case "available_commands_update":
                    self.commands = [c.name for c in update.available_commands]
            self.heard.notify_all()

    async def request_permission(
        self, session_id: str, tool_call: Any, options: list[Any], **_: Any
    ) -> RequestPermissionResponse:
        """Answer as it was told to."""
        del session_id
        self.asked.append(tool_call.content[0].content.text)
        kind = self.answers.pop(0)
        chosen = next(option for option in options if option.kind == kind)
        outcome = AllowedOutcome(outcome="selected", option_id=chosen.option_id)
        return RequestPermissionResponse(outcome=outcome)

    async def until(self, holds: Callable[["Editor"], bool]) -> None:
        """Return when something has been told."""
        async with self.heard:
            await asyncio.wait_for(self.heard.wait_for(lambda: holds(self)), 60)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with PRPs of its history, and one that was just written."""
    made = Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "PRPs/slow.md": SLOW_PRP})
    made.write("PRPs/new.md", GREET_PRP)
    return made


@asynccontextmanager
async def opened(project: Project, editor: Editor, provider: Provider) -> Any:
    """Start the agent as an editor does, and yield what sends it a prompt."""
    variables = project.environment(
        PRP_MODEL="openai-chat:scripted", PRP_BASE_URL=provider.url, PRP_APPROVE=""
    )
    async with spawn_agent_process(
        editor,  # type: ignore[arg-type] # it has no optional methods
        str(PRP),
        "acp",
        env=variables,
        cwd=project.root.parent,
    ) as (agent, _process):
        await agent.initialize(protocol_version=PROTOCOL_VERSION)
        session = (await agent.new_session(cwd=str(project.root), mcp_servers=[])).session_id

        async def prompt(words: str) -> str:
            answer = await agent.prompt(session_id=session, prompt=[text_block(words)])
            return answer.stop_reason

        yield prompt, lambda: agent.cancel(session_id=session)


def test_an_editor_executes_a_document_and_sees_its_tasks(project: Project) -> None:
    """A no begins nothing; a yes begins it; the plan's entries are the tasks and follow them."""
    editor = Editor(["reject_once", "allow_once"])

    async def story(provider: Provider) -> None:
        async with opened(project, editor, provider) as (prompt, _):
            await editor.until(lambda e: "execute" in e.commands)
            await prompt("make it nice")
            assert "/execute PRPs/FILE.md" in editor.said
            await prompt("/execute ../elsewhere.md")
            assert "lies outside" in editor.said
            await prompt("/execute PRPs/new.md")
            assert "were not allowed" in editor.said
            assert not project.runs
            assert await prompt("/execute PRPs/new.md") == "end_turn"
            await prompt("/report")

    with Provider(crew()) as provider:
        asyncio.run(story(provider))
    assert all("ruff check ." in words for words in editor.asked)
    states = [dict(plan)["1 Greeting"] for plan in editor.plans]
    assert states == ["pending", "in_progress", "completed"]
    assert "proven: every criterion holds" in editor.said
    assert "attempt 1: L2.1 passed" in editor.said
    assert "| C1" in editor.said


def test_stopping_the_turn_stops_the_run_so_that_it_can_be_taken_up(project: Project) -> None:
    """And says how; ending it for good is a command of its own."""
    editor = Editor([])

    async def story(provider: Provider) -> None:
        async with opened(project, editor, provider) as (prompt, stop):
            turn = asyncio.ensure_future(prompt("/execute PRPs/slow.md"))
            await editor.until(lambda e: bool(e.plans))
            await stop()
            assert await asyncio.wait_for(turn, 60) == "cancelled"
            assert f"prp resume {project.runs[-1].name}" in editor.said
            await prompt("/cancel slow")

    with Provider(crew()) as provider:
        asyncio.run(story(provider))
    assert project.events()[-1]["outcome"] == "cancelled"
