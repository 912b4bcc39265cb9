"""The schemas of tools are put into a provider's words once.

The library does it anew for every request, which takes a millisecond of each turn; a conversation
has the same tools from its beginning to its end.
"""

from copy import deepcopy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_ai.models import Model, ModelRequestParameters

# Conversations of all roles may share a model at the same time.
_MOST = 8


def translated_once(model: "Model") -> "Model":
    """Return the model, which remembers what the last tools that it was given came to."""
    translate = model.customize_request_parameters
    known: list[tuple[ModelRequestParameters, ModelRequestParameters]] = []

    def remember(asked: "ModelRequestParameters") -> "ModelRequestParameters":
        for before, came in known:
            if before == asked:
                return came
        came = translate(asked)
        known[:] = [*known[1 - _MOST :], (deepcopy(asked), came)]
        return came

    vars(model)["customize_request_parameters"] = remember
    return model
