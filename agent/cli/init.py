"""`prp init`: files that a repository needs so that others can ask for runs."""

from pathlib import Path
from typing import Annotated

import typer

Github = Annotated[
    bool, typer.Option("--github", help="The workflow and the issue form of the GitHub Action.")
]
Remove = Annotated[
    bool, typer.Option("--remove", help="Take away what was written and nobody has edited.")
]


def init(*, github: Github = False, remove: Remove = False) -> None:
    r"""Write the files that a repository needs, and never over what a person has edited.

    Examples:
    \b
      prp init --github
      prp init --github --remove

    """
    from agent.editors.files import install, uninstall  # noqa: PLC0415 - keeps --help fast
    from agent.errors import SettingsError  # noqa: PLC0415
    from agent.github.install import install_github  # noqa: PLC0415
    from agent.shown import printable  # noqa: PLC0415
    from agent.workspace import Repository  # noqa: PLC0415

    if not github:
        raise SettingsError("Say what to write", hint="prp init --github")
    root = Repository.open(Path.cwd()).root
    files = install_github(root)
    for change in (uninstall if remove else install)(root, files):
        typer.echo(f"{printable(change.path)}: {change.state}")
