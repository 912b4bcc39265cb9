"""Forms of tasks, criteria and references that stand beside those of the templates."""

from pathlib import Path

import pytest

from agent.prp import CheckKind, Prp, parse_prp


def parsed(text: str) -> Prp:
    """Parse a text."""
    return parse_prp(text, path=Path("PRPs/x.md"))


def titles(text: str) -> list[str]:
    return [task.title for task in parsed(text).tasks]


def test_plain_commands_for_another_shell_are_checks() -> None:
    """Programs and their words are the same in ours; what has a path of Windows is not."""
    fence = "# A\n\n## Validation\n\n```powershell\n# All\npytest -q tests/\n{more}```\n"
    (found,) = parsed(fence.format(more="")).checks
    assert (found.command, found.kind) == ("pytest -q tests/", CheckKind.RUN)
    both = parsed(fence.format(more="pytest -q src\\app\n")).checks
    assert [check.kind for check in both] == [CheckKind.RUN, CheckKind.NOT_SHELL]


class TestTasks:
    """Each unit of the work is one task."""

    @pytest.mark.parametrize(
        "heading",
        ["구현 순서", "实施步骤", "実装手順", "Next Development Tasks", "Remaining Tasks"],
    )
    def test_sections_that_list_what_is_to_be_done_are_known(self, heading: str) -> None:
        """In words of other languages, and of a document that tells what has been done."""
        assert titles(f"# A\n\n## {heading}\n\n1. `a.py`: one\n2. `b.py`: two\n") == [
            "a.py: one",
            "b.py: two",
        ]

    def test_phases_of_completed_work_are_none(self) -> None:
        """They are told so that the rest is understood."""
        done = (
            "## Completed Work Analysis\n\n### Phase 1: Set-up\n\n1. done\n\n"
            "### Phase 2: Shop\n\n1. done\n\n"
        )
        assert titles(f"# A\n\n{done}## Next Tasks\n\n1. Add the till\n2. Add the bill\n") == [
            "Add the till",
            "Add the bill",
        ]

    def test_items_are_indented_as_their_heading_is(self) -> None:
        """Some write the whole document as one value of its front matter."""
        text = (
            "name: A\ndescription: |\n\n  ## Task order (TDD)\n\n  1. **Red**: test it\n"
            "     1. first\n  2. **Green**: write it\n\n  ## Gates\n"
        )
        assert [task.line for task in parsed(text).tasks] == [6, 8]

    def test_rows_of_a_table_are_tasks_with_their_files(self) -> None:
        """Where the section has no list."""
        table = (
            "| # | Task | File(s) | Status |\n|---|---|---|---|\n"
            "| 1 | Add the till | src/till.ts, src/*.css | Done |\n"
            "| 2 | Add the bill | Dockerfile | Open |\n"
        )
        tasks = parsed(f"# A\n\n## Task Breakdown\n\n{table}").tasks
        assert [(task.label, task.title, task.line) for task in tasks] == [
            ("1", "Add the till", 7),
            ("2", "Add the bill", 8),
        ]
        assert [change.path for task in tasks for change in task.changes] == [
            "src/till.ts",
            "Dockerfile",
        ]

    def test_steps_that_begin_with_the_same_tool_are_different_tasks(self) -> None:
        """Numbers begin anew in each; one word in common does not make them one."""
        step = (
            "### Step {}: Part {}\n\n- [ ] Task 1: `ng generate component {}`\n"
            "- [ ] Task 2: fill {}\n\n"
        )
        text = "# A\n\n## Implementation Plan\n\n" + "".join(
            step.format(n, n, name, name) for n, name in enumerate(("till", "bill", "shop"), 1)
        )
        assert len(parsed(text).tasks) == 6

    def test_numbered_sections_of_a_document_are_none(self) -> None:
        """`1.1` below `1.` is its place, unless it stands in a plan."""
        sections = (
            "## 1. Shop\n\n### 1.1 Goal\nIt sells.\n\n### 1.2 Voice\nKind.\n\n## 2. Later\nNo.\n"
        )
        assert titles(f"# A\n\n{sections}") == []
        assert titles(f"# A\n\n{sections.replace('1. Shop', 'Phase 1: Shop')}")

    def test_implementation_tasks_are_tasks(self) -> None:
        """`Implementation Task 1` begins one as `Task 1` does."""
        block = (
            "Implementation Task 1 - Shop:\n  CREATE shop:\n    - till.py: the till\n\n"
            "Implementation Task 2 - Bill:\n  IMPLEMENT bill.py:\n    - sums\n"
        )
        assert titles(f"# A\n\n## Implementation Plan\n\n```yaml\n{block}```\n") == ["Shop", "Bill"]

    def test_items_of_the_tasks_are_not_the_changes_below_or_beside_them(self) -> None:
        """`1. Add the till` with a fence `CREATE till.py`; headings of other sections."""
        fences = (
            "1. Add the till\n\n```\nCREATE src/till.py:\n- sums\n```\n\n"
            "2. Add the bill\n\n```\nCREATE src/bill.py:\n- lines\n```\n"
        )
        assert titles(f"# A\n\n## Low-Level Tasks\n\n{fences}") == ["Add the till", "Add the bill"]
        beside = "## Requirements\n\n### 7. Integration\n\n#### Update `src/a.py`\n\nso\n\n"
        steps = "## Implementation Steps\n\n1. **Keep a copy**\n2. **Create the till**\n"
        assert titles(f"# A\n\n{beside}{steps}") == ["Keep a copy", "Create the till"]
        files = "### CREATE src/a.py\n\n1. one\n2. two\n\n### CREATE src/b.py\n\n1. three\n"
        assert [task.line for task in parsed(f"# A\n\n## Tasks\n\n{files}").tasks] == [5, 10]

    def test_another_section_behind_the_phases_is_none_of_the_last(self) -> None:
        """So that its numbers do not end the numbering of all items."""
        items = "### Phase 1: A\n1. **Add it**\n\n### Phase 2: B\n2. **Open it**\n"
        order = "### Recommended Order\n1. first A\n"
        assert titles(f"# A\n\n## Tasks\n\n{items}\n{order}") == ["Add it", "Open it"]

    def test_numbered_sections_of_a_document_without_tasks_are_none(self) -> None:
        """Their numbers are those of its other parts; `### P0` says what matters most."""
        parts = "## 1. Success Criteria\n- [ ] x\n\n## 2. User Stories\n- y\n\n## 3. Constraints\n"
        assert titles(f"# A\n\n{parts}\n### P0\n- z\n\n## 4. Risks\n") == []

    def test_priorities_are_none_and_the_list_of_the_blueprint_holds_the_tasks(self) -> None:
        """Where nothing else does."""
        needs = "## Requirements\n\n### P0 - paying\n- **FR-1**: x\n\n### P1 - looks\n- y\n"
        text = f"# A\n\n{needs}\n## Implementation Blueprint\n\n1. Add it\n2. Open it\n"
        assert titles(text) == ["Add it", "Open it"]

    def test_when_a_phase_is_complete_is_no_task(self) -> None:
        """What stands below it are criteria."""
        text = "# A\n\n## Phase 6 Completion Definition\n\n- it pays\n"
        assert titles(text) == []
        assert [criterion.text for criterion in parsed(text).criteria] == ["it pays"]

    def test_a_numbered_section_with_a_list_is_no_task(self) -> None:
        """The items are."""
        text = "# A\n\n## 3. Implementation Plan\n\n1.  **Add it:**\n    - x\n\n2.  **Open it:**\n"
        assert titles(text) == ["Add it", "Open it"]

    def test_a_phase_that_lists_the_tasks_comes_before_those_that_tell_how(self) -> None:
        """Its items are the tasks."""
        phases = "### Phase 1: How\n#### 1.1 The type\n\n### Phase 2: Implementation Tasks\n"
        text = f"# A\n\n## Step-by-Step Plan\n\n{phases}1. **Add it**\n2. **Open it**\n"
        assert titles(text) == ["Add it", "Open it"]

    @pytest.mark.parametrize("heading", ["Task List", "Task Checklist"])
    def test_boxes_of_a_list_called_tasks_are_tasks_beside_steps(self, heading: str) -> None:
        """The steps above tell how."""
        steps = "### Step 1: Till\n```js\nx\n```\n\n### Step 2: Shop\n"
        text = f"# A\n\n## Blueprint\n\n{steps}\n## {heading}\n- [ ] Add it\n- [ ] Open it\n"
        assert titles(text) == ["Add it", "Open it"]
        assert not parsed(text).promises

    def test_the_table_of_the_tasks_comes_before_numbered_sections(self) -> None:
        """They say how, file by file."""
        rows = "| T1 | Add it | a.ts |\n| T2 | Open it | b.ts |\n"
        table = f"| Task | Description | Files |\n|---|---|---|\n{rows}"
        details = "## File by File\n\n### 1. Install\n\n### 2. Type it\n"
        text = f"# A\n\n## Implementation Tasks\n\n{table}\n{details}"
        assert titles(text) == ["Add it", "Open it"]

    def test_reasons_for_an_approach_are_none(self) -> None:
        """What is to be done stands elsewhere."""
        why = "## Recommended Approach\n\n**Why**:\n1. It is fast\n2. It is small\n\n"
        text = f"# A\n\n{why}## Files to Modify\n\n1. **`a.py`**\n2. **`b.py`**\n"
        assert [task.line for task in parsed(text).tasks] == [11, 12]

    def test_settings_of_what_is_connected_are_none(self) -> None:
        """They have names, too."""
        steps = (
            "### Steps\n```yaml\nsteps:\n  - name: Fetch it\n    tools: [a.py]\n"
            "  - name: Send it\n    tools: [b.py]\n```\n"
        )
        points = (
            "### Integration Points\n```yaml\nSECRETS:\n  - name: A_KEY\n    purpose: asks\n```\n"
        )
        assert titles(f"# A\n\n## Implementation Blueprint\n{steps}{points}") == [
            "Fetch it",
            "Send it",
        ]


