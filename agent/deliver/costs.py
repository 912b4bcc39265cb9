"""What a run took and cost, in words and in Markdown."""

from collections.abc import Iterable

from agent.deliver.marks import plain, table
from agent.deliver.story import Story, Usage
from agent.deliver.timeline import Step
from agent.journal import Estimated, event_of


def costs(story: Story) -> str:
    """Return what each role read and wrote, beside the estimate."""
    rows = [
        (
            role,
            str(usage.answers),
            f"{usage.input_tokens:,}",
            f"{usage.cache_read_tokens:,}",
            f"{usage.cache_write_tokens:,}",
            f"{usage.output_tokens:,}",
            money(usage),
        )
        for role, usage in story.usage.items()
    ]
    drawn = table(
        "Cost", ("Role", "Answers", "Read", "from cache", "into cache", "Written", "US$"), rows
    )
    words = foreseen(story)
    return f"{drawn}\n\nEstimated when the plan stood: {words}." if words else drawn


def foreseen(story: Story) -> str:
    """Return what was estimated before; nothing where nothing was."""
    estimate = event_of(story.estimate)
    return estimate.in_words() if isinstance(estimate, Estimated) else ""


def costs_of(steps: Iterable[Step]) -> str:
    """Return what each stretch took and cost: baseline, plan, every task of every attempt."""
    rows = [
        (
            plain(step.title),
            f"{step.seconds:.0f} s{_divided(step)}",
            f"{step.usage.input_tokens:,}" if step.usage.answers else "",
            f"{step.usage.output_tokens:,}" if step.usage.answers else "",
            money(step.usage) if step.usage.answers else "",
        )
        for step in steps
    ]
    return table("Time and cost by step", ("Step", "Time", "Read", "Written", "US$"), rows)


def _divided(step: Step) -> str:
    parts = [f"{name} {seconds:.0f} s" for name, seconds in step.parts.items() if seconds >= 1]
    return f" ({', '.join(parts)})" if len(parts) > 1 else ""


def spent(usage: Usage) -> str:
    """Return answers, tokens and money in one line."""
    tokens = usage.input_tokens + usage.output_tokens
    return f"{usage.answers} model answers, {tokens:,} tokens, {money(usage)}"


def money(usage: Usage) -> str:
    """Return what was spent, or that nobody knows."""
    return "price unknown" if usage.cost_usd is None else f"US$ {usage.cost_usd:.4f}"
