"""Lists of tasks beside phases, and other forms that stand beside those of the template."""

from pathlib import Path

import pytest

from agent.prp import CheckKind, Prp, Verb, parse_prp


def parsed(text: str) -> Prp:
    """Parse a text."""
    return parse_prp(text, path=Path("PRPs/x.md"))


def titles(text: str) -> list[str]:
    return [task.title for task in parsed(text).tasks]


CONTINUED = (
    "# A\n\n## Tasks\n\n### Phase 1: code\n\n"
    "1. CREATE `quote.go`: quotes\n2. UPDATE `shlex.go`: calls it\n\n"
    "### Phase 2: tests\n\n3. CREATE `quote_test.go`\n4. UPDATE `README`: a paragraph\n"
)


def test_a_numbering_that_goes_on_over_phases_numbers_the_tasks() -> None:
    """Given items 1 and 2 in one phase, 3 and 4 in the next, then there are four tasks."""
    tasks = parsed(CONTINUED).tasks
    assert [(task.label, task.line) for task in tasks] == [("1", 7), ("2", 8), ("3", 12), ("4", 13)]
    assert [c.path for task in tasks for c in task.changes] == [
        "quote.go",
        "shlex.go",
        "quote_test.go",
        "README",
    ]


PHASES = (
    "# A\n\n## Tasks\n\n### Phase 1: code\n\n"
    "- **Task 1** (`src/a.py`, `tests/test_a.py`): CREATE `one`\n  with tests\n"
    "- **Task 2**: say it (README.md)\n\n"
    "### Phase 2: reach\n\n- **Task 3** (see e.g. `one`): look\n\n## Validation\n"
)


def test_files_in_brackets_beside_a_task_are_changed_by_it() -> None:
    """Given `Task 1 (a, b): ...`, then it changes both; other words in brackets are no files."""
    changed = [[change.path for change in task.changes] for task in parsed(PHASES).tasks]
    assert changed == [["src/a.py", "tests/test_a.py"], ["README.md"], []]


def test_the_heading_of_the_next_phase_is_no_part_of_a_task() -> None:
    """Given a list of tasks in each phase, then the last of a phase ends where the phase does."""
    tasks = parsed(PHASES).tasks
    assert [(task.line, task.last_line) for task in tasks] == [(7, 8), (9, 9), (13, 13)]
    assert "Phase 2" not in tasks[1].text


def test_a_numbering_that_begins_anew_in_each_phase_numbers_steps() -> None:
    """Then the phases are the tasks."""
    text = CONTINUED.replace("3. ", "1. ").replace("4. ", "2. ")
    assert titles(text) == ["code", "tests"]


def test_a_known_file_without_an_ending_is_changed_where_it_is_marked_as_a_name() -> None:
    """In prose the word stands for something else."""
    text = "# A\n\n## Tasks\n### Task 1: docs\n- UPDATE `LICENSE` {}\n- UPDATE README words\n"
    (task,) = parsed(text).tasks
    assert [(c.verb, c.path) for c in task.changes] == [(Verb.MODIFY, "LICENSE")]


def test_a_section_that_lists_the_tasks_comes_before_the_phases_of_the_blueprint() -> None:
    """Given phases with code, and a list of tasks of its own, then the list holds the tasks."""
    phases = (
        "### Phase 1: the trait\n\n```rust\nfn a() {}\n```\n\n### Phase 2: the client\n\nText.\n\n"
    )
    items = "1. **MODIFY** `src/a.rs` - the trait\n2. **ADD** tests\n3. **UPDATE** old tests\n"
    text = f"# A\n\n## Blueprint\n\n{phases}## Implementation Tasks (in order)\n\n{items}"
    assert [task.line for task in parsed(text).tasks] == [17, 18, 19]
    order = text.replace("Implementation Tasks (in order)", "Implementation Order")
    assert titles(order) == ["the trait", "the client"]


