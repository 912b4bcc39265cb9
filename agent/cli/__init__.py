"""The `prp` command: parse, delegate, print."""

import os
import sys

from agent.errors import Exit, PrpError


def main() -> None:
    """Run the command line, and turn every expected failure into one message and its status."""
    import click  # noqa: PLC0415 - the console script only needs it here

    from agent.cli.app import app  # noqa: PLC0415 - keeps `import agent.cli` free of work

    try:
        status = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except PrpError as error:
        _show(error)
        status = error.exit_status
    except (click.Abort, KeyboardInterrupt):
        status = Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = Exit.INTERNAL
    sys.exit(int(status or 0))


def _show(error: PrpError) -> None:
    from agent.cli.progress import printable  # noqa: PLC0415 - only for a run that failed

    sys.stderr.write(f"error: {printable(str(error))}\n")
    if error.hint:
        sys.stderr.write(f" hint: {printable(error.hint)}\n")
