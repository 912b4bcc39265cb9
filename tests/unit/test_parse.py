"""The document as values: every part in its own field, every value with its line."""

import cProfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.prp import (
    CheckKind,
    ExpectationKind,
    Prp,
    ReferenceKind,
    TestKind,
    Verb,
    parse_prp,
    slug,
)
from agent.prp.known import KnownFiles
from agent.prp.references import documents_of, locate

DEMO = Path(__file__).parents[2] / "PRPs" / "examples" / "demo" / "project" / "PRPs" / "offers.md"


def parsed(text: str) -> Prp:
    """Parse a text."""
    return parse_prp(text, path=Path("PRPs/x.md"))


class TestTemplate:
    """A PRP in the template's form."""

    prp = parse_prp(DEMO.read_text(encoding="utf-8"), path=DEMO)
    lines = DEMO.read_text(encoding="utf-8").split("\n")

    def test_every_part_has_its_field(self) -> None:
        """Nothing is left over."""
        prp = self.prp
        assert prp.title.text == "Offers on the receipt"
        assert {k.text: v.text for k, v in prp.metadata}["Complexity"] == "Medium"
        for section in (prp.goal, prp.why, prp.what, prp.current_tree, prp.desired_tree):
            assert section is not None
            assert section.body
        assert [c.id for c in prp.promises] == [*(f"C{n}" for n in range(1, 9)), "D1", "D2"]
        assert [task.number for task in prp.tasks] == [1, 2, 3, 4]
        assert [level.number for level in prp.levels] == [1, 2, 3, 4]
        assert len(prp.anti_patterns) == 4
        assert prp.gotchas
        assert prp.patterns
        assert prp.confidence is not None
        assert prp.confidence.score == 8
        assert prp.remainder == ()

    def test_every_value_knows_its_line(self) -> None:
        """The line holds the words."""
        prp = self.prp
        pairs = [
            *((c.text[:20], c.line) for c in prp.promises),
            *((task.title, task.line) for task in prp.tasks),
            *((change.path, change.line) for task in prp.tasks for change in task.changes),
            *((check.command[:10], check.line) for check in prp.checks),
            *((reference.target, reference.line) for reference in prp.references),
            *((test.text, test.line) for spec in prp.test_specs for test in spec.tests),
            *((text.text[:10], text.line) for text in prp.anti_patterns),
        ]
        assert len(pairs) > 45
        for words, line in pairs:
            assert words in self.lines[line - 1]

    def test_references_keep_what_they_say(self) -> None:
        """Kind, why, sections, pattern, gotcha and critical."""
        url, basket, receipt, money, docfile = self.prp.references
        assert url.kind is ReferenceKind.URL
        assert url.sections == ("Rounding modes",)
        assert basket.pattern.startswith("read_basket")
        assert "40 characters" in receipt.gotcha
        assert "float" in money.critical
        assert docfile.kind is ReferenceKind.DOCFILE

    def test_the_test_specification_is_read_by_kind_and_file(self) -> None:
        """Each fence names its file and its tests."""
        kinds = [spec.kind for spec in self.prp.test_specs]
        assert kinds == [
            TestKind.UNIT,
            TestKind.INTEGRATION,
            TestKind.E2E,
            TestKind.PERFORMANCE,
            TestKind.FIXTURES,
        ]
        assert self.prp.test_specs[0].path == "tests/unit/test_offers.py"
        assert len(self.prp.test_specs[0].tests) == 6

    def test_checks_know_kind_and_expectation(self) -> None:
        """What must print nothing, and what needs a secret."""
        by_id = {check.id: check for check in self.prp.checks}
        assert by_id["L3.4"].expectation.kind is ExpectationKind.EMPTY_OUTPUT
        assert by_id["L4.1"].kind is CheckKind.SECRET
        assert by_id["L1.1"].expectation.text == "no errors"


