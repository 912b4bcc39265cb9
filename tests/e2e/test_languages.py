"""`prp verify` on JavaScript, Go and Rust projects, with their own tools."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.languages import (
    GO,
    JEST,
    NODE,
    RUST,
    VITEST,
    Shop,
    against,
    asked,
    believing,
    states,
    statuses,
    verified,
)
from tests.support.provider import Answer, Request
from tests.support.toolchains import needs

QUOTES: Mapping[str, str] = {
    NODE.code: "Math.floor((cents * (100 - percent)) / 100)",
    GO.code: "return cents * (100 - percent) / 100",
    RUST.code: "cents * (100 - percent) / 100",
}


@pytest.mark.parametrize(
    "shop",
    [
        pytest.param(JEST, id="jest", marks=needs("jest", "npm")),
        pytest.param(VITEST, id="vitest", marks=needs("vitest", "npm")),
        pytest.param(RUST, id="cargo", marks=needs("cargo")),
    ],
)
def test_an_honest_branch_is_proven(tmp_path: Path, shop: Shop) -> None:
    """Its new test is known by its id, and fails without its code."""
    project = shop.branch(tmp_path, shop.solved())
    found = verified(project, source=shop.code, quote=QUOTES[shop.code])
    assert found["outcome"] == "proven", (against(found), found["criteria"])
    assert against(found) == []
    (evidence, *_) = found["criteria"][1]["evidence"]
    assert "one new test in it fails on the base commit" in evidence


NODE_LEVELS = """\
### Level 1: Style
```bash
! grep -rn "console.log" src
grep -c "TODO" src/price.js   # Expected: 0
node --check legacy/report.js
```

### Level 2: Tests
```bash
npm test
node --test --experimental-test-coverage   # Expected: coverage >= 90%
node -e "if (require('./src/price').discounted(1000, 10) !== 900) process.exit(1)"
```

### Level 3: Server
```bash
PORT=8123 node src/server.js &
sleep 2
curl -s "localhost:8123/discounted?cents=1000&percent=10"
# Expected: {"price": 900}
```
"""
NODE_SERVER = """\
const http = require("node:http");
const price = require("./price");

