"""One small shop in several languages: what is given, what is asked for, how it is done."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.toolchains import lay_packages

_PRP = """\
# PRP: Discounts

## Goal
Prices with a discount.

### Success Criteria
- [ ] `{call}` is 900, rounded down to whole cents
- [ ] The existing tests still pass

## Implementation Blueprint
```yaml
Task 1 - Discount:
  MODIFY {code}:
    - ADD a function that gives a discount in percent
Task 2 - Tests:
  MODIFY {tests}:
    - ADD tests of it
```

## Validation Loops
"""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A repository in one language, and the change that its PRP asks for."""

    code: str
    """Path of the code."""
    tests: str
    """Path of the given tests, which the PRP lets the branch change."""
    given: Mapping[str, str]
    """Files of the base commit."""
    solution: str
    """What is added to the code."""
    new_test: str
    """What is added to the tests."""
    command: str
    """Runs the tests."""
    call: str
    """The criterion's call."""
    packages: bool = False
    """Whether it needs those of jest or vitest."""

    def prp(self, levels: str = "") -> str:
        """Return the PRP; without levels its only check runs the tests."""
        checks = levels or f"### Level 1: Tests\n```bash\n{self.command}\n```\n"
        return _PRP.format(call=self.call, code=self.code, tests=self.tests) + checks

    def solved(self) -> dict[str, str | None]:
        """Return what an honest branch writes."""
        return {
            self.code: self.given[self.code] + self.solution,
            self.tests: self.given[self.tests] + self.new_test,
        }

    def branch(self, place: Path, files: Mapping[str, str | None], levels: str = "") -> Project:
        """Return a project with a branch `work` that holds these files."""
        base = {".gitignore": "node_modules/\n", "PRPs/discount.md": self.prp(levels)}
        project = Project(place / "project", {**self.given, **base})
        if self.packages:
            lay_packages(project.root)
        project.git("checkout", "-q", "-b", "work")
        for name, content in files.items():
            if content is None:
                project.git("rm", "-q", name)
            else:
                project.write(name, content)
        project.git("add", "-A")
        project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "work")
        project.git("checkout", "-q", "main")
        return project


def verified(project: Project, *, source: str = "", quote: str = "") -> dict[str, Any]:
    """Return a verdict: of a reader who believes all and quotes this, or of nobody."""
    return asked(project, believing(source, quote)) if quote else said(project.prp(*_VERIFY))


def asked(
    project: Project, answer: Callable[[Request], Answer], **variables: str
) -> dict[str, Any]:
    """Return a verdict with a verifier who answers by a script."""
    with Provider(answer) as provider:
        model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        return said(project.prp(*_VERIFY, *model, **variables))


def believing(source: str, quote: str) -> Callable[[Request], Answer]:
    """Return a script of a reader who says yes to both criteria."""
    quotes = [{"source": source, "text": quote}]
    words = {"holds": "yes", "reason": "as quoted", "quotes": quotes}
    opinions = [{"criterion": name, **words} for name in ("C1", "C2")]
    return lambda _request: Answer(calls=(("submit_judgement", {"opinions": opinions}),))


_VERIFY = ("verify", "PRPs/discount.md", "--branch", "work", "--json", "--quiet")


def said(ran: Ran) -> dict[str, Any]:
    """Return the result that it printed."""
    assert ran.out, ran.err
    return ran.json  # type: ignore[no-any-return]


