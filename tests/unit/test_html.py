"""The page shows what a run says and does none of it."""

import itertools
import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from agent.deliver import html, junit, sarif, tell
from agent.deliver.sides import files_of, side_by_side
from agent.deliver.timeline import steps_of
from tests.support.journals import EVIL, PATCH, a_journal, unpacked


def page(words: str, patch: str = "") -> str:
    """Return the page of such a run."""
    events = a_journal(words)
    return html(tell(events), events, patch=patch)


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def seen(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the elements of a page with their attributes."""
    parser = Seen()
    parser.feed(text)
    return parser.tags


def test_nothing_that_a_run_says_becomes_markup() -> None:
    """Whatever stands in any field: the elements are those of a run that says `words`."""
    calm, evil = page("words", PATCH), page(EVIL, PATCH)
    assert [tag for tag, _ in seen(evil)] == [tag for tag, _ in seen(calm)]
    assert not [a for _, attrs in seen(evil) for a in attrs if a.startswith("on")]
    assert "alert(1)" in evil  # it is shown
    assert "\x1b" not in evil
    assert "\u202e" not in evil
    assert ">49<" not in evil


def test_nothing_that_is_unpacked_as_markup_holds_any_of_a_run() -> None:
    """The changes are markup of ours around escaped text."""
    parts = unpacked(page("words", PATCH))
    tags = {tag for tag, _ in seen(parts["diff-1"])}
    assert tags <= {"table", "colgroup", "col", "tbody", "tr", "td", "code", "span"}
    assert "&lt;script&gt;" in parts["diff-1"]


def test_a_page_asks_nobody_for_anything() -> None:
    """No address, and a policy that forbids what we forgot."""
    text = page(EVIL)
    assert "default-src 'none'" in text
    assert not [a for _, attrs in seen(text) for a in attrs if a in ("src", "action")]
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in seen(text))


def test_verdict_comes_first_and_checks_are_linked() -> None:
    """A stranger reads what was asked, what holds and why."""
    text = page("words")
    assert text.index("What was asked") < text.index('id="criteria"') < text.index('id="checks"')
    assert '<a href="#check-L1.1">L1.1</a>' in text
    assert 'id="check-L1.1"' in text
    assert "1 criteria: 1 failed" in text


def test_the_journal_of_a_run_that_is_under_way_makes_a_page_too() -> None:
    """Whatever is missing is left out."""
    events = a_journal("words")
    for length in range(1, len(events)):
        assert "<!doctype html>" in html(tell(events[:length]), events[:length])


@pytest.mark.parametrize("content", ["x\n", "", "\0\n", "\u2028\n", "a\rb\n"])
def test_a_patch_of_anything_keeps_its_numbers(content: str) -> None:
    """Numbers stand beside the lines that they count."""
    body = "".join(f"+{line}\n" for line in content.split("\n"))
    patch = f"diff --git a/x.zz b/x.zz\nnew file mode 100644\n@@ -0,0 +1,2 @@\n{body}"
    (file,) = files_of(patch)
    assert file.status == "new"
    assert side_by_side(file).count("<tr>") == file.added


@pytest.mark.parametrize(
    ("path", "is_coloured"),
    [
        ("src/shop.py", True),
        ("deep/Makefile", True),
        ("include/shop.h", True),
        ("notes.unheard", False),
        ("LICENSE", False),
    ],
)
def test_a_patch_is_coloured_where_its_language_is_known(path: str, is_coloured: bool) -> None:
    """By one language or, as for `.h`, several; whatever is not known is shown as it is."""
    patch = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -0,0 +1 @@\n+int x = 1\n"
    (file,) = files_of(patch)
    shown = side_by_side(file)
    assert ("<span" in shown) is is_coloured
    assert ("int x = 1" in shown) is not is_coloured


def test_steps_follow_each_other_and_carry_their_cost() -> None:
    """The plan begins where the baseline ended."""
    steps = steps_of(a_journal("words"))
    assert [step.kind for step in steps] == ["baseline", "plan", "task", "verify"]
    assert all(a.end == b.start for a, b in itertools.pairwise(steps))
    assert [step.usage.answers for step in steps] == [0, 1, 1, 0]


def test_other_programs_get_the_same_facts() -> None:
    """JUnit counts them, SARIF places them; both survive whatever a run says."""
    story = tell(a_journal(EVIL))
    root = ET.fromstring(junit(story))  # noqa: S314 - made a moment ago
    assert [suite.get("failures") for suite in root] == ["1", "0"]
    results = json.loads(json.dumps(sarif(story)))["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "note"]
    assert results[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