def test_phases_of_the_requirements_are_no_tasks_where_steps_are_listed() -> None:
    """Without the steps they are."""
    phases = (
        "### Phase 1: Templates\n\n#### 1.1 One template\nText.\n\n### Phase 2: Moves\n\nText.\n\n"
    )
    text = f"# A\n\n## Requirements\n\n{phases}"
    steps = "## Implementation Steps\n\n### Step 1: Write them\nText.\n\n### Step 2: Move\nText.\n"
    assert titles(text + steps) == ["Write them", "Move"]
    assert titles(text)[-1] == "Moves"


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        ("**Research of the code (CODE-RESEARCH.md)**:\n- `go()` is there", "CODE-RESEARCH.md"),
        (
            "- **Handler**:\n  <https://docs.example.org/handler>",
            "https://docs.example.org/handler",
        ),
    ],
)
def test_a_source_in_a_label_and_an_address_below_one_are_references(
    lines: str, target: str
) -> None:
    """The line is the item's."""
    text = f"# A\n\n## All Needed Context\n\n{lines}\n"
    assert [(r.target, r.line) for r in parsed(text).references] == [(target, 5)]


@pytest.mark.parametrize(
    "command",
    [
        "grep -c -E '(^| )-[vhplafs]( |\")' run.bash",
        "if grep -q '`go install` caveat' README.md; then exit 1; fi",
        "bash -c '\n  # a <tab>: names only\n  ls\n'",
    ],
)
def test_what_is_searched_for_and_comments_give_a_command_no_other_kind(command: str) -> None:
    """A set of letters in a pattern is no placeholder, a command in one is not run."""
    text = f"# A\n\n## Validation Loop\n```bash\n{command}\n```\n"
    assert [check.kind for check in parsed(text).checks] == [CheckKind.RUN]


def test_backticks_with_a_backslash_stand_within_a_command() -> None:
    """As people write them between the backticks of Markdown."""
    text = "# A\n\n## Success Criteria\n- [ ] `grep -n '\\`go x\\` y' README.md` finds nothing\n"
    assert [check.command for check in parsed(text).checks] == ["grep -n '`go x` y' README.md"]


def test_tools_that_a_line_says_there_are_none_of_are_no_checks() -> None:
    """The second of two as well as the first."""
    text = "# A\n\n## Final Checklist\n- [ ] Nothing made up (no `mypy` / `ruff` was added)\n"
    assert parsed(text).checks == ()


@pytest.mark.parametrize(
    "items",
    [
        "## Task List (in order)\n\n1. Set up modules\n2. Fix the curve\n",
        "## Implementation Tasks\n\n### Backend\n1. **Set up modules** (`src/`)\n   - types\n\n"
        "### Frontend\n2. **Fix the curve**\n",
    ],
)
def test_a_list_of_tasks_may_have_parts_and_another_name(items: str) -> None:
    """It comes before the phases above it all the same."""
    phases = (
        "## Implementation Blueprint\n\n### Phase 1: Sums\nText.\n\n### Phase 2: Views\nText.\n\n"
    )
    assert [title.split(" (")[0] for title in titles(f"# A\n\n{phases}{items}")] == [
        "Set up modules",
        "Fix the curve",
    ]


def test_what_comes_afterwards_is_no_task() -> None:
    """Given the report of a work, then nothing is left to do."""
    text = (
        "# A\n\n## Implementation Notes\n\n### Followed Plan\n1. Added it\n2. Tested it\n\n"
        "## Next Steps\n1. Review it\n2. Merge it\n"
    )
    assert titles(text) == []


def test_numbered_changes_are_tasks_where_there_are_no_others() -> None:
    """Given one section for each of two changes."""
    changes = "### Change 1: Remove the element\nText.\n\n### Change 2: Trust the rest\nText.\n"
    assert titles(f"# A\n\n## Solution\n\n{changes}") == ["Remove the element", "Trust the rest"]
    assert titles(f"# A\n\n## Solution\n\n{changes}\n## Tasks\n### Task 1: all\n") == ["all"]