class TestDialects:
    """Forms that people write instead."""

    @pytest.mark.parametrize(
        ("text", "titles"),
        [
            pytest.param("Task 1: CREATE a.py\n  - IMPLEMENT: x", ["CREATE a.py"], id="create"),
            pytest.param("Task 1:\nMODIFY src/a.py:\n  - x", ["MODIFY src/a.py"], id="modify"),
            pytest.param("- [ ] Task 1: Build\n- [ ] Task 2: Test", ["Build", "Test"], id="box"),
            pytest.param("**Task 1**: Build", ["Build"], id="bold"),
            pytest.param(
                "### Task 1: Build\ntext\n### Task 2: Test\ntext", ["Build", "Test"], id="#"
            ),
            pytest.param("### 1. Build\ntext\n### 2. Test\ntext", ["Build", "Test"], id="number"),
            pytest.param("### Step 1: Build\ntext", ["Build"], id="step"),
            pytest.param("- [ ] T001 Build it", ["Build it"], id="T001"),
            pytest.param("Task 1:\n  description: Build\n  MODIFY: a.py", ["Build"], id="key"),
            pytest.param("### CREATE src/a.py\ntext", ["CREATE src/a.py"], id="heading"),
        ],
    )
    def test_tasks_are_found(self, text: str, titles: list[str]) -> None:
        """In a fence or not, valid YAML or not."""
        fenced = f"```yaml\n{text}\n```" if "#" not in text else text
        for body in {text, fenced}:
            prp = parsed(f"# A\n\n## Implementation Tasks\n{body}\n")
            assert [task.title for task in prp.tasks] == titles

    def test_the_dominant_dialect_is_read(self) -> None:
        """Front matter without its opening marks, `## Validation Loop`, invalid YAML."""
        prp = parsed(
            'name: "Login"\ndescription: |\n  x\n---\n\n## Goal\nLog in\n\n'
            "## Implementation Blueprint\n```yaml\nTask 1: CREATE src/login.py\n"
            "  - IMPLEMENT: login\n```\n\n## Validation Loop\n### Level 1: Syntax & Style\n"
            "```bash\nruff check src\n# Expected: No errors\n```\n"
        )
        assert prp.title.text == "Login"
        assert prp.tasks[0].changes[0].verb is Verb.CREATE
        assert prp.tasks[0].changes[0].path == "src/login.py"
        assert prp.checks[0].command == "ruff check src"

    @pytest.mark.parametrize("closing", ["```text", ""], ids=["wrong end", "no end"])
    def test_a_fence_that_is_not_closed_swallows_nothing(self, closing: str) -> None:
        """What follows is read, and the author is told."""
        prp = parsed(f"# A\n\n## Goal\n```python\nx = 1\n{closing}\n\n## Tasks\nTask 1: Build\n")
        assert len(prp.tasks) == 1
        assert prp.findings

    def test_I15_fences_in_a_fence_belong_to_it(self) -> None:
        """Where the first bare marks would turn everything below inside out; tasks go on."""
        inner = "```markdown\n# Doc\n```bash\nls\n```\n\n```python\nx = 1\n```\nend\n```\n"
        rest = "\n### Task 2: CREATE b.py\n```python\ny = 2\n```\n"
        prp = parsed(f"# A\n\n## Tasks\n\n### Task 1: CREATE doc.md\n{inner}{rest}")
        assert [task.line for task in prp.tasks] == [5, 18]
        assert [(f.code, f.line) for f in prp.findings] == [("I15", 6)]

    def test_I15_bare_fences_that_each_hold_another_swallow_no_step(self) -> None:
        """Read one after the other both readings look alike; nested to the end only one does."""
        before_after = (
            "```\nIt says:\n```bash\nls a\n```\n```\n\nbecomes\n\n"
            "```\n```bash\nls b\n```\nend\n```\n"
        )
        prp = parsed(
            f"# A\n\n## Implementation Plan\n\n### Step 1: Paths\n{before_after}{before_after}\n"
            "### Step 2: Add it\n```go\na\n```\n\n### Step 3: Test\n```go\nb\n```\n"
        )
        assert [task.title for task in prp.tasks] == ["Paths", "Add it", "Test"]

    def test_I15_indented_fences_that_stay_open_end_with_the_outer_one(self) -> None:
        """A list's example without its end does not swallow the document."""
        wrong, right = "1. wrong:\n   ```python\n   x\n", "2. right:\n   ```python\n   y\n   ```\n"
        notes = f"```markdown\n{wrong}{right}```\n"
        prp = parsed(
            f"# A\n\n## Notes\n{notes}\n## Tasks\nTask 1: CREATE a.py\n\n```bash\nls\n```\n"
        )
        assert [task.line for task in prp.tasks] == [15]

    def test_a_heading_inside_of_a_fence_is_none(self) -> None:
        """Comments of a script look like headings."""
        prp = parsed("# A\n\n## Goal\n```bash\n# Tasks\n## Validation\n```\nText\n")
        assert prp.goal is not None
        assert prp.remainder == ()

    def test_line_ends_do_not_matter(self) -> None:
        """CRLF and a byte order mark give the same document."""
        text = DEMO.read_text(encoding="utf-8")
        other = parse_prp("\ufeff" + text.replace("\n", "\r\n"), path=DEMO)
        assert other == TestTemplate.prp

    def test_what_is_not_recognised_is_kept(self) -> None:
        """Verbatim, with its line."""
        prp = parsed("# A\n\n## Goal\nB\n\n## Weather\nRain  and\twind\n")
        (section,) = prp.remainder
        assert (section.heading, section.line, section.body) == (
            "Weather",
            6,
            "Rain  and\twind\n",
        )

    def test_commands_in_checklists_are_checks(self) -> None:
        """They stand outside of all levels."""
        prp = parsed("# A\n\n## Success Criteria\n- [ ] Tests pass: `uv run pytest -q`\n")
        assert [(c.id, c.command) for c in prp.checks] == [("X.1", "uv run pytest -q")]


_PARTS = (
    *("# A", "## Goal", "## Tasks", "### Level 1", "```", "```bash", "~~~", "````", "Task 1:"),
    *("- [ ] x", "CREATE a/b.py:", "  - url: http://x", "| a | `b.py` |", "cat <<EOF", "\t"),
    *("if x; then", "\\", "'", "# Expected: 3 %", "- file: /etc/passwd", "├── a/"),
)


class TestRobustness:
    """It never fails on what a document says."""

    @given(st.text(max_size=400))
    def test_any_text_is_read(self, text: str) -> None:
        """Whatever stands in it."""
        parsed(text)

    @given(
        st.lists(
            st.sampled_from(_PARTS),
            max_size=40,
        )
    )
    def test_any_order_of_parts_is_read(self, lines: list[str]) -> None:
        """Fences in fences, lists in tables, everything open."""
        prp = parsed("\n".join(lines))
        assert all(1 <= check.line <= len(lines) for check in prp.checks)


