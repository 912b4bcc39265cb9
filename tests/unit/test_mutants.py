"""A branch's lines are changed a little: which changes there are, and what is left alone."""

import ast
import difflib
import textwrap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verifier.mutants import Mutant, candidates, sample
from agent.verifier.trial import _is_product, runs_code

EVERY = range(1, 100_000)


def mutants(text: str, lines: range | frozenset[int] = EVERY, most: int = 10_000) -> list[Mutant]:
    """Return mutants of a text."""
    return list(sample(candidates("a.py", text, lines), most=most))


def changed(text: str) -> set[str]:
    """Return every mutated form of one line."""
    return {mutant.after for mutant in mutants(text)}


class TestOperators:
    """One small change each."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param("x = a < b", "x = a <= b", id="less"),
            pytest.param("x = a <= b", "x = a < b", id="less or equal"),
            pytest.param("x = a > b", "x = a >= b", id="greater"),
            pytest.param("x = a >= b", "x = a > b", id="greater or equal"),
            pytest.param("x = a == b", "x = a != b", id="equal"),
            pytest.param("x = a != b", "x = a == b", id="not equal"),
            pytest.param("x = a in b", "x = a not in b", id="in"),
            pytest.param("x = a not  in b", "x = a in b", id="not in"),
            pytest.param("x = a is b", "x = a is not b", id="is"),
            pytest.param("x = a is not b", "x = a is b", id="is not"),
            pytest.param("x = 'ä' < b < c", "x = 'ä' < b <= c", id="chained, behind an umlaut"),
            pytest.param("x = (a) < (b)", "x = (a) <= (b)", id="brackets"),
            pytest.param("x = a and b", "x = a or b", id="and"),
            pytest.param("x = a or b", "x = a and b", id="or"),
            pytest.param("x = a + b", "x = a - b", id="plus"),
            pytest.param("x = a - -b", "x = a + -b", id="minus"),
            pytest.param("x = a * b", "x = a / b", id="times"),
            pytest.param("x = a / b", "x = a * b", id="divided"),
            pytest.param("x += b", "x -= b", id="in place"),
            pytest.param("x = 3", "x = 4", id="whole number"),
            pytest.param("x = 0.5", "x = 1.5", id="fraction"),
            pytest.param("x = 0xff", "x = 256", id="hexadecimal"),
            pytest.param("x = True", "x = False", id="true"),
            pytest.param("x = False", "x = True", id="false"),
            pytest.param("x = 'a'", 'x = ""', id="text"),
            pytest.param("x = b'a'", 'x = b""', id="bytes"),
            pytest.param("x = f'a{b}'", 'x = ""', id="text with values"),
            pytest.param("x = not a", "x = a", id="not"),
            pytest.param("x = a if b else c", "x = a if not (b) else c", id="choice"),
            pytest.param("save(a)", "pass", id="call"),
            pytest.param("raise ValueError(a)", "pass", id="raise"),
            pytest.param("x: int = 3", "x: int = 4", id="annotated"),
        ],
    )
    def test_a_line_becomes_another(self, before: str, after: str) -> None:
        """As the operator says."""
        assert after in changed(before)

    @pytest.mark.parametrize(
        ("line", "after"),
        [
            pytest.param("    return a", "return None", id="return"),
            pytest.param("    return (a)", "return (None)", id="return in brackets"),
            pytest.param("    await save(a)", "pass", id="awaited call"),
            pytest.param("    if a:\n        b()", "if not (a):", id="if"),
            pytest.param("    if not a:\n        b()", "if a:", id="if not"),
        ],
    )
    def test_a_function_does_something_else(self, line: str, after: str) -> None:
        """Statements that stand in functions."""
        assert after in changed(f"async def f(a):\n{line}\n")

    def test_an_operator_in_a_comment_is_none(self) -> None:
        """Between operands there may be anything."""
        text = "x = (\n    a  # < b\n    < b\n)\n"
        (mutant,) = mutants(text)
        assert mutant.content.decode() == text.replace("    < b", "    <= b")

    @pytest.mark.parametrize(
        "text", ["a + 'x'", "f'{a}' + b", "a + 'x' + b", "[0] * a", "(1,) + a"]
    )
    def test_what_is_joined_is_not_calculated_with(self, text: str) -> None:
        """A mutant that only crashes is noticed by tests that assert nothing."""
        assert {"arithmetic"}.isdisjoint(mutant.kind for mutant in mutants(f"x = {text}\n"))

    def test_a_condition_is_turned_round_once(self) -> None:
        """`not (a == b)` is `a != b`."""
        assert changed("if a == b:\n    pass\n") == {"if a != b:"}


class TestLeftAlone:
    """What no test should have to notice."""

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param('"""Words."""\n', id="docstring"),
            pytest.param('def f():\n    """Words."""\n', id="docstring of a function"),
            pytest.param('class A:\n    x: int\n    """Words."""\n', id="docstring of a field"),
            pytest.param('__all__ = ["a"]\n', id="exports"),
            pytest.param('__version__ = "1.0"\n', id="version"),
            pytest.param('def f(x: "A") -> Literal["b", 3]: ...\n', id="annotations"),
            pytest.param('x: dict[str, "A"] = {}\n', id="annotation of a name"),
            pytest.param('X: TypeAlias = "A | B"\n', id="type alias"),
            pytest.param('T = TypeVar("T", bound="A")\n', id="type variable"),
            pytest.param('logger.info("Saved %s", a + b)\n', id="log"),
            pytest.param('self._log.error(f"no {a}")\n', id="log of an object"),
            pytest.param('LOG = logging.getLogger("a")\n', id="name of a log"),
            pytest.param('warnings.warn("old", stacklevel=2)\n', id="warning"),
            pytest.param("def f():\n    raise NotImplementedError\n", id="abstract"),
            pytest.param(
                "def f():\n    try:\n        a\n    except E:\n        raise\n", id="again"
            ),
            pytest.param('assert a < b, "words"\n', id="assertion"),
            pytest.param("if TYPE_CHECKING:\n    x = 3\n", id="for type checkers"),
            pytest.param("if typing.TYPE_CHECKING:\n    x = 3\n", id="for type checkers, dotted"),
            pytest.param('if __name__ == "__main__":\n    main(3)\n', id="start as a program"),
            pytest.param('@app.get("/x", status=3)\ndef f(): ...\n', id="decorator"),
            pytest.param("@overload\ndef f(x=3):\n    return 3\n", id="overload"),
            pytest.param("@typing.overload\ndef f(x=3): ...\n", id="overload, dotted"),
            pytest.param("from a import b\n", id="import"),
            pytest.param("def f():\n    return None\n", id="returns nothing already"),
            pytest.param('x = ""\ny = f""\n', id="empty text"),
            pytest.param("x = 1j\n", id="imaginary"),
            pytest.param("x = (\n", id="no Python"),
            pytest.param("x = '\0'\n", id="NUL"),
            pytest.param("\ufeffx = 3\n", id="byte order mark"),
            pytest.param("(" * 5_000, id="deep"),
        ],
    )
    def test_it_has_no_mutants(self, text: str) -> None:
        """Nothing at all."""
        assert changed(text) == set()

    def test_words_of_errors_and_help_stay(self) -> None:
        """Whether there is an error counts, not its words."""
        assert changed('raise ValueError(f"no {a}: " + "b")\n') == {"pass"}
        texts = changed('x = add("--a", help="words", default=3)\n')
        assert texts == {
            'x = add("", help="words", default=3)',
            'x = add("--a", help="words", default=4)',
        }

    def test_what_stands_beside_an_excluded_block_counts(self) -> None:
        """The other arm runs."""
        text = "if TYPE_CHECKING:\n    x = 3\nelse:\n    x = 5\n"
        assert changed(text) == {"x = 6"}

    def test_only_changed_lines_count(self) -> None:
        """Others are somebody else's."""
        found = mutants("x = 1\ny = 2\nz = 3\n", frozenset({2}))
        assert [mutant.line for mutant in found] == [2]

    def test_a_statement_over_lines_counts_where_one_of_them_changed(self) -> None:
        """The call is another one then."""
        found = mutants("save(\n    a,\n    b,\n)\n", frozenset({3}))
        assert [mutant.after for mutant in found] == ["pass"]