const server = http.createServer((request, response) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const answer = price.discounted(+query.get("cents"), +query.get("percent"));
  response.end(JSON.stringify({ price: answer }));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
"""


@needs("node", "npm")
class TestNode:
    """A server, coverage, an inverse grep, and a file that was broken before."""

    shop = dataclasses.replace(NODE, given={**NODE.given, "legacy/report.js": "const a = (;\n"})

    def test_all_of_it_is_proven(self, tmp_path: Path) -> None:
        """What failed before and fails no worse keeps nothing from being proven."""
        files = {**self.shop.solved(), "src/server.js": NODE_SERVER}
        project = self.shop.branch(tmp_path, files, NODE_LEVELS)
        found = verified(project, source=NODE.code, quote=QUOTES[NODE.code])
        assert found["outcome"] == "proven", (against(found), found["criteria"])
        assert statuses(found) == {"C1": "proven", "C2": "proven"}
        failed = [check for check, state in states(found).items() if state != "passed"]
        assert failed == ["L1.3"]
        assert states(found, "baseline")["L3.2"] == "failed"

    def test_what_lacks_is_told_of_each_check(self, tmp_path: Path) -> None:
        """A forbidden word, code without tests, and a server that answers wrongly."""
        untested = (
            NODE.solution + "\nexports.untested = () => {\n  // x\n" + "  // y\n" * 40 + "};\n"
        )
        files: dict[str, str | None] = {
            NODE.code: NODE.given[NODE.code] + untested + 'console.log("TODO");\n',
            "src/server.js": NODE_SERVER.replace("price: answer", "price: 1 + answer"),
        }
        levels = re.sub(r"```\n\n### .*\n```bash\n", "", NODE_LEVELS)
        found = verified(self.shop.branch(tmp_path, files, levels))
        assert found["outcome"] == "failed"
        reasons = {c["check"]: c["reason"] for c in found["checks"] if c["stage"] != "baseline"}
        failed = {check for check, state in states(found).items() if state == "failed"}
        assert failed == {"L1.1", "L1.2", "L1.3", "L1.5", "L1.8"}, found["checks"]
        assert "where the PRP expects >=90%" in reasons["L1.5"]
        assert "does not contain" in reasons["L1.8"]

    def test_a_test_that_sometimes_passes_is_flaky(self, tmp_path: Path) -> None:
        """It is named."""
        flaky = """
it("sometimes", () => {
  const fs = require("node:fs");
  const count = fs.existsSync("count") ? Number(fs.readFileSync("count", "utf8")) : 0;
  fs.writeFileSync("count", String(count + 1));
  assert.strictEqual(count % 2, 0);
});
"""
        solved = NODE.solved()
        project = NODE.branch(tmp_path, {**solved, NODE.tests: f"{solved[NODE.tests]}{flaky}"})
        found = verified(project)
        assert found["outcome"] != "proven"
        assert any("L1.1 flaky" in line and "::sometimes" in line for line in against(found))

    def test_V09_hard_coded_results_are_found_by_tests_from_the_text(self, tmp_path: Path) -> None:
        """Every check passes; a test that nobody saw who wrote the code does not."""
        hard = NODE.given[NODE.code] + "\nexports.discounted = () => 900;\n"
        new = '\nit("gives one", () => assert.strictEqual(price.discounted(1000, 10), 900));\n'
        project = NODE.branch(tmp_path, {NODE.code: hard, NODE.tests: NODE.given[NODE.tests] + new})
        found = asked(project, _with_tests_from_the_text, PRP_HOLDOUT_TESTS="")
        assert statuses(found)["C1"] == "failed", found["criteria"]
        assert found["outcome"] == "failed"


FROM_TEXT = """\
const { it } = require("node:test");
const assert = require("node:assert");
const { discounted } = require("./src/price");

it("rounds down", () => assert.strictEqual(discounted(999, 10), 899));
"""


def _with_tests_from_the_text(request: Request) -> Answer:
    if "submit_tests" in request.tools:
        words = "rounded down to whole cents"
        test = {"name": "rounds down", "criterion": "C1", "words": words, "new": True}
        path = "from_text.test.js"
        whole = {"path": path, "content": FROM_TEXT, "command": f"node --test {path}"}
        return Answer(calls=(("submit_tests", {**whole, "tests": [test]}),))
    if "submit_review" in request.tools:
        said = {"name": "rounds down", "verdict": "right", "reason": "it returns 900 for 999"}
        return Answer(calls=(("submit_review", {"tests": [said]}),))
    return believing(NODE.code, "exports.discounted = () => 900")(request)


GO_LEVELS = """\
### Level 1: Style
```bash
gofmt -l price
# Expected: no output
! grep -rn "fmt.Print" price
go vet ./legacy
```

### Level 2: Tests
```bash
go test -cover ./price   # Expected: coverage >= 90%
```

### Level 3: Server
```bash
go run ./cmd/shop -port 8124 &
sleep 2
curl -s "localhost:8124/discounted?cents=1000&percent=10"
# Expected: {"price": 900}
```
"""
GO_SERVER = """\
package main

import (
	"flag"
	"fmt"
	"net/http"
	"strconv"

	"example.com/shop/price"
)

func main() {
	port := flag.Int("port", 8080, "port")
	flag.Parse()
	http.HandleFunc("/discounted", func(w http.ResponseWriter, r *http.Request) {
		cents, _ := strconv.Atoi(r.URL.Query().Get("cents"))
		percent, _ := strconv.Atoi(r.URL.Query().Get("percent"))
		fmt.Fprintf(w, `{"price": %d}`, price.Discounted(cents, percent))
	})
	http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), nil)
}
"""
GO_LEGACY = """\
package legacy

import "fmt"

func Report() { fmt.Printf("%d\\n", "not a number") }
"""


@needs("go")
def test_a_whole_go_project_is_proven(tmp_path: Path) -> None:
    """A server, coverage, an inverse grep, and a package that was broken before."""
    shop = dataclasses.replace(GO, given={**GO.given, "legacy/report.go": GO_LEGACY})
    files = {**GO.solved(), "cmd/shop/main.go": GO_SERVER}
    project = shop.branch(tmp_path, files, GO_LEVELS)
    found = verified(project, source=GO.code, quote=QUOTES[GO.code])
    assert found["outcome"] == "proven", (against(found), found["checks"])
    assert statuses(found) == {"C1": "proven", "C2": "proven"}
    assert [check for check, state in states(found).items() if state != "passed"] == ["L1.3"]