class TestReferences:
    """Where references lead."""

    FILES = ("src/auth.py", "docs/a.md", "src/api/x.py")

    @pytest.mark.parametrize(
        ("target", "path", "reason"),
        [
            pytest.param("src/auth.py", "src/auth.py", "", id="plain"),
            pytest.param("./src/auth.py", "src/auth.py", "", id="dot"),
            pytest.param(r"src\auth.py", "src/auth.py", "", id="Windows"),
            pytest.param(r".\src\api\x.py", "src/api/x.py", "", id="Windows dot"),
            pytest.param(r"..\..\secret.py", "", "leaves", id="Windows outside"),
            pytest.param(r".git\config", "", "git's own", id="Windows git"),
            pytest.param("/home/ann/app/src/auth.py", "src/auth.py", "", id="I28 other machine"),
            pytest.param("../../etc/passwd", "", "leaves", id="I27"),
            pytest.param("~/.ssh/id_rsa", "", "home", id="I29"),
            pytest.param("~/../src/auth.py", "", "home", id="I29 and back"),
            pytest.param(".git/config", "", "git's own", id="I32 git"),
            pytest.param("config/.env", "", "secrets", id="I32 env"),
            pytest.param("src", "", "folder", id="I31"),
            pytest.param("nope.py", "", "no such file", id="I33"),
            pytest.param("api/x.py", "src/api/x.py", "", id="I33 of a package"),
            pytest.param("x.py", "", "no such file", id="I33 a name is not enough"),
        ],
    )
    def test_a_target_is_located_or_refused(self, target: str, path: str, reason: str) -> None:
        """Inside of the repository only."""
        found, why = locate(target, KnownFiles(self.FILES))
        assert found == path
        assert reason in why

    def test_a_docfile_is_trimmed_to_its_sections(self) -> None:
        """What was not asked for is not paid for."""
        prp = parsed(
            "# A\n\n## All Needed Context\n```yaml\n- docfile: docs/a.md\n  why: rules\n"
            '  sections: ["Rounding"]\n```\n'
        )
        text = "# Doc\n\nintro\n\n## Rounding\nhalf even\n\n## Other\nlong\n"
        ((_, document),) = documents_of(prp, files=self.FILES, read=lambda _: text)
        assert document.content == (
            "## Rounding\nhalf even\n\n"
            "[lines 1-4, 8-9 of 9 left out; to see them, read docs/a.md:1-4, docs/a.md:8-9]"
        )

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_sections_of_restructured_text_are_found_by_their_underlines(self, end: str) -> None:
        """Which mark stands for which depth its first use decides, whatever ends the lines."""
        prp = parsed("# A\n\n## Context\n- docfile: docs/a.rst\n  section: Caches\n  why: rules\n")
        text = "Shop\n****\n\nCaches\n======\nall\n\nOne\n---\ntill\n\nOther\n=====\nlong\n"
        files = [*self.FILES, "docs/a.rst"]
        ((_, document),) = documents_of(prp, files=files, read=lambda _: text.replace("\n", end))
        shown, _, note = document.content.rpartition("\n[")
        assert shown == "Caches\n======\nall\n\nOne\n---\ntill\n"
        assert note.startswith("lines 1-3, 12-")

    @pytest.mark.parametrize(
        ("written", "begins", "ends"),
        [
            pytest.param("src/a.py:20-22", 15, 27, id="colon"),
            pytest.param("src/a.py (lines 20-22)", 15, 27, id="brackets"),
            pytest.param("src/a.py, line 20", 15, 25, id="comma"),
            pytest.param("src/a.py L398-L399", 393, 400, id="at the end"),
            pytest.param("src/a.py", 1, 201, id="longer than there is room"),
        ],
    )
    def test_a_file_is_trimmed_to_its_lines(self, written: str, begins: int, ends: int) -> None:
        """Some lines around them come along, and how to read the others is said."""
        prp = parsed(f"# A\n\n## All Needed Context\n```yaml\n- file: {written}\n```\n")
        text = "".join(f"{number:03} {'x' * 114}\n" for number in range(1, 401))
        ((_, document),) = documents_of(prp, files=["src/a.py"], read=lambda _: text)
        *shown, note = document.content.splitlines()
        assert (int(shown[0][:3]), int(shown[-1][:3])) == (begins, ends)
        gaps = [(1, begins - 1), (ends + 1, 400)]
        places = ", ".join(f"src/a.py:{a}-{b}" for a, b in gaps if a <= b)
        assert note.endswith(f"of 400 left out; to see them, read {places}]")
        assert len(document.content) < 24_200

    def test_a_line_longer_than_there_is_room_is_cut(self) -> None:
        """A file of one line can't fill the briefing."""
        prp = parsed("# A\n\n## All Needed Context\n```yaml\n- file: src/a.py\n```\n")
        ((_, document),) = documents_of(prp, files=["src/a.py"], read=lambda _: "x" * 300_000)
        assert len(document.content) < 24_200
        assert document.content.endswith("read src/a.py]")


def test_boxes_of_the_goal_and_of_levels_are_criteria() -> None:
    """In the document's order; plain bullets there are prose."""
    prp = parsed(
        "# A\n\n## Goal\n- [ ] fast\n  and small\n- nice\n\n## Success Criteria\n- [x] green\n\n"
        "## Validation Loop\n### Level 2: By hand\n- [ ] the button is blue\n"
    )
    assert [(c.id, c.line, c.text, c.ticked) for c in prp.criteria] == [
        ("C1", 4, "fast and small", False),
        ("C2", 9, "green", True),
        ("C3", 13, "the button is blue", False),
    ]


def test_acceptance_criteria_of_tasks_are_criteria() -> None:
    """Below their label or heading; other boxes of a task are its steps."""
    prp = parsed(
        "# A\n\n## Tasks\n\n### Task 1: CREATE a.py\n- [ ] write it\n\n**Acceptance Criteria**:\n"
        "- [ ] fast\n  and small\n\n**Notes**:\n- [ ] later\n\n"
        "#### Acceptance Criteria\n- [x] green\n"
    )
    assert [(c.line, c.text) for c in prp.criteria] == [(9, "fast and small"), (16, "green")]
    assert len(prp.tasks) == 1


