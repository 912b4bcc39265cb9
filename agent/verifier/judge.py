"""The verifier agent: judges criteria on a clean checkout, with quotes that a program looks up."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.llm.conversation import AgentFailed, converse
from agent.llm.prompts import prompt
from agent.prp import Criterion
from agent.prp.briefing import list_criteria
from agent.verifier.evidence import Facts, Judgement, with_tests
from agent.verifier.objections import Objection


class Quote(BaseModel):
    """Words that stand somewhere in the commit or in a check's output."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: str
    """Path of a file below the repository's root, id of a check (its output), or `changes`."""
    text: str
    """The words exactly as they stand there, one to five lines."""


class Opinion(BaseModel):
    """What the agent says of one criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    criterion: str
    """Its id, for instance C1."""
    holds: Literal["yes", "no", "unclear", "person"]
    reason: str
    """Why, in one or two sentences; for `no` what is wrong and where."""
    quotes: tuple[Quote, ...] = ()


class Opinions(BaseModel):
    """One opinion for each criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    opinions: tuple[Opinion, ...]
    concerns: tuple[str, ...] = ()
    """What breaks an anti-pattern or a gotcha of the PRP, or is wrong beside the criteria."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The agent's opinions after their quotes were looked up."""

    judgements: Mapping[str, Judgement]
    concerns: tuple[str, ...] = ()


async def judge_criteria(
    criteria: Sequence[Criterion],
    *,
    model: Any,
    briefing: str,
    commit: str,
    facts: Facts,
    objections: Sequence[Objection],
    doubts: Sequence[str],
    mutants: str,
    changes: Sequence[str],
    diff: str,
    tools: Sequence[Callable[..., Any]],
    read: Callable[[str], str | None],
) -> Judged:
    """Ask the verifier agent about criteria, and keep only what can be looked up.

    Args:
        criteria: Those to judge.
        model: As opened by `open_model`.
        briefing: The text that every conversation of the run begins with.
        commit: The commit under judgement.
        facts: The results on it, of the checks and of the tests from the text.
        objections: What a program noticed beside the checks.
        doubts: What the plan found wrong in the PRP; what the coder doubts, and where it deviated.
        mutants: What came of small changes to the changed lines.
        changes: The files that the branch changes, each with git's letter for how.
        diff: What it changes in them, shortened where it is long.
        tools: Read-only tools on a clean checkout of the commit.
        read: Returns a file's text at the commit, None where there is none.

    Returns:
        A judgement for each criterion; an agent that comes to no end leaves all unclear.

    """
    ids = {criterion.id for criterion in criteria}

    def reject(answer: Opinions) -> Sequence[str]:
        given = {opinion.criterion for opinion in answer.opinions}
        return [f"There is no opinion on {missing}." for missing in sorted(ids - given)]

    request = prompt(
        "judgement_request",
        commit=commit[:12],
        criteria=list_criteria(criteria),
        results=_lines(_as_told(facts), none="(no checks)"),
        shown=_lines(_by_criterion(facts.holdout), none="(none)"),
        guarded=_lines(_by_criterion(facts.guarded), none="(none)"),
        noticed=_lines((f"- {objection}" for objection in objections), none="(nothing)"),
        doubts=_lines((f"- {words}" for words in doubts), none="(nothing)"),
        mutants=mutants,
        changes="\n".join(changes) or "(none)",
        diff=diff,
    )
    sources = {i: result.output for i, result in facts.results.items()}
    sources[_CHANGES] = "\n".join(changes)
    try:
        reply = await converse(
            model,
            role="verifier",
            instructions=prompt("verifier"),
            output=Opinions,
            finish=("submit_judgement", "Hand in the judgement of all criteria"),
            prompt=[briefing, request],
            tools=tools,
            reject=reject,
            max_requests=25,
        )
    except AgentFailed as error:
        unclear = {i: Judgement(criterion=i, holds="unclear", reason=str(error)) for i in ids}
        return Judged(judgements=unclear)
    judgements = {
        opinion.criterion: _looked_up(opinion, sources, read)
        for opinion in reply.output.opinions
        if opinion.criterion in ids
    }
    return Judged(judgements=judgements, concerns=reply.output.concerns)


def _lines(lines: Iterable[str], *, none: str) -> str:
    return "\n".join(lines) or none


def _as_told(facts: Facts) -> Iterable[str]:
    """Return each check's result, with what a failure does not say of this commit."""
    for name, result in facts.results.items():
        old = facts.is_pre_existing(name)
        yield with_tests(result) + ("\n    it failed so on the base commit, too" if old else "")


def _by_criterion(tests: Mapping[str, Sequence[str]]) -> Iterable[str]:
    return (f"- {name}: {', '.join(names)}" for name, names in tests.items())


def _looked_up(
    opinion: Opinion, sources: Mapping[str, str], read: Callable[[str], str | None]
) -> Judgement:
    """Return the opinion with the quotes that stand where they are said to stand."""
    found = tuple(
        place for quote in opinion.quotes if (place := _place_of(quote, sources, read)) is not None
    )
    lost = len(opinion.quotes) - len(found)
    note = f" ({lost} of its quotes could not be found)" if lost else ""
    return Judgement(
        criterion=opinion.criterion,
        holds=opinion.holds,
        reason=opinion.reason + note,
        quotes=found,
    )


def _place_of(
    quote: Quote, sources: Mapping[str, str], read: Callable[[str], str | None]
) -> str | None:
    told = sources.get(quote.source)
    text = told if told is not None else read(quote.source)
    squeezed = _squeezed(text or "")
    # Lines that were copied from the diff may still have its mark in front.
    copied = (quote.text, _PLUS.sub("", quote.text))
    words = next((w for w in copied if len(_squeezed(w)) >= 4 and _squeezed(w) in squeezed), None)
    if text is None or words is None:
        return None
    lines = [line.strip() for line in words.strip().splitlines()]
    shown = " ⏎ ".join(filter(None, lines))[:_SHOWN]
    if told is not None:
        where = "files changed" if quote.source == _CHANGES else f"output of {quote.source}"
        return f"{where}: {shown}"
    return f"{quote.source}:{_line_of(lines[0], text)}: {shown}"


_CHANGES = "changes"
_SHOWN = 400
_PLUS = re.compile(r"^\+", re.MULTILINE)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _line_of(first: str, text: str) -> int:
    wanted = _squeezed(first)
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if wanted in _squeezed(line)), 1)
