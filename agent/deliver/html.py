"""The report as one HTML file: no network, nothing in it that a run could have scripted."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from agent.deliver import page_parts
from agent.deliver.against import against
from agent.deliver.filters import FILTERS, neutral
from agent.deliver.packed import Packed
from agent.deliver.page_parts import Logs
from agent.deliver.sides import files_of
from agent.deliver.story import Story
from agent.deliver.timeline import steps_of
from agent.llm.transcript import Turn

_PAGE = Path(__file__).parent / "page"
_PARTS = (
    ("against", "What speaks against it"),
    ("criteria", "Criteria"),
    ("checks", "Checks"),
    ("tests", "Tests from the text, mutants"),
    ("work", "Work and changes"),
    ("time", "Time and cost"),
    ("safety", "Safety"),
    ("notes", "Notes"),
    ("learnt", "What was learnt"),
    ("agents", "What the agents did"),
)


def html(
    story: Story,
    events: Sequence[Mapping[str, Any]],
    *,
    turns: Iterable[Turn] = (),
    patch: str = "",
    missing_patch: str = "",
    logs: Logs = lambda _: None,
) -> str:
    """Return a run as a page that stands alone.

    Args:
        story: The run.
        events: Its journal, for what happened when.
        turns: What its agents and their models said to each other.
        patch: What the branch changes, as git's patch.
        missing_patch: Why there is no patch, in words.
        logs: Returns all that a check printed, by the name of its log; None where it is not kept
            or too large, and then the page shows what the journal has: head and tail.

    """
    packed = Packed()
    objections = against(story)
    parts = (
        page_parts.head_part(story),
        page_parts.against_part(objections),
        page_parts.criteria_part(story),
        page_parts.checked_part(story, packed, logs),
        page_parts.tests_part(story, packed),
        page_parts.work_part(story, objections, files_of(patch), packed),
        page_parts.time_part(story, steps_of(events)),
        page_parts.notes_part(story),
        page_parts.talk_part(events, turns, packed),
    )
    shown: dict[str, Any] = {"story": story}
    for part in parts:
        shown.update(part)
    page: str = _template().render(
        shown,
        parts=[part for part in _PARTS if _is_shown(part[0], shown)],
        missing_diff=missing_patch,
        packed=packed.parts,
        **_own("style", "report.css"),
        **_own("script", "report.js"),
    )
    return page


def _is_shown(part: str, shown: Mapping[str, Any]) -> bool:
    """Return whether a part of the page has anything to say; those not named here always have."""
    has_something = {
        "against": shown["against"],
        "tests": shown["has_tests"] or shown["not_looked"],
        "notes": shown["story"].notes,
        "learnt": shown["has_lessons"],
    }
    return bool(has_something.get(part, True))


def _own(name: str, file: str) -> dict[str, str]:
    """Return a file of ours for a page, and the hash by which the page's policy knows it."""
    text = _PAGE.joinpath(file).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return {name: Markup(text), f"{name}_hash": digest}  # noqa: S704 - a file of ours


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        # Journals of older versions lack what newer ones tell.
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=neutral,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("report.html.j2")
