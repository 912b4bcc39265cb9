"""Slash commands and skills for coding tools, all rendered from one text each.

Claude Code reads `.claude/skills/`; Codex, Gemini CLI, OpenCode, VS Code and Zed read
`.agents/skills/`, which may have the six fields of the common standard only. Gemini CLI and
OpenCode have files of their own for commands that a person types.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Skill:
    """What a tool can be asked to do with `prp`."""

    name: str
    description: str
    arguments: str
    """What to type behind it, for a person to see."""
    commands: tuple[str, ...]
    """The sub-commands of `prp` that it may run without a question each: they only tell.

    `execute` is none of them, for some of its options allow what else is asked for; nor is
    `report`, which can write a file.
    """
    costs: bool
    """Whether only a person may ask for it, because it spends money."""

    typed: str
    """What the words stand for that a person typed behind the command."""
    meant: str
    """The same where the tool hands no words over: the model takes them from what was said."""

    def body(self, arguments: str = "") -> str:
        """Return what the tool's model is told; `arguments` is what the tool fills in."""
        asked = f"The person typed: {arguments}\n\n{self.typed}" if arguments else self.meant
        text = (_TEMPLATES / f"{self.name}.md").read_text(encoding="utf-8")
        return text.replace("{{ asked }}", asked)


EXECUTE = Skill(
    name="execute",
    description=(
        "Execute a PRP (Product Requirement Prompt) with prp, which plans, codes in a git worktree "
        "and proves every success criterion. Use when the person asks to execute, run or resume a "
        "PRP file."
    ),
    arguments="PRPs/FILE.md [--max-cost-usd N] [--max-attempts N]",
    commands=("lint", "wait", "status", "events", "diff", "doctor"),
    costs=True,
    typed=(
        "`FILE` below is the first word of that, the path of a PRP; `OPTIONS` is what follows it."
    ),
    meant=(
        "`FILE` below is the path of the PRP that the person named; `OPTIONS` are options of\n"
        "`prp execute` that they asked for, mostly none."
    ),
)
DRAFT = Skill(
    name="draft",
    description=(
        "Draft a PRP (Product Requirement Prompt) with prp, which studies the repository and "
        "writes a PRP with criteria, tasks and checks that were run. Use when the person asks for "
        "a PRP, or wants a feature or an issue written down as one."
    ),
    arguments="WHAT YOU WANT | --issue FILE [--max-cost-usd N]",
    commands=("lint", "doctor"),
    costs=True,
    typed=(
        "`WISH` below is that without its options; `OPTIONS` are those of `prp draft` in it, as\n"
        "`--issue FILE` or `--max-cost-usd N`."
    ),
    meant=(
        "`WISH` below is what the person wants, in their own words; `OPTIONS` are options of\n"
        "`prp draft` that they asked for, mostly none."
    ),
)
STATUS = Skill(
    name="status",
    description=(
        "Say how runs of prp stand: which tasks and criteria of a PRP are done, what failed, what "
        "it cost. Use when the person asks how a PRP's execution goes or ended."
    ),
    arguments="[RUN]",
    commands=("status", "events"),
    costs=False,
    typed="`RUN` below is the first word of that, if there is one.",
    meant="`RUN` below is the run that the person named, if any.",
)
SKILLS = (EXECUTE, DRAFT, STATUS)

Render = Callable[[Skill], tuple[str, str]]
"""Returns path and content of a skill for one kind of tool."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A coding tool, how it is found, and how a person calls the command in it."""

    name: str
    folders: tuple[str, ...]
    programs: tuple[str, ...]
    renders: tuple[Render, ...]
    call: str
    """With `NAME` for the skill's name."""


def files_for(tools: Mapping[str, Tool]) -> dict[str, str]:
    """Return path to content of all skills for some tools."""
    renders = dict.fromkeys(render for tool in tools.values() for render in tool.renders)
    return dict(render(skill) for render in renders for skill in SKILLS)


def _claude(skill: Skill) -> tuple[str, str]:
    allowed = ", ".join(f"Bash(prp {command} *)" for command in skill.commands)
    front = {
        "name": f"prp-{skill.name}",
        "description": skill.description,
        "argument-hint": skill.arguments,
        "allowed-tools": allowed,
        **({"disable-model-invocation": True} if skill.costs else {}),
    }
    return f".claude/skills/prp-{skill.name}/SKILL.md", _with_front(front, skill.body("$ARGUMENTS"))


def _standard(skill: Skill) -> tuple[str, str]:
    front = {
        "name": f"prp-{skill.name}",
        "description": skill.description,
        "compatibility": "Needs the prp command, git and a shell.",
    }
    return f".agents/skills/prp-{skill.name}/SKILL.md", _with_front(front, skill.body())


def _gemini(skill: Skill) -> tuple[str, str]:
    body = skill.body("{{args}}")
    # A basic string in one line: whatever the text holds, it stays one.
    told = f"description = {json.dumps(skill.description)}\nprompt = {json.dumps(body)}\n"
    return f".gemini/commands/prp/{skill.name}.toml", told


def _opencode(skill: Skill) -> tuple[str, str]:
    front = {"description": skill.description}
    return f".opencode/commands/prp-{skill.name}.md", _with_front(front, skill.body("$ARGUMENTS"))


def _with_front(front: Mapping[str, object], body: str) -> str:
    # JSON is YAML: no colon or quote of a description can end its value.
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items())
    return f"---\n{lines}---\n\n{body}"


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="claude",
            folders=(".claude",),
            programs=("claude",),
            renders=(_claude,),
            call="/prp-NAME",
        ),
        Tool(
            name="codex",
            folders=(".codex",),
            programs=("codex",),
            renders=(_standard,),
            call="$prp-NAME",
        ),
        Tool(
            name="gemini",
            folders=(".gemini",),
            programs=("gemini",),
            renders=(_standard, _gemini),
            call="/prp:NAME",
        ),
        Tool(
            name="opencode",
            folders=(".opencode",),
            programs=("opencode",),
            renders=(_standard, _opencode),
            call="/prp-NAME",
        ),
        Tool(
            name="vscode",
            folders=(".vscode",),
            programs=("code",),
            renders=(_standard,),
            call="/prp-NAME",
        ),
        Tool(
            name="zed", folders=(".zed",), programs=("zed",), renders=(_standard,), call="/prp-NAME"
        ),
    )
}
_ALWAYS = ("claude", "codex")
"""Their two folders serve nearly all tools, also those that come later."""


def chosen(words: str, root: Path, *, is_installed: Callable[[str], bool]) -> dict[str, Tool]:
    """Return the tools to install for.

    Args:
        words: `auto` (what repository and machine use, and the two common folders), `all`, `none`,
            or names with commas between.
        root: Top of the repository.
        is_installed: Says whether a program is on the machine.

    Raises:
        KeyError: A name is unknown; it is the error's only argument.

    """
    if words == "none":
        return {}
    if words == "all":
        return dict(TOOLS)
    if words != "auto":
        return {name: TOOLS[name] for name in (word.strip() for word in words.split(",")) if name}
    found = in_use(root, is_installed=is_installed)
    return {name: tool for name, tool in TOOLS.items() if name in _ALWAYS or name in found}


def in_use(root: Path, *, is_installed: Callable[[str], bool]) -> dict[str, Tool]:
    """Return the tools that a repository has a folder of, or the machine a program."""
    return {
        name: tool
        for name, tool in TOOLS.items()
        if any((root / folder).is_dir() for folder in tool.folders)
        or any(map(is_installed, tool.programs))
    }