def commands(text: str) -> list[str]:
    return [check.command for check in parsed(text).checks]


class TestChecks:
    """What proves the work, in the words of its author."""

    @pytest.mark.parametrize(
        "label", ["Validazione", "Validación", "Validação", "Validierung", "Prüfung", "Verifica"]
    )
    def test_labels_of_other_languages_are_known(self, label: str) -> None:
        """As `**Validation**:` is."""
        task = f"### Step 1: A\n\n- [ ] Task 1: do it\n- **{label}:** `npm test` ...\n"
        assert commands(f"# A\n\n## Plan\n\n## Tasks\n\n{task}") == ["npm test"]

    @pytest.mark.parametrize(
        "work",
        [
            "ng generate component shop/till",
            "npx shadcn@latest add button",
            "php artisan make:model Till",
            "dotnet add package Serilog",
            "npm install zod",
        ],
    )
    def test_what_a_task_makes_with_a_tool_is_no_check(self, work: str) -> None:
        """It is the work, and proves nothing."""
        assert commands(
            f"# A\n\n## Tasks\n\n- [ ] Task 1: `{work}`\n- [ ] Task 2: `npm test`\n"
        ) == ["npm test"]

    def test_the_fence_of_a_numbered_item_that_validates_holds_checks(self) -> None:
        """As that of a step of this name does; the fence of another item is its work."""
        fence = "   ```bash\n   {}\n   ```\n"
        text = (
            f"# A\n\n## Tasks\n\n1. **Fix it**\n{fence.format('npm run gen')}\n"
            f"2. **Validation**\n{fence.format('npm run build')}\n## Validation\n```bash\n"
            f"npm test\n```\n"
        )
        assert sorted(commands(text)) == ["npm run build", "npm test"]

    @pytest.mark.parametrize(
        "label", ["**Test locally**:", "**Run Tests**:", "Tests:", "Verify before deleting:"]
    )
    def test_the_fence_below_a_label_of_tests_in_a_task_holds_checks(self, label: str) -> None:
        """The label says what the fence is for."""
        text = f"# A\n\n## Steps\n\n### Step 1: Till\n\n{label}\n```bash\nmake test\n```\n"
        assert [check.command for check in parsed(text).checks] == ["make test"]

    def test_what_a_terminal_prints_below_its_prompts_is_no_command(self) -> None:
        """Where the first command has a prompt, all have."""
        block = "$ make lint\n\nall_is_well\n📊 Files: 3\n\n$ make test\n"
        text = f"# A\n\n## Validation\n\n```bash\n{block}```\n"
        assert [check.command for check in parsed(text).checks] == ["make lint", "make test"]

    def test_marks_of_lines_in_a_fence_say_what_they_are(self) -> None:
        """`VALIDATE:` goes before a command, `EXPECT:` and `FIX:` before words."""
        block = "VALIDATE: ls -l a.js\nEXPECT: no output\nFIX: copy it\n"
        text = f"# A\n\n## Validation Gates\n\n```bash\n{block}```\n"
        (check,) = parsed(text).checks
        assert (check.command, check.line) == ("ls -l a.js", 6)
        assert check.expectation.kind.value == "empty-output"

    def test_a_command_on_the_next_line_of_a_box_is_its_check(self) -> None:
        """Long promises are broken before it; that of another item, or of prose, is none."""
        boxes = (
            "- [ ] **No secrets in logs.**\n      `grep -rn token logs/`\n      must find nothing\n"
        )
        other = "- as below\n  `grep -rn a b`\n\n  `grep -rn c d`\n"
        assert commands(f"# A\n\n## Notes\n\n{boxes}{other}") == ["grep -rn token logs/"]

    def test_the_fence_of_a_validation_among_the_criteria_holds_checks(self) -> None:
        """That below another heading is an example."""
        fence = "```bash\n{}\n```\n"
        text = (
            f"# A\n\n## Success Criteria\n- it works\n\n### Final Validation\n"
            f"{fence.format('npm test')}\n### Example\n{fence.format('npm run x')}"
        )
        assert commands(text) == ["npm test"]

    def test_the_fence_of_an_intermediate_validation_holds_checks(self) -> None:
        """In French as well."""
        items = "1. **Till**\n\n2. **Validation intermédiaire**\n   ```bash\n   make\n   ```\n"
        assert commands(f"# A\n\n## Tasks\n\n{items}") == ["make"]

    def test_criteria_in_a_fence_stand_above_what_shows_them(self) -> None:
        """Both are read; a probe of what nothing here starts needs the network."""
        fence = "# Criterion 1: tills answer\ncurl -f http://localhost:3/health\n\n# note: twice\n"
        prp = parsed(f"# A\n\n## Success Criteria\n\n```bash\n{fence}```\n")
        assert [(c.line, c.text) for c in prp.criteria] == [(6, "tills answer")]
        assert [(c.line, c.kind) for c in prp.checks] == [(7, CheckKind.NETWORK)]

    def test_a_task_says_in_yaml_what_validates_it(self) -> None:
        """In quotes, behind `command:`; words in quotes behind another label are none."""
        proof = 'validation:\n    - command: "pytest -q \'a b\'"\n    - expect: "x"\n'
        block = f"till:\n  file: a.py\n  {proof}"
        note = '- Verify: "git check-ignore works"\n'
        text = f"# A\n\n## Tasks\n\n### Task 1: Till\n```yaml\n{block}```\n```yaml\n{note}```\n"
        assert commands(text) == ["pytest -q 'a b'"]

    def test_the_fence_of_testing_below_the_criteria_holds_checks(self) -> None:
        """`Success Validation` is a section of criteria by its name."""
        text = "# A\n\n## Success Validation\n\n### Functional Testing\n```bash\nmake test\n```\n"
        assert commands(text) == ["make test"]

    def test_results_of_a_validation_are_no_checks(self) -> None:
        """They tell what came of one."""
        assert commands("# A\n\n### Validation Results\n\n- `pnpm lint` - PASS\n") == []

    def test_scenarios_below_manual_testing_are_for_a_person(self) -> None:
        """A label about something else ends them."""
        steps = "**Test Scenarios:**\n\n1. Open the page\n\n**Expected:**\n\n1. It is green\n"
        prp = parsed(f"# A\n\n## Validation Gates\n\n### Manual Testing\n\n{steps}")
        assert [(check.kind, check.command) for check in prp.checks] == [
            (CheckKind.MANUAL, "Open the page")
        ]


