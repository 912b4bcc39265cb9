"""The formatter: the template's form, the same meaning, and nothing to do a second time."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.prp import parse_prp
from agent.prp.fmt import format_prp
from agent.prp.fmt.meaning import lost_words, meaning
from agent.prp.fmt.yaml_text import is_loadable, is_valid, mended, tasks_as_yaml
from agent.prp.lines import fences, scan
from agent.prp.scalars import quoted, unquoted

DIALECTS = {
    "v2 without opening marks": 'name: "Rate limits"\ndescription: |\n  Limit requests\n  by key.\n---\n\n## Goal\nLimit requests.\n\n'
    "### list of tasks to be completed\n```yaml\nTask 1:\nMODIFY src/api.py:\n  - FIND pattern: `def get`\n  - INJECT: the check: early\n\n"
    "Task 2:\nCREATE src/limit.py:\n  - MIRROR pattern from: src/cache.py\n```\n\n## Validation Loop\n### Level 1: Syntax\n```bash\nruff check .\n# Expected: no errors\n```\n",
    "v3": "# Rate limits\n\n## Feature Goal\nLimit requests.\n\n## Success Definition\n- all good\n\n## Implementation Blueprint\n\n### Implementation Tasks (ordered by dependencies)\n```yaml\n"
    "Task 1: CREATE src/limit.py\n  - IMPLEMENT: a bucket: refilled each second\n  - NAMING: Bucket\n      - take()\n      - refill()\n  - DEPENDENCIES: none\n\n"
    "Task 2: MODIFY src/api.py\n  - FOLLOW pattern: @limited as in src/x.py\n  - DEPENDENCIES: Task 1\n```\n\n## Validation Gates\n```bash\npytest -q\n```\n",
    "prose in tasks": "# A\n\n## Goal\nb\n\n## Tasks\n```\nTask 1: CREATE a.py\nwrite it: with care\n    deeper: text\n  back\nTask 2 - do: more\n  - x\n```\n",
    "context with colons": "# A\n\n## Goal\nb\n\n## All Needed Context\n```yaml\n- file: src/a.py\n  why: shows: how\n  pattern: include: ['a'], b\n- url: https://a.example/x\n"
    "  critical: @decorated things\n  gotcha: goes on: so\n    below, and here\n```\n",
    "context with a key below a value": "# A\n\n## Goal\nb\n\n## All Needed Context\n```yaml\n- file: src/a.py\n  why: goes on\n    below: no\n```\n",
    "open fences": "# A\n\n## Goal\nb\n\n```python\nx = 1\n\n## Tasks\nTask 1: CREATE a.py\n\n```bash\nls\n```text\n\n## Validation\n```bash\npytest\n",
    "a file with fences in a fence": "# A\n\n## Tasks\n\n### Task 1: CREATE doc.md\n```markdown\n# Doc\n```bash\nls\n```\nend\n```\n\n### Task 2: CREATE b.md\n```markdown\n```yaml\na: 1\n```\n```\n\n"
    "### Task 3: CREATE c.py\n```python\nx = 1\n```\n\n## Validation\n```bash\npytest\n```\n",
    "criteria as bullets": "# A\n\n## Goal\nb\n\n## Acceptance Criteria\n- one\n- two\n  goes on\n\n1. three\n",
    "emoji headings": "# 🚀 A\n\n## 🎯 Goal\nb\n\n## 3. Why\nc\n\n## ✅ Validation Gates\n```bash\npytest\n```\n",
    "windows": "# A\r\n\r\n## Goal\r\nb\r\n\r\n## Tasks\r\n- [ ] Task 1: CREATE a.py\r\n",
    "no YAML at all": "# A\n\n## Goal\nb\n\n## Integration\n```yaml\nDATABASE:\n  - add column: 'x' to y: now\nsome words: here: too\nno key here\n```\n",
    "task twice the same path": "# A\n\n## Goal\nb\n\n## Tasks\n```yaml\nTask 1: both ends\nMODIFY a.py:\n  - first: x\nMODIFY a.py:\n  - second: y\n```\n",
    "body that is no YAML and has no new word": "# A\n\n## Tasks\n```yaml\nTask 1: Fix `a`\nCREATE b.py and c\nTask 2: d\nCREATE b.py:\n  - and: c: d\n```\n",
    "backtick tasks": "# A\n\n## Goal\nb\n\n## Tasks\n### [ ] Task 1: CREATE `a.py`\n- ACTION: write: it\n```python\nx = {'a': 1}\n```\n",
    "quotes in titles": '# A\n\n## Goal\nb\n\n## Tasks\n```yaml\nTask 1: say "hi": now # and here\n  - "quoted: already"\n```\n',
}  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in DIALECTS.items()])
class TestDialects:
    def test_the_meaning_stays(self, text: str) -> None:
        assert meaning(format_prp(text)) == meaning(text)

    def test_formatting_twice_changes_nothing(self, text: str) -> None:
        once = format_prp(text)
        assert format_prp(once) == once

    def test_fences_are_closed_and_yaml_is_yaml(self, text: str) -> None:
        lines, findings = scan(format_prp(text))
        assert not findings
        for fence in fences(lines):
            if fence.language == "yaml":
                assert is_loadable([line.text for line in fence.lines]), fence.code


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        ("v2 without opening marks", "# PRP: Rate limits"),
        ("v2 without opening marks", "- **description**: Limit requests by key."),
        ("v2 without opening marks", "  MODIFY src/api.py:"),
        ("v2 without opening marks", "## Validation Loops"),
        ("v3", "Task 1 - CREATE src/limit.py:"),
        ("v3", "  CREATE src/limit.py:"),
        ("v3", "    - 'IMPLEMENT: a bucket: refilled each second'".replace("'", '"')),
        ("v3", "### Task Breakdown (ordered by dependencies)"),
        ("v3", "## Goal"),
        ("context with colons", '  why: "shows: how"'),
        ("criteria as bullets", "## Success Criteria"),
        ("criteria as bullets", "- [ ] three"),
        ("emoji headings", "## Validation Loops"),
        ("no YAML at all", "```text"),
    ],
)
def test_the_templates_form_is_written(dialect: str, line: str) -> None:
    assert line in format_prp(DIALECTS[dialect]).split("\n")


def test_the_template_itself_is_left_alone() -> None:
    text = (Path(__file__).parents[2] / "PRPs/templates/base.md").read_text()
    assert format_prp(text) == text


def test_the_bundled_example_is_left_alone() -> None:
    root = Path(__file__).parents[2] / "PRPs/examples/demo/project"
    text = (root / "PRPs/offers.md").read_text()
    assert format_prp(text) == text


_PIECES = st.sampled_from(
    [
        *("# A", "## Goal", "## Tasks", "### Task 1: CREATE a.py", "## Validation Loop", "## Why"),
        *("### Level 1: x", "## Success Criteria", "## All Needed Context", "---", "name: x"),
        *("```yaml", "```bash", "```", "```text", "~~~", "````", "  ```yaml"),
        *("Task 1: CREATE a.py", "Task 2 - x: y", "MODIFY b.py:", "  - IMPLEMENT: a: b", "  - c"),
        *("- file: a.py", "  why: b: c", "- url: https://a.example", "- [ ] box", "- [x] done"),
        *("- item", "1. one", "pytest -q", "ruff check . || true", "# Expected: no errors", ""),
        *("    deep: text", "\tk: v", "- `x`", "| a | b |", "<!-- c -->", "<yaml>", "*a: &b", "text"),
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.text(max_size=12)), max_size=24).map("\n".join))
def test_any_document_keeps_its_meaning_and_its_words(text: str) -> None:
    """Whatever is thrown at it."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    once = format_prp(text)
    assert meaning(once) == meaning(plain)
    assert format_prp(once) == once
    names = {"yaml", "yml", "text", "markdown", "md", "plaintext", "1", "Feature", "Task"}
    prp = parse_prp(once, path=Path("x.md"))
    headings = {word for line in plain.split("\n") if line.startswith("#") for word in line.split()}
    assert not lost_words(plain, once).keys() - names - headings, prp.title


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])))
def test_a_quoted_value_says_the_same(value: str) -> None:
    """Quotes come off again as they were put on, and YAML agrees."""
    stripped = value.strip()
    assert unquoted(quoted(stripped)) == stripped


