"""`prp resume`."""

from typing import Annotated

import typer

from agent.cli.execute import (
    AsJson,
    BaseUrl,
    Coder,
    Jobs,
    MaxCost,
    MaxMinutes,
    MaxTokens,
    Model,
    NoInput,
    Output,
    Planner,
    Quiet,
    Verifier,
    Yes,
    flags_of,
)
from agent.cli.watch import OpenRunName, open_run, run_named

KeepPrp = Annotated[
    bool,
    typer.Option("--keep-prp", help="Go on with the PRP as it was when the run began."),
]

AcceptPrp = Annotated[
    bool,
    typer.Option(
        "--accept-prp-change",
        help="Go on with the PRP as it is now; tasks that it words as before stay done.",
    ),
]
Afresh = Annotated[
    bool,
    typer.Option(
        "--afresh", help="Go on from what is committed, where the run's own steps are of no use."
    ),
]


def resume(
    run: OpenRunName = None,
    *,
    model: Model = None,
    planner: Planner = None,
    coder: Coder = None,
    verifier: Verifier = None,
    base_url: BaseUrl = None,
    max_cost_usd: MaxCost = None,
    max_minutes: MaxMinutes = None,
    max_tokens: MaxTokens = None,
    jobs: Jobs = None,
    keep_prp: KeepPrp = False,
    accept_prp_change: AcceptPrp = False,
    afresh: Afresh = False,
    yes: Yes = False,
    no_input: NoInput = False,
    as_json: AsJson = False,
    output: Output = "auto",
    quiet: Quiet = False,
    lifeline: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    r"""Take up a run that has stopped: by Ctrl-C, a crash, a full disk, a provider's outage.

    It goes on with the settings it was begun with. Finished steps are neither done nor paid again.

    Examples:
    \b
      prp resume
      prp resume login --max-cost-usd 10
      prp resume login --model openai:gpt-5
      prp resume login --accept-prp-change

    """
    from agent.cli.asking import asker  # noqa: PLC0415 - keeps --help fast
    from agent.cli.telling import end_with, telling  # noqa: PLC0415 - keeps --help fast
    from agent.runs import resume_run  # noqa: PLC0415

    if lifeline is not None:
        from agent.runs.detaching import tie_to  # noqa: PLC0415 - only for workers

        tie_to(lifeline)
    flags = flags_of(
        model=model,
        planner=planner,
        coder=coder,
        verifier=verifier,
        base_url=base_url,
        max_cost_usd=max_cost_usd,
        max_minutes=max_minutes,
        max_tokens=max_tokens,
        jobs=jobs,
    )
    folder = run_named(run) if run else open_run(resumable=True)
    if not run and not quiet:
        typer.echo(f"resuming {folder.id}", err=True)
    with telling(quiet=quiet, output=output, taken_up=folder) as listen:
        done = resume_run(
            folder,
            flags,
            listen=listen,
            keep_prp=keep_prp,
            accept_prp=accept_prp_change,
            afresh=afresh,
            ask=asker(no_input=no_input),
            yes=yes,
        )
    end_with(done, as_json=as_json, output=output)
