"""Checks in words: what is an order, and what only speaks of a command."""

from pathlib import Path

import pytest

from agent.prp import parse_prp


class TestWhatOnlyLooksLikeAnOrder:
    """A comment, a tool that is named, a step that a person takes."""

    @pytest.mark.parametrize(
        "text",
        [
            "## Tasks\n### Task 1: a\n```typescript\n// Run: npm run lint\nx\n```\n",
            "## Tasks\n### Task 1: a\n```ts\n * **Run**: `npx tsx examples/x.ts`\n```\n",
            "## Integration Points\n```yaml\nTYPES:\n  - command: npm run lint\n```\n",
            "## Tasks\n```yaml\nTask 1: a\n  - COMMAND: cd /home/me/app\n```\n",
            "## Success Criteria\n- [ ] Examples run via `npx tsx`\n",
            "## Success Criteria\n- [ ] `go.mod` says `go 1.25`\n",
            "## Success Criteria\n- [ ] No `go mod tidy` was run\n",
            "## Success Criteria\n- [ ] `install.sh` has `go build` and a link\n",
            '## Success Criteria\n- [ ] Only `next == "a"` is another branch\n',
            "## Tasks\n```yaml\nTask 1: a\n  - COMMAND: cd /a/b && go mod init x.org/y\n```\n",
            "## Features\n### One command\n```bash\nmytool ship\nmytool switch\n```\n",
            "## Tasks\n### Task 1: a\n- Run `npm --workspace web exec mobile init`\n",
        ],
        ids=(
            "comment example tool folder runner version negated content compared work usage init"
        ).split(),
    )
    def test_is_no_check(self, text: str) -> None:
        """Whatever stands in it."""
        assert parse_prp(f"# A\n\n{text}", path=Path("x.md")).checks == ()

    def test_a_comment_beside_commands_explains_them(self) -> None:
        """Alone in its fence it is the command."""
        fence = "## Validation Loop\n```bash\n{}# Command: npm test\n```\n"
        beside, alone = (
            parse_prp("# A\n\n" + fence.format(words), path=Path("x.md")).checks
            for words in ("npm run lint\n", "")
        )
        assert [check.command for check in beside] == ["npm run lint"]
        assert [check.command for check in alone] == ["npm test"]

    def test_a_server_that_a_person_starts_is_a_step_of_theirs(self) -> None:
        """Where nothing else asks it, and where something else must be done first."""
        steps = (
            "1. Start the app with `npm run dev`\n2. Click on it\n"
            "3. Rename `.env` and run `npm test`\n4. Run `npm run lint` - no errors\n"
        )
        text = f"# A\n\n## Validation\n\n### Manual Verification\n\n{steps}"
        checks = parse_prp(text, path=Path("x.md")).checks
        assert [check.kind.value for check in checks] == ["manual", "manual", "manual", "run"]
        asked = text.replace("Click on it", "Ask it: `curl localhost:3000/health`")
        kinds = [check.kind.value for check in parse_prp(asked, path=Path("x.md")).checks]
        assert kinds == ["server", "run", "manual", "run"]

    def test_a_command_may_go_on_in_the_next_line(self) -> None:
        """In a validation, where its backticks are closed there."""
        items = "- **Lint:** `cd shop && npx eslint a.ts\n  b.ts` and `make lint`\n  for all\n"
        found = parse_prp(f"# A\n\n## Validation Loop\n\n{items}", path=Path("x.md")).checks
        assert [check.command for check in found] == [
            "cd shop && npx eslint a.ts b.ts",
            "make lint",
        ]

    def test_a_map_of_commands_is_read(self) -> None:
        """As values of keys below one that says that they validate."""
        text = (
            '# A\n\n## Context\n```yaml\nvalidation_commands:\n  lint: "npm run lint && ls a"\n'
            "  test: 'cargo test'\n  note: fast\n\nother:\n  build: \"pnpm build\"\n```\n"
        )
        checks = parse_prp(text, path=Path("x.md")).checks
        assert [check.command for check in checks] == ["npm run lint && ls a", "cargo test"]

    @pytest.mark.parametrize(
        "words",
        [
            "- [ ] Level 4 passed: full `./install.sh`; nothing else",
            "- [ ] Building: `./build.sh` completes",
            "- RUN: `./install.sh`",
            "1. Run build script: `./build.sh`",
        ],
    )
    def test_a_script_without_arguments_is_a_check_where_it_is_run(self, words: str) -> None:
        """In the middle of a sentence, too."""
        text = f"# A\n\n## Validation Loop\n\n{words}\n"
        (check,) = parse_prp(text, path=Path("x.md")).checks
        assert check.command.startswith("./")

    @pytest.mark.parametrize(
        ("words", "command"),
        [
            ('- [ ] contract: `[ -z "$out" ] && [ 1 = 1 ]` holds', '[ -z "$out" ] && [ 1 = 1 ]'),
            (
                '- [ ] path: `case "$(./x)" in /*) echo OK;; esac`',
                'case "$(./x)" in /*) echo OK;; esac',
            ),
            ("- RUN: scripts/check_sizes.py --threshold 5", "scripts/check_sizes.py --threshold 5"),
            ('- VERIFY: head -1 LICENSE prints "MIT License"', "head -1 LICENSE"),
        ],
    )
    def test_conditions_and_scripts_are_checks(self, words: str, command: str) -> None:
        """With what only says how they end left out."""
        is_box = words.startswith("- [")
        part = (
            f"## Success Criteria\n{words}\n"
            if is_box
            else f"## Tasks\n```yaml\nTask 1: a\n{words}\n```\n"
        )
        (check,) = parse_prp(f"# A\n\n{part}", path=Path("x.md")).checks
        assert check.command == command
