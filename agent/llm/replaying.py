"""The model that plays a recording back: no key, no network, no provider's library."""

from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from agent.journal import Record
from agent.llm.recording import compare, exhausted


class ReplayModel(Model):
    """Answers with the recorded answers of a role, in their order."""

    def __init__(
        self, entries: list[dict[str, Any]], *, role: str, path: Path, record: Record
    ) -> None:
        """Begin with the first answer."""
        super().__init__()
        self._entries, self._role, self._path, self._record = entries, role, path, record
        self._next = 0

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
        if self._next >= len(self._entries):
            raise exhausted(self._path, self._role, len(self._entries))
        entry = self._entries[self._next]
        self._next += 1
        compare(entry, messages, role=self._role, record=self._record)
        (response,) = ModelMessagesTypeAdapter.validate_python([entry["answer"]])
        if not isinstance(response, ModelResponse):
            raise TypeError(f"{self._path}: answer {self._next} of {self._role} is no answer")
        return response
