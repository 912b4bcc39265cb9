"""`prp init`: files that a repository needs, so that people, tools and others can ask for runs."""

from pathlib import Path
from typing import Annotated

import typer

Agents = Annotated[
    str,
    typer.Option(
        metavar="WHICH",
        help="Coding tools that get slash commands and skills: auto (what repository and machine "
        "use), all, none, or of claude, codex, gemini, opencode, vscode, zed, with commas.",
    ),
]
Github = Annotated[
    bool, typer.Option("--github", help="Also the workflow and issue form of the GitHub Action.")
]
Mcp = Annotated[
    bool,
    typer.Option(
        "--mcp",
        help="Also enter `prp mcp` among the MCP servers of the tools in use: .mcp.json, "
        ".vscode/mcp.json, .gemini/settings.json, .codex/config.toml, opencode.json.",
    ),
]
Action = Annotated[
    str,
    typer.Option(
        metavar="OWNER/NAME[@COMMIT]",
        help="Repository of the Action that the workflow calls; known by itself where prp was "
        "installed from GitHub.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
Remove = Annotated[
    bool, typer.Option("--remove", help="Take away what was written and nobody has edited.")
]


def init(
    *,
    agents: Agents = "auto",
    github: Github = False,
    action: Action = "",
    mcp: Mcp = False,
    dry_run: DryRun = False,
    remove: Remove = False,
) -> None:
    r"""Write what a repository needs: slash commands, skills, the PRP template, settings.

    What a person has edited is never written over or taken away. Written twice changes nothing.

    Examples:
    \b
      prp init
      prp init --agents claude,gemini --dry-run
      prp init --agents none --github --action OWNER/NAME@COMMIT
      prp init --mcp --agents claude,vscode
      prp init --github --mcp --remove

    """
    from agent.editors.setting_up import Wish, set_up  # noqa: PLC0415 - keeps --help fast
    from agent.shown import printable  # noqa: PLC0415
    from agent.workspace import Repository  # noqa: PLC0415

    root = Repository.open(Path.cwd(), may_be_empty=True).root
    further, steps = _of_github(root, action, remove=remove) if github else ({}, [])
    wish = Wish(agents=agents, mcp=mcp, further=further)
    done = set_up(root, wish, remove=remove, dry_run=dry_run)
    for change in done.changes:
        typer.echo(f"{printable(change.path)}: {change.told(dry_run=dry_run)}")
    for line in [*done.words, *(steps if done.words else [])]:
        typer.echo(line)


def _of_github(root: Path, action: str, *, remove: bool) -> tuple[dict[str, str], list[str]]:
    """Return the files of the Action, and what is left to do on GitHub."""
    from agent.github.install import (  # noqa: PLC0415
        home_of,
        install_github,
        next_steps,
        noted_by_installer,
    )

    # What is taken away is known by its hash, whatever it called.
    home = home_of(action or "any/one" * remove, installed=noted_by_installer())
    files = install_github(root, action=home.action, ref=home.ref)
    return files, next_steps(home.action)
