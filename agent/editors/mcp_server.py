"""The MCP server: lint, draft, plan, execute, status, wait, report and cancel for coding tools."""

import asyncio
import dataclasses
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import Resource, ToolAnnotations
from pydantic import Field

from agent import __version__
from agent.deliver.lines import line_of
from agent.editors.asking import (
    Question,
    Standing,
    allowing,
    question_of,
    standing,
    told,
    with_ask,
)
from agent.editors.mcp_calls import (
    can_ask,
    explained,
    in_thread,
    reaching_for,
    telling,
    watched,
)
from agent.editors.mcp_values import (
    Answer,
    DraftShown,
    Found,
    Linted,
    Options,
    PlanShown,
    Standings,
)
from agent.editors.places import Places, places_of
from agent.errors import PrpError
from agent.journal import Event
from agent.runs.cancelling import see_ended
from agent.runs.desk import lay_out, lay_out_draft
from agent.runs.detaching import detach_order
from agent.runs.drafting import FOLDER, Wish, draft_at, for_drafting, keep
from agent.runs.examining import examine
from agent.runs.reporting import report_as
from agent.runs.start import for_planning, plan_at
from agent.shown import printable
from agent.workspace import clip
from agent.workspace.surroundings import look_anew

_USUAL_WAIT = 50.0
_LONGEST_WAIT = 3600.0
_MOST_TEXT = 200_000
_TEMPLATES = Path(__file__).parent / "templates"
_MOST_LISTED = 20
_FILES = {
    "report.md": ("md", "text/markdown"),
    "report.html": ("html", "text/html"),
    "run.json": ("json", "application/json"),
    "learnt.patch": ("learnt", "text/x-patch"),
}
"""Names of a run's files as resources, to their form and type."""


_USUAL = Options()
Prp = Annotated[str, Field(description="Path of the PRP, relative to the project.")]
Wanted = Annotated[
    str,
    Field(
        description="What the person wants, in their own words, or the words of an issue.",
        min_length=1,
        max_length=60_000,
    ),
]
Run = Annotated[str, Field(description="Id of a run, a part of it, or `latest`.")]
Approved = Annotated[
    str, Field(description="Hash of the commands that the person was shown and has allowed.")
]
Seconds = Annotated[
    float,
    Field(description="Seconds to wait for its end before answering.", ge=0, le=_LONGEST_WAIT),
]
_TELLS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_BEGINS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)
_ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)


def make_server(*projects: Path) -> MCPServer[Any]:
    """Return the server for the projects in some folders; the first is what paths start from."""
    places = places_of(*projects)
    server = _Server(
        places,
        name="prp",
        title="prp",
        version=__version__,
        instructions="Executes PRPs (Product Requirement Prompts): plans, codes in a git worktree "
        "and proves every success criterion. Runs go on in the background; success is what the "
        "report proves, never what you think of it.",
        log_level="WARNING",
    )
    _add_documents(server, places)
    _add_drafting(server, places)
    _add_executing(server, places)
    _add_runs(server, places)
    _add_prompts(server)
    return server


class _Server(MCPServer[Any]):
    """Lists the reports of the latest runs as they are when they are asked for."""

    def __init__(self, places: Places, **named: Any) -> None:
        super().__init__(**named)
        self._places = places

    async def list_resources(self) -> list[Resource]:
        folders = await asyncio.to_thread(lambda: list(islice(self._places.runs(), _MOST_LISTED)))
        return [
            Resource(
                uri=f"prp://runs/{folder.id}/report.md",
                name=f"Report of run {folder.id}",
                mime_type="text/markdown",
            )
            for folder in folders
        ]


