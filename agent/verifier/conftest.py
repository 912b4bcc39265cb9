"""Whether a new `conftest.py` only helps tests, or decides how they end."""

import ast

# What ends a process, loads other code or changes what a test is about.
_REFUSED_CALLS = frozenset(
    "_exit exit abort kill exec eval compile __import__ import_module setattr delattr settrace "
    "setprofile register addinivalue_line execv execve".split()
)
_REFUSED_MODULES = frozenset("_pytest pluggy ctypes gc atexit importlib runpy".split())


def decides_outcomes(text: str) -> str:
    """Return what in a `conftest.py` could change how tests end, empty where nothing could.

    Fixtures that a test asks for, constants and functions are help. Hooks, fixtures that work
    unasked, code that runs on import, and calls that end the process or replace things are not.
    The rule is for files that no task of the PRP names, so a false alarm costs a word in the plan.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return "it can't be parsed"
    for statement in tree.body:
        if reason := _at_top(statement):
            return f"line {statement.lineno}: {reason}"
    for node in ast.walk(tree):
        if reason := _anywhere(node):
            return f"line {getattr(node, 'lineno', 1)}: {reason}"
    return ""


def _at_top(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"`{name}` is a hook of pytest" if name.startswith("pytest_") else ""
        case ast.ClassDef() | ast.Import() | ast.ImportFrom():
            return ""
        case ast.Assign(targets=targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if len(names) < len(targets):
                return "it assigns to something of another module"
            return "it loads plugins" if "pytest_plugins" in names else ""
        case ast.AnnAssign(target=ast.Name()):
            return ""
        case ast.Expr(value=ast.Constant()):
            return ""
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return ""
    return "it runs code on import"


def _anywhere(node: ast.AST) -> str:
    match node:
        case ast.keyword(arg="autouse", value=ast.Constant(value=True)):
            return "a fixture works on every test unasked"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _REFUSED_CALLS:
            return f"it calls `{name}`"
        case ast.Import(names=names):
            return _imports([alias.name for alias in names])
        case ast.ImportFrom(module=module):
            return _imports([module or ""])
        case ast.Attribute(attr="modules", value=ast.Name(id="sys")):
            return "it changes what modules are"
        case ast.Assign(targets=targets) if any(_is_foreign(target) for target in targets):
            return "it replaces something of another object"
    return ""


def _imports(names: list[str]) -> str:
    refused = [name for name in names if name.partition(".")[0] in _REFUSED_MODULES]
    return f"it imports `{refused[0]}`" if refused else ""


def _is_foreign(target: ast.expr) -> bool:
    """Return whether an assignment reaches into something that is not the function's own."""
    if not isinstance(target, ast.Attribute):
        return False
    return not (isinstance(target.value, ast.Name) and target.value.id == "self")
