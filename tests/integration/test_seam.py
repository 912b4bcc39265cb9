"""What a request asks of its provider, seen at the HTTP library's seam."""

import asyncio
import json
from typing import Any

import pytest
import respx

from agent.errors import ProviderUnavailable
from agent.llm.budget import Budget, Meter
from agent.llm.conversation import converse
from agent.llm.models import ModelChoice, Patience, open_model
from tests.integration.test_wire import End


def asked(name: str, router: respx.MockRouter, url: str) -> dict[str, Any]:
    """Return the body of the one request that a conversation makes of a provider's own address."""
    route = router.post(url).respond(529, json={"error": {"message": "busy"}})

    async def hold() -> None:
        model = open_model(
            ModelChoice(names=(name,)),
            role="coder",
            meter=Meter(Budget()),
            record=lambda _: None,
            keys={"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"},
            patience=Patience(tries=1),
            cache_key="run-1",
        )
        try:
            await converse(
                model,
                role="coder",
                instructions="Be brief.",
                output=End,
                finish=("finish", "End."),
                prompt=["Briefing.", "Task."],
            )
        finally:
            await model.close()

    with pytest.raises(ProviderUnavailable):
        asyncio.run(hold())
    assert route.call_count == 1
    body: dict[str, Any] = json.loads(route.calls[0].request.content)
    return body


def test_anthropic_is_asked_to_cache_the_beginning(httpx2_mock: respx.MockRouter) -> None:
    """Its marks stand behind tools and instructions, behind the briefing, and at the end."""
    body = asked("anthropic:claude-x", httpx2_mock, "https://api.anthropic.com/v1/messages")
    assert body["stream"] is True
    assert body["max_tokens"] == 16_000
    assert "cache_control" in json.dumps(body["system"])
    content = body["messages"][-1]["content"]
    assert [part["text"] for part in content if "cache_control" in part] == ["Briefing.", "Task."]
    assert json.dumps(body).count("cache_control") == 3


def test_openai_is_told_which_requests_belong_together(httpx2_mock: respx.MockRouter) -> None:
    """The key keeps a run's requests on one cache."""
    body = asked("openai:gpt-x", httpx2_mock, "https://api.openai.com/v1/responses")
    assert body["stream"] is True
    assert body["prompt_cache_key"] == "run-1"
