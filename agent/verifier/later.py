"""What a branch leaves for the person's own machine to run: outside of every sandbox, and later."""

import json
import re
from collections.abc import Iterable, Iterator

from agent.verifier.changes import Edited
from agent.verifier.objections import Objection, Weight

_PLACES: tuple[tuple[str, str], ...] = (
    # Pattern of a path, who reads it.
    (r"(?:.*/)?\.vscode/(?:tasks|settings|launch|mcp)\.json", "VS Code when the folder is opened"),
    (r"(?:.*/)?\.idea/.*", "JetBrains' editors when the folder is opened"),
    (r"(?:.*/)?\.(?:claude|cursor|gemini|codex|windsurf|kiro)/.*|(?:.*/)?\.mcp\.json", "an agent"),
    (r"(?:.*/)?(?:CLAUDE|AGENTS|GEMINI)\.md|\.cursorrules|\.github/copilot-.*", "an agent"),
    (r"(?:.*/)?\.devcontainer(?:/.*|\.json)", "an editor that opens the folder in a container"),
    (r"(?:.*/)?\.envrc", "direnv when a shell enters the folder"),
    (r"(?:.*/)?\.(?:husky|githooks)/.*|\.pre-commit-config\.yaml|lefthook\.ya?ml", "git's hooks"),
    (r"(?:.*/)?\.git(?:attributes|modules)", "git"),
    (r"\.github/(?:workflows|actions)/.*|\.gitlab-ci\.yml|Jenkinsfile|\.circleci/.*", "CI"),
    (
        r"(?:.*/)?\.(?:npmrc|yarnrc(?:\.yml)?|pnpmfile\.cjs)|(?:.*/)?(?:pip\.conf|uv\.toml)",
        "installers",
    ),
    (r"(?:.*/)?(?:setup\.py|build\.rs|conanfile\.py|binding\.gyp)", "installers and builds"),
    (r"(?:.*/)?(?:Makefile|GNUmakefile|justfile|Taskfile\.ya?ml|Rakefile)", "whoever builds"),
    (r"(?:.*/)?(?:sitecustomize|usercustomize)\.py|(?:.*/)?[^/]+\.pth", "every Python that starts"),
    (r"prp\.toml", "prp"),
)
_READERS = tuple((re.compile(pattern, re.IGNORECASE), who) for pattern, who in _PLACES)
_AT_INSTALL = ("preinstall", "install", "postinstall", "prepare", "prepublish", "prepack")


def runs_later(edits: Iterable[Edited]) -> Iterator[Objection]:
    """Yield the changed files that programs on the person's machine will obey; all only noted."""
    for edit in edits:
        if edit.before is not None and edit.after is None:
            continue
        if who := _reader_of(edit):
            yield Objection(
                weight=Weight.NOTED,
                place=edit.path,
                what=f"runs on your machine later: {who} will obey it; read it before you merge",
            )


def _reader_of(edit: Edited) -> str:
    if edit.path.rpartition("/")[2] == "package.json":
        changed = _scripts(edit.after) != _scripts(edit.before)
        return "npm when packages are installed" if changed else ""
    return next((who for pattern, who in _READERS if pattern.fullmatch(edit.path)), "")


def _scripts(text: str | None) -> dict[str, object]:
    """Return what npm runs by itself."""
    try:
        scripts = json.loads(text or "{}").get("scripts", {})
        return {name: scripts[name] for name in _AT_INSTALL if name in scripts}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {"unreadable": text}
