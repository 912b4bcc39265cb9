"""What agents are told first: the document, what it refers to, what checks said, the plan."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from agent.llm.web import fetch_page
from agent.planner import Plan
from agent.prp import ReferenceKind
from agent.prp.briefing import Document, brief
from agent.prp.references import documents_of
from agent.runs.desk import Desk
from agent.steps import Json
from agent.verifier import CheckResult, describe
from agent.workspace import FileProblem, clip, repository_map
from agent.workspace.files import read_text


async def brief_of(desk: Desk) -> Json:
    """Return the text that every conversation of a run begins with, and what is missing in it."""
    prp, repository = desk.prp, desk.repository
    mentioned = {change.path for task in prp.tasks for change in task.changes}
    mentioned |= {reference.target for reference in prp.references}
    documents = await _documents(desk)
    text = brief(
        prp,
        documents=documents,
        repository_map=repository_map(repository, desk.base, mentioned=mentioned),
    )
    missing = [f"reference {one.name}: {one.missing}" for one in documents if one.missing]
    return {"text": text, "missing": missing}


async def _documents(desk: Desk) -> list[Document]:
    root = desk.repository.root
    found = documents_of(
        desk.prp,
        files=[
            *desk.repository.files(desk.base),
            *desk.repository.untracked(),
        ],
        read=lambda path: _read(root, path),
        folder=str(PurePosixPath(desk.prp_name).parent).removeprefix("."),
    )
    documents = []
    for reference, document in found:
        if reference.kind is ReferenceKind.URL and desk.settings.fetch_urls:
            text, reason = await fetch_page(
                reference.target,
                cache=desk.settings.state_dir / "pages",
                sections=reference.sections,
            )
            document = Document(  # noqa: PLW2901 - the same document, now with its text
                name=document.name,
                why=document.why,
                content=text,
                missing=reason,
                is_foreign=True,
            )
        documents.append(document)
    return documents


def baseline_in_words(baseline: Sequence[CheckResult]) -> str:
    """Return what the checks said on the base commit, with the output of those that failed."""
    lines = []
    for result in baseline:
        lines.append(describe(result))
        if result.failed:
            lines.append(clip(result.output, limit=800).strip())
    return "\n".join(["<baseline>", *lines, "</baseline>"])


def plan_in_words(plan: Plan, baseline: Sequence[CheckResult]) -> str:
    """Return a plan as a coder reads it."""
    steps = [f"Task {step.task}: {step.approach}" for step in plan.steps]
    concerns = [f"Concern: {concern}" for concern in plan.concerns]
    checks = [describe(result) for result in baseline]
    return "\n".join(
        [
            "<plan>",
            plan.summary,
            *steps,
            *concerns,
            "</plan>",
            "<baseline>",
            "What the checks said on the base commit, before any change:",
            *checks,
            "</baseline>",
        ]
    )


def _read(root: Path, path: str) -> str:
    try:
        return read_text(root, path)
    except FileProblem as error:
        raise ValueError(str(error)) from None
