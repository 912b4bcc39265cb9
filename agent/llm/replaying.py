"""The model that plays a recording back: no key, no network, no provider's library."""

from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from agent.journal import Record
from agent.journal.about import at_hand
from agent.llm.recording import compare, exhausted


class ReplayModel(Model):
    """Answers with the recorded answers of a role, in their order, task by task."""

    def __init__(
        self, entries: list[dict[str, Any]], *, role: str, path: Path, record: Record
    ) -> None:
        """Begin with the first answer."""
        super().__init__()
        self._left, self._role, self._path, self._record = list(entries), role, path, record
        self._count = len(entries)
        self._is_told = any("task" in entry for entry in entries)

    def _is_next(self, entry: dict[str, Any]) -> bool:
        """Return whether an answer was given to who asks: what goes on at once asks in any order.

        Older recordings do not tell; theirs are taken one after the other.
        """
        asks = at_hand()
        return not self._is_told or all(
            entry.get(name) == asks.get(name) for name in ("task", "candidate")
        )

    @property
    def model_name(self) -> str:
        """Return the recording's name."""
        return self._path.name

    @property
    def system(self) -> str:
        """Return what the model libraries call the provider."""
        return "replay"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,  # noqa: ARG002 - the library's signature
        model_request_parameters: ModelRequestParameters,  # noqa: ARG002
    ) -> ModelResponse:
        """Return the next recorded answer.

        Raises:
            SettingsError: There is no further one.

        """
        entry = next(filter(self._is_next, self._left), None)
        if entry is None:
            raise exhausted(self._path, self._role, self._count)
        self._left.remove(entry)
        compare(entry, messages, role=self._role, record=self._record)
        (response,) = ModelMessagesTypeAdapter.validate_python([entry["answer"]])
        if not isinstance(response, ModelResponse):
            raise TypeError(f"{self._path}: answer {entry['n']} of {self._role} is no answer")
        return response
