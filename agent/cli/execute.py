"""`prp execute` and `prp plan`."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from agent.journal import Record
    from agent.runs import Begun, Done, Order, Planned
    from agent.runs.fleet.queue import Queued

PrpPath = Annotated[Path, typer.Argument(help="The PRP, a Markdown file.", metavar="PRP")]
PrpPaths = Annotated[
    list[Path],
    typer.Argument(help="The PRP, a Markdown file; several with --queue.", metavar="PRP"),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Model for all roles, as provider:name; further names after commas are fallbacks. "
        "`replay:FILE` plays a recorded run.",
        metavar="NAME",
    ),
]
Planner = Annotated[str | None, typer.Option(help="Model for the planner.", metavar="NAME")]
Coder = Annotated[
    str | None,
    typer.Option(
        help='Model for the coder, or `acp:"COMMAND"`: a coding agent that speaks ACP.',
        metavar="NAME",
    ),
]
Verifier = Annotated[str | None, typer.Option(help="Model for the verifier.", metavar="NAME")]
BaseUrl = Annotated[
    str | None, typer.Option(help="Address of a compatible model server.", metavar="URL")
]
MaxAttempts = Annotated[int | None, typer.Option(help="Attempts before the run stops [3].")]
MaxCost = Annotated[float | None, typer.Option(help="US dollars for the whole run.")]
MaxMinutes = Annotated[float | None, typer.Option(help="Wall time of the whole run.")]
MaxTokens = Annotated[int | None, typer.Option(help="Tokens of all models together.")]
MaxRequests = Annotated[int | None, typer.Option(help="Model requests for one task [60].")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        help="Tasks that are carried out at the same time, where they don't rest on each other "
        "[1].",
        metavar="N",
    ),
]
Candidates = Annotated[
    int | None,
    typer.Option(
        help="Attempts at the whole, each from the beginning; the best, as the verifier judges, is "
        "gone on with. So many times the cost of the coder [1].",
        metavar="N",
    ),
]
HoldoutTests = Annotated[
    int | None,
    typer.Option(help="Tests that the verifier writes from the PRP's text at most; 0: none [8]."),
]
MaxMutants = Annotated[
    int | None,
    typer.Option(help="Small changes of the branch that its tests must notice; 0 tries none [12]."),
]
PlanBy = Annotated[
    str | None,
    typer.Option(
        "--plan",
        help="Who plans: `asked` (the planner), or `literal` (the PRP's own tasks, files and "
        "checks are the plan; refused where they are not complete) [asked].",
        metavar="HOW",
    ),
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
Queue = Annotated[
    str,
    typer.Option(
        "--queue",
        help="Put the runs on this queue for workers on any machine (prp worker); needs "
        "PRP_DATABASE_URL.",
        metavar="NAME",
    ),
]
Priority = Annotated[int, typer.Option(help="With --queue: 1 comes first.", min=1, max=1_000_000)]
RepositoryUrl = Annotated[
    str,
    typer.Option(
        "--repository",
        help="With --queue: where workers find the repository, https://... or a path [origin].",
        metavar="URL",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        help="How the run is told on stderr: live (drawn), plain (lines), github (groups, "
        "annotations and summary of a job), or auto, which takes what fits.",
        metavar="FORM",
    ),
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
  prp execute PRPs/login.md --planner openai:gpt-5 --coder acp:"gemini --acp"
  prp execute PRPs/login.md --jobs 4
  prp execute PRPs/login.md --candidates 3 --jobs 3
  prp execute PRPs/login.md --plan literal
  prp execute PRPs/login.md --detach
  prp execute PRPs/*.md --queue team --priority 10
"""


def flags_of(**typed: object) -> dict[str, object]:
    """Return the settings that were typed; None is one that was not."""
    return {name: value for name, value in typed.items() if value is not None}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """Where the work is done: here, in the background, or by workers."""

    detach: bool
    queue: str
    priority: int
    repository: str


class _Act(Protocol):
    """What a command does with orders: returns what to print and how to exit."""

    def __call__(
        self, orders: "Sequence[Order]", way: Way, listen: "Record", /
    ) -> "Begun | Done | Planned | Queued": ...


def _command(name: str, act: _Act, words: str) -> Callable[..., None]:
    """Make a command; all take the same options, so that a line for one works for the other."""

    def command(
        prps: PrpPaths,
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
        jobs: Jobs = None,
        candidates: Candidates = None,
        holdout_tests: HoldoutTests = None,
        max_mutants: MaxMutants = None,
        plan: PlanBy = None,
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
        queue: Queue = "",
        priority: Priority = 100,
        repository: RepositoryUrl = "",
        as_json: AsJson = False,
        output: Output = "auto",
        quiet: Quiet = False,
    ) -> None:
        from agent.cli.asking import asker  # noqa: PLC0415 - keeps --help fast
        from agent.cli.telling import end_with, telling  # noqa: PLC0415 - keeps --help fast
        from agent.runs import Order  # noqa: PLC0415 - keeps --help fast

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
            jobs=jobs,
            candidates=candidates,
            holdout_tests=holdout_tests,
            max_mutants=max_mutants,
            plan=plan,
            strict=strict or None,
            allow_hosts=allow_host or None,
            setup="none" if no_setup else setup,
            approve=approve,
            fetch_urls=False if no_fetch else None,
            sandbox="none" if no_sandbox else None,
        )
        common = Order(
            prp=prps[0],
            flags=flags,
            base=base,
            recording=record,
            yes=yes,
            approved=approved,
            ask=asker(no_input=no_input),
            need_references=not ignore_missing_references,
        )
        orders = [dataclasses.replace(common, prp=prp) for prp in prps]
        way = Way(detach=detach, queue=queue, priority=priority, repository=repository)
        with telling(quiet=quiet, output=output) as listen:
            done = act(orders, way, listen)
        end_with(done, as_json=as_json, output=output)

    command.__name__, command.__doc__ = name, words
    return command


def _execution(orders: "Sequence[Order]", way: Way, listen: "Record") -> "Begun | Done | Queued":
    from agent.errors import SettingsError  # noqa: PLC0415 - keeps --help fast
    from agent.runs import detach_order, run_order  # noqa: PLC0415

    if way.queue:
        from agent.runs.fleet.queueing import queue_orders  # noqa: PLC0415 - as above

        return queue_orders(
            orders,
            queue=way.queue,
            url=way.repository,
            priority=way.priority,
            listen=listen,
        )
    if len(orders) > 1:
        raise SettingsError(
            f"{len(orders)} PRPs at once need a queue",
            hint="Put them on one with --queue NAME, or execute them one by one.",
        )
    return (detach_order if way.detach else run_order)(orders[0], listen=listen)


def _planning(orders: "Sequence[Order]", way: Way, listen: "Record") -> "Planned":
    from agent.errors import SettingsError  # noqa: PLC0415 - keeps --help fast
    from agent.runs import plan_order  # noqa: PLC0415

    if way.detach or way.queue or len(orders) > 1:
        raise SettingsError("A plan is printed: one PRP at a time, and here")
    return plan_order(orders[0], listen=listen)


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
