"""`prp stats`: what all runs together came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.execute import AsJson

if TYPE_CHECKING:
    from agent.runs.stats import Stats

_MOST_CHECKS = 10


def stats(
    name: Annotated[
        str, typer.Argument(help="Only runs whose id holds this, such as a PRP's name.")
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    r"""Say how runs end, what they cost, and which checks fail most.

    Examples:
    \b
      prp stats
      prp stats login
      prp stats --json | jq .cost_usd

    """
    from agent.runs.stats import stats_of  # noqa: PLC0415 - keeps --help fast
    from agent.runs.watching import latest_runs  # noqa: PLC0415
    from agent.settings import load_settings  # noqa: PLC0415
    from agent.shown import json_text, printable_lines  # noqa: PLC0415

    state = load_settings({}, root=Path.cwd()).state_dir
    every = latest_runs(state, most=None)
    found = stats_of(seen for seen in every if name in seen.folder.id)
    if as_json:
        typer.echo(json_text(found.as_json(), indent=2))
    elif not found.runs:
        typer.echo(f"No run is called {name}." if name else "Nothing was executed yet.")
    else:
        typer.echo(printable_lines(in_words(found)))


def in_words(found: "Stats") -> str:
    """Return the figures as a person reads them."""
    ended = found.runs - found.not_ended
    open_runs = f", {found.not_ended} not ended" if found.not_ended else ""
    lines = [
        f"{found.runs} run{'s' * (found.runs != 1)}: {found.proven} of {ended} proven{open_runs}"
    ]
    lines += [f"  {number:4} {outcome}" for outcome, number in found.outcomes.items()]
    if found.proven_after:
        after = (f"{number} after {n}" for n, number in found.proven_after.items())
        lines.append(f"attempts: proven {', '.join(after)}")
    if found.median_seconds is not None:
        lines.append(f"time: {_time(found.median_seconds)} in the middle")
    cached = "" if found.cached_share is None else f", {found.cached_share:.0%} of the read cached"
    unpriced = f", {found.unpriced_runs} runs of unknown price" if found.unpriced_runs else ""
    lines.append(f"tokens: {found.tokens:,} in {found.answers:,} answers{cached}")
    by_role = ", ".join(f"{role} {cost:.2f}" for role, cost in found.cost_by_role.items() if cost)
    lines.append(f"money: US$ {found.cost_usd:.2f}{unpriced}{f' ({by_role})' if by_role else ''}")
    if found.estimated:
        lines.append(
            f"estimates: {found.within_estimate} of {found.estimated} proven runs stayed within"
        )
    if found.failing:
        lines.append("checks that failed on a branch:")
        lines += [
            f"  {check.failed:4} of {check.ran}  {check.command[:90]}"
            for check in found.failing[:_MOST_CHECKS]
        ]
    if found.claimed:
        lines.append("what authors thought, and what came of it:")
        lines += [
            f"  {group.confidence:g}/10: {group.proven} of {group.runs} proven"
            for group in found.claimed
        ]
    return "\n".join(lines)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
