"""Reports of test runners, honest and forged, become one outcome for each test."""

import json
import os
from pathlib import Path

import pytest

from agent.verifier.named import is_named
from agent.verifier.reports import outcomes_by_id
from agent.workspace.reporting import read_reports

GO = "folder price/\ntest TestAdds\ntest TestLater\noutput\n"


def line(file: object, names: object, outcome: object) -> str:
    """Return a line as our reporters write it."""
    return json.dumps({"file": file, "names": names, "outcome": outcome}) + "\n"


def test_a_test_that_is_told_of_twice_counts_as_the_worse() -> None:
    """So nothing is gained by telling of a test that was skipped or failed."""
    found = outcomes_by_id(
        {
            "jest-1.jsonl": line("a.js", ["x"], "skipped") + line("a.js", ["x"], "passed"),
            "jest-2.jsonl": line("a.js", ["y"], "failed"),
            "jest-3.jsonl": line("a.js", ["y"], "passed"),
        }
    )
    assert found == {"a.js::x": "skipped", "a.js::y": "failed"}


def test_reports_of_several_runners_are_put_together() -> None:
    """A check may run the tests of two languages."""
    junit = '<testsuite><testcase classname="a" name="b"/></testsuite>'
    found = outcomes_by_id({"junit.xml": junit, "node-1.jsonl": line("a.js", ["x"], "passed")})
    assert found == {"a::b": "passed", "a.js::x": "passed"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("node-1.jsonl", "[]\n3\nnull\n{}\n" + line("a", ["x"], "proven") + "[" * 9999),
        ("vitest-1.json", json.dumps({"testResults": [3, {"assertionResults": [4]}]})),
        ("go-1", GO + "--- PASS: TestDeleted (0.00s)\n"),
        ("cargo-1", "program shop\nokay a\nok\n"),
    ],
)
def test_what_tells_of_no_test_is_no_test(name: str, text: str) -> None:
    """Whatever stands there, nobody has passed."""
    assert outcomes_by_id({name: text}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vitest-1.json", "{"),
        ("go-1", "folder a/\n"),
        ("cargo-1", "ok tests::x\n"),
        ("other.txt", "ok\n"),
        ("node-1.jsonl", ""),
    ],
)
def test_what_cannot_be_read_is_no_report(name: str, text: str) -> None:
    """Then what was printed tells."""
    assert outcomes_by_id({name: text}) is None


def test_unmarked_results_do_not_count_beside_marked_ones() -> None:
    """Since Go 1.20 a mark tells results from what tests print."""
    printed = "--- PASS: TestLater (0.00s)\n"
    assert outcomes_by_id({"go-1": f"{GO}{printed}\x16--- PASS: TestAdds (0.00s)\n"}) == {
        "./price::TestAdds": "passed"
    }
    assert outcomes_by_id({"go-1": f"{GO}out\x16--- PASS: TestLater/a_b (0.00s)\n"}) == {
        "./price::TestLater/a_b": "passed"
    }


@pytest.mark.parametrize(
    ("test", "path", "name"),
    [
        ("tests.test_x.TestY::test_z[1]", "tests/test_x.py", "TestY::test_z"),
        ("src/a.test.js::total::adds", "src/a.test.js", "adds"),
        ("src/a.test.js::adds 1 and 2", "src/a.test.js", "adds %i and %i"),
        ("src/a.test.js::adds Ada", "src/a.test.js", "adds ${who}"),
        ("src/a.test.js::one::adds", "src/a.test.js", "adds (2)"),
        ("src/a.test.js::total::adds", "src/a.test.js", ""),
        ("./price::TestX/one", "price/price_test.go", "TestX"),
        (".::TestX", "price_test.go", "TestX"),
        ("shop::tests::adds", "src/lib.rs", "adds"),
    ],
)
def test_an_id_names_its_test(test: str, path: str, name: str) -> None:
    """In the words of each runner."""
    assert is_named(test, path, name)


@pytest.mark.parametrize(
    ("test", "path", "name"),
    [
        ("src/a.test.js::total::adds", "src/b.test.js", "adds"),
        ("src/a.test.js::total::adds", "src/a.test.js", "dds"),
        ("./price::TestXY", "price/price_test.go", "TestX"),
        ("./price/tax::TestX", "price/price_test.go", "TestX"),
        ("shop::tests::adds", "src/lib.rs", "dds"),
    ],
)
def test_another_test_is_not_named(test: str, path: str, name: str) -> None:
    """Nor one of another file."""
    assert not is_named(test, path, name)


def test_only_plain_files_of_a_folder_are_reports(tmp_path: Path) -> None:
    """Code under test could have laid links, pipes and folders there; paths are told relative."""
    folder = tmp_path / "reports"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "inner").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "plain").write_text(f"{tmp_path}/tree/a.js {tmp_path}/treeless")
    found = {name: text for name, text in read_reports(folder, tmp_path / "tree").items() if text}
    assert found == {"plain": f"a.js {tmp_path}/treeless"}