class TestCriteria:
    """What must hold in the end."""

    def test_marked_lines_of_a_plain_fence_are_criteria_where_there_are_no_others(self) -> None:
        """Neither code nor a checklist of what is to be done is looked at."""
        fence = "```yaml\nSpeed:\n  ✅ under 2 s\n  - [ ] no crash\n  note: none\n```\n"
        text = f"# A\n\n## Success Criteria\n\n{fence}"
        assert [criterion.text for criterion in parsed(text).criteria] == ["under 2 s", "no crash"]
        tasks = text.replace("Success Criteria", "Task Checklist")
        assert not parsed(tasks).promises
        assert not parsed(text.replace("yaml", "ts")).criteria

    def test_the_list_of_the_definition_of_success_counts(self) -> None:
        """The goal of some templates has it, beside the criteria."""
        goal = "# A\n\n## Goal\n\n**Success Definition**:\n1. it works\n2. it is fast\n\n"
        assert [c.text for c in parsed(goal).criteria] == ["it works", "it is fast"]
        both = f"{goal}## Success Criteria\n- [ ] all of it\n"
        assert [c.text for c in parsed(both).criteria] == ["it works", "it is fast", "all of it"]

    def test_boxes_of_deliverables_and_in_lists_of_a_validation_are_criteria(self) -> None:
        """Whatever phase they are of, and in whatever fence of text."""
        text = (
            "# A\n\n## Final Deliverables\n\n### Phase 1 Deliverables (Day 1)\n- [ ] tills open\n\n"
            "## Validation\n### Level 4: By hand\n```yaml\nshop:\n  - [ ] it closes\n```\n"
        )
        assert [criterion.text for criterion in parsed(text).criteria] == [
            "tills open",
            "it closes",
        ]

    def test_items_below_a_label_of_criteria_are_criteria_in_sections_without_a_name(self) -> None:
        """In other languages as well."""
        text = "# A\n\n## Tarefa original\n\n**Critérios de Aceite:**\n- abre\n\n## Goal\n- x\n"
        assert [criterion.text for criterion in parsed(text).criteria] == ["abre"]

    def test_gates_without_a_command_are_criteria_beside_those_with_one(self) -> None:
        """Numbered steps beside commands are none."""
        gates = "- **Task 1**: run `npm test`\n- **Task 2**: tills open\n1. Go there\n"
        prp = parsed(f"# A\n\n## Validation Gates\n{gates}")
        assert [criterion.text for criterion in prp.criteria] == ["**Task 2**: tills open"]

    def test_items_below_a_label_in_the_summary_are_criteria(self) -> None:
        """Beside those of their own section."""
        summary = "## Overview\n\n**Success Criteria**:\n- ✅ tills open\n"
        prp = parsed(f"# A\n\n{summary}\n## Success Criteria\n- [ ] it pays\n")
        assert [criterion.line for criterion in prp.criteria] == [6, 9]

    def test_what_an_author_says_of_the_document_is_none(self) -> None:
        """It stands among the metrics all the same."""
        own = "### Context Completeness Check\n- ✅ **All** named\n"
        prp = parsed(f"# A\n\n## Success Metrics\n- no crash\n\n{own}")
        assert [criterion.text for criterion in prp.criteria] == ["no crash"]

    def test_boxes_that_choose_among_possibilities_are_none(self) -> None:
        """Which kind of program it is proves nothing about it."""
        text = (
            "# A\n\n## What\n\n### Agent Type Classification\n- [x] Chat\n- [ ] Workflow\n\n"
            "### External Integrations\n- [x] a database\n\n### Success Criteria\n- [ ] it works\n"
        )
        assert [promise.text for promise in parsed(text).promises] == ["it works"]

    def test_reasons_for_a_score_with_a_purpose_are_none(self) -> None:
        """`Confidence Level for ...: 8/10` is a score, too."""
        text = (
            "# A\n\n## Success Metrics\n- no crash\n\n"
            "**Confidence Level for One-Pass Implementation: 8.5/10**\n\n**Reasoning:**\n\n"
            "- all is known\n"
        )
        assert [criterion.text for criterion in parsed(text).criteria] == ["no crash"]