def test_rows_of_a_table_are_criteria_where_there_is_no_list() -> None:
    """Without the table's head and rule."""
    table = "| Metric | Target |\n| --- | --- |\n| Latency | 10 ms |\n| Memory | |\n"
    prp = parsed(f"# A\n\n## Success Metrics\n{table}")
    assert [(c.line, c.text) for c in prp.criteria] == [(6, "Latency | 10 ms"), (7, "Memory")]


def test_a_file_that_is_named_for_two_reasons_is_two_references() -> None:
    """A mention without a reason of its own adds none; the planner gets the text once."""
    prp = parsed(
        "# A\n\n## All Needed Context\n```yaml\n- file: SPEC.md\n  section: one\n  why: what\n"
        "- file: SPEC.md\n  section: two\n  why: how\n- file: SPEC.md\n```\n- `SPEC.md` says all\n"
    )
    assert [(r.line, r.why) for r in prp.references] == [(5, "what"), (8, "how")]


def test_an_entry_with_a_reason_is_a_reference_wherever_it_stands() -> None:
    """And one without a reason is none outside of the context."""
    prp = parsed(
        "# A\n\n## Goal\nb\n\n## Notes before work\n```yaml\n- file: src/a.py\n  why: shows how\n"
        "- file: src/b.py\n```\n"
    )
    assert [(r.target, r.why, r.line) for r in prp.references] == [("src/a.py", "shows how", 8)]


def test_boxes_of_a_markdown_fence_of_a_level_are_criteria() -> None:
    """Those of a shell fence are steps for a person."""
    fence = "```{}\n- [ ] Every call site is listed\n```\n"
    text = f"# A\n\n## Validation Loop\n### Level 1: Review\n{fence}"
    assert [c.text for c in parsed(text.format("markdown")).criteria] == [
        "Every call site is listed"
    ]
    assert parsed(text.format("bash")).criteria == ()


class TestPlainCriteria:
    """List items that promise something."""

    def test_each_section_of_criteria_has_boxes_or_items(self) -> None:
        """Boxes in one do not hide the items of another."""
        first = "## Success Criteria\n- [ ] it works\n  - how\n\n"
        text = f"# A\n\n{first}## Success Metrics\n- p95 < 2 s\n"
        assert [c.text for c in parsed(text).criteria] == ["it works", "p95 < 2 s"]

    def test_reasons_for_a_confidence_score_are_none(self) -> None:
        """What must be done stands below a label of its own."""
        score = "**Confidence Score**: 9/10\n\n**Rationale**:\n- all paths are known\n\n"
        done = "**Definition of Done**:\n1. the file exists\n"
        text = f"# A\n\n## Success Metrics\n- no crash\n\n{score}{done}"
        assert [c.text for c in parsed(text).criteria] == ["no crash", "the file exists"]

    def test_a_scale_for_scores_is_none(self) -> None:
        """It says how to judge the document."""
        text = "# A\n\n## Success Metrics Scoring\n### Clarity (1-10)\n- 8-10: clear\n"
        assert parsed(text).criteria == ()


@pytest.mark.parametrize(
    "heading",
    [
        "Related Documents",
        "Key Files to Reference",
        "Cross-References",
        "Research Findings",
        "Design Resources and References",
        "Source Files Referenced",
        "Appendix A: Code References",
    ],
)
def test_links_below_other_words_for_references_are_references(heading: str) -> None:
    """As below "References"."""
    text = f"# A\n\n## {heading}\n- [Plan](../PLAN.md)\n- `src/a.ts` - the model\n"
    assert [r.target for r in parsed(text).references] == ["../PLAN.md", "src/a.ts"]


@pytest.mark.parametrize("heading", ["Update Internal References", "API: undefined references"])
def test_work_on_references_is_none(heading: str) -> None:
    """What is to be done to them, or is wrong with them, is no list of them."""
    assert parsed(f"# A\n\n## {heading}\n- `src/a.ts` - the model\n").references == ()


def test_the_lines_of_a_bold_file_are_read() -> None:
    """They stand behind its name, within the marks."""
    text = "# A\n\n## References\n- **store.ts:12-34** - load()\n- **Cart.vue:7** - total\n"
    found = [(r.target, r.lines) for r in parsed(text).references]
    assert found == [("store.ts", (12, 34)), ("Cart.vue", (7, 7))]


class TestWhatATaskNames:
    """Files and other tasks."""

    @pytest.mark.parametrize(
        ("words", "tasks"),
        [
            pytest.param("Tasks 1-3", (1, 2, 3), id="range"),
            pytest.param("Task 1-2 (both complete)", (1, 2), id="range of one task"),
            pytest.param("Tasks 1, 2 and 4", (1, 2, 4), id="list"),
            pytest.param("Task 1, 3", (1, 3), id="list of one task"),
            pytest.param("Task 1, Task 2", (1, 2), id="each with its word"),
            pytest.param("Task 2, 3 fixtures", (2,), id="number of something"),
        ],
    )
    def test_every_task_of_a_list_is_a_dependency(self, words: str, tasks: tuple[int, ...]) -> None:
        """And every one of a range."""
        steps = "".join(f"### Task {n}: x\n" for n in range(1, 5))
        text = f"# A\n\n## Tasks\n{steps}### Task 5: y\n**Depends on**: {words}\n"
        assert parsed(text).tasks[4].depends_on == tasks

    @pytest.mark.parametrize(
        ("action", "verb"),
        [("CREATE", Verb.CREATE), ("CREATE new function", Verb.MODIFY), ("UPDATE", Verb.MODIFY)],
    )
    def test_the_action_of_a_file_stands_on_its_own_line(self, action: str, verb: Verb) -> None:
        """A new function is no new file."""
        text = f"# A\n\n## Tasks\n### Task 1: x\n**File**: `src/a.ts`\n**Action**: {action}\n"
        assert [(c.verb, c.path) for c in parsed(text).tasks[0].changes] == [(verb, "src/a.ts")]

    @pytest.mark.parametrize(
        "words",
        ["CI/CD", "Status/Data", "`dotenv/config`", "src/[each", "github.com/a/b", "/api/users"],
    )
    def test_words_with_a_slash_are_no_file(self, words: str) -> None:
        """Neither are packages and addresses of a server."""
        text = f"# A\n\n## Tasks\n### Task 1: ADD {words} handling\nMODIFY src/a\n"
        assert [c.path for c in parsed(text).tasks[0].changes] == ["src/a"]

    @pytest.mark.parametrize("words", ["/api/users", "describe/it/expect", "app-lines://{id}/x"])
    def test_addresses_of_a_server_are_no_references(self, words: str) -> None:
        """Paths and links are."""
        text = f"# A\n\n## Context\n- `{words}` - the route\n- `src/routes/` - all of them\n"
        assert [r.target for r in parsed(text).references] == ["src/routes/"]


