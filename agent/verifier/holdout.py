"""Tests that the verifier agent writes from the PRP's text, and what it says when they fail."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.llm.conversation import converse
from agent.llm.prompts import prompt
from agent.prp import Prp
from agent.prp.briefing import list_criteria
from agent.workspace import clip

_SHOWN = 8_000


class HoldoutTest(BaseModel):
    """One test and what it rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """Its function or title as the runner reports it, without path and class."""
    criterion: str
    """Id of the criterion that it shows, for instance C1."""
    words: str
    """The PRP's own words that it rests on, copied exactly."""
    new: bool
    """Whether it promises something new, so that it fails on the base commit."""


class HoldoutTests(BaseModel):
    """A file of tests and how to run it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: str = ""
    """A new file, relative to the repository's root."""
    content: str = ""
    guards_path: str = ""
    """A second new file, where what is new would keep the guards from building; else empty."""
    guards: str = ""
    """Its content: only tests of what is there already."""
    guards_command: str = ""
    """Runs the second file alone."""
    command: str = ""
    """Runs this file alone and reports each test, for instance `python3 -m pytest -v PATH`."""
    tests: tuple[HoldoutTest, ...] = ()
    reason: str = ""
    """Why there are none, where there are none."""

    @property
    def parts(self) -> tuple[tuple[str, str, str], ...]:
        """Return path, content and command of each file."""
        first = (self.path, self.content, self.command)
        if not self.guards_path.strip():
            return (first,)
        return first, (self.guards_path, self.guards, self.guards_command)

    def is_aside(self, test: HoldoutTest) -> bool:
        """Return whether a test stands in the second file: only a guard can."""
        return bool(self.guards_path.strip()) and not test.new and test.name in self.guards


class Reviewed(BaseModel):
    """What a second reading says of a failing test."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    verdict: Literal["right", "wrong", "unsure"]
    reason: str
    """For `right`: what the code does for which input, and what the PRP asks for instead."""


class Review(BaseModel):
    """One entry for each failing test."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    tests: tuple[Reviewed, ...]


async def write_tests(
    prp: Prp,
    *,
    model: Any,
    briefing: str,
    environment: str,
    most: int,
    tools: Sequence[Callable[..., Any]],
    try_out: Callable[[HoldoutTests], Awaitable[Sequence[str]]],
) -> HoldoutTests:
    """Let the verifier agent write tests from the PRP's text.

    Args:
        prp: The document.
        model: As opened by `open_model`.
        briefing: The text that every conversation of the run begins with.
        environment: Words about the place where the tests will run.
        most: Tests at most.
        tools: Read-only tools on the base commit.
        try_out: Runs the tests on the base commit; returns what is wrong with them.

    Raises:
        AgentFailed: It came to no usable end.

    """

    async def reject(answer: HoldoutTests) -> Sequence[str]:
        return flaws(answer, prp, most=most) or await try_out(answer)

    reply = await converse(
        model,
        role="verifier",
        instructions=prompt("holdout", environment=environment),
        output=HoldoutTests,
        finish=("submit_tests", "Hand in the tests"),
        prompt=[
            briefing,
            prompt("holdout_request", most=str(most), criteria=list_criteria(prp.promises)),
        ],
        tools=tools,
        reject=reject,
        max_requests=20,
    )
    return reply.output


async def review_tests(
    given: HoldoutTests,
    failing: Sequence[HoldoutTest],
    *,
    model: Any,
    briefing: str,
    commit: str,
    output: str,
    tools: Sequence[Callable[..., Any]],
) -> Mapping[str, Reviewed]:
    """Let the verifier agent read the text again and say whether a failing test is right.

    Raises:
        AgentFailed: It came to no usable end.

    """
    names = {test.name for test in failing}

    def reject(answer: Review) -> Sequence[str]:
        said = {one.name for one in answer.tests}
        return [f"There is nothing about {name}." for name in sorted(names - said)]

    reply = await converse(
        model,
        role="verifier",
        instructions=prompt("holdout_review"),
        output=Review,
        finish=("submit_review", "Hand in what the second reading says"),
        prompt=[
            briefing,
            prompt(
                "holdout_review_request",
                commit=commit[:12],
                failing="\n".join(
                    f"- {test.name} ({test.criterion}), resting on: {test.words}"
                    for test in failing
                ),
                path=", ".join(path for path, _, _ in given.parts),
                content="\n\n".join(content for _, content, _ in given.parts),
                command="; ".join(command for _, _, command in given.parts),
                output=clip(output, limit=_SHOWN),
            ),
        ],
        tools=tools,
        reject=reject,
        max_requests=20,
    )
    return {one.name: one for one in reply.output.tests if one.name in names}


def flaws(answer: HoldoutTests, prp: Prp, *, most: int) -> list[str]:
    """Return what can be said against tests without running them, each as a sentence."""
    if not answer.tests:
        return [] if answer.reason.strip() else ["There are no tests, and no reason why."]
    found = []
    if len(answer.tests) > most:
        found.append(f"There are {len(answer.tests)} tests; at most {most} are wanted.")
    if not all(path.strip() and command.strip() for path, _, command in answer.parts):
        found.append("A file needs its path and its command.")
    known = {promise.id for promise in prp.promises}
    text = squeezed(prp.text)
    for test in answer.tests:
        if test.criterion not in known:
            found.append(f"{test.name}: the PRP has no criterion {test.criterion}.")
        if len(squeezed(test.words)) < _FEWEST or squeezed(test.words) not in text:
            found.append(f"{test.name}: its `words` do not stand in the PRP; copy them exactly.")
        if not any(test.name in content for _, content, _ in answer.parts):
            found.append(f"{test.name} does not stand in the file.")
    names = [test.name for test in answer.tests]
    found += [f"{name} is listed twice." for name in sorted(set(names)) if names.count(name) > 1]
    return found


_FEWEST = 8


def squeezed(text: str) -> str:
    """Return words with single blanks, so that a quote survives another layout."""
    return re.sub(r"[\s>*]+", " ", text).strip()