class TestReferences:
    """What is to be read before the work."""

    @pytest.mark.parametrize("heading", ["Resources", "Additional Resources", "Documentation URLs"])
    def test_resources_are_references(self, heading: str) -> None:
        """A list of addresses below a name for it."""
        text = f"# A\n\n## {heading}\n\n- **Till:** https://example.com/till\n"
        assert [reference.line for reference in parsed(text).references] == [5]

    def test_files_of_the_context_at_the_end_are_none(self) -> None:
        """They are what the work makes."""
        text = (
            "# A\n\n## Context\n\n### Beginning context\n\n- `a.py` (it)\n\n"
            "### Ending context\n\n- `b.py` (new)\n"
        )
        assert [reference.target for reference in parsed(text).references] == ["a.py"]

    def test_a_summary_of_the_research_names_references(self) -> None:
        """The files that were read stand in its list."""
        text = "# A\n\n## Research Summary\n\n**Key Files:**\n- `/src/a.py` - lines 1-9: till\n"
        assert [reference.line for reference in parsed(text).references] == [6]

    def test_maps_and_lists_of_the_context_name_references(self) -> None:
        """In YAML, by key or as items; what is made, asked or listed of a folder is none."""
        block = (
            'docs:\n  router: "https://example.com/docs/app"\n  stack:\n    file: "docs/stack.md"\n'
            "similar:\n  - src/a.py\n  - src/b.py  # as it stands\n"
            'api:\n  base_url: "https://api.example.com"\n'
            "new_files:\n  - src/c.py\nsrc/shop/:\n  - pages/till.tsx\n"
        )
        prp = parsed(f"# A\n\n## All Needed Context\n```yaml\n{block}```\n")
        assert [reference.target for reference in prp.references] == [
            "https://example.com/docs/app",
            "docs/stack.md",
            "src/a.py",
            "src/b.py",
        ]

    def test_rows_name_addresses_links_and_paths(self) -> None:
        """A row of what is to be made names none, unless it is marked as a name."""
        rows = (
            "| Till | https://example.com/till | Setup |\n| Shop | [Guide](docs/shop.md) | all |\n"
            "| src/till.ts | 4-9 | Pattern |\n| src/new.ts | NEW | Till |\n"
            "| Sheet | `docs/My sheet.xlsx` | form |\n| Fast | yes | no |\n"
        )
        prp = parsed(f"# A\n\n## References\n\n| A | B | C |\n|---|---|---|\n{rows}")
        assert [(reference.target, reference.lines) for reference in prp.references] == [
            ("https://example.com/till", None),
            ("docs/shop.md", None),
            ("src/till.ts", (4, 9)),
            ("docs/My sheet.xlsx", None),
        ]

    @pytest.mark.parametrize(
        ("line", "target"),
        [
            ("**DTOs:** `Api/Till.cs:5-46`", "Api/Till.cs"),
            ("- **Docs:** https://example.com/a", "https://example.com/a"),
            ("### The till (from src/till.tsx:4-9)", "src/till.tsx"),
            ("```ts\n// SOURCE: src/till.ts:4-9\nx\n```", "src/till.ts"),
            ("```ts\n// EXACT PATTERN from src/till.ts (lines 4-9)\nx\n```", "src/till.ts"),
            ("Rules of [the shop](../docs/shop.md#tills), ![no](a.png)", "../docs/shop.md"),
            ("**Referencia panel:**\n- `src/till.ts` - how", "src/till.ts"),
            ("**Entry**: `src/[id]/till.tsx:4-9` - there", "src/[id]/till.tsx"),
            ("**Pattern**: See `Till.cs:4-9` for it", "Till.cs"),
            ("**Key Files**:\n- **Till**: `Api\\Till.cs`", "Api\\Till.cs"),
        ],
        ids="label documentation heading source pattern link label bracket see Windows".split(),
    )
    def test_what_is_quoted_or_documented_is_named_anywhere(self, line: str, target: str) -> None:
        """With its lines, or with a word for documentation."""
        prp = parsed(f"# A\n\n## How tills work\n\n{line}\n")
        assert [reference.target for reference in prp.references] == [target]

    def test_a_file_within_the_words_of_an_item_is_one(self) -> None:
        """Below the context, where a folder stands before it."""
        items = "- The `pay()` command in `src/till.py` - how\n- It stands in `till.py`, too\n"
        prp = parsed(f"# A\n\n## Context\n\n{items}")
        assert [reference.target for reference in prp.references] == ["src/till.py"]

    @pytest.mark.parametrize(
        "line", ["**File:** `src/till.ts`", "```ts\n// from src/till.ts\nx\n```", "**Fast:** `yes`"]
    )
    def test_what_is_only_named_elsewhere_is_none(self, line: str) -> None:
        """It may be what is to be changed."""
        assert not parsed(f"# A\n\n## How tills work\n\n{line}\n").references


