"""Recorded runs: every answer of a model in a file, to be played back without one.

A recording has a line of JSON for each answer: the role, its number, what the request said that
was new (a hash for each line, without what differs from run to run), and the answer.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import ProviderUnavailable, SettingsError
from agent.journal import Noted, Record

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model


class Recorder:
    """Writes answers down as they come."""

    def __init__(self, path: Path) -> None:
        """Begin a new recording; an older one of the same name is replaced."""
        path.write_text("", encoding="utf-8")
        self._path = path
        self._counts: dict[str, int] = {}

    def write(
        self, *, role: str, messages: "Sequence[ModelMessage]", response: "ModelResponse"
    ) -> None:
        """Append one answer."""
        from pydantic_ai.messages import ModelMessagesTypeAdapter  # noqa: PLC0415 - heavy

        number = self._counts[role] = self._counts.get(role, 0) + 1
        line = {
            "v": 1,
            "role": role,
            "n": number,
            "asked": [_mark(text) for text in new_lines(messages)],
            "answer": ModelMessagesTypeAdapter.dump_python([response], mode="json")[0],
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def open_replay(path: Path, *, role: str, record: Record) -> "Model":
    """Open a recording as the model of a role.

    Raises:
        SettingsError: The file is missing or is no recording.

    """
    from agent.llm.replaying import ReplayModel  # noqa: PLC0415 - heavy

    return ReplayModel(_read(path, role), role=role, path=path, record=record)


def _read(path: Path, role: str) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if entry["role"] == role]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is no recording: {error}", hint="Write one with --record FILE."
        ) from None


def compare(
    entry: dict[str, Any], messages: "Sequence[ModelMessage]", *, role: str, record: Record
) -> None:
    """Say where the run departs from the recording; it goes on all the same."""
    lines = new_lines(messages)
    recorded = set(entry["asked"])
    strange = [text for text in lines if _mark(text) not in recorded]
    if strange:
        record(
            Noted(
                text=f"replay: before answer {entry['n']} of the {role} the run says what the "
                f"recorded one did not, first: {strange[0][:120]}"
            )
        )


def exhausted(path: Path, role: str, count: int) -> ProviderUnavailable:
    """Return the end of a recording that is shorter than the run."""
    return ProviderUnavailable(
        f"The recording {path} has only {count} answers of the {role}, and the run needs more",
        hint="The run took another course than the recorded one; the notes above say where. "
        "Record it anew with --record.",
    )


_CHANGING = re.compile(
    r"\b0x[0-9a-f]+|\b[0-9a-f]{7,64}\b|/\S*?/(?:worktree|room|project)\b|\d+(?:\.\d+)?|={3,}|-{3,}|\.{3,}"
)


def new_lines(messages: "Sequence[ModelMessage]") -> list[str]:
    """Return what the last request of a conversation says, without hashes, numbers and paths."""
    last = messages[-1] if messages else None
    words: list[str] = []
    for part in getattr(last, "parts", ()):
        content = getattr(part, "content", "")
        pieces = content if isinstance(content, list | tuple) else [content]
        words += [piece if isinstance(piece, str) else str(piece) for piece in pieces]
    lines = (_CHANGING.sub("#", line).strip() for text in words for line in text.splitlines())
    return [line for line in lines if line]


def _mark(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:8]
