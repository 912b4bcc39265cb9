"""`prp draft`: a PRP for what somebody wants."""

import os
import sys
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.execute import (
    AsJson,
    BaseUrl,
    MaxCost,
    MaxMinutes,
    MaxRequests,
    MaxTokens,
    Model,
    NoSandbox,
    NoSetup,
    Quiet,
    RecordFile,
    Setup,
    flags_of,
)

if TYPE_CHECKING:
    from agent.runs.drafting import Wish

Words = Annotated[
    str,
    typer.Argument(help="What you want, in your own words.", metavar="WISH", show_default=False),
]
Issue = Annotated[
    Path | None,
    typer.Option(
        "--issue",
        help="A file with the words of an issue; - reads them from stdin. They are material, not "
        "orders.",
        metavar="FILE",
    ),
]
Interactive = Annotated[
    bool,
    typer.Option(
        "--interactive", "-i", help="Ask at the terminal what can't be decided without you."
    ),
]
Place = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Where to write it, below the repository [PRPs/, named after its title].",
        metavar="FILE",
    ),
]


def draft(
    wish: Words = "",
    *,
    issue: Issue = None,
    interactive: Interactive = False,
    output: Place = None,
    model: Model = None,
    base_url: BaseUrl = None,
    max_cost_usd: MaxCost = None,
    max_minutes: MaxMinutes = None,
    max_tokens: MaxTokens = None,
    max_requests: MaxRequests = None,
    setup: Setup = None,
    no_setup: NoSetup = False,
    no_sandbox: NoSandbox = False,
    record: RecordFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a PRP for what you want: study the repository, write, lint, run its checks once.

    A model reads the repository and looks around with commands in a sandbox where nothing can be
    changed. What it writes is checked by program and sent back until it has no errors. The file is
    new, below PRPs/; nothing else changes. Read it before you execute it.
    """
    from agent.cli.telling import telling  # noqa: PLC0415 - keeps --help fast
    from agent.runs import Order  # noqa: PLC0415 - keeps --help fast
    from agent.runs.drafting import FOLDER, draft_order, keep, taken  # noqa: PLC0415
    from agent.shown import printable_lines  # noqa: PLC0415
    from agent.workspace import Repository  # noqa: PLC0415

    wanted = _wish(wish, issue, interactive=interactive)
    root = Repository.open(Path.cwd()).root
    name = _name(output, root) if output else ""
    if name and os.path.lexists(root / name):
        raise taken(name)
    flags = flags_of(
        model=model,
        base_url=base_url,
        max_cost_usd=max_cost_usd,
        max_minutes=max_minutes,
        max_tokens=max_tokens,
        max_requests_per_task=max_requests,
        setup="none" if no_setup else setup,
        sandbox="none" if no_sandbox else None,
    )
    order = Order(prp=root / (name or f"{FOLDER}/draft.md"), flags=flags, recording=record)
    search_path = os.environ.get("PATH", os.defpath)
    # What is drawn would be written over by questions.
    with telling(quiet=quiet, output="plain") as listen:
        done = draft_order(order, wanted, search_path=search_path, listen=listen)
    done = keep(done, root, name=name)
    typer.echo(done.as_json() if as_json else printable_lines(done.in_words()))
    raise typer.Exit(done.exit_status)


draft.__doc__ = f"""{cleandoc(draft.__doc__ or "")}

Examples:

\b
  prp draft "retry failed downloads, at most three times" --model anthropic:claude-sonnet-4-5
  prp draft --issue issue.md --max-cost-usd 1 --output PRPs/retry.md
  prp draft "export to CSV" --interactive
  gh issue view 12 --json body -q .body | prp draft --issue -
"""


def _wish(words: str, issue: Path | None, *, interactive: bool) -> "Wish":
    from agent.prp.read import read_text  # noqa: PLC0415 - keeps --help fast
    from agent.runs.drafting import Wish  # noqa: PLC0415

    is_there = sys.stdin.isatty() and sys.stderr.isatty()
    if interactive and not is_there:
        raise typer.BadParameter("it needs a terminal to ask at.", param_hint="--interactive")
    if not words.strip() and issue is None:
        if not is_there:
            raise typer.BadParameter("say what you want, or name an --issue.", param_hint="WISH")
        words = typer.prompt("What do you want", err=True)
    said = ""
    if issue is not None:
        said = _stdin() if str(issue) == "-" else read_text(issue)
    for text, name in ((words, "WISH"), (said, "--issue")):
        if len(text) > _LONGEST:
            raise typer.BadParameter(
                f"{len(text):,} characters; {_LONGEST:,} are enough to say what is wanted.",
                param_hint=name,
            )
    if issue is not None and not said.strip():
        raise typer.BadParameter("it holds no words.", param_hint="--issue")
    return Wish(words=words, issue=said, ask=_ask if interactive else None)


_LONGEST = 60_000


def _stdin() -> str:
    return sys.stdin.buffer.read(4 * _LONGEST + 1).decode("utf-8", "replace")


def _name(output: Path, root: Path) -> str:
    """Return a file's path below the repository."""
    place = Path(os.path.abspath(output))  # noqa: PTH100 - a link is not followed, it is refused
    if not place.is_relative_to(root):
        raise typer.BadParameter(f"it must be below {root}.", param_hint="--output")
    if place.suffix != ".md":
        raise typer.BadParameter("a PRP is a Markdown file: NAME.md.", param_hint="--output")
    return place.relative_to(root).as_posix()


def _ask(questions: Sequence[str]) -> list[str]:
    import signal  # noqa: PLC0415 - only where somebody is asked

    from agent.shown import printable_lines  # noqa: PLC0415

    # The loop that waits for the model keeps Ctrl-C to itself; here it has to end the question.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    answers: list[str] = []
    try:
        for question in questions:
            typer.echo(f"\n{printable_lines(question)}", err=True)
            answers.append(typer.prompt(">", default="", show_default=False, err=True))
    except typer.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
    return answers
