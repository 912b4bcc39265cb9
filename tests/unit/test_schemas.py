"""Tools are put into a provider's words once, and the words are the library's."""

import pytest
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from agent.llm.connecting import connect
from agent.llm.schemas import translated_once


def asked(*names: str) -> ModelRequestParameters:
    """Return a request's tools, made anew each time as the library does."""
    schema = {"type": "object", "properties": {"path": {"type": "string", "title": "Path"}}}
    tools = [ToolDefinition(name=name, parameters_json_schema=dict(schema)) for name in names]
    return ModelRequestParameters(function_tools=tools)


@pytest.mark.parametrize("name", ["openai-chat:x", "openai:x", "anthropic:x"])
def test_the_same_tools_are_translated_once(name: str) -> None:
    model = connect(name, base_url="http://127.0.0.1:9", key="x", idle_seconds=5)
    first = model.customize_request_parameters(asked("read", "write"))
    assert model.customize_request_parameters(asked("read", "write")) is first
    assert first == type(model).customize_request_parameters(model, asked("read", "write"))


def test_other_tools_are_translated_for_themselves_however_many_came_before() -> None:
    """Given more sets of tools than are remembered, then each gets its own."""
    model = translated_once(
        connect("openai-chat:x", base_url="http://127.0.0.1:9", key="x", idle_seconds=5)
    )
    for _ in range(2):
        for number in range(12):
            came = model.customize_request_parameters(asked(f"tool_{number}"))
            assert [tool.name for tool in came.function_tools] == [f"tool_{number}"]