class TestOtherLanguages:
    """Headings whose words have no spaces between them, and others."""

    text = (
        "# A\n\n## 任务列表\n\n### 阶段 1：准备\n1. 更新 `a.toml`\n2. 更新 `b.ts`\n\n"
        "### 阶段 2：实现\n3. 添加测试\n\n"
        "## 验证门控\n\n```bash\nnpm test\n```\n\n- [ ] 响应正确\n\n## 参考资料\n\n"
        "- [文档](https://example.com/a)\n"
    )

    def test_parts_whose_names_go_on_are_known(self) -> None:
        """验证门控 and 验证标准 begin with the word for validation."""
        prp = parsed(self.text)
        assert [task.line for task in prp.tasks] == [6, 7, 10]
        assert [check.command for check in prp.checks] == ["npm test"]
        assert [promise.line for promise in prp.promises] == [18]
        assert [reference.line for reference in prp.references] == [22]

    @pytest.mark.parametrize(
        "heading", ['4. Criterios de "listo para implementar"', "Criterios de QA (antes de merge)"]
    )
    def test_criteria_of_quality_are_criteria(self, heading: str) -> None:
        """They say when the work may be merged."""
        prp = parsed(f"# A\n\n## {heading}\n\n- [ ] sin errores\n")
        assert [criterion.text for criterion in prp.criteria] == ["sin errores"]


