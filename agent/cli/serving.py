"""`prp mcp` and `prp acp`: `prp` for coding tools and editors."""

import os
from pathlib import Path
from typing import Annotated

import typer

Http = Annotated[
    str,
    typer.Option(
        "--http",
        help="Listen for streamable HTTP instead of standard input, with the path /mcp.",
        metavar="HOST:PORT",
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(help="Folder of the project [the current one].", metavar="DIR"),
]


def mcp(*, http: Http = "", project: Project = None) -> None:
    r"""Serve lint, plan, execute, status, wait, report and cancel to MCP clients.

    Clients name PRPs of the project and of the folders that they have open, no others. Commands
    that need a person's word come to the person as a question. Runs go on when the client goes.
    Clients of other machines must show PRP_MCP_TOKEN.

    Examples:
    \b
      prp mcp
      prp mcp --project ~/shop
      prp mcp --http 127.0.0.1:8765

    """
    from agent.editors.serving import address_of, serve_http, serve_stdio  # noqa: PLC0415 - heavy

    folder = project or Path.cwd()
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder.", param_hint="--project")
    if http:
        serve_http(folder, address_of(http), token=os.environ.get("PRP_MCP_TOKEN", ""))
    else:
        serve_stdio(folder)


def acp() -> None:
    r"""Serve an editor that speaks the Agent Client Protocol (Zed, JetBrains, Neovim and others).

    In the editor type /execute PRPs/FILE.md: the plan shows the PRP's tasks as they go on, commands
    that need your word come as a permission, and stopping the turn stops the run so that it can be
    taken up. Runs go on when the editor is closed.

    Examples:
    \b
      prp acp

    """
    from agent.editors.acp_server import serve  # noqa: PLC0415 - heavy

    serve()
