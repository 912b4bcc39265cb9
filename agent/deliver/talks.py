"""The conversations of a run, for reading: who said what, turn by turn."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.llm.transcript import Said, Turn
from agent.shown import printable_lines


@dataclass(frozen=True, kw_only=True)
class ShownTurn:
    """One request and its answer, in words."""

    number: int
    title: str
    """What it is about, in one line."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One conversation of an agent with its model."""

    title: str
    turns: Sequence[ShownTurn]


def talks_of(turns: Iterable[Turn]) -> list[Talk]:
    """Return the conversations in the order in which they began."""
    by_talk: dict[tuple[str, int], list[Turn]] = {}
    for turn in turns:
        by_talk.setdefault((turn.role, turn.conversation), []).append(turn)
    return [
        Talk(
            title=f"{role}, conversation {number}: {len(said)} turn{'s' if len(said) > 1 else ''}",
            turns=[_shown(place, turn) for place, turn in enumerate(said, 1)],
        )
        for (role, number), said in by_talk.items()
    ]


def _shown(number: int, turn: Turn) -> ShownTurn:
    calls = [said.name for said in turn.answered if said.kind == "call"]
    named = ", ".join(dict.fromkeys(calls))
    title = f"{number}: {f'calls {named}' if calls else 'answers in words'}"
    said = [
        *(_words(f"{_ASKED.get(one.kind, one.kind)}{_of(one)}", one.text) for one in turn.asked),
        *(
            _words(
                f"{_ANSWERED.get(one.kind, one.kind)}{_of(one)}",
                _arguments(one.text) if one.kind == "call" else one.text,
            )
            for one in turn.answered
        ),
    ]
    return ShownTurn(number=number, title=title, text=printable_lines("\n\n".join(said)))


_ASKED = {
    "system": "→ instructions",
    "user": "→ request",
    "result": "→ result of",
    "refused": "→ sent back",
}
_ANSWERED = {"text": "← answer", "thought": "← thought", "call": "← call of"}


def _of(said: Said) -> str:
    return f" {said.name}" if said.name else ""


def _words(head: str, text: str) -> str:
    return f"{head}\n{'─' * len(head)}\n{text}"


def _arguments(text: str) -> str:
    """Return a call's arguments a line each; text of several lines as it is, not as JSON."""
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(arguments, dict):
        return text
    return "\n".join(f"{name}: {_value(value)}" for name, value in arguments.items())


def _value(value: object) -> str:
    if isinstance(value, str):
        return value if "\n" not in value else "\n" + value
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return "".join(
            "\n- " + "\n  ".join(f"{name}: {_value(one)}" for name, one in each.items())
            if isinstance(each, dict)
            else f"\n- {each}"
            for each in value
        )
    return json.dumps(value, ensure_ascii=False)
