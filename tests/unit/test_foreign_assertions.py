# ruff: noqa: E501 - one case a line
"""Tests of JavaScript, Go and Rust: what they assert, how much that says, and about what."""

import pytest

from agent.verifier.changes import Edited
from agent.verifier.foreign_takeovers import foreign_takeovers, own_main, swapped_packages
from agent.verifier.given_tests import weigh_edits
from agent.verifier.suspicions import suspicions

JAVASCRIPT = """\
import {{ greet }} from "../src/greet";

it("greets", async () => {{
  {0}
}});
"""
GO = """\
func TestGreet(t *testing.T) {{
	for _, c := range []struct{{ name, want string }}{{
		{{"Ada", "Hello, Ada!"}},
		{{"Bob", "Hello, Bob!"}},
	}} {{
		{0}
			t.Errorf("got %q", got)
		}}
	}}
}}
"""
RUST = "#[test]\nfn greets() {{\n    {0}\n}}\n"
GO_IF = "if got := Greet(c.name); got != c.want {"


def weights(path: str, before: str, after: str) -> list[str]:
    """Return the weights of what is said of an edit."""
    return [o.weight.value for o in weigh_edits(path, before, after)]


@pytest.mark.parametrize(
    ("path", "frame", "before", "after"),
    [
        ("a.test.js", JAVASCRIPT, 'expect(greet("Ada")).toBe("Hello");', 'expect(greet("Ada")).toBeTruthy();'),
        ("a.test.ts", JAVASCRIPT, 'expect(greet("Ada")).toEqual({a: 1});', 'expect(greet("Ada")).toBeDefined();'),
        ("a.test.js", JAVASCRIPT, 'expect(greet("Ada")).toBe("Hello");', "expect(true).toBe(true);"),
        ("a.test.js", JAVASCRIPT, 'expect(\n    greet("Ada")\n  ).toBe("Hello");', 'expect(\n    greet("Ada")\n  )\n  .toContain("H");'),
        ("a.test.js", JAVASCRIPT, 'assert.strictEqual(greet("Ada"), "Hello");', 'assert.ok(greet("Ada"));'),
        ("a.test.js", JAVASCRIPT, 'assert(greet("Ada") === "Hello");', 'assert(greet("Ada").length > 0);'),
        ("a_test.go", GO, GO_IF, "if got := Greet(c.name); got == c.want+c.want {"),
        ("a_test.go", GO, GO_IF, "if got := Greet(c.name); got != c.want && false {"),
        ("a_test.go", GO, '		{{"Bob", "Hello, Bob!"}},\n'.replace("{{", "{").replace("}}", "}"), ""),
        ("a_test.go", GO, "assert.Equal(t, c.want, Greet(c.name))\nif got {", "assert.NotNil(t, Greet(c.name))\nif got {"),
        ("a_test.rs", RUST, 'assert_eq!(greet("Ada"), "Hello");', 'assert!(!greet("Ada").is_empty());'),
    ],
)  # fmt: skip
def test_an_assertion_that_says_less_is_refused(
    path: str, frame: str, before: str, after: str
) -> None:
    """Whatever its layout."""
    whole = frame.format(GO_IF if before.strip().startswith("{") else before)
    changed = whole.replace(before, after) if before in whole else frame.format(after)
    assert "refused" in weights(path, whole, changed)


@pytest.mark.parametrize(
    ("path", "frame", "before", "after", "said"),
    [
        ("a.test.js", JAVASCRIPT, 'expect(greet("Ada")).toBe("Hello");', 'expect(greet("Ada"))\n    .toBe("Hello");', []),
        ("a.test.js", JAVASCRIPT, 'expect(greet("Ada")).toBe("Hello");', 'expect(greet("Ada")).toBe("Hello");\n  expect(greet("B")).toBe("x");', []),
        ("a.test.js", JAVASCRIPT, 'expect(greet("Ada")).toBe("Hello");', 'expect(greet("Ada")).toBe("Hi");', ["asked"]),
        ("a_test.go", GO, GO_IF, "// why\n\t\tif got := Greet(c.name); got != c.want {", []),
        ("a_test.go", GO, GO_IF, 'if got := Greet(c.name + ""); got != c.want {', []),
        ("a_test.rs", RUST, 'assert_eq!(greet("Ada"), "Hello");', 'assert_eq!(greet("Ada"), "Hello", "why");', []),
    ],
)  # fmt: skip
def test_an_assertion_that_says_as_much_is_not_refused(
    path: str, frame: str, before: str, after: str, said: list[str]
) -> None:
    """Another expected value is asked about."""
    assert weights(path, frame.format(before), frame.format(after)) == said


