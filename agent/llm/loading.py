"""Imports what asking models takes while something else is waited for: it costs seconds."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from importlib import import_module
from typing import Any

from agent.llm.models import ModelChoice

# What their clients would otherwise load with the first request.
_ASKED_WITH = {
    "anthropic": ("anthropic.resources.beta.messages",),
    "openai": (
        "openai.resources.chat.chat",
        "openai.resources.responses.responses",
    ),
}
# What their answers are read into, and one of each kind: the libraries build what reads a class
# when the first of it arrives, which takes up to 70 ms.
_USED = {"input_tokens": 1, "output_tokens": 1}
_READ_INTO: Mapping[str, Sequence[tuple[str, str, dict[str, Any]]]] = {
    "anthropic": (
        (
            "anthropic.types.beta",
            "BetaMessage",
            {
                "content": [
                    {"type": "text", "text": ""},
                    {"type": "tool_use", "id": "", "name": "", "input": {}},
                ],
                "usage": _USED,
            },
        ),
    ),
    "openai": (
        (
            "openai.types.chat",
            "ChatCompletion",
            {
                "choices": [
                    {"message": {"tool_calls": [{"type": "function", "function": {"name": ""}}]}}
                ],
                "usage": {"prompt_tokens_details": {}},
            },
        ),
        (
            "openai.types.responses",
            "Response",
            {
                "output": [
                    {"type": "message", "content": [{"type": "output_text", "text": ""}]},
                    {"type": "reasoning", "summary": []},
                    {"type": "function_call", "name": "", "arguments": ""},
                ],
                "usage": _USED,
            },
        ),
    ),
}


def load_libraries(choices: Iterable[ModelChoice]) -> None:
    """Import what asking these models takes; it costs seconds, which something else can hide."""
    _load({name.partition(":")[0].partition("-")[0] for c in choices for name in c.names})


def load_all() -> None:
    """Import what asking models takes, whichever they will be, and make ready for their answers."""
    _load(_ASKED_WITH.keys())
    for module, kind, answer in (read for reads in _READ_INTO.values() for read in reads):
        with contextlib.suppress(ImportError, OSError):
            getattr(import_module(module), kind).construct(**answer)


def _load(providers: AbstractSet[str]) -> None:
    known = sorted(providers & _ASKED_WITH.keys())
    for module in (
        "agent.llm.asking",
        "agent.llm.connecting",
        "pydantic_ai.agent",
        *(f"pydantic_ai.models.{provider}" for provider in known),
        *(f"pydantic_ai.providers.{provider}" for provider in known),
        *(module for provider in known for module in _ASKED_WITH[provider]),
        "anyio._backends._asyncio",
        "genai_prices.data",
    ):
        # What is missing, or can't be opened, is told where it is asked for.
        with contextlib.suppress(ImportError, OSError):
            import_module(module)


def load_meanwhile(choices: Iterable[ModelChoice]) -> None:
    """Begin to import it beside what goes on; whoever asks first goes on once it is there."""
    asyncio.get_running_loop().run_in_executor(None, load_libraries, tuple(choices))
