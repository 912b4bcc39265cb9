"""The repository map: what there is, in as many words as are worth it."""

import ast
from collections import Counter
from collections.abc import Collection

from agent.workspace.git import GitFailed
from agent.workspace.repository import Repository

_CHARACTERS_PER_TOKEN = 4


def repository_map(
    repository: Repository,
    commit: str,
    *,
    mentioned: Collection[str] = (),
    budget_tokens: int = 1024,
) -> str:
    """Return the tree of a commit's files, and the names in the files that the PRP mentions.

    Args:
        repository: Where the commit is.
        commit: The commit to draw.
        mentioned: Paths whose Python definitions are shown.
        budget_tokens: About how long the map may be.

    """
    files = repository.files(commit)
    budget = budget_tokens * _CHARACTERS_PER_TOKEN
    tree = _tree(files, budget)
    parts = [tree]
    budget -= len(tree)
    for path in sorted(set(mentioned) & set(files)):
        outline = _outline(repository, commit, path)
        if outline and len(outline) <= budget:
            parts.append(outline)
            budget -= len(outline)
    return "\n".join(parts)


def _tree(files: list[str], budget: int) -> str:
    """Return the files, deep folders summed up until the list fits."""
    for depth in range(12, 0, -1):
        lines = _folded(files, depth)
        text = "\n".join(lines)
        if len(text) <= budget:
            return text
    return f"{text[:budget]}\n..."


def _folded(files: list[str], depth: int) -> list[str]:
    shown: list[str] = []
    below: Counter[str] = Counter()
    for path in files:
        parts = path.split("/")
        if len(parts) <= depth:
            shown.append(path)
        else:
            below["/".join(parts[:depth])] += 1
    folders = (f"{folder}/ ({count} files)" for folder, count in below.items())
    return sorted([*shown, *folders])


def _outline(repository: Repository, commit: str, path: str) -> str:
    if not path.endswith(".py"):
        return ""
    try:
        module = ast.parse(repository.read(commit, path))
    except (GitFailed, SyntaxError, ValueError, RecursionError):
        return ""
    lines = [line for node in module.body for line in _signatures(node, "  ")]
    return "\n".join([f"{path}:", *lines]) if lines else ""


def _signatures(node: ast.stmt, indent: str) -> list[str]:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        methods = [line for child in node.body for line in _signatures(child, indent + "  ")]
        return [f"{indent}class {node.name}({bases})", *methods]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return [f"{indent}def {node.name}({ast.unparse(node.args)}){returns}"]
    return []
