"""The `prp` command: parse, delegate, print."""

import errno
import gc
import io
import os
import sys

from agent.errors import Exit, PrpError, problem_of

# What loads the libraries that take seconds, and is over when its work is.
_SLOW_TO_LOAD = frozenset(("execute", "run", "plan", "draft", "verify", "drift", "resume", "demo"))


def main() -> None:
    """Run the command line and leave at once: taking a thousand modules down costs half a second.

    Whatever must be undone is undone where it was done; nothing waits for the interpreter's end.
    """
    # A thousand modules are loaded, and nearly all that they make stays: looking for garbage among
    # it every 700 objects took an eighth of the processor's time until the first question.
    gc.set_threshold(50_000, 20, 20)
    _open_standard_files()
    if not _SLOW_TO_LOAD.isdisjoint(sys.argv[1:2]):
        from agent.cli.resident.handing import hand_over  # noqa: PLC0415 - only for these

        try:
            hand_over(sys.argv[1:])
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            os._exit(int(Exit.INTERRUPTED))
    os._exit(carry_out())


def _open_standard_files() -> None:
    """Open standard files that are closed, so that nothing else gets their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free is this one.
            handle = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, "w" if number else "r", encoding="utf-8"))


def carry_out() -> int:
    """Run the command line here, and return its exit status."""
    try:
        _run()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    else:
        status = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _run() -> None:
    """Run the command line, and turn every expected failure into one message and its status."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few characters, and file names that are no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        from agent.cli.app import app  # noqa: PLC0415 - an early Ctrl-C must find its handler

        try:
            app(prog_name="prp")
        finally:
            sys.stdout.flush()
    except PrpError as error:
        _show(error)
        sys.exit(int(error.exit_status))
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(Exit.INTERNAL))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(int(Exit.INTERRUPTED))
    except OSError as error:
        if error.filename and error.errno in _OF_A_PLACE:
            _show(PrpError(f"{os.fsdecode(error.filename)}: {error.strerror}"))
            sys.exit(int(Exit.ENVIRONMENT))
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT) or error.filename:
            if (problem := problem_of(error)) is None:
                raise
            _show(problem)
            sys.exit(int(Exit.ENVIRONMENT))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"error: The output can't be written: {error.strerror}\n")
        sys.exit(int(Exit.ENVIRONMENT))


# What is wrong with a folder or file that the person named, or that prp keeps its own in.
_OF_A_PLACE = frozenset(
    (
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        *(errno.EACCES, errno.EPERM, errno.EROFS),
    )
)


def _show(error: PrpError) -> None:
    from agent.masking import Mask  # noqa: PLC0415 - only for a run that failed
    from agent.settings import keys_at_hand  # noqa: PLC0415 - as above
    from agent.shown import printable, printable_lines  # noqa: PLC0415 - as above

    mask = Mask(keys_at_hand())
    sys.stderr.write(f"error: {printable_lines(mask(str(error)))}\n")
    if error.hint:
        sys.stderr.write(f" hint: {printable(mask(error.hint))}\n")