def test_examples_and_ranges_are_no_tasks() -> None:
    """A field of an example, and a heading that speaks of tasks described before."""
    example = "```markdown\n- id: string - the key\n```\n"
    range_ = "### Task 1-2: the whole file\n"
    tasks = "```yaml\nTask 1: CREATE a.py\nTask 2: CREATE b.py\n```\n"
    text = f"# A\n\n## Implementation Tasks\n{tasks}{example}\n{range_}"
    assert [task.title for task in parsed(text).tasks] == ["CREATE a.py", "CREATE b.py"]
    assert [task.label for task in parsed(f"# A\n\n## Tasks\n{range_}").tasks] == ["1"]


def test_gates_without_commands_are_criteria() -> None:
    """With commands they are checks."""
    text = "# A\n\n## Validation Gates\n1. **All tools work** - no failure\n"
    assert [c.text for c in parsed(text).criteria] == ["**All tools work** - no failure"]
    assert parsed(f"{text}2. `make test` passes\n").criteria == ()


class TestReferencesTold:
    """Two parts of a file are two references; a range may stand behind the path."""

    def test_parts_of_one_file_are_told_apart(self) -> None:
        prp = parsed(
            "# X\n\n## Critical Context and Documentation\n- [A](../SPEC.md#3-a)\n"
            "- [B](../SPEC.md#4-b)\n"
            "- `src/a.ts` (lines 3-9)\n- `src/a.ts` (lines 20-30)\n"
        )
        assert [(r.sections, r.lines) for r in prp.references] == [
            (("a",), None),
            (("b",), None),
            ((), (3, 9)),
            ((), (20, 30)),
        ]


class TestNamesInCode:
    """What only looks like a file's ending."""

    @pytest.mark.parametrize(
        ("name", "count"), [("fs.NodeLinker", 0), ("pathlib.Path", 0), ("README.MD", 1)]
    )
    def test_a_name_in_code_is_no_file(self, name: str, count: int) -> None:
        assert len(parsed(f"# X\n\n## Context\n- `{name}` is used\n").references) == count


class TestReferencesInSentences:
    """Other forms in which people point to files."""

    @pytest.mark.parametrize(
        ("line", "target"),
        [
            pytest.param(
                "- **Message list**: `src/list.tsx` (virtual)", "src/list.tsx", id="label"
            ),
            pytest.param("- Guide: docs/guide.md", "docs/guide.md", id="label without marks"),
            pytest.param("**From STATUS.md** (lines 1-9):", "STATUS.md", id="from"),
            pytest.param("**From the design** (`docs/d.md` l. 3):", "docs/d.md", id="from words"),
            pytest.param("2. **Registry** (from `src/r.ts:7-9`)", "src/r.ts", id="pattern"),
            pytest.param("3. **src/a.ts** - the types", "src/a.ts", id="numbered"),
            pytest.param("  [gaps](../docs/gaps.md), again", "../docs/gaps.md", id="link alone"),
        ],
    )
    def test_they_are_references(self, line: str, target: str) -> None:
        """Each with its line."""
        text = f"# A\n\n## All Needed Context\n\n{line}\n"
        assert [(r.target, r.line) for r in parsed(text).references] == [(target, 5)]

    @pytest.mark.parametrize(
        "line",
        ["- **Frontend**: React/Next.js", "- **Overlay** (Dialog.Root)", "- Note: see the docs"],
    )
    def test_names_are_none(self, line: str) -> None:
        """A framework, a component."""
        assert parsed(f"# A\n\n## All Needed Context\n{line}\n").references == ()

    def test_what_the_document_says_about_itself_is_none(self) -> None:
        """Its entries are."""
        lines = "- `src/a.ts` - its line numbers are given\n\n- file: src/b.ts\n  why: x\n"
        text = f"# A\n\n## Context Completeness Check\n{lines}"
        assert [r.target for r in parsed(text).references] == ["src/b.ts"]


@pytest.mark.parametrize("word", ["APPEND to", "REWRITE", "REWIRE", "EDIT"])
def test_other_words_for_changing_a_file_are_known(word: str) -> None:
    """A path behind them is a change."""
    task = parsed(f"# A\n\n## Tasks\n### Task 1: {word} src/a.ts (two places)\n").tasks[0]
    assert [(c.verb, c.path) for c in task.changes] == [(Verb.MODIFY, "src/a.ts")]


def tasks_of(text: str) -> list[str]:
    return [task.title for task in parse_prp(text, path=Path("x.md")).tasks]


@pytest.mark.parametrize("heading", ["Verification Tasks (ordered)", "Validation Tasks"])
def test_tasks_that_verify_are_tasks(heading: str) -> None:
    text = f"# A\n\n## Implementation Blueprint\n\n### {heading}\n```yaml\nTask 1: VERIFY it\n```\n"
    assert tasks_of(text) == ["VERIFY it"]