def test_an_entry_that_begins_with_its_name_is_a_reference() -> None:
    """The line is the entry's first one."""
    text = (
        '# A\n\n## Context\n\n```yaml\nreferences:\n  - name: "Guide"\n'
        '    url: "https://docs.example.org/g"\n    purpose: "the patterns"\n  - name: "tauri"\n'
        '    version: "2.0"\n```\n'
    )
    assert [(r.target, r.line, r.why) for r in parsed(text).references] == [
        ("https://docs.example.org/g", 7, "the patterns")
    ]


def test_a_file_that_is_to_be_worked_on_is_no_reference() -> None:
    """An entry with an action beside its pattern."""
    entry = "- file: docs/a.md\n  action: EXTEND the section\n  pattern: as above\n"
    text = f"# A\n\n## Blueprint\n\n### Integration Points\n```yaml\n{entry}```\n"
    assert parsed(text).references == ()
    assert len(parsed(text.replace("action: EXTEND the section", "why: it")).references) == 1


@pytest.mark.parametrize(
    ("section", "command"),
    [
        ("## Tasks\n### Task 1: x\n**Validation Gate**: \n```bash\nmake lint\n```\n", "make lint"),
        ("## Success Criteria\n- [ ] `./install.sh` exits 0 here\n", "./install.sh"),
        ("## Success Criteria\n- [ ] Re-running `X=1 ./install.sh` is quiet\n", "X=1 ./install.sh"),
        ('## Tasks\nTask 1: VERIFY\n  - `"$HOME/bin/t" --version`\n', '"$HOME/bin/t" --version'),
    ],
)
def test_scripts_and_gates_of_tasks_are_checks(section: str, command: str) -> None:
    """Where the document says that they run, or have to pass."""
    assert [check.command for check in parsed(f"# A\n\n{section}").checks] == [command]


def test_a_script_that_a_criterion_only_names_is_no_check() -> None:
    assert parsed("# A\n\n## Success Criteria\n- [ ] `./install.sh` is there\n").checks == ()


def test_a_file_that_two_sections_name_is_two_references() -> None:
    """Within one section it is one."""
    text = (
        "# A\n\n## Context\n\n- `src/a.ts` - the types\n- `src/a.ts` again\n\n"
        "## References\n\n- `src/a.ts` - again\n"
    )
    assert [r.line for r in parsed(text).references] == [5, 10]


def test_bold_steps_whose_numbers_go_on_over_phases_are_the_tasks() -> None:
    """Also where the section that holds the phases has a number."""
    phases = (
        "### Phase 6a: wrapper\n\n**Step 1: Create it**\nText.\n\n### Phase 6b: page\n\n"
        "**Step 2: Use it**\n"
    )
    assert titles(f"# A\n\n## 6. Implementation Plan\n\n{phases}") == ["Create it", "Use it"]


def test_phases_with_parts_are_no_tasks_beside_a_list_of_them() -> None:
    parts = "### Phase 1: a\n\n#### 1.1 The map\nText.\n\n#### 1.2 The rest\nText.\n\n"
    items = "1. **Add the map**\n2. **Update the rest**\n"
    text = f"# A\n\n## Blueprint\n\n{parts}## Implementation Tasks (Ordered)\n\n{items}"
    assert titles(text) == ["Add the map", "Update the rest"]


def test_tables_of_criteria_count_beside_checkboxes_of_other_headings() -> None:
    """Other tables do not."""
    table = "| Criterion | Target |\n|---|---|\n| Speed | 1 ms |\n"
    text = (
        f"# A\n\n## 7. Success Criteria\n\n### 7.1 Speed\n\n{table}\n### 7.2 Tests\n\n- [ ] pass\n"
    )
    assert len(parsed(text).criteria) == 2
    assert len(parsed(text.replace("Criterion", "Note")).criteria) == 1