def _add_documents(server: MCPServer[Any], places: Places) -> None:
    reaching = reaching_for(places)

    @server.tool(annotations=_TELLS)
    @explained
    async def lint(prp: Prp, around: Annotated[Places, Resolve(reaching)]) -> Linted:
        """Say what is wrong with a PRP before it costs anything; nothing of it is run."""
        return await asyncio.to_thread(_linted, around, prp)

    @server.tool(annotations=_BEGINS)
    @explained
    async def plan(
        prp: Prp,
        context: Context,
        around: Annotated[Places, Resolve(reaching)],
        options: Options = _USUAL,
        approved: Approved = "",
    ) -> PlanShown:
        """Run a PRP's checks on the base commit and plan it; nothing is changed or left behind."""
        order = for_planning(options.order(prp, around, approved=approved))
        desk = await asyncio.to_thread(lay_out, order)
        lines: list[str] = []

        def listen(event: Event) -> None:
            if line := line_of(event):
                lines.append(printable(line))

        async with telling(context, lines):
            found = await plan_at(desk, order, listen=listen)
        return PlanShown.model_validate_json(found.as_json())


def _add_drafting(server: MCPServer[Any], places: Places) -> None:
    @server.tool(annotations=_BEGINS)
    @explained
    async def draft(wish: Wanted, context: Context, options: Options = _USUAL) -> DraftShown:
        """Write a PRP for what the person wants; the file is new, nothing else changes.

        A model studies the project with tools that can change nothing; it takes minutes and costs
        money. Show the person the criteria, the checks and the open questions of the file.
        """
        root = places.roots[0]
        # A client's model may hand on what others wrote.
        asked = Wish(issue=wish)
        order = for_drafting(options.order(f"{FOLDER}/draft.md", places), asked)
        order = dataclasses.replace(order, folder=root)
        desk = await asyncio.to_thread(lay_out_draft, order)
        lines: list[str] = []

        def listen(event: Event) -> None:
            if line := line_of(event):
                lines.append(printable(line))

        search_path = os.environ.get("PATH", os.defpath)
        async with telling(context, lines):
            done = await draft_at(desk, order, asked, search_path=search_path, listen=listen)
        kept = await asyncio.to_thread(keep, done, desk.repository.root)
        return DraftShown.model_validate_json(kept.as_json())


def _linted(places: Places, prp: str) -> Linted:
    look_anew()
    document = places.document(prp)
    examined = examine(document)
    exported = examined.exported
    readiness = exported.readiness
    return Linted(
        document=prp,
        title=printable(exported.title),
        ok=not examined.has_errors,
        findings=[
            Found(
                line=found.line,
                code=found.code,
                severity=found.severity.value,
                message=printable(found.message),
                hint=printable(found.hint),
            )
            for found in examined.findings
        ],
        tasks=len(exported.tasks),
        checks=len(exported.checks),
        criteria=len(exported.criteria),
        readiness=readiness.score if readiness else None,
        readiness_in_words=printable(readiness.in_words) if readiness else "",
    )


def _add_executing(server: MCPServer[Any], places: Places) -> None:
    reaching = reaching_for(places)

    async def asked(
        prp: str,
        options: Options,
        approved: str,
        context: Context,
        around: Annotated[Places, Resolve(reaching)],
    ) -> Question | None:
        """Return what a person must be asked first; where they can be, a hash is not enough."""
        given = "" if can_ask(context) else approved
        return await in_thread(lambda: question_of(options.order(prp, around, approved=given)))

    async def answered(
        context: Context, question: Annotated[Question | None, Resolve(asked)]
    ) -> Answer | Elicit[Answer]:
        if question is None or not can_ask(context):
            return Answer(allow=False)
        return Elicit(f"{question.text}\n\nRun these commands?", Answer)

    @server.tool(annotations=_BEGINS)
    @explained
    async def execute(
        prp: Prp,
        context: Context,
        around: Annotated[Places, Resolve(reaching)],
        question: Annotated[Question | None, Resolve(asked)],
        answer: Annotated[ElicitationResult[Answer], Resolve(answered)],
        options: Options = _USUAL,
        approved: Approved = "",
        wait_seconds: Seconds = _USUAL_WAIT,
    ) -> Standing:
        """Begin to carry out a PRP in the background, on a branch of its own; say how it stands.

        The run goes on whatever becomes of this call. The state `needs approval` means that nothing
        was begun: show the person every command first.
        """
        allowed = isinstance(answer, AcceptedElicitation) and answer.data.allow
        if question and not allowed:
            return _unapproved(question, is_refused=can_ask(context))
        given = "" if question else approved
        order = with_ask(options.order(prp, around, approved=given), allowing(question))
        begun = await asyncio.to_thread(detach_order, order, listen=lambda _: None)
        return await watched(begun.folder, context, wait_seconds)


