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
    "# A\n\n## Tasks\n\n### Phase 1: code\n\n1. CREATE `quote.go`: quotes\n2. UPDATE `shlex.go`: calls it\n\n"
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
    phases = "### Phase 1: the trait\n\n```rust\nfn a() {}\n```\n\n### Phase 2: the client\n\nText.\n\n"
    items = "1. **MODIFY** `src/a.rs` - the trait\n2. **ADD** tests\n3. **UPDATE** old tests\n"
    text = f"# A\n\n## Implementation Blueprint\n\n{phases}## Implementation Tasks (in order)\n\n{items}"
    assert [task.line for task in parsed(text).tasks] == [17, 18, 19]
    order = text.replace("Implementation Tasks (in order)", "Implementation Order")
    assert titles(order) == ["the trait", "the client"]


def test_phases_of_the_requirements_are_no_tasks_where_steps_are_listed() -> None:
    """Without the steps they are."""
    phases = "### Phase 1: Templates\n\n#### 1.1 One template\nText.\n\n### Phase 2: Moves\n\nText.\n\n"
    text = f"# A\n\n## Requirements\n\n{phases}"
    steps = "## Implementation Steps\n\n### Step 1: Write them\nText.\n\n### Step 2: Move\nText.\n"
    assert titles(text + steps) == ["Write them", "Move"]
    assert titles(text)[-1] == "Moves"


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        ("**Research of the code (CODE-RESEARCH.md)**:\n- `go()` is there", "CODE-RESEARCH.md"),
        ("- **Handler**:\n  <https://docs.example.org/handler>", "https://docs.example.org/handler"),
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