@pytest.mark.parametrize(
    ("section", "targets"),
    [
        ("### Key Patterns\n- **Tests**: `tests/a.py` (all pass)\n", ["tests/a.py"]),
        ("```yaml\n- research: notes.md\n  why: the failures\n```\n", ["notes.md"]),
        ("```yaml\n- version: notes.md\n```\n", []),
    ],
)
def test_patterns_and_other_entries_of_the_context_are_references(
    section: str, targets: list[str]
) -> None:
    """An entry where it says why."""
    text = f"# A\n\n## All Needed Context\n\n{section}"
    assert [r.target for r in parsed(text).references] == targets


def test_a_format_of_go_is_no_placeholder() -> None:
    command = 'docker stats --format "{{.Name}}"'
    text = f"# A\n\n## Validation Loop\n```bash\n{command}\n```\n"
    assert [check.kind for check in parsed(text).checks] == [CheckKind.NETWORK]


PLAN = (
    "## Implementation Plan\n\n### Phase 1: Split the file\n- a\n\n"
    "### Phase 2: Write the guide\n- b\n\n"
    "### Phase 3: Link both\n- c\n"
)


@pytest.mark.parametrize(
    "aside",
    [
        "## Approach\n\n### Phase 1: Sizes\nText.\n\n### Phase 2: Rules\nText.\n\n"
        "### Phase 3: More\nText.\n\n",
        "## COMPLETION STATUS\n\n### Phase 1: Sizes are right - COMPLETED\n- x\n\n"
        "### Phase 2: Rules hold - COMPLETED\n- x\n\n",
    ],
    ids=["strategy", "status"],
)
def test_phases_beside_the_section_that_plans_the_work_are_none(aside: str) -> None:
    """Given phases of a strategy or a status, and a plan of its own, then the plan's count."""
    plan = ["Split the file", "Write the guide", "Link both"]
    assert titles(f"# A\n\n{aside}{PLAN}") == plan
    assert titles(f"# A\n\n{PLAN}\n{aside}") == plan
    assert len(titles(f"# A\n\n{aside}")) > 1


def test_phases_beside_a_plan_in_steps_are_none() -> None:
    """Nor those of a migration that follows the work."""
    phases = "### Phase 1: Look\nText.\n\n### Phase 2: Decide\nText.\n\n"
    steps = "## Implementation Steps\n\n### Step 1: Track\nText.\n\n### Step 2: Move\nText.\n\n"
    assert titles(f"# A\n\n## Blueprint\n\n{phases}{steps}") == ["Track", "Move"]
    assert titles(f"# A\n\n{steps}## Migration Strategy\n\n{phases}") == ["Track", "Move"]


def test_tasks_beside_a_plan_in_phases_are_tasks_all_the_same() -> None:
    """Who calls something a task means one."""
    text = "# A\n\n## Roadmap\n\n### Task 4: Tell people\nText.\n\n" + PLAN
    assert "Tell people" in titles(text)


@pytest.mark.parametrize("name", ["Pseudocode", "Task Implementation Details"])
def test_tasks_that_details_speak_of_again_are_told_once(name: str) -> None:
    """Given a list of three and details of two of them under other words."""
    tasks = "### Task 1: CREATE a.py\n\n### Task 2: CREATE b.py\n\n### Task 3: CREATE c.py\n\n"
    details = (
        f"### {name}\n\n#### Task 1: Schemas\n```python\nx\n```\n\n"
        "#### Task 3: Idempotence\nText.\n"
    )
    assert len(titles(f"# A\n\n## Tasks\n\n{tasks}{details}")) == 3


def test_a_heading_that_holds_the_section_of_tasks_is_no_task() -> None:
    """Neither by its number nor by the name of a work item."""
    tasks = "### Task 1: a\nText.\n\n### Task 2: b\nText.\n"
    assert titles(f"# A\n\n## 3. Implementation Tasks\n\nIn order:\n\n{tasks}") == ["a", "b"]
    held = tasks.replace("###", "####")
    text = f"# A\n\n## P1.M1.T1: Verify it\n\nText.\n\n### Implementation Tasks\n\n{held}"
    assert titles(text) == ["a", "b"]


