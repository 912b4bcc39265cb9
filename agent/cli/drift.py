"""`prp drift`: what of a PRP no longer holds."""

from typing import Annotated

import typer

from agent.cli.execute import (
    AllowHost,
    Approve,
    Approved,
    AsJson,
    MaxMinutes,
    NoInput,
    NoSandbox,
    NoSetup,
    Output,
    PrpPath,
    Quiet,
    Setup,
    Strict,
    Yes,
    flags_of,
)


def drift(
    prp: PrpPath,
    *,
    branch: Annotated[
        str, typer.Option(help="Branch, tag or commit to look at.", metavar="REF")
    ] = "HEAD",
    run: Annotated[
        str,
        typer.Option(
            help="Run whose evidence counts, by its id or a part of it; `none` for no evidence but "
            "the PRP [the last that proved it].",
            metavar="RUN",
        ),
    ] = "",
    max_minutes: MaxMinutes = None,
    strict: Strict = False,
    approve: Approve = None,
    approved: Approved = "",
    yes: Yes = False,
    no_input: NoInput = False,
    no_sandbox: NoSandbox = False,
    allow_host: AllowHost = None,
    setup: Setup = None,
    no_setup: NoSetup = False,
    as_json: AsJson = False,
    output: Output = "auto",
    quiet: Quiet = False,
) -> None:
    r"""Say what of a PRP no longer holds, months after it was carried out.

    Runs the PRP's checks, and the tests that were written from its text, on a clean checkout of the
    branch as it is now, and holds them against what a run has kept: a criterion is lost where its
    check fails that passed then, and open where the lines that showed it or tests that ran then
    are gone. What fails on the run's own commit today as well is not the code's fault, and said to
    be so. No model is asked; nothing in the repository changes.

    Without a kept run the checks alone are asked: failures are certain, the rest stays unproven.

    Examples:
    \b
      prp drift PRPs/login.md
      prp drift PRPs/login.md --branch release/2.0 --json | jq '.criteria[].status'
      prp drift PRPs/login.md --run 20260301-login

    """
    from agent.cli.asking import asker  # noqa: PLC0415 - keeps --help fast
    from agent.cli.telling import end_with, telling  # noqa: PLC0415 - keeps --help fast
    from agent.runs import Order, drift_order  # noqa: PLC0415 - keeps --help fast

    order = Order(
        prp=prp,
        flags=flags_of(
            max_minutes=max_minutes,
            strict=strict or None,
            allow_hosts=allow_host or None,
            setup="none" if no_setup else setup,
            approve=approve,
            sandbox="none" if no_sandbox else None,
        ),
        yes=yes,
        approved=approved,
        ask=asker(no_input=no_input),
    )
    with telling(quiet=quiet, output=output) as listen:
        done = drift_order(order, branch=branch, run=run, listen=listen)
    end_with(done, as_json=as_json, output=output)
