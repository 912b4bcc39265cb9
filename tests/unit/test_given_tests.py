"""Edited tests are weighed test by test."""

import pytest

from agent.verifier.given_tests import weigh_edits
from agent.verifier.objections import Weight

GIVEN = '''\
"""Tests of the greeting."""
import pytest

from greet import greet


def test_name():
    """It greets by name."""
    assert greet("Ada") == "Hello, Ada!"
    assert greet("Bob").startswith("Hello")


def test_refuses_nothing():
    with pytest.raises(ValueError, match="name"):
        greet("")


@pytest.mark.parametrize("name", ["Ada", "Bob", "Eve"])
def test_each(name):
    assert name in greet(name)


class TestLoud:
    def test_shouts(self):
        assert greet("Ada", loud=True) == "HELLO, ADA!"
'''


def weights(after: str | None, *, before: str = GIVEN, path: str = "tests/test_greet.py") -> str:
    """Return the weights of an edit's objections in one line."""
    return " ".join(sorted(o.weight.value for o in weigh_edits(path, before, after)))


def edited(old: str, new: str) -> str:
    """Return the given file with one place changed."""
    assert old in GIVEN
    return GIVEN.replace(old, new, 1)


NAME = '    assert greet("Ada") == "Hello, Ada!"\n'
CHEATS = {
    "V01_containment": edited(NAME, '    assert "Ada" in greet("Ada")\n'),
    "V01_truth": edited(NAME, '    assert greet("Ada")\n'),
    "V01_or": edited(NAME, '    assert greet("Ada") == "Hello, Ada!" or True\n'),
    "V01_itself": edited(NAME, '    assert greet("Ada") == greet("Ada")\n'),
    "V01_gone": edited(NAME, ""),
    "V01_emptied": edited(NAME + '    assert greet("Bob").startswith("Hello")\n', "    pass\n"),
    "V01_after_return": edited(NAME, "    return\n" + NAME),
    "V01_under_false": edited(NAME, "    if False:\n    " + NAME),
    "V01_other_error": edited('pytest.raises(ValueError, match="name")', "pytest.warns(Warning)"),
    "V02_deleted": edited(GIVEN[GIVEN.index("class TestLoud") :], ""),
    "V02_renamed_away": edited("def test_name", "def check_name"),
    "V03_skip_mark": edited("def test_name", '@pytest.mark.skip("later")\ndef test_name'),
    "V03_skip_call": edited(NAME, '    pytest.skip("later")\n' + NAME),
    "V03_module": edited("import pytest\n", "import pytest\npytestmark = pytest.mark.skip\n"),
    "V03_class": edited("class TestLoud", "@pytest.mark.skip\nclass TestLoud"),
    "V13_swallowed": edited(
        NAME, f"    try:\n    {NAME}    except AssertionError:\n        pass\n"
    ),
    "V13_suppressed": edited(NAME, f"    with contextlib.suppress(Exception):\n    {NAME}"),
    "V19_xfail": edited("def test_name", "@pytest.mark.xfail(strict=False)\ndef test_name"),
    "V20_fewer_cases": edited('["Ada", "Bob", "Eve"]', '["Ada"]'),
    "V22_file_gone": None,
    "unparsable": "def test_name(:\n",
}


@pytest.mark.parametrize("after", [pytest.param(text, id=name) for name, text in CHEATS.items()])
def test_V01_V02_V03_V13_V19_V20_a_test_that_asks_less_is_refused(after: str | None) -> None:
    """Whatever form it takes."""
    assert "refused" in weights(after)


HONEST = {
    "added_test": GIVEN + '\n\ndef test_new():\n    assert greet("Zoe") == "Hello, Zoe!"\n',
    "added_assertion": edited(NAME, NAME + '    assert "!" in greet("Ada")\n'),
    "stronger": edited(
        '    assert greet("Bob").startswith("Hello")\n',
        '    assert greet("Bob").startswith("Hello") and greet("Bob") == "Hello, Bob!"\n',
    ),
    "comment_and_docstring": edited('"""It greets by name."""', '"""It greets."""  # by name'),
    "another_import": edited("from greet import greet", "from greeting.greet import greet"),
    "another_argument": edited(NAME, '    assert greet("Ada", lang="en") == "Hello, Ada!"\n'),
    "more_cases": edited('["Ada", "Bob", "Eve"]', '["Ada", "Bob", "Eve", "Zoe"]'),
    "a_local_name": edited(NAME, '    name = "Ada"\n' + NAME),
    "narrow_try": edited(NAME, f"    try:\n    {NAME}    except KeyError:\n        raise\n"),
}


@pytest.mark.parametrize("after", [pytest.param(text, id=name) for name, text in HONEST.items()])
def test_a_test_that_asks_the_same_or_more_is_no_objection(after: str) -> None:
    """Honest work is not asked about."""
    assert weights(after) == ""


def test_V28_a_renamed_test_is_told_and_not_refused() -> None:
    """The same statements under another name are the same test."""
    assert weights(edited("def test_name", "def test_greets_by_name")) == "noted"


def test_V28_a_test_that_was_replaced_is_asked_about() -> None:
    """A program can't tell whether the new one asks the same."""
    after = edited("def test_name", "def test_greeting").replace(
        NAME, '    assert greet("Ada") == "Good day, Ada!"\n'
    )
    assert weights(after) == "asked"


def test_another_expected_value_is_asked_about() -> None:
    """The PRP may want it, or the code may be wrong."""
    assert weights(edited('"Hello, Ada!"', '"Hi, Ada!"')) == "asked"


JAVASCRIPT = """\
describe("greet", () => {
  it("greets", () => {
    expect(greet("Ada")).toBe("Hello, Ada!"); // not it.skip
  });
  it("refuses", () => {
    expect(() => greet("")).toThrow();
  });
});
"""
GO = """\
func TestGreet(t *testing.T) {
	if got := Greet("Ada"); got != "Hello, Ada!" {
		t.Errorf("got %q", got)
	}
}
"""


@pytest.mark.parametrize(
    ("path", "before", "old", "new"),
    [
        ("a.test.js", JAVASCRIPT, 'it("greets"', 'it.skip("greets"'),
        ("a.test.ts", JAVASCRIPT, 'expect(() => greet("")).toThrow();', ""),
        ("a.spec.ts", JAVASCRIPT, 'describe("greet"', 'describe.skip("greet"'),
        ("a.test.js", JAVASCRIPT, 'it("greets", ', 'it("greets", { skip: true }, '),
        (
            "a.test.js",
            JAVASCRIPT,
            'expect(greet("Ada")).toBe("Hello, Ada!");',
            'try { expect(greet("Ada")).toBe("Hello, Ada!"); } catch (error) {\n }',
        ),
        (
            "a_test.go",
            GO,
            GO,
            GO.replace("Greet", "Other"),
        ),
        ("a_test.go", GO, "if got :=", 't.Skip("later")\n\tif got :='),
        ("a_test.go", GO, "func TestGreet", "func checkGreet"),
        ("a_test.go", GO, '\t\tt.Errorf("got %q", got)\n', ""),
    ],
)
def test_V02_V03_tests_of_other_languages_count_as_well(
    path: str, before: str, old: str, new: str
) -> None:
    """By the words that begin, assert and skip."""
    assert Weight.REFUSED.value in weights(before.replace(old, new), before=before, path=path)
    assert weights(before + "\n", before=before, path=path) == ""