def test_what_a_fence_only_says_is_no_check() -> None:
    """Given `echo "=== Build ==="` beside commands, then only they count; alone it does."""
    fence = '# A\n\n## Validation\n\n```bash\necho "=== Build ==="\n{more}```\n'
    both = parsed(fence.format(more='make build && echo "built"\necho "done: $?"\n')).checks
    assert [c.command for c in both] == ['make build && echo "built"', 'echo "done: $?"']
    (alone,) = parsed(fence.format(more="")).checks
    assert (alone.command, alone.can_fail) == ('echo "=== Build ==="', False)


def test_commands_in_a_fence_for_python_are_checks() -> None:
    """Given nothing but command lines, its language is a mistake; a program has no commands."""
    fence = "# A\n\n## Validation\n\n### Level 1\n```python\n# All\n{}\n```\n"
    run = parsed(fence.format("pytest tests/unit -v\ntrufflehog filesystem ."))
    assert [c.command for c in run.checks] == ["pytest tests/unit -v", "trufflehog filesystem ."]
    program = "python = find()\nassert python"
    assert [c.kind for c in parsed(fence.format(program)).checks if c.kind is CheckKind.RUN] == []


def test_boxes_below_a_bold_label_are_criteria_beside_context_and_at_the_gates_of_a_phase() -> None:
    """Given criteria in "Context & Objectives" and gates below a phase, then all of them count."""
    text = (
        "# A\n\n## 1. Context & Objectives\n**Problem:** None.\n**Success Criteria:**\n"
        "- [ ] The till opens\n\n## 2. Plan\n\n### Phase 1: Till (2 days)\n"
        "**Validation Gates**:\n- [ ] Reviewed by two\n"
    )
    assert [c.text for c in parsed(text).criteria] == ["The till opens", "Reviewed by two"]


def test_headings_with_a_letter_or_a_ticket_and_a_number_are_tasks() -> None:
    """`#### A1: ...` below a stream, `### TASK-023: ...` with numbered steps in it."""
    streams = "# A\n\n## Implementation\n\n### Stream A: Till\n\n#### A1: Drawer\n\n#### A2: Lamp\n"
    assert [t.title for t in parsed(streams).tasks] == ["A1: Drawer", "A2: Lamp"]
    tickets = (
        "# A\n\n## Task Breakdown\n\n### TASK-023: Drawer (4 hours)\n\n1. **Open it** (1 hour)\n"
        "2. **Close it** (1 hour)\n\n### TASK-024: Lamp\n\n1. **Light it** (1 hour)\n"
    )
    assert [t.line for t in parsed(tickets).tasks] == [5, 10]


def test_steps_below_a_plain_label_or_a_test_case_are_for_a_person() -> None:
    """`Manual Test:` within a task, and `#### Test Case 1: ...` with numbered orders."""
    text = (
        "# A\n\n## Tasks\n\n### Task 1: Till\n\nManual Test:\n1. Open the till\n2. Pay twice\n\n"
        "### Task 2: Tests\n\n#### Test Case 1: Lamp\n1. Open the till\n2. Verify the lamp\n"
    )
    found = [(c.line, c.kind) for c in parsed(text).checks]
    assert found == [(line, CheckKind.MANUAL) for line in (8, 9, 14, 15)]
    # A step with a command is one check, not two.
    (both,) = parsed(
        "# A\n\n## Tasks\n\n### Task 1: A\n\nManual Test:\n1. Run: `pytest -q`\n"
    ).checks
    assert both.command == "pytest -q"


