"""Draw the README's pictures from a run: `python scripts/pictures.py RUN_FOLDER [PICTURES_FOLDER]`.

The terminal as it stood when a run looked at its checks a second time, and the report as it is
now, on a screen and, dark, on a phone. `prp demo` makes such a run. Needs a browser
(scripts/install_browser.sh).
"""

import io
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console

from agent.cli.live import clock, picture
from agent.deliver.board import Board
from agent.deliver.lines import line_of
from agent.journal import (
    AttemptVerified,
    CommandStarted,
    Event,
    FeedbackSent,
    RunStarted,
    read_events,
)
from agent.journal.events import event_of
from agent.runs.folder import RunFolder
from agent.runs.reporting import report_as

_LINES, _COLUMNS = 28, 100
_QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking".split()
_SCREENS = (("report.png", 1280, 1150, "light"), ("report-phone.png", 390, 844, "dark"))


def main(run: Path, pictures: Path) -> None:
    """Draw all of them."""
    _terminal(run, pictures / "terminal.svg")
    page = pictures / "report.html"
    page.write_text(report_as(RunFolder(id=run.name, path=run), "html"), encoding="utf-8")
    try:
        _report(page, pictures)
    finally:
        page.unlink()


def _terminal(run: Path, to: Path) -> None:
    """Draw the run at the first check that is repeated as it is, above it what lasts."""
    console = Console(
        file=io.StringIO(), record=True, width=_COLUMNS, highlight=False, force_terminal=True
    )
    board, began = Board(), 0.0
    for line in read_events(run / "events.jsonl"):
        at, event = float(line["at"]), event_of(line)
        began = began or at
        if event is None:
            continue
        board.take(event, at)
        if isinstance(event, (RunStarted, AttemptVerified, FeedbackSent)):
            console.print(f"{clock(at - began)}  {line_of(event)}", soft_wrap=True)
        if _is_repeated(event):
            break
    tails = {
        one.log: (run / one.log).read_text(encoding="utf-8").splitlines()[-3:]
        for one in board.running.values()
        if (run / one.log).is_file()
    }
    console.print(picture(board, now=at + 1, since=began, tails=tails, height=_LINES))
    drawn = console.export_svg(title="prp demo")
    # A picture asks nobody for a font.
    to.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")


def _is_repeated(event: Event) -> bool:
    """Return whether a check runs again, with no test of ours in it that must fail."""
    if not isinstance(event, CommandStarted):
        return False
    return event.by.endswith("second look") and ".test_" not in event.command


def _report(page: Path, to: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        for name, width, height, scheme in _SCREENS:
            opened = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            opened.goto(page.resolve().as_uri())
            opened.screenshot(path=to / name)
        browser.close()


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    main(given[0], given[1] if len(given) > 1 else Path("docs/pictures"))
