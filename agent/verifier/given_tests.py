"""Whether edited tests still ask what they asked: test by test, by their syntax tree.

A PRP often lets the coder modify the very file that holds the given tests. Assertions that are
kept or added are honest work; tests that are deleted, emptied, skipped, swallowed or loosened are
how a failing test is made to pass.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.verifier.assertions import Assertion, assertions_of, skips_in
from agent.verifier.foreign_tests import foreign_tests
from agent.verifier.objections import Objection, Weight


@dataclass(frozen=True, kw_only=True)
class GivenTest:
    """One test of a file: what it asserts, and what keeps it from running."""

    name: str
    """As pytest writes it without the path: `Class::test_x` or `test_x`."""
    line: int
    body: str
    """The same text for the same statements, whatever the layout."""
    assertions: tuple[Assertion, ...]
    skips: tuple[str, ...] = ()
    """Marks and calls that skip it, expect it to fail or end the process."""
    cases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters to the values that it is run with."""


def weigh_edits(path: str, before: str, after: str | None) -> tuple[Objection, ...]:
    """Compare a file of given tests with what a branch made of it.

    Args:
        path: Names the file in what is said, and its ending the language.
        before: Its text on the base commit.
        after: Its text on the branch, None where the branch deleted it.

    Returns:
        One objection for each test that no longer asks what it asked; nothing where every given
        test is as it was or asserts more.

    """
    given = tests_of(path, before)
    if given is None or not given:
        return ()
    if after is None:
        what = f"a file with {len(given)} given tests was deleted"
        return (Objection(weight=Weight.REFUSED, place=path, what=what),)
    found = tests_of(path, after)
    if found is None:
        what = "it held given tests and can't be parsed any more"
        return (Objection(weight=Weight.REFUSED, place=path, what=what),)
    return tuple(_compare(path, given, found))


def tests_of(path: str, text: str) -> dict[str, GivenTest] | None:
    """Return a file's tests by name, None where the file can't be parsed."""
    if path.endswith(".py"):
        return _python_tests(text)
    return {
        test.name: GivenTest(
            name=test.name,
            line=test.line,
            body=test.body,
            assertions=test.assertions,
            skips=test.skips,
        )
        for test in foreign_tests(path, text)
    }


def _compare(
    path: str, given: Mapping[str, GivenTest], found: Mapping[str, GivenTest]
) -> Iterator[Objection]:
    new = [test for name, test in found.items() if name not in given]
    for name, before in given.items():
        place = f"{path}::{name}"
        after = found.get(name)
        if after is None:
            weight, what = _gone(before, new)
            yield Objection(weight=weight, place=place, what=what)
        else:
            for weight, what in _changed(before, after):
                yield Objection(weight=weight, place=place, what=what)


def _gone(before: GivenTest, new: Iterable[GivenTest]) -> tuple[Weight, str]:
    """Say of a test that is there no more whether another one asks the same."""
    for test in new:
        if test.body == before.body and not set(test.skips) - set(before.skips):
            return Weight.NOTED, f"the given test is now called `{test.name}`"
    wanted = Counter(a.text for a in before.assertions)
    for test in new:
        kept = Counter(a.text for a in test.assertions)
        if wanted and not wanted - kept and not set(test.skips) - set(before.skips):
            return Weight.NOTED, f"its assertions are now in `{test.name}`"
    if any(_is_like(test, before) for test in new):
        return Weight.ASKED, "the given test was replaced by another one: is that meant?"
    return Weight.REFUSED, "the given test was deleted"


def _is_like(test: GivenTest, before: GivenTest) -> bool:
    """Return whether a new test asserts as much as a given one, about the same things."""
    names = {name for a in before.assertions for name in a.names}
    own = {name for a in test.assertions for name in a.names}
    as_many = len(test.assertions) >= len(before.assertions) > 0
    return as_many and bool(names & own) and not test.skips


def _changed(before: GivenTest, after: GivenTest) -> Iterator[tuple[Weight, str]]:
    for skip in dict.fromkeys(after.skips):
        if skip not in before.skips:
            yield Weight.REFUSED, f"the given test no longer counts: `{skip}`"
    yield from _fewer_cases(before, after)
    if before.body == after.body:
        return
    lost, added = _leftovers(before.assertions, after.assertions)
    for index, old in enumerate(lost):
        new = added[index] if index < len(added) else None
        if new is None:
            yield Weight.REFUSED, f"an assertion of the given test is gone: `{old.text}`"
        elif new.rank < old.rank:
            yield (
                Weight.REFUSED,
                f"an assertion of the given test was loosened: `{old.text}` became `{new.text}`",
            )
        elif not old.is_kept_by(new):
            yield (
                Weight.ASKED,
                f"the given test expects something else: `{old.text}` became `{new.text}`",
            )