def test_a_numbered_list_of_tasks_comes_before_what_looks_like_one_elsewhere() -> None:
    """Given a list with ids in a sample of another section, then it is no list of tasks."""
    text = (
        "# A\n\n## Implementation Tasks\n\n1. **Clean words** (15 min)\n2. **Match them**\n\n"
        '## Compatibility\n```yaml\nsuspects:\n  - id: "ann"\n```\n'
    )
    assert tasks_of(text) == ["Clean words (15 min)", "Match them"]


@pytest.mark.parametrize(
    "command",
    [
        "! grep -q secret src",
        'test "$(./tool --path)" = "$PWD"',
        "test -f src/a.py || exit 1",
        "bash scripts/lint.sh README.md",
        "go run ./cmd/check x",
        'case "$(./tool)" in /*) echo ok;; *) exit 1;; esac',
        "[ -f src/a.py ]",
    ],
)
def test_bare_commands_behind_a_label_are_checks_as_they_stand(command: str) -> None:
    text = f"# A\n\n## Implementation Tasks\nTask 1: VERIFY all\n  - VALIDATE: {command}\n"
    checks = parse_prp(text, path=Path("x.md")).checks
    assert [check.command for check in checks] == [command]


@pytest.mark.parametrize(
    "words", ["test coverage of src/a.py", "make sure it works", "find the bug"]
)
def test_sentences_behind_a_label_are_no_checks(words: str) -> None:
    text = f"# A\n\n## Implementation Tasks\nTask 1: VERIFY all\n  - VALIDATE: {words}\n"
    assert parse_prp(text, path=Path("x.md")).checks == ()


def test_items_below_a_bold_label_for_references_are_references() -> None:
    """Outside of the context section, until the list ends."""
    text = (
        "# A\n\n## Appendix\n\n**Key Files to Reference**:\n\n- `src/state.py` (lines 1-103)\n"
        "- `src/api.py`\n\nThe words of `src/other.py` are prose.\n\n**Notes**:\n- `src/none.py`\n"
    )
    found = parse_prp(text, path=Path("x.md")).references
    assert [reference.target for reference in found] == ["src/state.py", "src/api.py"]


def test_lines_of_a_plain_fence_that_say_why_are_references() -> None:
    """In the context, where neither marks nor keys stand before the paths."""
    text = (
        "# A\n\n## Context Files to Read\n\n```\napp/page.tsx          — canonical header\n"
        "store.py - where stories lie\nNode.js - runs it\n```\n"
    )
    found = parse_prp(text, path=Path("x.md")).references
    assert [(reference.target, reference.why) for reference in found] == [
        ("app/page.tsx", "canonical header"),
        ("store.py", "where stories lie"),
    ]


def test_items_that_say_why_are_references() -> None:
    """Below "Files to Reference", without backticks."""
    items = "- crates/a/src/lib.rs - trait to mock\n- Keep it small - always\n"
    text = f"# A\n\n## Files to Reference\n{items}"
    found = parse_prp(text, path=Path("x.md")).references
    assert [(reference.target, reference.why) for reference in found] == [
        ("crates/a/src/lib.rs", "trait to mock")
    ]


def test_a_list_called_tasks_counts_beside_steps_elsewhere() -> None:
    """The steps tell how; the list is at least as fine, and comes last."""
    text = (
        "# A\n\n## Implementation Blueprint\n\n### Step 1: Store\nx\n\n### Step 2: Page\nx\n\n"
        "## Tasks\n1. Add the store\n2. Mock it\n3. Show the page\n"
    )
    found = parse_prp(text, path=Path("x.md")).tasks
    assert [task.title for task in found] == ["Add the store", "Mock it", "Show the page"]


def test_headings_that_quote_and_addresses_behind_a_word_are_references() -> None:
    """In the context, which may be called that of the implementation."""
    text = (
        "# A\n\n## Implementation Context\n\n#### Theme pattern (from src/theme.tsx:4-9)\n"
        "Documentation: https://example.com/themes\nSee https://example.com/prose for more.\n"
    )
    found = parse_prp(text, path=Path("x.md")).references
    assert [(reference.target, reference.lines) for reference in found] == [
        ("src/theme.tsx", (4, 9)),
        ("https://example.com/themes", None),
    ]


def test_what_will_be_created_is_no_reference() -> None:
    """It stands in the context, below a label that says so; what comes below the next one is."""
    text = (
        "# A\n\n## Context\n\n### Related Files\n\n**Will be created:**\n- `src/new.py`\n\n"
        "```\nsrc/newer.py - the store\n```\n\n**Patterns:**\n- `src/old.py`\n"
    )
    found = parse_prp(text, path=Path("x.md")).references
    assert [reference.target for reference in found] == ["src/old.py"]


def test_a_numbered_section_of_tasks_is_none_where_they_stand_elsewhere() -> None:
    """Sections have numbers, too; among others of its rank it is a task."""
    phase = "### Phase 1: Code\n\n#### 1.1 Store\nx\n\n#### 1.2 Page\nx\n\n"
    blueprint = f"## 4. Implementation Blueprint\n\n{phase}"
    steps = "## 6. Implementation Steps\n\n1. **Get a key**\n   - here\n"
    found = parse_prp(f"# A\n\n{blueprint}{steps}", path=Path("x.md")).tasks
    assert [task.title for task in found] == ["Store", "Page"]
    sections = "## Task Breakdown\n\n### 1. Setup Tasks\nx\n\n### 2. Store\nx\n"
    found = parse_prp(f"# A\n\n{sections}", path=Path("x.md")).tasks
    assert [task.title for task in found] == ["Setup Tasks", "Store"]


