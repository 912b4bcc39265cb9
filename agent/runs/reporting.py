"""The reports of a run: written when it ends, made again when somebody asks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any

from agent.deliver import Story, as_json, as_patch, html, junit, markdown, sarif, steps_of, tell
from agent.errors import PrpError, SettingsError
from agent.journal import read_events
from agent.llm.transcript import read_transcript
from agent.prp.read import read_text
from agent.runs.folder import RunFolder
from agent.shown import json_text, printable_lines
from agent.workspace import Repository, clip

FORMATS = ("html", "md", "json", "junit", "sarif", "learnt")
# Characters of a patch that a page shows side by side.
_SHOWN_PATCH = 4_000_000
# Bytes of one log that a page holds whole, and of all together.
_SHOWN_LOG, _SHOWN_LOGS = 2_000_000, 20_000_000


def reported(folder: RunFolder) -> Story:
    """Write the reports of a run that has ended, and return its story."""
    events = list(read_events(folder.journal))
    story = tell(events)
    if story.ended:
        steps = steps_of(events)
        folder.write_json(folder.summary, as_json(story, steps))
        folder.write(folder.report, printable_lines(markdown(story, steps)))
        folder.write(folder.page, _page(folder, story, events))
        if patch := _learnt(folder, story):
            folder.write(folder.learnt, patch)
    return story


def page_of(folder: RunFolder) -> Path:
    """Return a run's page, made now where it has none: of a run that is under way, or broken off.

    Raises:
        SettingsError: The run has no journal.

    """
    if not folder.page.is_file():
        folder.write(folder.page, report_as(folder, "html"))
    return folder.page


def report_as(folder: RunFolder, form: str) -> str:
    """Return the report of a run in one of `FORMATS`.

    Raises:
        SettingsError: The run has no journal.

    """
    try:
        events = list(read_events(folder.journal))
    except FileNotFoundError:
        raise SettingsError(f"{folder.path} holds no journal") from None
    story = tell(events)
    if form == "html":
        return _page(folder, story, events)
    if form == "md":
        return printable_lines(markdown(story, steps_of(events)))
    if form == "learnt":
        return _learnt(folder, story)
    if form == "junit":
        return junit(story)
    told = sarif(story) if form == "sarif" else as_json(story, steps_of(events))
    return json_text(told, indent=2) + "\n"


def _learnt(folder: RunFolder, story: Story) -> str:
    try:
        return as_patch(story, read_text(folder.document))
    except (PrpError, OSError):  # a run of `prp verify` keeps no document
        return ""


def _page(folder: RunFolder, story: Story, events: Sequence[Mapping[str, Any]]) -> str:
    patch, missing = "", ""
    if story.ended.get("branch"):
        try:
            repository = Repository.open(Path(story.started["repository"]))
            whole = repository.diff(story.started["base"], story.ended["commit"])
            patch = clip(whole, limit=_SHOWN_PATCH)
        except (PrpError, OSError) as error:
            missing = f"The changes can't be shown: {error}"
    turns = read_transcript(folder.transcript)
    return html(
        story, events, turns=turns, patch=patch, missing_patch=missing, logs=_logs_of(folder)
    )


def _logs_of(folder: RunFolder) -> Callable[[str], str | None]:
    """Return what reads a run's logs for its page, which holds them so that it can be sent."""
    left = _SHOWN_LOGS

    def read(name: str) -> str | None:
        nonlocal left
        path = folder.path / name
        try:
            size = path.lstat().st_size
            if not S_ISREG(path.lstat().st_mode) or size > min(left, _SHOWN_LOG):
                return None
            left -= size
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    return read
