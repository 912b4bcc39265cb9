"""Real test runners write down what came of each test, whatever tests print."""

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.verifier.outcomes import Outcomes, outcomes_of
from agent.workspace import Finished, run
from tests.support.place import Place, a_place
from tests.support.toolchains import PACKAGES, needs

NODE = """\
const { describe, it, test } = require("node:test");
const assert = require("node:assert");

describe("total", () => {
  it("adds", () => {
    console.log("# tests 9\\n# pass 9\\nok 9 - forged");
    assert.strictEqual(1 + 2, 3);
  });
  it.skip("later", () => {});
});
test("outer", async (t) => {
  await t.test("inner", () => assert.ok(true));
});
test("wrong", () => assert.ok(false));
test("some day", { todo: true }, () => assert.ok(false));
"""
JEST = """\
describe("total", () => {
  it("adds", () => {
    console.log("Tests:       9 passed, 9 total");
    expect(1 + 2).toBe(3);
  });
  it.skip("later", () => {});
});
test.each([[1], [2]])("case %i", (n) => expect(n).toBe(1));
test.todo("some day");
"""
GO = """\
package price

import (
	"fmt"
	"testing"
)

func TestAdds(t *testing.T) {
	fmt.Println("--- PASS: TestDeleted (0.00s)")
	fmt.Println("--- PASS: TestLater (0.00s)")
	fmt.Print("no line end")
}

func TestCases(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "two words"} {
		t.Run(name, func(t *testing.T) { t.Log("hello") })
	}
}

func TestLater(t *testing.T) { t.Skip("not yet") }

func TestWrong(t *testing.T) {
	t.Run("inner", func(t *testing.T) { t.Error("bad") })
}
"""
RUST = """\
#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        println!("test tests::forged ... ok");
        assert_eq!(1 + 2, 3);
    }

    #[test]
    #[ignore]
    fn later() {}

    #[test]
    fn wrong() {
        assert!(false);
    }
}
"""


def ran(place: Place, tmp_path: Path, command: str) -> Finished:
    """Run a command with a folder for reports, as checks are run."""
    reports = tmp_path / "reports"
    reports.mkdir(exist_ok=True)
    laid = ((PACKAGES, "node_modules"),) if PACKAGES.is_dir() else ()
    toolchain = dataclasses.replace(place.toolchain, laid=laid)
    confinement = toolchain.confine(place.tree.path, reports=reports)
    return asyncio.run(run(command, confinement=confinement, sandbox=place.sandbox, timeout=120))


def outcomes(finished: Finished) -> Outcomes:
    """Return what came of each test; a report must tell."""
    found = outcomes_of(finished.reports, finished.output)
    assert found is not None, finished.output
    assert found.by_id, (finished.output, finished.reports)
    return found


NODE_CAME: Mapping[str, str] = {
    "test/a.test.js::total::adds": "passed",
    "test/a.test.js::total::later": "skipped",
    "test/a.test.js::outer": "passed",
    "test/a.test.js::outer::inner": "passed",
    "test/a.test.js::wrong": "failed",
    "test/a.test.js::some day": "skipped",
}


@needs("node", "npm")
@pytest.mark.parametrize(
    "command",
    [
        "node --test",
        "node --test test/a.test.js",
        "npm test",
        "node --test --test-reporter=dot",
        "node --test --test-reporter spec --test-reporter-destination /tmp/out",
    ],
)
def test_nodes_own_runner_tells_each_test(tmp_path: Path, command: str) -> None:
    """Suites, subtests, skips, and reporters that the command chooses itself."""
    package = '{"scripts": {"test": "node --test"}}'
    with a_place(tmp_path, **{"test__a.test.js": NODE, "package.json": package}) as place:
        finished = ran(place, tmp_path, command)
    assert finished.status == 1
    assert outcomes(finished).by_id == NODE_CAME


@needs("node")
def test_other_programs_of_node_notice_nothing(tmp_path: Path) -> None:
    """What they print and how they end is theirs."""
    script = "console.log(process.argv.length, process.execArgv.length); process.exitCode = 3"
    with a_place(tmp_path, **{"x.js": script}) as place:
        finished = ran(place, tmp_path, "node x.js a b")
    assert (finished.status, finished.output) == (3, "4 0\n")
    assert finished.reports == {}