def test_stages_of_the_validation_are_levels() -> None:
    """Given a framework of stages that test, then its commands are checks, and they no tasks."""
    stages = (
        "### Stage 1: Syntax & Security Validation\n```bash\nruff check a\n```\n\n"
        "### Stage 2: Unit Testing\n```bash\npytest tests/unit\n```\n"
    )
    tasks = "## Tasks\n\n### Task 1: a\nText.\n\n### Task 2: b\nText.\n\n"
    prp = parsed(f"# A\n\n{tasks}## Enhanced Multi-Stage Validation Framework\n\n{stages}")
    assert [task.title for task in prp.tasks] == ["a", "b"]
    assert [level.number for level in prp.levels] == [1, 2]
    alone = parsed("# A\n\n" + stages.replace("### ", "# "))
    assert (alone.tasks, len(alone.levels)) == ((), 2)
    built = "## Implementation Plan\n\n### Stage 1: Build\nText.\n\n### Stage 2: Ship\nText.\n"
    assert titles(f"# A\n\n{built}") == ["Build", "Ship"]


def test_expected_outcomes_are_criteria_where_there_are_no_others() -> None:
    """Beside criteria they are hopes."""
    outcomes = (
        "# Expected Outcomes\n\n## Safety\n\n- ✅ **No leak** at all\n\n"
        "## Tests\n\n- 80 % covered\n"
    )
    alone = parsed(f"# A\n\n{outcomes}\n# Next\n\n- other\n")
    assert [criterion.line for criterion in alone.criteria] == [7, 11]
    beside = parsed(f"# A\n\n{outcomes}\n# Success Criteria\n\n- [ ] It works\n")
    assert [criterion.text for criterion in beside.criteria] == ["It works"]


@pytest.mark.parametrize(
    ("section", "targets"),
    [
        (
            "## Sources\n\n### Research Documents\n\n1. **01-notes.md** - notes\n",
            ["01-notes.md"],
        ),
        (
            "## Summary\n\nText.\n\n**Sources:**\n\n- [API](https://a.org/x)\n",
            ["https://a.org/x"],
        ),
        ("## Patterns\n\nReference these files:\n- `a/b.md` - form\n\n- `c` d\n", ["a/b.md"]),
        (
            "## Context\n```yaml\n- url: (no research needed)\n- url: https://a.org\n```\n",
            ["https://a.org"],
        ),
        ("## References\n\n- Unit tests: `src/tests/*.test.ts`\n", ["src/tests/*.test.ts"]),
        (
            "## At a Glance\n\n**Dialog state** (`web/dialog.tsx`, L12-40):\n```ts\nx\n```\n\n"
            "**Sorting** (from notes.md lines 3-9):\n\n**Size** (`web/a.ts`): small\n",
            ["web/dialog.tsx", "notes.md"],
        ),
        (
            "## External Resources\n\n### Requirements in brief\n\n- [Guide](https://a.org/g)\n",
            ["https://a.org/g"],
        ),
    ],
    ids=["heading", "label", "words", "none", "many files", "quoted", "heading of another part"],
)
def test_sources_and_names_of_many_files_are_references(section: str, targets: list[str]) -> None:
    """Wherever the document lists them."""
    assert [r.target for r in parsed(f"# A\n\n{section}").references] == targets


TITLED = (
    "# A\n\n## Implementation\n\n### Phase 1: data (days 1-2)\n\n**Tasks:**\n\n"
    "1. **Install the database**\n   ```bash\n   initdb\n   ```\n"
    "2. **Create src/store.py** (as in src/old.py)\n\n   class Store:\n\n"
    "**Validation:**\n\n1. run it\n\n"
    "### Phase 2: pages\n\n- [ ] **Write the page**\n\n  with a title\n- [ ] **Link it**\n"
)


