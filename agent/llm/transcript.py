"""What agents and their models said to each other, in a file beside the journal.

The journal says what happened; this says in which words. It has a line of JSON for each answer:
what was new in the request, and the answer. Whoever reads a report can look a step up in it.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.masking import Mask

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse


@dataclass(frozen=True, kw_only=True)
class Said:
    """A part of a request or of an answer."""

    kind: str
    """`system`, `user`, `result`, `refused`; `text`, `thought`, `call`."""
    name: str
    """The tool's, where it is one's call or result."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One request and its answer."""

    role: str
    conversation: int
    """Counts the role's conversations in the order in which they began, from 1."""
    at: float
    """When the answer was there, seconds since 1970."""
    asked: tuple[Said, ...]
    """What the request said that the one before it in its conversation did not."""
    answered: tuple[Said, ...]


class Transcript:
    """Appends turns to a file; one that stands there is not written again.

    A run that is taken up goes through its finished answers once more.
    """

    def __init__(self, path: Path, *, mask: Mask | None = None) -> None:
        """Begin a file or go on with one; a line that a crash tore is taken off its end."""
        self._path, self._mask = path, mask or Mask()
        self._begun: dict[str, list[object]] = {}
        _cut_torn_line(path)
        self._left = Counter(_key(line) for line in _lines(path))

    def write(
        self, *, role: str, messages: "Sequence[ModelMessage]", response: "ModelResponse"
    ) -> None:
        """Append one turn."""
        turn = Turn(
            role=role,
            conversation=self._number(role, messages[0]),
            at=round(time.time(), 3),
            asked=tuple(_new_parts(messages)),
            answered=tuple(_answer_parts(response)),
        )
        line = self._mask.all_in(asdict(turn))
        if self._left[key := _key(line)]:
            self._left[key] -= 1
            return
        words = json.dumps({"v": 1, **line}, ensure_ascii=False) + "\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, words.encode("utf-8", "surrogatepass"))
        finally:
            os.close(handle)

    def _number(self, role: str, first: object) -> int:
        """Return which conversation it is: each has a first message of its own."""
        begun = self._begun.setdefault(role, [])
        for number, message in enumerate(begun, 1):
            if message is first:
                return number
        begun.append(first)
        return len(begun)


def read_transcript(path: Path) -> Iterator[Turn]:
    """Read a transcript back; nothing where there is none."""
    for line in _lines(path):
        parts = {
            side: tuple(
                Said(kind=part["kind"], name=part["name"], text=part["text"]) for part in line[side]
            )
            for side in ("asked", "answered")
        }
        yield Turn(
            role=line["role"],
            conversation=line["conversation"],
            at=line["at"],
            asked=parts["asked"],
            answered=parts["answered"],
        )


def _cut_torn_line(path: Path) -> None:
    if path.is_file():
        written = path.read_bytes()
        if not written.endswith(b"\n"):
            os.truncate(path, written.rfind(b"\n") + 1)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.endswith("\n") and (told := _told_in(line)):
                yield told


_MUST_HAVE = {"role", "conversation", "at", "asked", "answered"}


def _told_in(line: str) -> dict[str, Any] | None:
    """Return the turn of a line; None where a broken disk left something else there."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() >= _MUST_HAVE else None


def _key(line: dict[str, Any]) -> bytes:
    told = json.dumps([line["role"], line["asked"], line["answered"]], sort_keys=True)
    return sha256(told.encode()).digest()


def _new_parts(messages: "Sequence[ModelMessage]") -> Iterator[Said]:
    """Return what stands behind the last answer; all of it where there was none."""
    last = max((place for place, one in enumerate(messages) if one.kind == "response"), default=-1)
    if last < 0 and (instructions := getattr(messages[0], "instructions", None)):
        yield Said(kind="system", name="", text=instructions)
    for message in messages[last + 1 :]:
        for part in message.parts:
            kind = _REQUEST_KINDS.get(part.part_kind, part.part_kind)
            yield Said(kind=kind, name=getattr(part, "tool_name", None) or "", text=_text(part))


_REQUEST_KINDS = {
    "system-prompt": "system",
    "user-prompt": "user",
    "tool-return": "result",
    "retry-prompt": "refused",
}


def _answer_parts(response: "ModelResponse") -> Iterator[Said]:
    for part in response.parts:
        if part.part_kind == "tool-call":
            yield Said(kind="call", name=part.tool_name, text=part.args_as_json_str())
        elif part.part_kind in ("text", "thinking"):
            kind = "thought" if part.part_kind == "thinking" else "text"
            yield Said(kind=kind, name="", text=_text(part))


def _text(part: Any) -> str:
    content = getattr(part, "content", "")
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        # A mark for the provider's cache says nothing.
        said = (each for each in content if getattr(each, "kind", "") != "cache-point")
        return "\n\n".join(each if isinstance(each, str) else str(each) for each in said)
    return json.dumps(content, ensure_ascii=False, default=str)