def statuses(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of each criterion."""
    return {each["criterion"]: each["status"] for each in found["criteria"]}


def states(found: Mapping[str, Any], stage: str = "attempt 1") -> dict[str, str]:
    """Return how each check ended."""
    return {c["check"]: c["state"] for c in found["checks"] if c["stage"] == stage}


def against(found: Mapping[str, Any]) -> list[str]:
    """Return what speaks against a branch: objections beyond notes, and failed checks."""
    objections = [
        f"{o['weight']} {o['place']}: {o['what']}"
        for o in found["objections"]
        if o["weight"] != "noted"
    ]
    return objections + [
        f"{c['check']} {c['state']}: {c['reason']}"
        for c in found["checks"]
        if c["stage"] != "baseline" and c["state"] in ("failed", "flaky", "timed out")
    ]


_NODE_CODE = """\
"use strict";

exports.total = (cents) => cents.reduce((sum, one) => sum + one, 0);
"""
_NODE_TESTS = """\
const { describe, it } = require("node:test");
const assert = require("node:assert");
const price = require("../src/price");

describe("total", () => {
  it("adds", () => {
    assert.strictEqual(price.total([1, 2]), 3);
  });
  it("of nothing is nothing", () => {
    assert.strictEqual(price.total([]), 0);
  });
});
"""
_NODE_DISCOUNT = """
exports.discounted = (cents, percent) => Math.floor((cents * (100 - percent)) / 100);
"""
_NODE_NEW = """
it("gives a discount", () => {
  assert.strictEqual(price.discounted(1000, 10), 900);
  assert.strictEqual(price.discounted(999, 10), 899);
});
"""
NODE = Shop(
    code="src/price.js",
    tests="test/price.test.js",
    given={
        "package.json": '{"name": "shop", "scripts": {"test": "node --test"}}\n',
        "src/price.js": _NODE_CODE,
        "test/price.test.js": _NODE_TESTS,
    },
    solution=_NODE_DISCOUNT,
    new_test=_NODE_NEW,
    command="npm test",
    call="discounted(1000, 10)",
)


def _expecting(tests: str) -> str:
    """Return tests of node's runner as those of jest."""
    return re.sub(r"assert\.strictEqual\((.*), (\S+)\);", r"expect(\1).toBe(\2);", tests)


JEST = Shop(
    code="src/price.js",
    tests="test/price.test.js",
    given={
        "package.json": '{"name": "shop", "scripts": {"test": "jest"}}\n',
        "src/price.js": _NODE_CODE,
        "test/price.test.js": "const price" + _expecting(_NODE_TESTS.partition("\nconst price")[2]),
    },
    solution=_NODE_DISCOUNT,
    new_test=_expecting(_NODE_NEW),
    command="npm test",
    call="discounted(1000, 10)",
    packages=True,
)
VITEST = Shop(
    code="src/price.js",
    tests="test/price.test.js",
    given={
        "package.json": '{"name": "shop", "type": "module"}\n',
        "src/price.js": _NODE_CODE.partition("\n\n")[2].replace("exports.", "export const "),
        "test/price.test.js": 'import { describe, expect, it } from "vitest";\n'
        'import * as price from "../src/price.js";\n'
        + _expecting(_NODE_TESTS.partition('price");\n')[2]),
    },
    solution=_NODE_DISCOUNT.replace("exports.", "export const "),
    new_test=_expecting(_NODE_NEW),
    command="npx vitest run",
    call="discounted(1000, 10)",
    packages=True,
)
GO = Shop(
    code="price/price.go",
    tests="price/price_test.go",
    given={
        "go.mod": "module example.com/shop\n\ngo 1.19\n",
        "price/price.go": """\
// Package price adds prices.
package price

// Total returns the sum.
func Total(cents []int) int {
	sum := 0
	for _, one := range cents {
		sum += one
	}
	return sum
}
""",
        "price/price_test.go": """\
package price

import "testing"

func TestTotal(t *testing.T) {
	if got := Total([]int{1, 2}); got != 3 {
		t.Errorf("got %d", got)
	}
}

func TestTotalOfNothing(t *testing.T) {
	if got := Total(nil); got != 0 {
		t.Errorf("got %d", got)
	}
}
""",
    },
    solution="""
// Discounted returns a price with a discount in percent, rounded down.
func Discounted(cents, percent int) int {
	return cents * (100 - percent) / 100
}
""",
    new_test="""
func TestDiscounted(t *testing.T) {
	if got := Discounted(1000, 10); got != 900 {
		t.Errorf("got %d", got)
	}
}
""",
    command="go test ./...",
    call="Discounted(1000, 10)",
)
RUST = Shop(
    code="src/lib.rs",
    tests="tests/price.rs",
    given={
        "Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n',
        "Cargo.lock": 'version = 3\n\n[[package]]\nname = "shop"\nversion = "0.1.0"\n',
        "src/lib.rs": "pub fn total(cents: &[u32]) -> u32 {\n    cents.iter().sum()\n}\n",
        "tests/price.rs": "#[test]\nfn adds() {\n    assert_eq!(shop::total(&[1, 2]), 3);\n}\n",
    },
    solution="""
pub fn discounted(cents: u32, percent: u32) -> u32 {
    cents * (100 - percent) / 100
}
""",
    new_test="""
#[test]
fn gives_a_discount() {
    assert_eq!(shop::discounted(1000, 10), 900);
}
""",
    command="cargo test",
    call="discounted(1000, 10)",
)