def test_items_with_a_title_of_their_own_are_the_tasks_of_phases() -> None:
    """Given bold titles with nothing behind them in each phase, then these are the tasks."""
    tasks = parsed(TITLED).tasks
    assert [(task.line, task.title) for task in tasks] == [
        (9, "Install the database"),
        (13, "Create src/store.py"),
        (23, "Write the page"),
        (26, "Link it"),
    ]


@pytest.mark.parametrize(
    "other",
    ["1. **Speed**: is what matters", "1. Install the database"],
    ids=["a remark behind the title", "no title"],
)
def test_items_of_another_form_are_steps_of_their_phase(other: str) -> None:
    """Given one phase with such an item, then the phases are the tasks."""
    text = TITLED.replace("1. **Install the database**", other)
    assert [task.line for task in parsed(text).tasks] == [5, 21]


def test_headings_without_their_accents_are_known() -> None:
    """Given Portuguese written without accents, then criteria and checks are found."""
    prp = parsed(
        "# A\n\n## Resumo\n\n**Criterios de Aceite:**\n- [ ] fecha\n\n## Validacao\n"
        "```bash\nmake test\n```\n"
    )
    assert [criterion.text for criterion in prp.criteria] == ["fecha"]
    assert [check.command for level in prp.levels for check in level.checks] == ["make test"]


def test_acceptance_criteria_below_a_label_of_an_unknown_section_count() -> None:
    """Given a section that we do not know, then its boxes below that label are promises."""
    prp = parsed("# A\n\n## Input\n\n**Acceptance Criteria:**\n- [ ] a\n\n**Scope:**\n- [ ] b\n")
    assert [criterion.text for criterion in prp.criteria] == ["a"]


def test_what_came_of_an_earlier_run_is_neither_asked_nor_promised() -> None:
    """Given a report behind the PRP, then it is kept, and nothing in it is to be done."""
    prp = parsed(
        "# A\n\n## Tasks\n### Task 1: do\n\n## Post-Implementation\n\n"
        "### Final Checklist\n- [x] Lint passes\n\n### Validation\n```bash\nmake lint\n```\n"
    )
    assert not prp.criteria
    assert not prp.levels
    assert [task.line for task in prp.tasks] == [4]
    assert "Final Checklist" in [section.heading for section in prp.remainder]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("http://localhost:3000/page   # the page", CheckKind.NOT_SHELL),
        ("npx prisma studio", CheckKind.SERVER),
        ("wrangler dev", CheckKind.SERVER),
        ("pnpm tauri:dev", CheckKind.SERVER),
        ("npm run test:dev", CheckKind.RUN),
    ],
)
def test_what_no_shell_runs_and_what_does_not_end(command: str, kind: CheckKind) -> None:
    """Given such a line in a validation, then its kind says so."""
    prp = parsed(f"# A\n\n## Validation\n\n### Level 1\n```bash\n{command}\n```\n")
    assert [check.kind for level in prp.levels for check in level.checks] == [kind]


def test_boxes_below_the_validation_of_a_task_are_promised_and_those_elsewhere_are_not() -> None:
    """Given `**Validation**:` in a task, then its boxes say when the task is done."""
    prp = parsed(
        "# A\n\n## Tasks\n\n### Task 1: do\n\n**Validation** :\n- [ ] it shows\n\n"
        "**Steps**:\n- [ ] write it\n\n## Notes\n\n**Validation**:\n- [ ] later\n"
    )
    assert [criterion.text for criterion in prp.criteria] == ["it shows"]


def test_an_item_that_is_but_a_path_is_a_reference_below_the_context() -> None:
    """Given `- docs/guide.md` in the context or below "Context loaded", then it is to be read."""
    loaded = "## Input\n\n**Context loaded:**\n- docs/guide.md\n\n**Scope:**\n- src/app.py\n"
    assert [r.target for r in parsed(f"# A\n\n{loaded}").references] == ["docs/guide.md"]
    context = parsed("# A\n\n## Context\n\n- docs/guide.md\n- and/or that\n")
    assert [r.target for r in context.references] == ["docs/guide.md"]
