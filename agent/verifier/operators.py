"""How Python code is changed a little: one edit at a time, by its place in the text."""

import ast
import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Bytes to put in the place of others."""

    start: int
    """Offset in the file's UTF-8 bytes."""
    end: int
    new: bytes
    kind: str
    function: str


class Source:
    """A file's text as bytes, since that is what positions in a syntax tree count."""

    def __init__(self, text: str) -> None:
        """Note where each line begins, as Python counts lines."""
        self.text = text
        self.code = text.encode("utf-8", "surrogatepass")
        self._starts = [0, *(found.end() for found in re.finditer(rb"\r\n|\r|\n", self.code))]

    def line(self, offset: int) -> int:
        """Return the number of the line, from 1, that holds an offset."""
        return bisect.bisect_right(self._starts, offset)

    def around(self, offset: int) -> tuple[int, int]:
        """Return where the line of an offset begins and ends."""
        number = self.line(offset)
        last = self._starts[number] if number < len(self._starts) else len(self.code)
        return self._starts[number - 1], last

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends, brackets around it left out."""
        last_line, last_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[last_line - 1] + last_column,
        )


def edits_of(tree: ast.Module, source: Source) -> Iterator[Edit]:
    """Return every edit of a module, but for what no test should have to notice.

    Left alone are docstrings, annotations, decorators, overloads, blocks for type checkers and
    for `__main__`, `__all__` and its kind, and the words of logs, errors and help.
    """
    return _Walk(source).block(tree.body, "")


class _Walk:
    """Walks through a syntax tree of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def block(self, body: list[ast.stmt], function: str) -> Iterator[Edit]:
        for statement in body:
            yield from self._statement(statement, function)

    def _statement(self, node: ast.stmt, function: str) -> Iterator[Edit]:
        if _is_left_alone(node):
            return
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                name = _within(function, node.name)
                yield from self._defaults(node.args, name)
                yield from self.block(node.body, name)
            case ast.ClassDef():
                yield from self.block(node.body, _within(function, node.name))
            case ast.If() if _is_aside(node.test):
                yield from self.block(node.orelse, function)
            case ast.Raise():
                yield from self._raise(node, function)
            case ast.AnnAssign():
                if node.value is not None:
                    yield from self._any(node.value, function)
            case _:
                yield from self._own(node, function)
                yield from self._below(node, function)

    def _own(self, node: ast.stmt, function: str) -> Iterator[Edit]:
        """Return the edits of a statement itself."""
        match node:
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield self._replaced(value, b"None", "return", function)
            case (
                ast.Expr(value=ast.Call() as call)
                | ast.Expr(value=ast.Await(value=ast.Call() as call))
            ) if not _is_log(call):
                yield self._replaced(node, b"pass", "call", function)
            case ast.If(test=test):
                yield from self._negated(test, function)
            case ast.AugAssign(target=target, op=op, value=value):
                yield from self._swapped(target, op, value, function)

    def _below(self, node: ast.AST, function: str) -> Iterator[Edit]:
        for child in ast.iter_child_nodes(node):
            yield from self._any(child, function)

    def _any(self, node: ast.AST, function: str) -> Iterator[Edit]:
        if _is_for_readers(node):
            return
        match node:
            case ast.stmt():
                yield from self._statement(node, function)
            case ast.JoinedStr():
                # Before Python 3.12 nothing inside of it knows its place.
                if node.values:
                    yield self._replaced(node, b'""', "string", function)
            case ast.Lambda():
                yield from self._any(node.body, function)
            case _:
                yield from self._expression(node, function)
                yield from self._below(node, function)

    def _expression(self, node: ast.AST, function: str) -> Iterator[Edit]:
        """Return the edits of an expression itself."""
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
                for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
                    yield from self._swapped(left, op, right, function)
            case ast.BoolOp():
                for left, right in pairwise(node.values):
                    yield from self._swapped(left, node.op, right, function)
            case ast.BinOp():
                yield from self._swapped(node.left, node.op, node.right, function)
            case ast.UnaryOp(op=ast.Not()):
                yield from self._without_not(node, function)
            case ast.IfExp(test=test):
                yield from self._negated(test, function)
            case ast.Constant():
                yield from self._constant(node, function)

    def _defaults(self, arguments: ast.arguments, function: str) -> Iterator[Edit]:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                yield from self._any(default, function)

    def _raise(self, node: ast.Raise, function: str) -> Iterator[Edit]:
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        stub = isinstance(called, ast.Name) and called.id == "NotImplementedError"
        if called is not None and not stub:
            yield self._replaced(node, b"pass", "raise", function)

    def _swapped(
        self,
        left: ast.expr,
        op: ast.cmpop | ast.boolop | ast.operator,
        right: ast.expr,
        function: str,
    ) -> Iterator[Edit]:
        """Return the operator between two operands in the place of which another stands."""
        is_joined = isinstance(op, ast.operator) and (_is_sequence(left) or _is_sequence(right))
        if type(op) not in _OPERATORS or is_joined:
            return
        kind, old, new = _OPERATORS[type(op)]
        first, last = self._source.span(left)[1], self._source.span(right)[0]
        # Between operands are brackets, and comments that may hold anything.
        for found in re.finditer(rb"#[^\r\n]*|" + old, self._source.code[first:last]):
            if not found[0].startswith(b"#"):
                start, end = first + found.start(), first + found.end()
                yield Edit(start=start, end=end, new=new, kind=kind, function=function)
                return

    def _without_not(self, node: ast.UnaryOp, function: str) -> Iterator[Edit]:
        start, _ = self._source.span(node)
        found = re.compile(rb"not\b[ \t]*").match(self._source.code, start)
        if found:
            yield Edit(start=start, end=found.end(), new=b"", kind="not", function=function)

    def _negated(self, test: ast.expr, function: str) -> Iterator[Edit]:
        if _has_opposite(test):
            return
        start, end = self._source.span(test)
        new = b"not (" + self._source.code[start:end] + b")"
        yield Edit(start=start, end=end, new=new, kind="condition", function=function)

    def _constant(self, node: ast.Constant, function: str) -> Iterator[Edit]:
        match node.value:
            case bool(value):
                yield self._replaced(node, str(not value).encode(), "truth", function)
            case int(value) | float(value) if abs(value) < _LARGEST_NUMBER:
                yield self._replaced(node, repr(value + 1).encode(), "number", function)
            case str(value) if value:
                yield self._replaced(node, b'""', "string", function)
            case bytes(value) if value:
                yield self._replaced(node, b'b""', "string", function)

    def _replaced(self, node: ast.expr | ast.stmt, new: bytes, kind: str, function: str) -> Edit:
        start, end = self._source.span(node)
        return Edit(start=start, end=end, new=new, kind=kind, function=function)


