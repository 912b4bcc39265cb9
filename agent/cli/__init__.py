"""The `prp` command: parse, delegate, print."""

import os
import sys

from agent.errors import Exit, PrpError


def main() -> None:
    """Run the command line, and turn every expected failure into one message and its status."""
    from agent.cli.app import app  # noqa: PLC0415 - keeps `import agent.cli` free of work

    try:
        app()
    except PrpError as error:
        _show(error)
        sys.exit(int(error.exit_status))
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(Exit.INTERNAL))


def _show(error: PrpError) -> None:
    from agent.cli.printing import printable  # noqa: PLC0415 - only for a run that failed

    words = "\n".join(printable(line) for line in str(error).split("\n"))
    sys.stderr.write(f"error: {words}\n")
    if error.hint:
        sys.stderr.write(f" hint: {printable(error.hint)}\n")
