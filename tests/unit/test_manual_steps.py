"""Steps for a person: comments in a shell's fence, and lists below what says so."""

from pathlib import Path

import pytest

from agent.prp import Check, CheckKind, parse_prp


def checks_of(text: str) -> tuple[Check, ...]:
    """Return the checks of a document with such a validation."""
    return parse_prp(f"# A\n\n## Validation\n\n{text}", path=Path("x.md")).checks


def steps_of(text: str) -> list[str]:
    """Return what a person is asked to do."""
    return [check.command for check in checks_of(text) if check.kind is CheckKind.MANUAL]


class TestStepsInComments:
    """What a person walks through may stand as comments in a shell's fence."""

    def test_numbered_comments_that_follow_each_other_are_steps(self) -> None:
        """They are for a person, whatever stands around them."""
        fence = (
            "```bash\nnpm run dev\n\n# Walk through it:\n# 1. Click save\n"
            "#    twice\n# 2. Reload -> the story is there\n```\n"
        )
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.command, check.kind) for check in found[1:]] == [
            (9, "Click save", CheckKind.MANUAL),
            (11, "Reload -> the story is there", CheckKind.MANUAL),
        ]

    def test_headings_below_manual_tests_hold_steps(self) -> None:
        """They name the cases; the next heading of the first one's rank ends it."""
        text = (
            "# A\n\n## Validation Plan\n\n### Manual Test Cases\n\n#### Case 1\n1. Click save\n"
            "\n### Order of work\n1. First the store\n"
        )
        found = parse_prp(text, path=Path("x.md")).checks
        assert [(check.line, check.kind) for check in found] == [(8, CheckKind.MANUAL)]

    def test_comments_of_a_checklist_are_steps(self) -> None:
        """A fence says there what to do as well as boxes do."""
        text = "# A\n\n## Manual Testing Checklist\n```bash\n# 1. Save\n# 2. Load\n```\n"
        found = parse_prp(text, path=Path("x.md")).checks
        assert [(check.line, check.kind) for check in found] == [
            (5, CheckKind.MANUAL),
            (6, CheckKind.MANUAL),
        ]

    def test_items_may_stand_apart_from_their_sign(self) -> None:
        """Writers indent a list of comments."""
        fence = "```bash\n# Confirm each:\n#  1. Pay by card -> booked\n#  2. Refund it\n```\n"
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.command) for check in found] == [
            (7, "Pay by card -> booked"),
            (8, "Refund it"),
        ]

    def test_boxes_in_comments_are_steps(self) -> None:
        """Whatever stands above them."""
        fence = "```bash\n# By eye:\n# - [ ] Till opens\n# - [ ] Till closes\n```\n"
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.command) for check in found] == [
            (7, "Till opens"),
            (8, "Till closes"),
        ]

    def test_a_fence_that_only_gives_orders_holds_steps(self) -> None:
        """No command stands in it, and a person can do what it says."""
        fence = "```bash\n# By hand\n# Test a lost network\n# Verify that nothing is charged\n```\n"
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.kind) for check in found] == [
            (7, CheckKind.MANUAL),
            (8, CheckKind.MANUAL),
        ]

    def test_an_order_above_a_list_is_its_title(self) -> None:
        """In a fence that only gives orders its items are the steps, whatever their marks."""
        fence = (
            "```bash\n# Test the till\n# - it opens\n# - it closes\n\n# Test the shop\n# 1. Enter\n"
            "# 2. Leave\n```\n"
        )
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [check.command for check in found] == ["it opens", "it closes", "Enter", "Leave"]

    @pytest.mark.parametrize("first", ["# N/A: all is tested", "# If tests fail, look:"])
    def test_a_fence_that_says_why_there_is_nothing_holds_none(self, first: str) -> None:
        """Its other comments only explain that."""
        fence = f"```bash\n{first}\n# Check the log\n# Verify the mocks\n```\n"
        assert parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks == ()

    def test_all_below_a_manual_verification_is_for_a_person(self) -> None:
        """Until a line is empty, whatever the comments begin with."""
        fence = (
            "```bash\n# 1. Types\nmake types\n\n# 2. Manual verification\n# Open the page\n"
            "# Confirm that the card is there\n\n# 3. Style\nmake lint\n```\n"
        )
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.command) for check in found] == [
            (7, "make types"),
            (10, "Open the page"),
            (11, "Confirm that the card is there"),
            (14, "make lint"),
        ]

    @pytest.mark.parametrize("label", ["Verify:", "Manual testing of the page:"])
    def test_bullets_below_an_order_to_look_are_steps(self, label: str) -> None:
        """Nothing else says that bullets are something to do."""
        fence = f"```bash\nmake report\n\n# {label}\n# - totals are right\n# - no warning\n```\n"
        found = parse_prp(f"# A\n\n## Validation\n\n{fence}", path=Path("x.md")).checks
        assert [(check.line, check.kind) for check in found[1:]] == [
            (9, CheckKind.MANUAL),
            (10, CheckKind.MANUAL),
        ]

    @pytest.mark.parametrize(
        "comments",
        [
            pytest.param("# 1. Types\nmake types\n\n# 2. Style\nmake lint", id="above commands"),
            pytest.param("# 1. Types\n# 2. Style\nmake check", id="what a command does"),
            pytest.param("make check\n# Expected:\n# 1. no error\n# 2. no warning", id="expected"),
            pytest.param("make check\n# If it fails:\n# 1. read\n# 2. mend", id="mending"),
            pytest.param("make test\n# Verify:\n# - all pass\n# - none skipped", id="report"),
            pytest.param("make check\n# Covers:\n# - a\n# - b", id="bullets"),
            pytest.param("# Manual check\n# of the style\nmake lint", id="above its command"),
            pytest.param("make check\n# 2. one\n# 7. another", id="no list"),
            pytest.param("cat <<END\n# 1. one\n# 2. two\nEND", id="here-document"),
        ],
    )
    def test_other_numbered_comments_are_none(self, comments: str) -> None:
        """They speak of the commands, or are text."""
        text = f"# A\n\n## Validation\n\n```bash\n{comments}\n```\n"
        found = parse_prp(text, path=Path("x.md")).checks
        assert found
        assert CheckKind.MANUAL not in {check.kind for check in found}

    @pytest.mark.parametrize(
        ("comments", "steps"),
        [
            (
                "npm start\n# Navigate to /till\n# Test the search\n# (twice)",
                ["Navigate to /till", "Test the search"],
            ),
            ("npm start\n# Open http://localhost:3000", ["Open http://localhost:3000"]),
            ("npm start\n# Check the log", ["Check the log"]),
            ("npm start\n\n# Check the build\n# Verify the size\nmake size", []),
            (
                "make\n\n# Test the till at noon\n# - Open it\n# - Pay",
                ["Open it", "Pay"],
            ),
            ("make\n\n# Test all of:\n# - tills\n# - shops", []),
            ("# Open the console\n# Should see: ready", ["Open the console"]),
            ("# Manual checks:\n# ✓ It opens\n# ✓ It closes", ["It opens", "It closes"]),
            (
                "# By hand in the till:\n# 1. Open it\n#    - by key\n# 2. Close it",
                ["Open it", "Close it"],
            ),
            ("make\n# Open: http://localhost:3000/till", ["Open: http://localhost:3000/till"]),
            (
                "# Run it and verify:\n# 1. It opens\n# 2. It closes\nmake run",
                ["It opens", "It closes"],
            ),
            ("# By hand:\n# 1. Open it\n# 2. Expected: green", ["Open it"]),
            ("make\n# Validate outputs:\n# - one till\n# - two shops", ["one till", "two shops"]),
            ("npm run dev\n# On a phone:\n#   - it fits\n#   - it pays", ["it fits", "it pays"]),
            ("npm test 2>/dev/null\n# Check for:\n# - typos\n# - tabs", []),
        ],
        ids=(
            "orders address one above listed about opens marks nested colon verify seen outputs "
            "served report"
        ).split(),
    )
    def test_orders_beside_commands_are_steps(self, comments: str, steps: list[str]) -> None:
        """Where there are several, one says what to open, or ends the fence; not above commands."""
        assert steps_of(f"```bash\n{comments}\n```\n") == steps

    def test_a_program_that_steps_stand_below_waits_for_a_person(self) -> None:
        """One of the repository; a build does not, nor what is only told of."""
        fence = "```bash\n{}\n# 1. Press G\n# 2. Press H\n```\n"
        kinds = [
            checks_of(fence.format(command))[0].kind
            for command in ("./bin/game --test", "make", "./bin/game\n")
        ]
        assert kinds == [CheckKind.INTERACTIVE, CheckKind.RUN, CheckKind.RUN]

    def test_what_is_told_below_an_expectation_is_no_step(self) -> None:
        """Bullets without a mark of a comment stand in fences, too."""
        fence = "```bash\n# Test it\n1. Load the till\n\n# Expected outcomes:\n- it is green\n```\n"
        assert steps_of(fence) == ["1. Load the till"]

    def test_items_that_call_themselves_manual_are_steps(self) -> None:
        """In the validation and in a checklist, whose boxes are promises all the same."""
        assert steps_of("1. Build\n2. Manual test: pay twice\n") == ["pay twice"]
        assert steps_of("```bash\nmake\n```\n\nManual: pay and reload\n") == ["pay and reload"]
        prp = parse_prp("# A\n\n## Final Checklist\n- [ ] Manual: pay\n", path=Path("x.md"))
        assert [check.command for check in prp.checks] == ["pay"]
        assert [promise.text for promise in prp.promises] == ["Manual: pay"]

    def test_steps_below_the_gate_of_a_task_are_steps(self) -> None:
        """Beside its commands."""
        fence = "**Validation Gate 2**:\n```bash\nmake\n# 1. Press G\n# 2. Press H\n```\n"
        text = f"# A\n\n## Tasks\n\n### Task 1: Till\n\n{fence}"
        checks = parse_prp(text, path=Path("x.md")).checks
        assert [check.command for check in checks] == ["make", "Press G", "Press H"]

    def test_all_comments_below_a_heading_of_manual_tests_are_steps(self) -> None:
        """But not what begins a list, nor what will be seen; beside commands they explain."""
        fence = "# Search:\n# tea -> shows two\n\n# Expected:\n# no error\n\n# Back -> the list\n"
        level = f"### Level 3: Manual testing\n```bash\n{fence}```\n"
        assert steps_of(level) == ["tea -> shows two", "Back -> the list"]
        assert steps_of(level.replace("Manual", "Unit")) == []
        assert steps_of(level.replace("```bash\n", "```bash\nmake\n\n")) == []