def test_tasks_that_are_none_are_not_written() -> None:
    assert tasks_as_yaml(["a: b"]) == []
    assert tasks_as_yaml(["words before", "Task 1: x"]) == []
    assert is_valid(tasks_as_yaml(["# note", "Task 1: x: y", "  - a: b: c"]))


def test_what_can_not_be_mended_is_said() -> None:
    assert mended(["a: b", "words that are no key"]) == []
    assert mended(["a: b: c"]) == ['a: "b: c"']


def test_a_heading_that_says_more_than_its_parts_name_stays() -> None:
    """A template's words go, an author's own do not."""
    text = "# PRP: A\n\n## Known Gotchas of the SDK: never retry POST\nx\n\n## List of tasks to be completed\ny\n"
    lines = format_prp(text).split("\n")
    assert "## Known Gotchas of the SDK: never retry POST" in lines
    assert "## Task Breakdown" in lines


def test_line_ends_stay_what_they_mostly_are() -> None:
    """A document of Windows keeps them."""
    assert format_prp("# A\r\n\r\n## Goal\r\nb\r\n") == "# PRP: A\r\n\r\n## Goal\r\nb\r\n"
    assert format_prp("# A\r\n\n## Goal\nb\n") == "# PRP: A\n\n## Goal\nb\n"


def test_tabs_that_mean_something_stay() -> None:
    """Those of a Makefile's recipe; a bullet's own indentation is written with blanks."""
    head = "# A\n\n## Goal\nx\n\n## Tasks\n```yaml\nTask 1: MODIFY Makefile\n"
    written = format_prp(f"{head}  - add:\n\ttest:\n\t\tpytest -q\n```\n")
    assert "\n  \ttest:\n  \t\tpytest -q\n" in written
    assert format_prp(written) == written
    assert "\n  - a\tb\n" in format_prp(f"{head}\t- a\tb\n```\n")


def test_a_mark_in_front_of_a_criterion_stays() -> None:
    """It says how far the work is."""
    text = "# A\n\n## Goal\nx\n\n## Success Criteria\n✅ it builds\n"
    assert "- [ ] ✅ it builds" in format_prp(text)