def _leftovers(
    before: Iterable[Assertion], after: Iterable[Assertion]
) -> tuple[list[Assertion], list[Assertion]]:
    """Return the assertions that only one side has, those that look alike at the same place."""
    old, new = list(before), list(after)
    for assertion in list(old):
        if assertion in new:
            new.remove(assertion)
            old.remove(assertion)
    paired: list[Assertion] = []
    for assertion in old:
        like = next((n for n in new if assertion.is_kept_by(n)), None)
        like = like or next((n for n in new if n.names & assertion.names), None)
        like = like or (new[0] if new else None)
        if like is not None:
            new.remove(like)
            paired.append(like)
    return old, paired


def _fewer_cases(before: GivenTest, after: GivenTest) -> Iterator[tuple[Weight, str]]:
    for parameter, cases in before.cases.items():
        now = after.cases.get(parameter)
        if now is None:
            if after.cases or before.body == after.body:
                yield Weight.REFUSED, f"the given test lost its cases for `{parameter}`"
            continue
        lost = list((Counter(cases) - Counter(now)).elements())
        if len(now) < len(cases):
            yield Weight.REFUSED, f"the given test lost {len(lost)} of its cases: `{lost[0]}`"
        elif lost:
            yield Weight.ASKED, f"a case of the given test was changed: `{lost[0]}`"


def _python_tests(text: str) -> dict[str, GivenTest] | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    outer = _marks_of_module(tree)
    return {test.name: test for test in _within(tree.body, "", outer)}


def _within(body: Iterable[ast.stmt], prefix: str, outer: tuple[str, ...]) -> Iterator[GivenTest]:
    for node in body:
        if isinstance(node, ast.ClassDef) and _holds_tests(node):
            own = tuple(_stopping(node.decorator_list))
            yield from _within(node.body, f"{prefix}{node.name}::", (*outer, *own))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(node.name):
            yield GivenTest(
                name=prefix + node.name,
                line=node.lineno,
                body=_layout_free(node),
                assertions=tuple(assertions_of(node)),
                skips=(*outer, *_stopping(node.decorator_list), *skips_in(node)),
                cases=dict(_cases(node.decorator_list)),
            )


def _is_test(name: str) -> bool:
    return name.startswith("test")


def _holds_tests(node: ast.ClassDef) -> bool:
    bases = " ".join(ast.unparse(base) for base in node.bases)
    return node.name.startswith("Test") or "TestCase" in bases or node.name.endswith("Test")


def _layout_free(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the statements without the docstring, so that only what runs is compared."""
    body = node.body
    if ast.get_docstring(node, clean=False) is not None:
        body = body[1:]
    return ast.dump(ast.Module(body=list(body), type_ignores=[]))


_STOPS = re.compile(r"\b(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure|importorskip)\b")


def _stopping(decorators: Iterable[ast.expr]) -> Iterator[str]:
    for decorator in decorators:
        words = ast.unparse(decorator)
        if _STOPS.search(words):
            yield f"@{words}"


def _marks_of_module(tree: ast.Module) -> tuple[str, ...]:
    """Return what at the top of a file keeps all of its tests from running."""
    found: list[str] = []
    for node in tree.body:
        words = ast.unparse(node) if not isinstance(node, _DEFINITIONS) else ""
        is_mark = isinstance(node, ast.Assign) and words.startswith("pytestmark")
        is_call = isinstance(node, ast.Expr | ast.If | ast.Assign)
        if (is_mark and _STOPS.search(words)) or (is_call and re.search(_ENDS, words)):
            found.append(words.splitlines()[0])
        if isinstance(node, ast.Assign) and re.match(r"(?:__test__|collect_ignore)\b", words):
            found.append(words)
    return tuple(found)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ENDS = r"\bpytest\.(?:skip|exit|importorskip)\(|\b(?:sys|os)\._?exit\("


def _cases(decorators: Iterable[ast.expr]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for decorator in decorators:
        if not isinstance(decorator, ast.Call) or len(decorator.args) < 2:
            continue
        if not ast.unparse(decorator.func).endswith("parametrize"):
            continue
        values = decorator.args[1]
        if isinstance(values, ast.List | ast.Tuple | ast.Set):
            yield ast.unparse(decorator.args[0]), tuple(ast.unparse(v) for v in values.elts)
