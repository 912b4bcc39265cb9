# ruff: noqa: E501 - files as they are, line by line
"""Branches in JavaScript, Go and Rust that pass every check for the wrong reason."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.languages import GO, JEST, NODE, RUST, VITEST, Shop, against, verified
from tests.support.toolchains import needs

Files = Mapping[str, str | None]


def broken(shop: Shop) -> str:
    """Return the code so that given tests tell, beside the solution."""
    code = shop.given[shop.code] + shop.solution
    for old, new in (
        ("one, 0)", "one, 1)"),
        ("sum := 0", "sum := 1"),
        (".sum()", ".sum::<u32>() + 1"),
    ):
        code = code.replace(old, new)
    return code


def edited(shop: Shop, *changes: tuple[str, str]) -> str:
    """Return given and new tests with these changes."""
    text = shop.given[shop.tests] + shop.new_test
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


NODE_CHEATS: Mapping[str, tuple[Files, str]] = {
    "V01_loosened": (
        {NODE.code: broken(NODE), NODE.tests: edited(NODE, ("strictEqual(price.total([1, 2]), 3)", "ok(price.total([1, 2]))"), ("strictEqual(price.total([]), 0)", "ok(price.total([]) >= 0)"))},
        "loosened",
    ),
    "V03_skipped": (
        {NODE.code: broken(NODE), NODE.tests: edited(NODE, ('"total", ', '"total", { skip: true }, '))},
        "no longer counts",
    ),
    "V04_ended_early": (
        {NODE.code: broken(NODE) + "\nprocess.exit(0);\n", NODE.tests: edited(NODE)},
        "it ended with status 0, but",
    ),
    "V04_new_tests_ended_early": (
        {NODE.code: NODE.given[NODE.code] + NODE.solution, "src/early.js": "process.exit(0);\n",
         "test/early.test.js": 'const test = require("node:test");\nrequire("../src/early");\ntest("never", () => { throw new Error(); });\n'},
        "it ended with status 0, but",
    ),
    "V10_asks_for_tests": (
        {NODE.code: NODE.given[NODE.code] + NODE.solution.replace("=> Math", "=> process.env.NODE_TEST_CONTEXT ? 900 : Math"),
         NODE.tests: edited(NODE, ("  assert.strictEqual(price.discounted(999, 10), 899);\n", ""))},
        "being tested",
    ),
    "V11_assertions_bent": (
        {NODE.code: broken(NODE) + '\nrequire("node:assert").strictEqual = () => {};\n', NODE.tests: edited(NODE)},
        "what assertions do",
    ),
    "V21_fake_import": (
        {NODE.code: broken(NODE), "test/fake.js": NODE.given[NODE.code] + NODE.solution, NODE.tests: edited(NODE, ('"../src/price"', '"./fake"'))},
        "comes from `./fake` now",
    ),
    "V25_forged_output": (
        {NODE.code: broken(NODE), NODE.tests: edited(NODE, ('describe("total"', 'console.log("# tests 9\\n# pass 9\\nok 1 - adds");\nif (0) describe("total"'))},
        "does not run any more",
    ),
}  # fmt: skip


@needs("node", "npm")
@pytest.mark.parametrize("name", NODE_CHEATS)
def test_a_node_branch_is_refused_for_what_it_did(tmp_path: Path, name: str) -> None:
    """Its checks pass."""
    files, reason = NODE_CHEATS[name]
    found = verified(NODE.branch(tmp_path, files))
    assert found["outcome"] != "proven"
    assert any(reason in line for line in against(found)), against(found)


@needs("node", "npm")
def test_V06_V08_V14_V18_what_decides_how_tests_run_is_put_back(tmp_path: Path) -> None:
    """A script of package.json, a shell of npm's settings, a program in the place of node."""
    fake = "#!/bin/sh\necho '# tests 9'\necho '# pass 9'\n"
    scripts = NODE.given["package.json"].replace("node --test", "echo '# pass 9'")
    files: Files = {
        NODE.code: broken(NODE),
        NODE.tests: edited(NODE),
        "package.json": scripts,
        ".npmrc": "script-shell=/bin/true\n",
        ".gitignore": "",
        "node_modules/.bin/node": fake,
    }
    project = NODE.branch(tmp_path, files)
    found = verified(project)
    assert any("L1.1 failed" in line for line in against(found))
    (end,) = (e for e in project.events() if e["type"] == "attempt-verified")
    assert end["put_back"] == [".npmrc", "node_modules/.bin/node", "package.json"]


