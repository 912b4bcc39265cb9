"""`prp verify`: the verdict on a branch, whoever made it."""

from inspect import cleandoc
from typing import Annotated

import typer

from agent.cli.execute import (
    AllowHost,
    Approve,
    Approved,
    AsJson,
    BaseUrl,
    HoldoutTests,
    IgnoreMissing,
    MaxCost,
    MaxMinutes,
    MaxMutants,
    MaxTokens,
    Model,
    NoFetch,
    NoInput,
    NoSandbox,
    NoSetup,
    Output,
    PrpPath,
    Quiet,
    Setup,
    Strict,
    Verifier,
    Yes,
    flags_of,
)


def verify(
    prp: PrpPath,
    *,
    branch: Annotated[
        str, typer.Option(help="Branch, tag or commit to look at.", metavar="REF")
    ] = "HEAD",
    base: Annotated[
        str,
        typer.Option(help="Commit it started from [where it left the checkout's].", metavar="REF"),
    ] = "HEAD",
    model: Model = None,
    verifier: Verifier = None,
    base_url: BaseUrl = None,
    max_cost_usd: MaxCost = None,
    max_minutes: MaxMinutes = None,
    max_tokens: MaxTokens = None,
    holdout_tests: HoldoutTests = None,
    max_mutants: MaxMutants = None,
    strict: Strict = False,
    approve: Approve = None,
    approved: Approved = "",
    yes: Yes = False,
    no_input: NoInput = False,
    no_sandbox: NoSandbox = False,
    allow_host: AllowHost = None,
    setup: Setup = None,
    no_setup: NoSetup = False,
    no_fetch: NoFetch = False,
    ignore_missing_references: IgnoreMissing = False,
    as_json: AsJson = False,
    output: Output = "auto",
    quiet: Quiet = False,
) -> None:
    """Say whether a branch does what a PRP asks for, whoever made it.

    Runs the checks on the base and on a clean checkout of the branch, as `prp execute` does.
    A model for the verifier reads the branch and quotes what shows each criterion; without one
    only failures are certain, and what passes stays unproven.
    """
    from agent.cli.asking import asker  # noqa: PLC0415 - keeps --help fast
    from agent.cli.telling import end_with, telling  # noqa: PLC0415 - keeps --help fast
    from agent.runs import Order, verify_order  # noqa: PLC0415 - keeps --help fast

    flags = flags_of(
        model=model,
        verifier=verifier,
        base_url=base_url,
        max_cost_usd=max_cost_usd,
        max_minutes=max_minutes,
        max_tokens=max_tokens,
        holdout_tests=holdout_tests,
        max_mutants=max_mutants,
        strict=strict or None,
        allow_hosts=allow_host or None,
        setup="none" if no_setup else setup,
        approve=approve,
        fetch_urls=False if no_fetch else None,
        sandbox="none" if no_sandbox else None,
    )
    order = Order(
        prp=prp,
        flags=flags,
        base=base,
        yes=yes,
        approved=approved,
        ask=asker(no_input=no_input),
        need_references=not ignore_missing_references,
    )
    with telling(quiet=quiet, output=output) as listen:
        done = verify_order(order, branch=branch, listen=listen)
    end_with(done, as_json=as_json, output=output)


verify.__doc__ = f"""{cleandoc(verify.__doc__ or "")}

Examples:

\b
  prp verify PRPs/login.md --branch feature/login
  prp verify PRPs/login.md --branch HEAD --base v1.2.0 --model anthropic:claude-sonnet-4-5
"""
