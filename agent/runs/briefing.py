"""What agents are told first: the document, what it refers to, what checks said, the plan."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from agent.llm.web import fetch_page
from agent.planner import Plan
from agent.prp import Reference, ReferenceKind
from agent.prp.briefing import Document, brief
from agent.prp.references import documents_of
from agent.runs.desk import Desk
from agent.steps import Json
from agent.verifier import CheckResult, describe, with_failing_tests, with_last_words
from agent.workspace import FileProblem, clip
from agent.workspace.files import read_text


async def brief_of(desk: Desk) -> Json:
    """Return the text that every conversation of a run begins with, and what is missing in it."""
    from agent.workspace.map import repository_map  # noqa: PLC0415 - no command needs it to start

    prp, repository = desk.prp, desk.repository
    mentioned = {change.path for task in prp.tasks for change in task.changes}
    found = await _documents(desk)
    documents = [document for _, document in found]
    targets = {reference.target for reference, _ in found}
    # What stands in the briefing as a whole needs no outline.
    whole = {one.target for one, document in found if document.is_whole}
    drawn = await asyncio.to_thread(
        repository_map,
        repository,
        desk.base,
        seeds=mentioned | targets,
        shown=whole,
        text=prp.text,
        store=desk.settings.state_dir / "maps.sqlite",
    )
    text = brief(prp, documents=documents, repository_map=drawn, name=desk.prp_name)
    missing = [f"reference {one.name}: {one.missing}" for one in documents if one.missing]
    return {"text": text, "missing": missing}


async def _documents(desk: Desk) -> list[tuple[Reference, Document]]:
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
        documents.append((reference, document))
    return documents


def baseline_in_words(baseline: Sequence[CheckResult]) -> str:
    """Return what the checks said on the base commit, with the output of those that failed."""
    lines = []
    for result in baseline:
        # What passes already is shown by its last words: a runner without tests passes as well.
        lines.append(describe(result) if result.failed else with_last_words(result))
        if result.failed:
            lines.append(clip(result.output, limit=800).strip())
    return "\n".join(["<baseline>", *lines, "</baseline>"])


def plan_in_words(plan: Plan, baseline: Sequence[CheckResult]) -> str:
    """Return a plan as a coder reads it."""
    steps = [f"Task {step.task}: {step.approach}" for step in plan.steps]
    proofs = [f"{proof.criterion} will be shown by: {proof.how}" for proof in plan.proofs]
    concerns = [f"Concern: {concern}" for concern in plan.concerns]
    # A failure's last words tell what stays red for a reason of its own, and what is to turn green.
    checks = [with_failing_tests(r) if r.failed else describe(r) for r in baseline]
    return "\n".join(
        [
            "<plan>",
            plan.summary,
            *steps,
            *proofs,
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
