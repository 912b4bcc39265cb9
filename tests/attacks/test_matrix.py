"""Every id of the matrices has its test, and the attack is shown to work without its guard.

What `docs/attacks.md` says of each is compared with the tests themselves.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.flags import guarding_tests

ROOT = Path(__file__).parents[2]
SIZES = {"S": 57, "G": 18, "I": 64, "P": 15}
IDS = [f"{letter}{n:02d}" for letter, size in SIZES.items() for n in range(1, size + 1)]
_ROW = re.compile(r"^\| ([SGIP]\d\d) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_NAMED = re.compile(r"(?<=_)[SGIP]\d\d(?=_)")
_WITHOUT_GUARD = ("bare", "plain_git", "unguarded")
"""How tests call what does the same without a guard: a place's `bare`, git, or a name of theirs."""


def said() -> dict[str, str]:
    """Return what the page says of each id: where it is shown, or why not."""
    return {m[1]: m[3] for m in _ROW.finditer((ROOT / "docs/attacks.md").read_text("utf-8"))}


def by_id() -> dict[str, list[ast.FunctionDef]]:
    """Return the tests by the ids in their names."""
    found: dict[str, list[ast.FunctionDef]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in _tests_in(ast.parse(file.read_text("utf-8"))):
            for one in _NAMED.findall(test.name):
                found[one].append(test)
    return found


def _tests_in(module: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def goes_without(test: ast.FunctionDef) -> bool:
    """Return whether a test does something without a guard and then looks what came of it."""
    names = [node for node in ast.walk(test) if isinstance(node, ast.expr)]
    lines = [node.lineno for node in names if _name(node) in _WITHOUT_GUARD]
    looks = [node.lineno for node in ast.walk(test) if isinstance(node, ast.Assert)]
    raises = [node.lineno for node in names if _name(node) == "raises"]
    return bool(lines) and any(line >= min(lines) for line in (*looks, *raises))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@pytest.fixture(scope="module")
def found() -> dict[str, list[ast.FunctionDef]]:
    """All tests by their ids."""
    return by_id()


def test_the_page_names_every_id_once() -> None:
    """In order, and no other."""
    rows = [m[1] for m in _ROW.finditer((ROOT / "docs/attacks.md").read_text("utf-8"))]
    assert rows == IDS


@pytest.mark.parametrize("one", IDS)
def test_every_id_has_a_test_that_goes_without_the_guard_or_a_reason(
    found: dict[str, list[ast.FunctionDef]], one: str
) -> None:
    """What the page says is so, and a reason stands only where nothing is shown."""
    assert found[one], f"no test carries {one} in its name"
    is_shown = any(map(goes_without, found[one]))
    has_flag = any(f"_{one}_" in test for test in guarding_tests())
    where = said()[one]
    if where == "in its test":
        assert is_shown
    elif where == "by its flag":
        assert has_flag
        assert not is_shown
    else:
        assert where.startswith(("no attack: ", "not shown: "))
        assert not is_shown
        assert not has_flag


@pytest.mark.parametrize(
    ("body", "goes"),
    [
        pytest.param("place.run('x')\n    assert 1", False, id="guarded only"),
        pytest.param("place.bare('x')", False, id="nobody looks"),
        pytest.param("assert 1\n    place.bare('x')", False, id="looks before"),
        pytest.param("place.bare('x')\n    assert 1", True, id="without walls"),
        pytest.param("plain_git(place)\n    assert 1", True, id="plain git"),
        pytest.param("unguarded = open('x')\n    assert unguarded", True, id="a name"),
    ],
)
def test_what_counts_as_going_without(body: str, goes: bool) -> None:
    """The look must come after the try."""
    (test,) = _tests_in(ast.parse(f"def test_x(place):\n    {body}\n"))
    assert goes_without(test) is goes