def test_bold_phases_of_the_breakdown_are_tasks() -> None:
    """Not the boxes below them, nor the phases of a timeline."""
    text = (
        "# A\n\n## Implementation Breakdown\n\n**Phase 1: Reader**\n- [x] head\n- [ ] body\n\n"
        "**Phase 2: Writer**\n- [ ] file\n\n## Timeline\n\n**Phase 1 (Reader)**: done\n"
    )
    found = parse_prp(text, path=Path("x.md")).tasks
    assert [(task.title, task.line) for task in found] == [("Reader", 5), ("Writer", 9)]


def test_days_of_the_tasks_are_tasks() -> None:
    """Several days may be one."""
    text = (
        "# A\n\n## Tasks (5 days)\n\n**Day 1**: Reader\n**Days 2-4**: Writer\n- **Day 5**: Tests\n"
    )
    found = parse_prp(text, path=Path("x.md")).tasks
    assert [task.title for task in found] == ["Reader", "Writer", "Tests"]


def test_the_title_of_a_document_is_no_task_beside_its_steps() -> None:
    """A document may be the stage of a larger work."""
    steps = "## Detailed Implementation\n\n### 6.1 Store\nx\n\n### 6.2 Page\nx\n"
    found = parse_prp(f"# Stage 6: Camera\n\n{steps}", path=Path("x.md")).tasks
    assert [task.title for task in found] == ["Store", "Page"]


def test_what_is_out_of_scope_is_no_criterion() -> None:
    """Even where it stands among the criteria."""
    text = (
        "# A\n\n## Acceptance Criteria\n\n### Must Have\n1. Reads\n\n### Out of Scope\n- Writes\n"
    )
    assert [c.text for c in parse_prp(text, path=Path("x.md")).criteria] == ["Reads"]


class TestOtherLanguages:
    """Headings and tasks of other languages than English."""

    @pytest.mark.parametrize(
        ("goal", "criteria", "tasks", "task", "checks"),
        [
            ("Ziel", "Erfolgskriterien", "Aufgaben", "Aufgabe", "Prüfung"),
            ("Objectif", "Critères de succès", "Tâches", "Tâche", "Vérification"),
            ("Objetivo", "Criterios de éxito", "Tareas", "Tarea", "Validación"),
            ("Obiettivo", "Criteri di successo", "Attività", "Attività", "Verifica"),
            ("Objetivo", "Critérios de sucesso", "Tarefas", "Tarefa", "Validação"),
            ("Цель", "Критерии успеха", "Задачи", "Задача", "Проверка"),
        ],
        ids=["de", "fr", "es", "it", "pt", "ru"],
    )
    def test_parts_are_known(
        self, goal: str, criteria: str, tasks: str, task: str, checks: str
    ) -> None:
        """Goal, criteria, tasks and checks are found where they stand."""
        prp = parsed(
            f"# X\n\n## {goal}\nA.\n\n## {criteria}\n- B\n\n"
            f"## {tasks}\n{task} 1: C\n{task} 2: D\n\n## {checks}\n```\nmake test\n```\n"
        )
        assert prp.goal is not None
        assert prp.goal.heading == goal
        assert [c.line for c in prp.criteria] == [7]
        assert [t.line for t in prp.tasks] == [10, 11]
        assert [c.command for level in prp.levels for c in level.checks] == ["make test"]


class TestSamplesAreNoWork:
    """What a task quotes is none of its own."""

    def test_a_workflow_file_holds_neither_tasks_nor_checks(self) -> None:
        prp = parsed(
            "# X\n\n## Implementation Plan\n\n### Step 1: Call the script\n\n```yaml\n"
            "- name: Build it\n  run: |\n    make build && ls dist/x\n- id: second\n```\n\n"
            "### Step 2: Smoke test\n"
        )
        assert [task.line for task in prp.tasks] == [5, 14]
        assert prp.checks == ()

    def test_pseudocode_of_a_task_is_no_second_one(self) -> None:
        prp = parsed(
            "# X\n\n## Tasks\n```yaml\nTask 1: CREATE a.py\nTask 2: CREATE b.py\n```\n\n"
            "### Task 1 Pseudocode\n```python\npass\n```\n"
        )
        assert [task.line for task in prp.tasks] == [5, 6]

    def test_phases_of_a_strategy_are_left_out_where_tasks_are_listed_below(self) -> None:
        strategy = "## Implementation Plan\n### Phase 1: Audit\nLook.\n#### 1.1 Logs\nx\n"
        listed = "## Implementation Tasks\n### Task 1: A\n- a\n### Task 2: B\n- b\n"
        assert [t.title for t in parsed(f"# X\n{strategy}{listed}").tasks] == ["A", "B"]
        assert [t.title for t in parsed(f"# X\n{strategy}").tasks] == ["Logs"]


