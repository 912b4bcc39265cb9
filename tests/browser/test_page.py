"""The report in a real browser: by keyboard, for assistive technology, narrow, wide, and large."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

from agent.deliver import html, tell
from agent.llm.transcript import Said, Turn
from tests.support.journals import EVIL, PATCH, a_journal

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    assert CHROMIUM, "chromium is not installed: sh scripts/install_browser.sh"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


def opened(browser: Browser, folder: Path, words: str, *, width: int = 1280, **how: Any) -> Page:
    """Open the page of a run that says `words` everywhere; what it does beyond that is kept."""
    events = a_journal(words)
    place = folder / "report.html"
    said = (Said(kind="user", name="", text=words), Said(kind="result", name=words, text=words))
    called = (Said(kind="call", name=words, text=json.dumps({words: words})),)
    turn = Turn(role=words, conversation=1, at=0.0, asked=said, answered=called)
    shown = html(tell(events), events, turns=[turn, turn], patch=PATCH)
    place.write_text(shown, encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, **how)
    page.on("console", lambda message: page_of(page).append(message.text))
    page.on("pageerror", lambda error: page_of(page).append(str(error)))
    page.on("dialog", lambda dialog: page_of(page).append(f"dialog {dialog.message}"))
    page.on("request", lambda asked: page_of(page).append(asked.url))
    page.goto(place.as_uri())
    return page


_SAID: dict[int, list[str]] = {}


def page_of(page: Page) -> list[str]:
    """Return what a page did beyond showing itself."""
    return _SAID.setdefault(id(page), [])


def unfold(page: Page) -> None:
    """Open everything that is folded away."""
    for summary in page.query_selector_all("summary"):
        summary.click()
    # The page's own policy forbids what Playwright's waiting does.
    waiting = "[...document.querySelectorAll('.part')].some(part => part.textContent === '…')"
    while page.evaluate(waiting):
        page.wait_for_timeout(20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_nothing_to_complain_of(
    browser: Browser, tmp_path: Path, scheme: Any
) -> None:
    """With all parts unfolded, what is cut for its length among them, in both colour schemes."""
    page = opened(browser, tmp_path, "some words " * 50, color_scheme=scheme)
    assert page.locator("details.more").count() > 3
    unfold(page)
    found = Axe().run(page)["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_what_a_run_says_is_shown_and_never_done(browser: Browser, tmp_path: Path) -> None:
    """No script of it runs, nothing is asked of anybody, also after unpacking."""
    page = opened(browser, tmp_path, EVIL)
    unfold(page)
    asked = [said for said in page_of(page) if not said.startswith("file://")]
    assert asked == []
    assert "alert(1)" in page.inner_text("body")


@pytest.mark.parametrize("width", [390, 820, 1600])
def test_no_width_makes_the_page_itself_scroll_sideways(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """Wide tables scroll by themselves."""
    page = opened(browser, tmp_path, "a_very_long_word_without_any_break" * 4, width=width)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_new_code_below_the_old_one(browser: Browser, tmp_path: Path) -> None:
    """Both within its width."""
    page = opened(browser, tmp_path, "words", width=390)
    page.evaluate("document.getElementById('file-1').open = true")
    page.wait_for_selector("#file-1 table.sides")
    old, new = (page.locator(f"#file-1 td.{name}").bounding_box() for name in ("del", "ins"))
    assert old
    assert new
    assert new["y"] >= old["y"] + old["height"]
    assert max(box["x"] + box["width"] for box in (old, new)) <= 390


def test_the_keyboard_reaches_and_opens_everything(browser: Browser, tmp_path: Path) -> None:
    """Tab walks, Enter opens, and the first stop leads past the head."""
    page = opened(browser, tmp_path, "words")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the criteria"
    folded = page.locator("details:not([open])").count()
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            page.keyboard.press("Enter")
        if page.evaluate("document.activeElement === document.body"):
            break
    assert folded > 3
    assert page.locator("details:not([open])").count() == 0


def test_a_link_to_a_folded_change_opens_it(browser: Browser, tmp_path: Path) -> None:
    """From the task to its file."""
    page = opened(browser, tmp_path, "words")
    page.click("a[href='#file-1']")
    page.wait_for_selector("#file-1 table.sides")


def test_a_journal_of_fifty_megabytes_opens(browser: Browser, tmp_path: Path) -> None:
    """Large parts are unpacked when opened, a piece at a time, and nothing in them is amiss."""
    events = a_journal("words")
    tool = next(event for event in events if event["type"] == "tool-used")
    events[-1:-1] = [tool | {"summary": f"step {n} " + "x" * 150} for n in range(300_000)]
    place = tmp_path / "large.html"
    place.write_text(html(tell(events), events), encoding="utf-8")
    page = browser.new_page()
    page.goto(place.as_uri())
    page.click("summary:has-text('coder: ')")
    page.wait_for_selector("#agents ~ details button")
    assert page.locator("button").inner_text().startswith("Show more")
    assert page.evaluate("document.body.innerText.length") < 1_000_000
    assert Axe().run(page)["violations"] == []
