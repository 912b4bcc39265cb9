"""The drafter studies the repository, answers a draft, and mends what a program says against it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.drafter.answer import Draft
from agent.drafter.rules import could_be_better, differences, in_words, must_change, unfit
from agent.journal import Noted, Record
from agent.llm.conversation import converse
from agent.llm.prompts import prompt
from agent.prp import Prp
from agent.prp.lint import Examined


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a program found when it looked at a document."""

    prp: Prp
    examined: Examined


Measure = Callable[[Prp, Mapping[str, str]], Awaitable[Sequence[str]]]
"""Runs the checks of a document with tests in place (path to content), and returns what its
author should know of that."""


async def make_draft(
    *,
    model: Any,
    briefing: str,
    environment: str,
    files: Collection[str],
    tools: Sequence[Callable[..., Any]],
    alone: Sequence[Callable[..., Any]],
    write: Callable[[Draft], str],
    look: Callable[[str], Looked],
    measure: Measure,
    record: Record,
    max_requests: int = 60,
) -> Draft:
    """Ask for a draft until nothing in it keeps a run from beginning.

    Args:
        model: As opened by `open_model`.
        briefing: What is wanted, and what there is.
        environment: What commands can rely on.
        files: All files of the repository.
        tools: Read-only tools on the repository.
        alone: Tools that run one after the other: commands, questions to the person.
        write: Returns a draft as a document.
        look: Returns what is wrong with a document.
        measure: Runs its checks.
        record: Is told when a draft is sent back.
        max_requests: Model requests that it may take.

    Raises:
        AgentFailed: It broke the rules again and again.

    """
    desk = _Desk(files=files, write=write, look=look, measure=measure, record=record)
    await converse(
        model,
        role="drafter",
        instructions=prompt("drafter", environment=environment),
        output=Draft,
        finish=("submit_draft", "Hand in the PRP, or the parts of it that change"),
        prompt=[briefing, prompt("draft_request")],
        tools=tools,
        alone=alone,
        reject=desk.reasons,
        max_requests=max_requests,
    )
    return desk.draft


@dataclass(kw_only=True)
class _Desk:
    """A draft that gets better answer by answer."""

    files: Collection[str]
    write: Callable[[Draft], str]
    look: Callable[[str], Looked]
    measure: Measure
    record: Record

    def __post_init__(self) -> None:
        self.draft = Draft()
        self._told: set[str] = set()

    async def reasons(self, answer: Draft) -> Sequence[str]:
        """Return why the draft is sent back: what it can't keep, and once what could be better."""
        self.draft = self.draft.renewed(answer)
        reasons = self.draft.missing() or await self._said_against()
        if reasons:
            points = "1 point" if len(reasons) == 1 else f"{len(reasons)} points"
            self.record(Noted(text=f"draft sent back with {points}: {_head(reasons[0])}"))
            reasons.append(_GO_ON)
        return reasons

    async def _said_against(self) -> list[str]:
        text = self.write(self.draft)
        looked = self.look(text)
        findings = looked.examined.findings
        reasons = [
            *unfit(self.draft, self.files),
            *differences(self.draft, looked.prp),
            *(in_words(one, text) for one in findings if must_change(one)),
        ]
        better = list(could_be_better(findings, text))
        if not reasons:
            tests = {test.path: test.code for test in self.draft.tests}
            better += await self.measure(looked.prp, tests)
        return reasons + self._new(better)

    def _new(self, words: Sequence[str]) -> list[str]:
        """Return what was not said before: who has read it may have a reason to leave it so."""
        new = [one for one in dict.fromkeys(words) if one not in self._told]
        self._told.update(new)
        return new


_GO_ON = (
    "Call submit_draft with the parts that change, each whole, and without all others. What is as "
    "it should be stays; call it without any part where nothing changes."
)


def _head(reason: str) -> str:
    return reason.split("\n", maxsplit=1)[0][:160]