class TestStepsOfALevel:
    """What a level lists beside its fences."""

    def test_numbered_orders_of_a_level_without_commands_are_steps(self) -> None:
        """Facts are none, and beside a command they are remarks."""
        orders = "1. Load the plan\n2. Connect the till\n3. It is green\n"
        level = f"### Level 4: The shop\n{orders}"
        assert steps_of(level) == ["Load the plan", "Connect the till", "It is green"]
        assert steps_of(f"{level}\n```bash\nmake\n```\n") == []
        assert steps_of("### Level 4: The shop\n1. The till is green\n2. Nothing is lost\n") == []

    def test_numbered_orders_of_a_validation_without_commands_are_steps(self) -> None:
        """Whatever part they name; a strategy only tells which tests there will be."""
        text = "# A\n\n## {}\n1. **Tills**: Verify all of them\n2. **Shop**: Navigate to it\n"
        kinds = [
            [check.kind for check in parse_prp(text.format(title), path=Path("x.md")).checks]
            for title in ("Testing & Validation", "Testing Strategy", "Validation Gates")
        ]
        assert kinds == [[CheckKind.MANUAL] * 2, [], []]

    @pytest.mark.parametrize(
        "label", ["### Manual\n", "### Manuelle Prüfung\n", "- **Manuális teszt (Chrome):**\n  "]
    )
    def test_numbered_items_below_a_word_for_manual_are_steps(self, label: str) -> None:
        """As a heading, or as an item above a deeper list."""
        assert steps_of(f"- **Build:** `make`\n{label}1. Open it\n") == ["Open it"]

    def test_steps_of_a_described_test_case_are_steps(self) -> None:
        """Those below the key, up to the next one."""
        case = "Steps:\n  1. Sign out\n  2. Try to pay\n\nExpected:\n  1. Refused\n"
        level = f"### Level 3: By hand\n\n#### Test Case 1: Paying\n\n```yaml\n{case}```\n"
        assert steps_of(level) == ["Sign out", "Try to pay"]
