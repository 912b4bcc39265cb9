"""What a Python test asserts, and what in it keeps an assertion from counting."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# What an assertion says at most: the exact value, something of it, that there is one, nothing.
EXACT, PARTLY, TRUTH, NOTHING = 3, 2, 1, 0

_EXACT_CALLS = re.compile(
    r"(?:assert|fail)(?:Equals?|Is|CountEqual|RaisesRegex|Raises|DictEqual|ListEqual|SetEqual|"
    r"TupleEqual|SequenceEqual|MultiLineEqual|IsNone|WarnsRegex|Warns|Logs)$|"
    r"assert_(?:called_once_with|called_with|has_calls|any_call|not_called|called_once)$|^raises$"
)
_PARTLY_CALLS = re.compile(r"^(?:assert\w+|fail(?:If|Unless)?\w*|warns|assert_\w+)$")


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """One assertion: its words, how much it says, and about what."""

    text: str
    rank: int
    """3: an exact value; 2: something of it; 1: that it is true; 0: nothing."""
    constants: frozenset[str] = field(default=frozenset(), compare=False)
    names: frozenset[str] = field(default=frozenset(), compare=False)

    def is_kept_by(self, other: "Assertion") -> bool:
        """Return whether another one asks the same of the same things, or more."""
        more = self.constants <= other.constants and self.names <= other.names
        return more and other.rank >= self.rank


def assertions_of(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Assertion]:
    """Yield the assertions that can fail a test.

    One that is swallowed by a `try`, that never runs, or that runs under a condition that holds
    for nothing does not count.
    """
    yield from _in_statements(test.body)


def skips_in(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the calls of a test that skip it, expect it to fail or end the process."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call):
            words = ast.unparse(node.func)
            if _SKIPS.search(words):
                yield words + "()"


_SKIPS = re.compile(
    r"^(?:pytest\.(?:skip|xfail|exit|importorskip)|self\.skipTest|sys\.exit|os\._exit)$"
)


def _in_statements(body: list[ast.stmt]) -> Iterator[Assertion]:
    for statement in body:
        yield from _in_statement(statement)
        if isinstance(statement, ast.Return | ast.Raise):
            return


def _in_statement(node: ast.stmt) -> Iterator[Assertion]:  # noqa: C901 - one arm a statement
    match node:
        case ast.Assert():
            yield _assertion(node.test)
        case ast.Expr(value=value):
            yield from _in_expression(value)
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            if any(_suppresses(item.context_expr) for item in items):
                return
            for item in items:
                yield from _in_expression(item.context_expr)
            yield from _in_statements(body)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            if not any(_swallows(handler) for handler in handlers):
                yield from _in_statements(body)
                yield from _in_statements(orelse)
            for handler in handlers:
                yield from _in_statements(handler.body)
            yield from _in_statements(finalbody)
        case ast.If(test=test, body=body, orelse=orelse):
            if not (isinstance(test, ast.Constant) and not test.value):
                yield from _in_statements(body)
            yield from _in_statements(orelse)
        case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
            yield from _in_statements(body)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            yield from _in_expression(value)


def _in_expression(node: ast.expr) -> Iterator[Assertion]:
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return
    name = ast.unparse(node.func).rsplit(".", 1)[-1]
    if _EXACT_CALLS.search(name):
        yield _described(node, EXACT)
    elif name in ("assertTrue", "assertFalse", "assert_", "assertIsNotNone"):
        yield _assertion(node.args[0]) if node.args else _described(node, TRUTH)
    elif _PARTLY_CALLS.match(name):
        yield _described(node, PARTLY)


def _assertion(test: ast.expr) -> Assertion:
    return _described(test, _rank(test))


def _rank(test: ast.expr) -> int:
    match test:
        case ast.Constant():
            return NOTHING
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return min(_rank(operand), EXACT) if not isinstance(operand, ast.Constant) else NOTHING
        case ast.BoolOp(op=ast.Or(), values=values):
            return min(TRUTH, *(_rank(value) for value in values))
        case ast.BoolOp(op=ast.And(), values=values):
            return max(_rank(value) for value in values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _rank_of_comparison(left, op, right)
        case ast.Compare():
            return PARTLY
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return NOTHING
        case ast.Call(func=ast.Name(id="isinstance" | "all" | "any" | "issubclass")):
            return PARTLY
    return TRUTH


def _rank_of_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> int:
    if ast.dump(left) == ast.dump(right):
        return NOTHING
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        return NOTHING
    if isinstance(op, ast.IsNot) and isinstance(right, ast.Constant) and right.value is None:
        return TRUTH
    if isinstance(op, ast.Eq | ast.Is):
        return EXACT
    return PARTLY


def _described(node: ast.expr, rank: int) -> Assertion:
    constants = {repr(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant)}
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return Assertion(
        text=ast.unparse(node),
        rank=rank,
        constants=frozenset(constants),
        names=frozenset(names),
    )


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler lets a failed assertion pass."""
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    wide = re.search(r"\b(?:AssertionError|Exception|BaseException)\b", caught)
    return bool(wide) and not any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _fails(node))
        for statement in handler.body
        for node in ast.walk(statement)
    )


def _fails(call: ast.Call) -> bool:
    return ast.unparse(call.func).rsplit(".", 1)[-1] == "fail"


def _suppresses(context: ast.expr) -> bool:
    words = ast.unparse(context)
    return bool(re.match(r"(?:contextlib\.)?suppress\(", words)) and bool(
        re.search(r"AssertionError|Exception", words)
    )
