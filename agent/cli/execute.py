"""`prp execute` and `prp plan`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from agent.journal import Record
    from agent.runs import Begun, Done, Order, Planned

PrpPath = Annotated[Path, typer.Argument(help="The PRP, a Markdown file.", metavar="PRP")]
Model = Annotated[
    str | None,
    typer.Option(
        help="Model for all roles, as provider:name; further names after commas are fallbacks. "
        "`replay:FILE` plays a recorded run.",
        metavar="NAME",
    ),
]
Planner = Annotated[str | None, typer.Option(help="Model for the planner.", metavar="NAME")]
Coder = Annotated[str | None, typer.Option(help="Model for the coder.", metavar="NAME")]
Verifier = Annotated[str | None, typer.Option(help="Model for the verifier.", metavar="NAME")]
BaseUrl = Annotated[
    str | None, typer.Option(help="Address of a compatible model server.", metavar="URL")
]
MaxAttempts = Annotated[int | None, typer.Option(help="Attempts before the run stops [3].")]
MaxCost = Annotated[float | None, typer.Option(help="US dollars for the whole run.")]
MaxMinutes = Annotated[float | None, typer.Option(help="Wall time of the whole run.")]
MaxTokens = Annotated[int | None, typer.Option(help="Tokens of all models together.")]
MaxRequests = Annotated[int | None, typer.Option(help="Model requests for one task [60].")]
HoldoutTests = Annotated[
    int | None,
    typer.Option(help="Tests that the verifier writes from the PRP's text at most; 0: none [8]."),
]
MaxMutants = Annotated[
    int | None,
    typer.Option(help="Small changes of the branch that its tests must notice; 0 tries none [12]."),
]
Approve = Annotated[
    str | None,
    typer.Option(
        help="Whose commands must be allowed first: `auto` (PRPs that the repository's history "
        "does not hold), `commands` (every PRP's), `none` [auto].",
        metavar="WHICH",
    ),
]
Approved = Annotated[
    str, typer.Option(help="Allow exactly the commands with this hash.", metavar="HASH")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Allow the PRP's commands unseen.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Never ask; exit 13 instead.")]
NoSandbox = Annotated[
    bool,
    typer.Option(
        "--no-sandbox", help="Run commands without a sandbox: they can do whatever you can."
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        help="A host that commands may ask, on ports 80 and 443 or the one named; .DOMAIN is every "
        "host below a domain. Once for each; everything else stays out of reach.",
        metavar="HOST[:PORT]",
    ),
]
Setup = Annotated[
    str | None,
    typer.Option(
        "--setup",
        help="Command that installs the repository's packages, in the sandbox, with only package "
        "registries within reach [by its lock files].",
        metavar="COMMAND",
    ),
]
NoSetup = Annotated[bool, typer.Option("--no-setup", help="Install no packages.")]
NoFetch = Annotated[bool, typer.Option("--no-fetch", help="Don't download `url:` references.")]
IgnoreMissing = Annotated[
    bool,
    typer.Option("--ignore-missing-references", help="Go on without files that don't exist."),
]
RecordFile = Annotated[
    Path | None,
    typer.Option("--record", help="Write the models' answers to a file for replay:FILE."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Detach = Annotated[
    bool, typer.Option("--detach", help="Work in the background; print the run's id and return.")
]
Base = Annotated[str, typer.Option(help="Commit or branch to start from.", metavar="REF")]

Strict = Annotated[
    bool, typer.Option("--strict", help="Accept proven criteria only, no judged ones.")
]

_EXAMPLES = """\
Examples:

\b
  prp execute PRPs/login.md --model anthropic:claude-sonnet-4-5 --max-cost-usd 5
  prp execute PRPs/login.md --planner openai:gpt-5 --coder openai:gpt-5-mini --verifier openai:gpt-5
  prp execute PRPs/login.md --model openai-chat:qwen3 --base-url http://127.0.0.1:8000/v1
  prp execute PRPs/login.md --allow-host api.example.com --allow-host .staging.example.com:8443
  prp execute PRPs/login.md --setup "pip install -r ci/requirements.txt"
  prp execute PRPs/login.md --detach
"""


def flags_of(**typed: object) -> dict[str, object]:
    """Return the settings that were typed; None is one that was not."""
    return {name: value for name, value in typed.items() if value is not None}


class _Act(Protocol):
    """What a command does with an order: returns what to print and how to exit."""

    def __call__(self, order: "Order", *, listen: "Record") -> "Begun | Done | Planned": ...


def _command(name: str, act: Callable[[bool], _Act], words: str) -> Callable[..., None]:
    """Make a command; all take the same options, so that a line for one works for the other."""

    def command(
        prp: PrpPath,
        *,
        model: Model = None,
        planner: Planner = None,
        coder: Coder = None,
        verifier: Verifier = None,
        base_url: BaseUrl = None,
        max_attempts: MaxAttempts = None,
        max_cost_usd: MaxCost = None,
        max_minutes: MaxMinutes = None,
        max_tokens: MaxTokens = None,
        max_requests_per_task: MaxRequests = None,
        holdout_tests: HoldoutTests = None,
        max_mutants: MaxMutants = None,
        base: Base = "HEAD",
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
        record: RecordFile = None,
        detach: Detach = False,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> None:
        from agent.cli.asking import asker  # noqa: PLC0415 - keeps --help fast
        from agent.cli.progress import Progress  # noqa: PLC0415 - keeps --help fast
        from agent.runs import Order  # noqa: PLC0415 - keeps --help fast
        from agent.shown import printable_lines  # noqa: PLC0415 - keeps --help fast

        flags = flags_of(
            model=model,
            planner=planner,
            coder=coder,
            verifier=verifier,
            base_url=base_url,
            max_attempts=max_attempts,
            max_cost_usd=max_cost_usd,
            max_minutes=max_minutes,
            max_tokens=max_tokens,
            max_requests_per_task=max_requests_per_task,
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
            recording=record,
            yes=yes,
            approved=approved,
            ask=asker(no_input=no_input),
            need_references=not ignore_missing_references,
        )
        done = act(detach)(order, listen=Progress(quiet=quiet))
        typer.echo(done.as_json() if as_json else printable_lines(done.in_words()))
        raise typer.Exit(done.exit_status)

    command.__name__, command.__doc__ = name, words
    return command


def _execution(detach: bool) -> _Act:
    from agent.runs import detach_order, run_order  # noqa: PLC0415 - keeps --help fast

    return detach_order if detach else run_order


def _planning(detach: bool) -> _Act:
    from agent.errors import SettingsError  # noqa: PLC0415 - keeps --help fast
    from agent.runs import plan_order  # noqa: PLC0415

    if detach:
        raise SettingsError("A plan is printed, so it can't be made in the background")
    return plan_order


execute = _command(
    "execute",
    _execution,
    f"""Plan, code and verify one PRP on a branch of its own.

Works in a git worktree: your checkout is not touched. The result is the branch prp/NAME and a
report; the exit status says whether every criterion holds.

{_EXAMPLES}""",
)
plan = _command(
    "plan",
    _planning,
    """Run the checks on the base commit, plan one PRP, print the plan, and change nothing.

Takes the options of `prp execute`; only the planner is asked.
""",
)