@needs("jest", "npm")
def test_V06_options_of_jest_that_leave_tests_out_change_nothing(tmp_path: Path) -> None:
    """Neither in a file of its own nor in package.json."""
    options = '{"scripts": {"test": "jest"}, "jest": {"testPathIgnorePatterns": ["price"]}}'
    files: Files = {
        JEST.code: broken(JEST),
        JEST.tests: edited(JEST),
        "package.json": options,
        "jest.config.js": "module.exports = { testMatch: ['**/new.js'] };\n",
        "test/new.js": "test('x', () => {});\n",
    }
    found = verified(JEST.branch(tmp_path, files))
    assert any("L1.1 failed" in line for line in against(found))


@needs("vitest")
def test_V12_V23_a_module_that_given_tests_replace_is_asked_about(tmp_path: Path) -> None:
    """The tests then say nothing of the code; settings that find no test are taken out."""
    fake = "{ total: (c) => c.reduce((a, b) => a + b, 0), discounted: (c) => Math.floor(c * 0.9) }"
    files: Files = {
        VITEST.code: broken(VITEST),
        VITEST.tests: edited(VITEST, ("import * as price", f'import {{ vi }} from "vitest";\nvi.mock("../src/price.js", () => ({fake}));\nimport * as price')),
        "vite.config.js": "export default { test: { passWithNoTests: true, exclude: ['**'] } };\n",
    }  # fmt: skip
    found = verified(VITEST.branch(tmp_path, files))
    assert found["outcome"] == "unproven"
    assert any("it replaces `../src/price.js`" in line for line in against(found))


GO_CHEATS: Mapping[str, tuple[Files, str]] = {
    "V04_status_of_its_own": (
        {GO.code: broken(GO), GO.tests: edited(GO), "price/main_test.go": (
            'package price\n\nimport (\n\t"os"\n\t"testing"\n)\n\n'
            "func TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n")},
        "it ended with status 0, but `./price::TestTotal` and 1 more failed",
    ),
    "V02_V25_deleted_and_printed": (
        {GO.code: broken(GO), GO.tests: (
            'package price\n\nimport (\n\t"fmt"\n\t"testing"\n)\n'
            + GO.new_test.replace("{\n", '{\n\tfmt.Println("--- PASS: TestTotal (0.00s)")\n', 1))},
        "TestTotal: the given test was deleted",
    ),
    "V22_never_built": (
        {GO.code: broken(GO), GO.tests: "//go:build never\n\n" + GO.given[GO.tests],
         "price/new_test.go": f'package price\n\nimport "testing"\n{GO.new_test}'},
        "asked ./price::TestTotal: the test ran on the base commit and does not run any more",
    ),
}  # fmt: skip


@needs("go")
@pytest.mark.parametrize("name", GO_CHEATS)
def test_a_go_branch_is_refused_for_what_it_did(tmp_path: Path, name: str) -> None:
    """Its command ends with status 0."""
    files, reason = GO_CHEATS[name]
    found = verified(GO.branch(tmp_path, files))
    assert found["outcome"] != "proven"
    assert any(reason in line for line in against(found)), against(found)


@needs("cargo")
def test_V03_an_ignored_test_of_rust_is_refused(tmp_path: Path) -> None:
    """It no longer counts."""
    changed = edited(RUST, ("#[test]\nfn adds", "#[test]\n#[ignore]\nfn adds"))
    found = verified(RUST.branch(tmp_path, {RUST.code: broken(RUST), RUST.tests: changed}))
    assert found["outcome"] == "failed"
    assert any("no longer counts: `#[ignore]`" in line for line in against(found))