# Above it a float does not change when 1 is added.
_LARGEST_NUMBER = 2**52

_OPERATORS: dict[type, tuple[str, bytes, bytes]] = {
    ast.Lt: ("comparison", rb"<", b"<="),
    ast.LtE: ("comparison", rb"<=", b"<"),
    ast.Gt: ("comparison", rb">", b">="),
    ast.GtE: ("comparison", rb">=", b">"),
    ast.Eq: ("comparison", rb"==", b"!="),
    ast.NotEq: ("comparison", rb"!=", b"=="),
    ast.In: ("comparison", rb"\bin\b", b"not in"),
    ast.NotIn: ("comparison", rb"\bnot\s+in\b", b"in"),
    ast.Is: ("comparison", rb"\bis\b", b"is not"),
    ast.IsNot: ("comparison", rb"\bis\s+not\b", b"is"),
    ast.And: ("boolean", rb"\band\b", b"or"),
    ast.Or: ("boolean", rb"\bor\b", b"and"),
    ast.Add: ("arithmetic", rb"\+", b"-"),
    ast.Sub: ("arithmetic", rb"-", b"+"),
    ast.Mult: ("arithmetic", rb"\*", b"/"),
    ast.Div: ("arithmetic", rb"/", b"*"),
}
_OPPOSED = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
# Keywords whose words are for people to read.
_WORDS = frozenset(("help", "description", "epilog", "metavar"))
_LOGS = frozenset("debug info warning warn error exception critical log getLogger".split())
_TYPES = frozenset(
    "TypeVar ParamSpec TypeVarTuple NewType cast namedtuple NamedTuple TypedDict".split()
)


def _within(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer else name


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_left_alone(node: ast.stmt) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return any(_name(decorator) == "overload" for decorator in node.decorator_list)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name.startswith("__")
        case ast.AnnAssign(annotation=annotation):
            return _name(annotation) == "TypeAlias"
        case ast.Expr(value=ast.Constant()):
            return True
    # What Python 3.12 calls `type X = ...` has no name in the `ast` of 3.11.
    return isinstance(node, ast.Assert) or type(node).__name__ == "TypeAlias"


def _is_for_readers(node: ast.AST) -> bool:
    """Return whether nothing that runs depends on what stands there: logs, help, names of types."""
    match node:
        case ast.Call():
            return _is_log(node) or _name(node.func) in _TYPES
        case ast.keyword(arg=name):
            return name in _WORDS
    return False


def _is_aside(test: ast.expr) -> bool:
    """Return whether a block is for type checkers only, or for a start as a program."""
    if isinstance(test, ast.Compare):
        return _name(test.left) == "__name__"
    return _name(test) == "TYPE_CHECKING"


def _is_sequence(operand: ast.expr) -> bool:
    """Return whether an operand can't be calculated with: a mutant would only crash.

    A test that runs a line and asserts nothing notices a crash as well.
    """
    if isinstance(operand, ast.BinOp):
        return _is_sequence(operand.left) or _is_sequence(operand.right)
    is_text = isinstance(operand, ast.Constant) and isinstance(operand.value, str | bytes)
    return is_text or isinstance(operand, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_log(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _LOGS:
        return False
    place = _name(call.func.value).lower()
    return "log" in place or place == "warnings"


def _has_opposite(test: ast.expr) -> bool:
    """Return whether another edit of a condition already turns it round."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], _OPPOSED)