def test_commands_in_a_fence_of_a_checklist_about_testing_are_checks() -> None:
    """Given levels elsewhere, then those of "Testing Checklist" count as well."""
    text = (
        "# A\n\n## Validation\n\n### Level 1\n```bash\nmake lint\n```\n\n"
        "## Testing Checklist\n\n```bash\npytest -q tests/\n```\n"
    )
    assert [c.command for c in parsed(text).checks] == ["make lint", "pytest -q tests/"]


def test_bullets_directly_below_a_heading_for_manual_tests_are_steps() -> None:
    """Given "Manual Testing", then plain bullets are for a person; boxes stay promises."""
    text = (
        "# A\n\n## Validation\n\n### Level 4: Manual Testing\n- Pay twice\n- Verify the lamp\n"
        "- [ ] It shines\n"
    )
    prp = parsed(text)
    assert [(c.line, c.kind) for c in prp.checks] == [
        (6, CheckKind.MANUAL),
        (7, CheckKind.MANUAL),
    ]
    assert [c.text for c in prp.criteria] == ["It shines"]


def test_orders_below_the_gates_are_checks_and_no_criteria() -> None:
    """Given `### Visual Validation` below "Validation Gates", then its orders count once."""
    text = (
        "# A\n\n## Validation Gates\n\n### Visual Validation\n1. Open the till\n"
        "2. Verify the lamp\n\n### Gate A\n1. No drawer is open\n"
    )
    prp = parsed(text)
    assert [c.line for c in prp.checks] == [6, 7]
    assert [c.text for c in prp.criteria] == ["No drawer is open"]


def test_a_list_of_tasks_counts_where_steps_below_phases_tell_the_same() -> None:
    """Given as many items as steps above, then the section that is called tasks has them."""
    text = (
        "# A\n\n## Blueprint\n\n### Phase 1: Till\n\n#### Step 1: Drawer\n\n#### Step 2: Lamp\n\n"
        "### Phase 2: Words\n\n#### Step 3: Text\n\n## Implementation Tasks (In Order)\n\n"
        "1. **Make the drawer**\n   - of wood\n\n2. **Light the lamp**\n\n3. **Write the text**\n"
    )
    assert [t.line for t in parsed(text).tasks] == [17, 20, 22]


def test_commands_of_a_task_that_validates_count_in_other_languages() -> None:
    """`Task 2: Validar ...` with a command on each line."""
    text = (
        "# A\n\n## Tasks\n\n```yaml\nTask 1: Criar caixa\n  CREATE: caixa.py\n\n"
        "Task 2: Validar tudo\n  ACTIONS:\n    - pytest -q tests/\n    - make lint\n```\n"
    )
    assert commands(text) == ["pytest -q tests/", "make lint"]


def test_sections_called_documentation_or_code_dependencies_hold_references() -> None:
    """`### Till 文档` with addresses, `### Code Dependencies` with files and what they are for."""
    text = (
        "# A\n\n## 研究发现\n\n### Till 文档\n- 参考：https://example.com/till\n\n"
        "## Dependencies\n\n### Code Dependencies\n- `Drawer.gd` - how it opens\n"
    )
    targets = [r.target for r in parsed(text).references]
    assert targets == ["https://example.com/till", "Drawer.gd"]


def test_steps_of_a_level_that_is_manual_by_name_count_also_below_a_label() -> None:
    """`### Level 5: MANUAL_SWAP_TEST` with `**Steps**:`, and its name in other languages."""
    text = "# A\n\n## Validation\n\n### Level 2: {}\n\n**Steps**:\n1. Wait for it\n2. Collect it\n"
    for name in ("MANUAL_SWAP_TEST", "Test Manuel", "Pruebas manuales"):
        lines = [c.line for c in parsed(text.format(name)).checks if c.kind is CheckKind.MANUAL]
        assert lines == [8, 9], name


def test_scripts_of_the_repository_that_are_whole_items_are_checks() -> None:
    """`- `./scripts/smoke.sh --all`` below "Validation Commands"; a file in a list is none."""
    text = "# A\n\n## {}\n\n- `./scripts/smoke.sh --all`\n- `./scripts/e2e.sh`\n"
    assert commands(text.format("Validation Commands")) == [
        "./scripts/smoke.sh --all",
        "./scripts/e2e.sh",
    ]
    assert commands(text.format("Files")) == []


def test_what_an_agents_tool_is_asked_is_one_check_over_its_lines() -> None:
    """Given `mcp__tool(` with its arguments below, then it is one, and no shell's."""
    call = 'mcp__db__execute(\n  query="SELECT 1"\n)'
    (check,) = parsed(f"# A\n\n## Validation\n\n```bash\n# Look\n{call}\n```\n").checks
    assert (check.command, check.kind) == (call, CheckKind.NOT_SHELL)