def _unapproved(question: Question, *, is_refused: bool) -> Standing:
    if is_refused:
        return Standing(
            state="needs approval",
            reason="The person was asked and did not allow the commands; nothing was run.",
            approval=question.text,
            next="Stop here, and tell the person that nothing was begun.",
        )
    return Standing(
        state="needs approval",
        reason="A person has to allow these commands first; nothing was run.",
        approval=question.text,
        approve_with=question.digest[:12],
        next="Show the person every command in `approval` and ask. Only if they say yes, call "
        "execute again with `approved` set to the hash in `approve_with`.",
    )


def _add_runs(server: MCPServer[Any], places: Places) -> None:
    @server.tool(annotations=_TELLS)
    @explained
    async def status(run: Run = "", most: Annotated[int, Field(ge=1, le=50)] = 10) -> Standings:
        """Say how one run stands, or the latest runs of this project."""
        return await asyncio.to_thread(_standings, places, run, most)

    @server.tool(annotations=_TELLS)
    @explained
    async def wait(
        context: Context, run: Run = "latest", wait_seconds: Seconds = _USUAL_WAIT
    ) -> Standing:
        """Wait until a run has ended, or the time is over, and say how it stands."""
        return await watched(await asyncio.to_thread(places.run, run), context, wait_seconds)

    @server.tool(annotations=_TELLS)
    @explained
    async def report(
        run: Run = "latest", form: Literal["md", "json", "junit", "sarif", "learnt"] = "md"
    ) -> str:
        """Return the report of a run: verdict, criteria with what shows each, cost.

        As Markdown, JSON, JUnit or SARIF; `learnt` is a patch for the PRP. Also of a run that
        still works.
        """
        text = await asyncio.to_thread(lambda: report_as(places.run(run), form))
        return clip(text, limit=_MOST_TEXT)

    @server.tool(annotations=_ENDS)
    @explained
    async def cancel(context: Context, run: Run) -> Standing:
        """End a run for good; its work is kept on its branch, and its report is written."""
        folder = await asyncio.to_thread(places.run, run)
        lines: list[str] = []
        async with telling(context, lines):
            await asyncio.to_thread(see_ended, folder)
        return standing(folder)

    for name, (form, kind) in _FILES.items():
        uri = f"prp://runs/{{run}}/{name}"
        server.resource(uri, name=name, mime_type=kind)(_reader(places, form))


def _standings(places: Places, run: str, most: int) -> Standings:
    folders = [places.run(run)] if run else islice(places.runs(), most)
    return Standings(runs=[standing(folder) for folder in folders])


def _reader(places: Places, form: str) -> Callable[[str], str]:
    def read(run: str) -> str:
        try:
            return report_as(places.run(run), form)
        except PrpError as error:
            raise ResourceNotFoundError(told(error)) from None

    return read


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description="Execute a PRP and tell what its report says.")
    def execute(prp: str) -> str:
        return _template("mcp_execute", prp=prp)

    @server.prompt(description="Write a PRP for what you want.")
    def draft(wish: str) -> str:
        return _template("mcp_draft", wish=wish)

    @server.prompt(description="Say how the runs of prp stand.")
    def status(run: str = "") -> str:
        return _template("mcp_status", run=run or "the latest runs")


def _template(name: str, **filled: str) -> str:
    text = (_TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
    for word, value in filled.items():
        text = text.replace("{{ " + word + " }}", value)
    return text
