"""Checks that need a database of the machine: said plainly, and never ticked."""

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.languages import NODE, states, statuses, verified
from tests.support.postgres import a_database, program
from tests.support.toolchains import needs

pytestmark = [needs("postgres"), needs("node", "npm")]

LEVELS = """\
### Level 1: Database
```bash
psql -h 127.0.0.1 -p {port} -U shop -c "select 1"
createdb -h {folder} -p {port} shop
```

### Level 2: Tests
```bash
npm test
```
"""
STORING = """
it("stores", (_test, done) => {
  const socket = require("node:net").connect(5432, "127.0.0.1");
  socket.on("error", done).on("connect", () => socket.end(() => done()));
});
"""
SHOP = dataclasses.replace(NODE, given={**NODE.given, NODE.tests: NODE.given[NODE.tests] + STORING})


@pytest.fixture(scope="module")
def levels() -> Iterator[str]:
    """Checks of a database that this machine can ask."""
    with a_database() as (port, folder):
        asked = [program("psql"), "-h", folder, "-p", str(port), "-U", "shop", "postgres"]
        subprocess.run([*asked, "-c", "select 1"], check=True, capture_output=True)
        yield LEVELS.format(port=port, folder=folder)


def test_a_check_says_which_database_it_lacked(tmp_path: Path, levels: str) -> None:
    """It is neither a failure nor a pass; levels above it run, and nothing is proven by it."""
    project = SHOP.branch(tmp_path, SHOP.solved(), levels)
    found = verified(project, source=NODE.code, quote="Math.floor(")
    checks = {c["check"]: c for c in found["checks"] if c["stage"] != "baseline"}
    for check in ("L1.1", "L1.2", "L2.1"):
        assert checks[check]["state"] == "not run", checks[check]
        assert checks[check]["reason"].startswith("it needs PostgreSQL at ")
        assert checks[check]["reason"].endswith(", which checks can't reach")
    assert found["outcome"] == "unproven"
    assert "proven" not in statuses(found).values()
    assert "L1.1 could not run: it needs PostgreSQL at 127.0.0.1" in found["reason"]


def test_a_lack_excuses_no_other_failure(tmp_path: Path, levels: str) -> None:
    """A given test that fails beside the one that lacks its database is the branch's."""
    broken = NODE.given[NODE.code].replace("one, 0", "one, 1") + NODE.solution
    found = verified(SHOP.branch(tmp_path, {**SHOP.solved(), NODE.code: broken}, levels))
    assert states(found)["L2.1"] == "failed"
    assert found["outcome"] == "failed"