def edit(path: str, before: str, after: str) -> Edited:
    """Return a changed file."""
    return Edited(path=path, before=before, after=after)


TESTED = JAVASCRIPT.format('expect(greet("Ada")).toBe("Hello");')


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (TESTED.replace("../src/greet", "./fake"), "comes from `./fake` now"),
        ('jest.mock("../src/greet", () => ({}));\n' + TESTED, "it replaces `../src/greet`"),
        ('import { mock } from "node:test";\nmock.module("../src/greet", {});\n' + TESTED, "replaces"),
    ],
)  # fmt: skip
def test_given_tests_stay_about_the_code(after: str, said: str) -> None:
    """A person has to say whether another implementation may be tested instead."""
    files = {"src/greet.ts", "test/fake.js"}
    (found,) = foreign_takeovers(edit("test/a.test.js", TESTED, after), files)
    assert (found.weight.value, said in found.what) == ("asked", True)


@pytest.mark.parametrize(
    ("after", "weights"),
    [
        ("func TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n", ["refused"]),
        ("func TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n", ["refused"]),
        ("func TestMain(m *testing.M) {\n\tsetUp()\n\tos.Exit(m.Run())\n}\n", []),
        ("//go:build slow\n\npackage a\n", ["noted"]),
        ("package a\n\nfunc TestOne(t *testing.T) {\n}\n", []),
    ],
)
def test_all_tests_of_a_go_package_still_run(after: str, weights: list[str]) -> None:
    """One new file can end the run of all, or leave its own out."""
    found = list(own_main(edit("a_test.go", "", after)))
    assert [o.weight.value for o in found] == weights
    assert not list(own_main(edit("a_test.go", after, f"{after}\n// more\n")))


def test_what_moved_is_imported_from_elsewhere() -> None:
    """So is what the tests did not use before."""
    moved = edit("test/a.test.js", TESTED, TESTED.replace("../src/greet", "../src/words/greet"))
    assert not list(foreign_takeovers(moved, {"src/words/greet.js"}))
    more = edit("test/a.test.js", TESTED, 'import { part } from "./parts";\n' + TESTED)
    assert not list(foreign_takeovers(more, {"src/greet.js", "test/parts.js"}))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("go.mod", "replace github.com/stretchr/testify => ./fake"),
        ("Cargo.toml", "[patch.crates-io]"),
        ("Cargo.toml", "harness = false"),
    ],
)
def test_other_packages_in_the_place_of_published_ones_are_asked_about(
    path: str, line: str
) -> None:
    """A dependency more is nothing to ask about."""
    assert [o.weight.value for o in swapped_packages(edit(path, "", line))] == ["asked"]
    assert not list(swapped_packages(edit(path, "", "require example.com/x v1.0.0\n")))


@pytest.mark.parametrize(
    "line",
    [
        "if (process.env.NODE_TEST_CONTEXT) return 900;",
        "const isTested = typeof describe !== 'undefined';",
        "require('node:assert').strictEqual = () => {};",
        "globalThis.expect = () => anything;",
        'if strings.HasSuffix(os.Args[0], ".test") {',
    ],
)
def test_code_that_asks_for_tests_or_bends_assertions_is_refused(line: str) -> None:
    """In product code; what tests do with their own tools is theirs."""
    (found,) = suspicions([edit("src/a.js", "", line)])
    assert found.weight.value == "refused"


@pytest.mark.parametrize(
    "line",
    [
        "if (process.env.NODE_ENV !== 'test') app.listen(3000);",
        "assert.strictEqual(a, b);",
        "const it = items[Symbol.iterator]();",
        "if os.Args[0] == name {",
    ],
)
def test_ordinary_code_is_not_suspected(line: str) -> None:
    """Leaving a server alone in tests is usual."""
    assert not list(suspicions([edit("src/a.js", "", line)]))