def test_criteria_below_a_label_and_an_outline_of_tasks_are_read() -> None:
    """`**Éxito:**` in "What", and `## Implementation outline` with wrapped items."""
    text = (
        "# A\n\n## What\n\nUna caja.\n\n**Éxito:**\n- Se abre.\n\n## Implementation outline\n\n"
        "1. Make the drawer\n   of wood\n2. Light the lamp\n"
    )
    prp = parsed(text)
    assert [c.text for c in prp.criteria] == ["Se abre."]
    assert [t.line for t in prp.tasks] == [12, 14]


def test_tasks_may_have_names_instead_of_numbers() -> None:
    """`TASK make_drawer:` in fences below phases, which only group them then."""
    text = (
        "# A\n\n## Implementation Tasks\n\n### Phase 1: Till\n\n```\nTASK make_drawer:\n"
        "  - CREATE: drawer.py\n\nTASK light_lamp:\n  - VALIDATE: netlify status\n```\n\n"
        "### Phase 2: Text\n\n```\nTASK write_text:\n  - CREATE: text.md\n```\n"
    )
    prp = parsed(text)
    assert [t.title for t in prp.tasks] == ["make_drawer", "light_lamp", "write_text"]
    assert [(c.command, c.kind) for c in prp.checks] == [("netlify status", CheckKind.NETWORK)]


def test_what_the_author_has_to_store_promises_nothing() -> None:
    """Given "Required Credentials Checklist", then its boxes are no criteria."""
    text = "# A\n\n## {}\n\n- [ ] Till key\n"
    assert parsed(text.format("Required Credentials Checklist")).criteria == ()
    assert parsed(text.format("Final Checklist")).checklist != ()


def test_questions_below_manual_review_are_for_a_person() -> None:
    """`Manual review:` with bullets below it in a level."""
    text = "# A\n\n## Validation\n\n### Level 3: Completeness\nManual review:\n- All told?\n"
    assert [(c.line, c.kind) for c in parsed(text).checks] == [(7, CheckKind.MANUAL)]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("npm run --workspace=web dev", CheckKind.SERVER),
        ("pnpm --filter web dev", CheckKind.SERVER),
        ("yarn workspace web start", CheckKind.SERVER),
        ("turbo run dev", CheckKind.SERVER),
        ("npm --prefix web install", CheckKind.NETWORK),
        ("netlify status", CheckKind.NETWORK),
        ("npm run biome:fix", CheckKind.MUTATING),
        ("psql -U till", CheckKind.INTERACTIVE),
        ('psql -U till -c "SELECT 1"', CheckKind.RUN),
        ("npm --prefix web test", CheckKind.RUN),
        ("make -C web test", CheckKind.RUN),
        ("node /tmp/test_observer.js", CheckKind.RUN),
        ("node server.js", CheckKind.SERVER),
        ("npm run lint  # ESLint with auto-fix", CheckKind.MUTATING),
    ],
)
def test_kinds_of_commands_for_a_part_of_the_repository(command: str, kind: CheckKind) -> None:
    """Which package is meant, before what is done, changes nothing of it."""
    (check,) = parsed(f"# A\n\n## Validation\n\n```bash\n{command}\n```\n").checks
    assert check.kind is kind


def test_phases_of_a_timeline_are_tasks_where_nothing_else_is() -> None:
    """`**Phase 1: Till** (2 days)` below "Implementation Timeline"."""
    text = "# A\n\n## Implementation Timeline\n\n**Phase {}: Till** (2 days)\n- Drawer\n"
    whole = text.format(1) + "\n**Phase 2: Lamp** (1 day)\n- Light\n"
    assert [t.title for t in parsed(whole).tasks] == ["Till", "Lamp"]


def test_items_of_gates_and_success_criteria_are_criteria() -> None:
    """Numbered statements below "Validation Gates & Success Criteria"."""
    text = (
        "# A\n\n## Validation Gates & Success Criteria\n\n**Technical**:\n1. **Till**: It opens\n"
    )
    assert [c.text for c in parsed(text).criteria] == ["**Till**: It opens"]
    manual = "# A\n\n## Testing Strategy\n\n### UI Tests (Manual)\n- Opening the till\n"
    assert [(c.line, c.kind) for c in parsed(manual).checks] == [(6, CheckKind.MANUAL)]


def test_links_with_a_mark_in_a_table_are_references() -> None:
    """`| [Docs](https://...) ✓ Current | ... |` in the context."""
    text = (
        "# A\n\n## Context\n\n| Source | Why |\n|---|---|\n"
        "| [Docs](https://example.com/till) ✓ Current | it opens |\n"
    )
    assert [r.target for r in parsed(text).references] == ["https://example.com/till"]


def test_an_order_that_ends_a_fence_is_a_step_for_a_person() -> None:
    """`# Check the console` below all commands; above one it says what that does."""
    fence = "# A\n\n## Validation\n\n```bash\nmake up\n{}```\n"
    last = parsed(fence.format("# Expected: it runs\n\n# Check the console for errors\n")).checks
    assert [(c.line, c.kind) for c in last[1:]] == [(9, CheckKind.MANUAL)]
    above = parsed(fence.format("\n# Check the types\nmake types\n")).checks
    assert [c.command for c in above] == ["make up", "make types"]