CODE = textwrap.dedent(
    '''\
    """Words."""
    LIMIT = 10  # ü

    def first(a, b=2):
        if a < b and not (a == 0):
            save(a)
        return f"ä{a}" + "ö"

    class Shop:
        rate: float = 0.5

        def second(self, x):
            for i in range(3):
                x += i * 2
            return [y for y in x if y is not None] or (
                None if x in (1, 2) else -1
            )

        async def third(self):
            await self.save("a" "b", True)
            raise ValueError("no")
    '''
)


class TestSample:
    """Few mutants for many changes."""

    @given(
        lines=st.frozensets(st.integers(1, 25)),
        most=st.integers(0, 60),
        ends=st.sampled_from(["\n", "\r\n", "\r"]),
    )
    def test_each_is_python_and_differs_in_one_place(
        self, lines: frozenset[int], most: int, ends: str
    ) -> None:
        """Whatever the lines, their number and their ends."""
        text = CODE.replace("\n", ends)
        code = text.encode()
        found = mutants(text, lines, most)
        assert len(found) <= most
        for mutant in found:
            assert mutant.original == code
            assert ast.dump(ast.parse(mutant.content)) != ast.dump(ast.parse(code))
            before, after = code.splitlines(), mutant.content.splitlines()
            steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            (step,) = (step for step in steps if step[0] != "equal")
            assert mutant.line == step[1] + 1
            assert not lines.isdisjoint(range(step[1] + 1, step[2] + 1))
        assert len({mutant.content for mutant in found}) == len(found)

    def test_every_function_gets_one_first(self) -> None:
        """Then they take turns."""
        names = [mutant.function for mutant in mutants(CODE, most=5)]
        assert sorted(names) == ["", "Shop", "Shop.second", "Shop.third", "first"]
        names = [mutant.function for mutant in mutants(CODE, most=8)]
        assert sorted(names[5:]) == ["Shop.second", "Shop.third", "first"]

    def test_kinds_take_turns_within_a_function(self) -> None:
        """Four numbers say less than a number, a comparison, a result and a condition."""
        text = "def f(a):\n    x = 1\n    y = 2\n    z = 3\n    return a < 4\n"
        kinds = [mutant.kind for mutant in mutants(text, most=3)]
        assert sorted(kinds) == ["comparison", "number", "return"]

    def test_more_functions_than_mutants_are_thinned_out_evenly(self) -> None:
        """From the first to the last."""
        text = "".join(f"def f{n:02}(a):\n    return a\n\n\n" for n in range(40))
        names = [int(mutant.function[1:]) for mutant in mutants(text, most=4)]
        assert names == sorted(names)
        assert all(later - earlier == 10 for earlier, later in pairwise(names))

    def test_it_is_always_the_same(self) -> None:
        """So that two attempts can be compared."""
        assert mutants(CODE, most=7) == mutants(CODE, most=7)

    def test_a_mutant_says_what_it_changes_and_where(self) -> None:
        """In one line, long ones shortened around the change."""
        assert str(mutants("x = a < b\n")[0]) == "`x = a < b` becomes `x = a <= b` at a.py:1"
        head = " + ".join(["name"] * 40)
        long = next(m for m in mutants(f"x = {head} + (a < b) + {head}\n") if "<=" in m.after)
        assert "(a <= b)" in long.after
        assert len(long.after) < 120


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest", True),
        ("python -m pytest -q tests | tail -5", True),
        ("uv run pytest tests/unit -v", True),
        ("python3 -m unittest discover -s tests", True),
        ("coverage run -m pytest && coverage report", True),
        ("tox -e py311", True),
        ("make test", True),
        ("python manage.py test shop", True),
        ('python3 -c "from greet import greet; assert greet(1)"', True),
        ("printf 'a' > /tmp/a && python -m till /tmp/a | grep -q 1", True),
        ("python -m mypy src", False),
        ("ruff check . && mypy src", False),
        ("uv run ruff check .", False),
        ("make lint", False),
        ("grep -rn pytest src", False),
        ("pytest --collect-only", False),
        ("python --version", False),
        ("npm test", False),
        ("go test ./...", False),
    ],
)
def test_what_runs_the_code_is_asked(command: str, expected: bool) -> None:
    """A linter that misses an import notices a mutant for the wrong reason."""
    assert runs_code(command) is expected


def test_the_tests_of_a_file_are_no_product() -> None:
    """Neither are configuration and what helps tests."""
    product = ["src/a.py", "a/b/__init__.py", "tools/make.py"]
    others = ["tests/test_a.py", "test_a.py", "tests/help.py", "a_test.py", "conftest.py", "a.js"]
    others += ["a/__main__.py", "setup.py", "noxfile.py"]
    assert [path for path in (*product, *others) if _is_product(path)] == product
