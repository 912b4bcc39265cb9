"""The page shows what a run says and does none of it."""

import base64
import gzip
import itertools
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from agent.deliver import html, junit, sarif, tell
from agent.deliver.sides import files_of, side_by_side
from agent.deliver.timeline import steps_of

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`\x1b]8;;\u202e{{7*7}}"


def run(words: str, *, path: str = "src/a.py") -> list[dict[str, Any]]:
    """Return the journal of a run in which every text is `words`."""
    check = {"check": "L1.1", "level": 1, "command": words, "status": 1, "seconds": 0.1}
    told = {"reason": words, "output": words}
    objection = {"weight": "noted", "place": words, "what": words}
    answer = {"model": "m", "requests": 1, "input_tokens": 90, "output_tokens": 10}
    answer |= {"cache_read_tokens": 45, "cache_write_tokens": 0, "cost_usd": 0.5, "seconds": 1.0}
    usual = {"attempt": 1}
    started = dict.fromkeys(("run", "repository", "prp", "title", "goal", "sha256"), words)
    started |= dict.fromkeys(("base", "branch", "sandbox", "allowed"), words)
    events: list[dict[str, Any]] = [
        {"type": "run-started", **started, "models": {words: words}, "limits": {"max_attempts": 3}},
        {"type": "noted", "text": words, "warning": True},
        {
            "type": "setup-finished",
            **dict.fromkeys(("kind", "state", "command", "reason", "output"), words),
            "hosts": [words],
            "seconds": 1.0,
        },
        {
            "type": "host-asked",
            **dict.fromkeys(("stage", "host", "address", "state", "reason"), words),
            "port": 443,
            "sent": 1,
            "received": 2,
            "seconds": 1.0,
        },
        {"type": "contract-frozen", "files": {}, "checks": []},
        {"type": "check-finished", "stage": "baseline", "state": "failed", **check, **told},
        {"type": "model-answered", "role": "planner", **answer},
        {
            "type": "planned",
            "summary": words,
            "steps": [{"task": 1, "approach": words}],
            "proofs": [],
            "concerns": [words],
        },
        {"type": "task-started", **usual, "task": 1, "title": words},
        {"type": "tool-used", "role": "coder", "tool": words, "summary": words, "failed": True},
        {"type": "model-answered", "role": "coder", **answer},
        {
            "type": "task-finished",
            **usual,
            "task": 1,
            "commit": "c" * 40,
            "files": [path, words],
            "summary": words,
            "deviations": [words],
            "doubts": [words],
        },
        {"type": "check-finished", "stage": "attempt 1", "state": "passed", **check, **told},
        {
            "type": "mutants-tried",
            **usual,
            "chosen": 3,
            "tried": 2,
            "killed": 1,
            "survivors": [words],
            "seconds": 1.0,
        },
        {
            "type": "holdout-written",
            "path": words,
            "content": words,
            "command": words,
            "tests": [{"name": words, "criterion": "C1", "words": words, "new": True}],
            "reason": "",
        },
        {"type": "holdout-tried", **usual, "passed": [], "failed": {words: words}},
        {
            "type": "criterion-judged",
            **usual,
            "criterion": "C1",
            "text": words,
            "line": 3,
            "status": "failed",
            "evidence": [words, "L1.1 failed"],
        },
        {
            "type": "attempt-verified",
            **usual,
            "commit": "c" * 40,
            "holds": False,
            "failures": [words],
            "concerns": [words],
            "put_back": [words],
            "objections": [objection],
        },
        {"type": "feedback-sent", **usual, "text": words},
        {
            "type": "run-ended",
            "outcome": "failed",
            "exit_status": 10,
            "reason": words,
            "hint": words,
            "branch": words,
            "commit": "c" * 40,
            "seconds": 12.5,
        },
    ]
    return [{"v": 1, "seq": n, "at": 100.0 + n, **event} for n, event in enumerate(events)]


def page(words: str, patch: str = "") -> str:
    """Return the page of such a run."""
    events = run(words)
    return html(tell(events), events, patch=patch)


def unpacked(text: str) -> dict[str, str]:
    """Return the parts of a page that it unpacks on demand."""
    found = re.findall(
        r'<script type="application/octet-stream" id="([^"]+)">([^<]*)</script>', text
    )
    return {name: gzip.decompress(base64.b64decode(data)).decode() for name, data in found}


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


PATCH = (
    "diff --git a/src/a.py b/src/a.py\nindex 1..2 100644\n--- a/src/a.py\n+++ b/src/a.py\n"
    f"@@ -1,2 +1,2 @@ {EVIL}\n x = 1\n-y = '{EVIL}'\n+y = \"{EVIL}\"\n"
)


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
    events = run("words")
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


def test_steps_follow_each_other_and_carry_their_cost() -> None:
    """The plan begins where the baseline ended."""
    steps = steps_of(run("words"))
    assert [step.kind for step in steps] == ["baseline", "plan", "task", "verify"]
    assert all(a.end == b.start for a, b in itertools.pairwise(steps))
    assert [step.usage.answers for step in steps] == [0, 1, 1, 0]


def test_other_programs_get_the_same_facts() -> None:
    """JUnit counts them, SARIF places them; both survive whatever a run says."""
    story = tell(run(EVIL))
    root = ET.fromstring(junit(story))  # noqa: S314 - made a moment ago
    assert [suite.get("failures") for suite in root] == ["1", "0"]
    results = json.loads(json.dumps(sarif(story)))["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "note"]
    assert results[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