class TestPhasesAndRetellings:
    """A task is told once, in its finest form, however often the document speaks of it."""

    @pytest.mark.parametrize(
        ("text", "titles"),
        [
            pytest.param(
                "### Phase 1: Base (Week 1)\n**Objective**: it stands.\n\n#### Step 1.1: A\na\n"
                "#### Step 1.2: B\nb\n### Phase 2: Rest\n**Objective**: all.\n"
                "#### Step 2.1: C\nc\n",
                ["A", "B", "C"],
                id="phases group their steps",
            ),
            pytest.param(
                "### Phase 1: Base\n1. **Step 1.1**: A\n   ```zig\n   x\n   ```\n"
                "2. **Step 1.2**: B\n"
                "### Phase 2: Rest\n3. **Step 2.1**: C\n",
                ["A", "B", "C"],
                id="numbered steps",
            ),
            pytest.param(
                "### Phase 1: Base\n**Goal:** it stands\n\n1.1 **A**\n   - a\n\n1.2 **B**\n"
                "### Phase 2: Rest\n2.1 C\n",
                ["A", "B", "C"],
                id="numbers of a phase",
            ),
            pytest.param(
                "### Phase 1: Base\n- a\n### Phase 2: Rest\n- b\n"
                "### Phase 2 Features (Optional)\nc\n",
                ["Base", "Rest"],
                id="a heading that speaks of a phase",
            ),
            pytest.param(
                "### Phase 1: Base\n1. **Models**\n   - a\n2. **Views**\n### Phase 2: Rest\n- b\n",
                ["Base", "Rest"],
                id="a phase with a list is one task",
            ),
            pytest.param(
                "```yaml\nTask 1: CREATE a.py\n  - x\nTask 2: CREATE shop/b.py\n  - y\n"
                "Task 3: CREATE c.py\n  - z\n```\n#### Task 2: How shop/b.py looks\n"
                "```python\npass\n```\n",
                ["CREATE a.py", "CREATE shop/b.py", "CREATE c.py"],
                id="code for one of them",
            ),
            pytest.param(
                "### Phase 1: Scanner (done)\nIt runs.\n### Phase 1: Scanner, core\na\n"
                "### Phase 2: Inspector\nb\n",
                ["Scanner, core", "Inspector"],
                id="a status before the plan",
            ),
            pytest.param(
                "### Phase 1: Base\ntext\n- item\n#### Step 1: A\na\n#### Step 2: B\nb\n"
                "### Phase 2: Rest\ntext\n- item\n#### Step 1: C\nc\n",
                ["Base", "A", "B", "Rest", "C"],
                id="numbers that begin anew are other tasks",
            ),
        ],
    )
    def test_each_task_is_found_once(self, text: str, titles: list[str]) -> None:
        prp = parsed(f"# X\n\n## Implementation Plan\n{text}")
        assert [task.title for task in prp.tasks] == titles

    def test_criteria_with_ids_are_paragraphs(self) -> None:
        """What stands below `**SC1**: ...` explains it."""
        prp = parsed(
            "# X\n\n## Success Criteria\n\n**SC1**: fast\n- Benchmark: 5 ms\n\n"
            "**SC2**: small\n- 1 MB\n"
        )
        assert [c.text for c in prp.criteria] == ["fast", "small"]

    def test_items_that_a_task_is_accepted_by_are_criteria(self) -> None:
        """Boxes where there are any, else the items themselves."""
        prp = parsed(
            "# X\n\n## Tasks\n### Task 1: A\n**Acceptance Criteria:**\n- fast\n"
            "  enough\n- small\n\n"
            "**Files**:\n- a.py\n### Task 2: B\n**Acceptance Criteria**:\n- [ ] done\n  - why\n"
        )
        assert [c.text for c in prp.criteria] == ["fast enough", "small", "done"]

    @pytest.mark.parametrize(
        ("heading", "count"),
        [
            ("Success Validation", 1),
            ("Production Deployment Checklist", 1),
            ("Pre-Implementation Checklist", 0),
        ],
    )
    def test_headings_of_promises_are_known(self, heading: str, count: int) -> None:
        """What must be true before work begins is none of them."""
        assert len(parsed(f"# X\n\n## {heading}\n- [ ] A\n").promises) == count


class TestPromisesOfTheValidation:
    """Criteria that stand among the commands."""

    def test_items_below_a_label_are_criteria(self) -> None:
        prp = parsed(
            "# X\n\n## Validation Gates\n```bash\nmake test\n```\n"
            "**Success Criteria**:\n- ✅ A\n- B\n\n**Notes**:\n- C\n"
        )
        assert [c.line for c in prp.criteria] == [8, 9]

    def test_marks_that_the_author_gives_are_none(self) -> None:
        prp = parsed("# X\n\n## Success Metrics\n- A\n\n### Security Score: 9/10\n- B\n")
        assert [c.line for c in prp.criteria] == [4]

    def test_a_program_that_nobody_knows_is_a_check_where_it_is_all_that_an_item_says(
        self,
    ) -> None:
        prp = parsed(
            "# X\n\n## Final Checklist\n- [ ] No dead links: `deadlinks --check docs/`\n"
            "- [ ] Journeys work: `./scripts/journeys.sh`\n- [ ] `frob --fast` prints less\n"
        )
        assert [c.line for c in prp.checks] == [4, 5]


GROWING = {
    "comments": (
        "## Validation\n```bash\nmake\n",
        "# Open http://localhost:3 now\n# - one\n# - two\n",
    ),
    "phases": ("## Tasks\n", "### Phase 7: x\n1. **Do it**\n\n"),
    "fences": (
        "## Validation\n### Level 1: x\n",
        "#### Manual test\n```bash\n# 1. Open it\nmake x\n```\n",
    ),
}


@pytest.mark.parametrize("form", GROWING)
def test_work_grows_with_the_length_of_a_document(form: str) -> None:
    """Given four times as many, then no more than about four times the calls."""
    head, unit = GROWING[form]
    calls = []
    for count in (200, 800):
        with cProfile.Profile() as profile:
            parsed(f"# A\n\n{head}{unit * count}")
        calls.append(sum(entry.callcount for entry in profile.getstats()))
    assert calls[1] < 5 * calls[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Add Login.md", "add-login"),
        ("Größe der Münzen.md", "grosse-der-munzen"),
        ("opção_nº-2.md", "opcao-n-2"),
        ("金额.md", "prp"),
    ],
)
def test_a_name_keeps_the_letters_below_its_accents(name: str, expected: str) -> None:
    """Branches and folders have ASCII names that can still be read."""
    assert slug(Path(name)) == expected