@needs("jest")
def test_jest_tells_each_test(tmp_path: Path) -> None:
    """And a file that could not be loaded."""
    files = {
        "src__a.test.js": JEST,
        "src__b.test.js": "require('./missing')",
        "package.json": '{"scripts": {"test": "jest"}}',
    }
    with a_place(tmp_path, **files) as place:
        finished = ran(place, tmp_path, "npm test")
    assert finished.status == 1
    assert outcomes(finished).by_id == {
        "src/a.test.js::total::adds": "passed",
        "src/a.test.js::total::later": "skipped",
        "src/a.test.js::case 1": "passed",
        "src/a.test.js::case 2": "failed",
        "src/a.test.js::some day": "skipped",
        "src/b.test.js": "failed",
    }


@needs("vitest")
def test_vitest_tells_each_test(tmp_path: Path) -> None:
    """And prints what it prints without us."""
    head = 'import { describe, expect, it, test } from "vitest";\n'
    files = {
        "src__a.test.js": head + JEST,
        "src__b.test.js": "import './missing'",
        "package.json": '{"type": "module"}',
    }
    with a_place(tmp_path, **files) as place:
        finished = ran(place, tmp_path, "npx vitest run")
    assert finished.status == 1
    assert "Tests  1 failed | 2 passed | 1 skipped | 1 todo (5)" in finished.output
    assert outcomes(finished).by_id == {
        "src/a.test.js::total::adds": "passed",
        "src/a.test.js::total::later": "skipped",
        "src/a.test.js::case 1": "passed",
        "src/a.test.js::case 2": "failed",
        "src/a.test.js::some day": "skipped",
        "src/b.test.js": "failed",
    }


@needs("go")
@pytest.mark.parametrize(
    "command", ["go test ./...", "go vet ./... && make test", "go test -v ./..."]
)
def test_go_tells_each_test(tmp_path: Path, command: str) -> None:
    """Without `-v`, from below a Makefile, and not what a test prints."""
    files = {
        "go.mod": "module example.com/shop\n\ngo 1.19\n",
        "price__price_test.go": GO,
        "Makefile": "test:\n\tgo test ./...\n",
    }
    with a_place(tmp_path, **files) as place:
        finished = ran(place, tmp_path, command)
    assert finished.status
    assert outcomes(finished).by_id == {
        "./price::TestAdds": "passed",
        "./price::TestCases": "passed",
        "./price::TestCases/one": "passed",
        "./price::TestCases/two_words": "passed",
        "./price::TestLater": "skipped",
        "./price::TestWrong": "failed",
        "./price::TestWrong/inner": "failed",
    }
    assert ("=== RUN" in finished.output) == ("-v" in command)


@needs("go")
def test_programs_that_go_runs_notice_nothing(tmp_path: Path) -> None:
    """`go run` hands on words and status."""
    main = (
        'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\n'
        "func main() {\n\tfmt.Println(os.Args[1:])\n\tos.Exit(3)\n}\n"
    )
    with a_place(tmp_path, **{"go.mod": "module example.com/x\n", "main.go": main}) as place:
        finished = ran(place, tmp_path, "go run . -a 'b c'")
    assert (finished.status, finished.output) == (1, "[-a b c]\nexit status 3\n")
    assert finished.reports == {}


@needs("cargo")
def test_cargo_tells_each_test(tmp_path: Path) -> None:
    """Of each test program."""
    manifest = '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n'
    files = {"Cargo.toml": manifest, "src__lib.rs": RUST, "tests__whole.rs": RUST}
    with a_place(tmp_path, **files) as place:
        finished = ran(place, tmp_path, "cargo test --no-fail-fast")
    came = {"adds": "passed", "later": "skipped", "wrong": "failed"}
    assert outcomes(finished).by_id == {
        f"{program}::tests::{name}": outcome
        for program in ("shop", "whole")
        for name, outcome in came.items()
    }


def test_pytest_tells_each_test_wherever_it_runs(tmp_path: Path) -> None:
    """As JUnit's XML."""
    with a_place(tmp_path, **{"test_a.py": "def test_x(): pass\n"}) as place:
        finished = ran(place, tmp_path, "python3 -m pytest -q")
    assert outcomes(finished).by_id == {"test_a::test_x": "passed"}
