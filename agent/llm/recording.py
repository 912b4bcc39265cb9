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

from agent.errors import SettingsError
from agent.journal import Noted, Record
from agent.journal.about import at_hand
from agent.masking import Mask

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model


class Recorder:
    """Writes answers down as they come."""

    def __init__(self, path: Path, *, mask: Mask | None = None) -> None:
        """Begin a new recording; an older one of the same name is replaced."""
        self._mask = mask or Mask()
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
            **at_hand(),
            "asked": [_mark(text) for text in new_lines(messages)],
            "answer": ModelMessagesTypeAdapter.dump_python([response], mode="json")[0],
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self._mask.all_in(line), ensure_ascii=False) + "\n")


def open_replay(path: Path, *, role: str, record: Record) -> "Model":
    """Open a recording as the model of a role.

    Raises:
        SettingsError: The file is missing or is no recording.

    """
    from agent.llm.replaying import ReplayModel  # noqa: PLC0415 - heavy

    entries = [entry for entry in read_recording(path) if entry["role"] == role]
    return ReplayModel(entries, role=role, path=path, record=record)


def read_recording(path: Path) -> list[dict[str, Any]]:
    """Return the answers of a recording, of all roles, in their order.

    Raises:
        SettingsError: There is no such file, or it is no recording; it names the line.

    """
    if path.is_dir():
        raise SettingsError(f"{path} is a folder, not a recording", hint=_RECORD)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise SettingsError(
            f"The recording {str(path)!r} can't be read: {error.strerror}",
            hint=f"{_RECORD} A relative path starts at the current folder.",
        ) from None
    entries = [_entry(line, where=f"{path}:{number}") for number, line in enumerate(lines, start=1)]
    if not entries:
        raise SettingsError(f"{path} is empty: no answer is recorded in it", hint=_RECORD)
    return entries


_RECORD = "Write one with --record FILE."


def _entry(line: bytes, *, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where}: this is no recording: {error}", hint=_RECORD) from None
    if not (isinstance(entry, dict) and {"role", "n", "asked", "answer"} <= entry.keys()):
        raise SettingsError(f"{where}: this is no recorded answer", hint=_RECORD)
    return entry


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


def exhausted(path: Path, role: str, count: int) -> SettingsError:
    """Return the end of a recording that is shorter than the run."""
    answers = f"only {count} answers" if count else "no answer"
    return SettingsError(
        f"The recording {path} has {answers} of the {role}, and the run needs more",
        hint="The run took another course than the recorded one; its notes say where. "
        "Record it anew with --record FILE.",
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
        # A mark for the provider's cache says nothing.
        said = [piece for piece in pieces if getattr(piece, "kind", "") != "cache-point"]
        words += [piece if isinstance(piece, str) else str(piece) for piece in said]
    lines = (_CHANGING.sub("#", line).strip() for text in words for line in text.splitlines())
    return [line for line in lines if line]


def _mark(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:8]
