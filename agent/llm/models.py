"""Opens the model that a role talks to, by the name that the person chose."""

import asyncio
import difflib
import random
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from agent.errors import SettingsError
from agent.journal import Record
from agent.llm.budget import Meter
from agent.llm.faults import Whom
from agent.masking import Mask

if TYPE_CHECKING:
    from pydantic_ai.models import Model

    from agent.llm.asking import AskingModel
    from agent.llm.recording import Recorder
    from agent.llm.transcript import Transcript

Connections: TypeAlias = "MutableMapping[tuple[str, str | None], Model]"
"""Plain models by name and address."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "alibaba": ("ALIBABA_API_KEY", "DASHSCOPE_API_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("CO_API_KEY",),
    "crusoe": ("CRUSOE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN",),
    "meta": ("META_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshotai": ("MOONSHOTAI_API_KEY",),
    "nebius": ("NEBIUS_API_KEY",),
    "ollama": (),
    "openai": ("OPENAI_API_KEY",),
    "openai-chat": ("OPENAI_API_KEY",),
    "openai-responses": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "ovhcloud": ("OVHCLOUD_API_KEY",),
    "sambanova": ("SAMBANOVA_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "vercel": ("VERCEL_AI_GATEWAY_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "zai": ("ZAI_API_KEY",),
}
"""Provider to the variables that its key may stand in, the usual one first."""

TAKES_BASE_URL = frozenset({"anthropic", "openai", "openai-chat", "openai-responses", "ollama"})

_EXTRA_PACKAGE = {
    "cohere": "cohere",
    "google": "google.genai",
    "groq": "groq",
    "huggingface": "huggingface_hub",
    "mistral": "mistralai",
    "xai": "xai_sdk",
}


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which models to ask, and how long to wait for them."""

    names: tuple[str, ...]
    """`provider:model`, or `replay:FILE`; the others are asked when the first is unavailable."""
    base_url: str | None = None
    """Address of an OpenAI- or Anthropic-compatible server; None is the provider's own."""
    timeout_seconds: float = 600.0
    """From the request to the last byte of the answer."""
    idle_seconds: float = 180.0
    """Without a single byte; providers send a sign of life while a model thinks."""
    max_output_tokens: int | None = None
    """Of one answer; None leaves it to the model."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long a request is tried again."""

    tries: int = 8
    strange: int = 3
    """Tries for an address where nobody has answered yet and that takes no connection."""
    seconds: float = 900.0
    """For all tries of one request together, waiting included."""
    jitter: Callable[[], float] = lambda: random.uniform(1.0, 60.0)  # noqa: S311 - spreads load
    """Seconds to wait where the provider does not say."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def check_choice(choice: ModelChoice, keys: Mapping[str, str]) -> None:
    """Say what keeps a model from being asked, without asking it and without a network.

    Args:
        choice: Names and address.
        keys: Environment variable to value; the only place where keys are looked for.

    Raises:
        SettingsError: An unknown provider, no model, a missing key, package or recording.

    """
    if not choice.names:
        raise SettingsError("No model is named", hint="Use --model, for instance `openai:NAME`.")
    for name in choice.names:
        provider, _, model = name.partition(":")
        if provider == "replay":
            from agent.llm.recording import read_recording  # noqa: PLC0415 - only for replays

            read_recording(Path(model))
            continue
        _check_name(name, provider, model)
        _check_package(name, provider)
        _check_address(choice, name, provider)
        key_of(name, keys, base_url=address_for(choice, name))


def key_of(name: str, keys: Mapping[str, str], *, base_url: str | None) -> str | None:
    """Return the key for a model, None where it can do without.

    Raises:
        SettingsError: There is none; the message names the variable to set.

    """
    variables = KEYS[name.partition(":")[0]]
    for variable in variables:
        if key := keys.get(variable, "").strip():
            return key
    # A server of one's own mostly asks for none; one that does answers 401.
    if not variables or base_url:
        return None
    raise SettingsError(
        f"{name} needs a key, but {' or '.join(variables)} is not set",
        hint=f"Set {variables[0]} in the environment or in an untracked .env file; "
        "`prp demo` needs no key.",
    )


def open_model(
    choice: ModelChoice,
    *,
    role: str,
    meter: Meter,
    record: Record,
    keys: Mapping[str, str],
    patience: Patience | None = None,
    listeners: "Sequence[Recorder | Transcript]" = (),
    cache_key: str = "",
    connections: "Connections | None" = None,
) -> "AskingModel":
    """Open a model that keeps the budget, sees through broken answers and asks again.

    Args:
        choice: Names in order of preference; all are checked before anything else happens.
        role: Who asks: `planner`, `coder`, `verifier`.
        meter: Counts every answer and stops the run at its limits.
        record: Is told of every answer and of every try that failed.
        keys: Environment variable to value.
        patience: How long to go on trying.
        listeners: Are told of every answer with what was asked: for a replay, for the report.
        cache_key: What requests with the same beginning share, for the provider's cache.
        connections: Those that are open; roles that ask the same model share one.

    Returns:
        For pydantic-ai agents; `close()` it when nobody will ask any more.

    Raises:
        SettingsError: A name, key, package or price is missing.

    """
    check_choice(choice, keys)
    meter.require_prices(choice.names)
    from agent.llm.asking import AskingModel, Link  # noqa: PLC0415 - loads the model libraries

    links: Sequence[Link] = [
        Link(
            model=_connected(
                name, choice, keys, role, record, {} if connections is None else connections
            ),
            whom=whom_of(name, choice),
        )
        for name in choice.names
    ]
    return AskingModel(
        links,
        choice=choice,
        role=role,
        meter=meter,
        record=record,
        patience=patience or Patience(),
        listeners=listeners,
        cache_key=cache_key or f"prp-{role}",
        mask=Mask(keys),
    )


def address_for(choice: ModelChoice, name: str) -> str | None:
    """Return where a model of the chain is asked.

    The address is the first model's: a fallback at another provider must not carry that
    provider's key there.
    """
    families = [one.partition(":")[0].partition("-")[0] for one in (choice.names[0], name)]
    return choice.base_url if families[0] == families[1] else None


def whom_of(name: str, choice: ModelChoice) -> Whom:
    """Return what error messages say of a model."""
    variables = KEYS.get(name.partition(":")[0], ())
    return Whom(
        model=name,
        key_variable=variables[0] if variables else "",
        base_url=address_for(choice, name),
    )


def _connected(
    name: str,
    choice: ModelChoice,
    keys: Mapping[str, str],
    role: str,
    record: Record,
    connections: "Connections",
) -> "Model":
    if name.startswith("replay:"):
        from agent.llm.recording import open_replay  # noqa: PLC0415 - only for replays

        return open_replay(Path(name.removeprefix("replay:")), role=role, record=record)
    from agent.llm.connecting import connect  # noqa: PLC0415 - loads the provider's library

    address = address_for(choice, name)
    if (name, address) not in connections:
        key = key_of(name, keys, base_url=address)
        connections[name, address] = connect(
            name, base_url=address, key=key, idle_seconds=choice.idle_seconds
        )
    return connections[name, address]


def _check_name(name: str, provider: str, model: str) -> None:
    if provider not in KEYS:
        meant = _meant(name, provider, model)
        guess = f"Did you mean `{meant}`? " if meant else ""
        raise SettingsError(
            f"Unknown model {name!r}: there is no provider {provider!r}"
            if ":" in name
            else f"{name!r} names no provider",
            hint=f"{guess}Write `provider:model`; providers are {', '.join(KEYS)}.",
        )
    if not model.strip():
        raise SettingsError(
            f"Model {name!r} names no model", hint=f"Write `{provider}:` and the model's name."
        )


# What the names of a provider's models begin with, for those who leave the provider away.
_FAMILIES = {
    "claude": "anthropic",
    "gpt": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
    "codex": "openai",
    "gemini": "google",
    "mistral": "mistral",
    "devstral": "mistral",
    "deepseek": "deepseek",
    "grok": "xai",
    "command": "cohere",
    "kimi": "moonshotai",
    "glm": "zai",
    "qwen": "alibaba",
}


def _meant(name: str, provider: str, model: str) -> str:
    """Return the name that was probably meant, empty where nothing comes near."""
    if ":" not in name:
        # `anthropic/claude-x` is how other programs write it.
        maker, slash, rest = name.partition("/")
        if slash and maker in KEYS:
            return f"{maker}:{rest}"
        family = next((one for one in _FAMILIES if name.lower().startswith(one)), "")
        return f"{_FAMILIES[family]}:{name}" if family else ""
    near = difflib.get_close_matches(provider, KEYS, n=1)
    return f"{near[0]}:{model or 'NAME'}" if near else ""


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what finds a wrong one.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_package(name: str, provider: str) -> None:
    needed = _EXTRA_PACKAGE.get(provider)
    if needed and not _is_installed(needed):
        raise SettingsError(
            f"{name} needs the package {needed.partition('.')[0]!r}, which is not installed",
            hint=f'Install it beside prp: `pip install "pydantic-ai-slim[{provider}]"`.',
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _check_address(choice: ModelChoice, name: str, provider: str) -> None:
    url = address_for(choice, name)
    if url is None:
        if provider == "ollama":
            raise SettingsError(
                f"{name} needs the address of its server",
                hint="Set --base-url, for instance http://127.0.0.1:11434/v1.",
            )
        return
    if not _is_http(url):
        raise SettingsError(
            f"base_url is {url!r}, which is no http address",
            hint="Write it with http:// or https://, for instance http://127.0.0.1:8000/v1.",
        )
    if provider not in TAKES_BASE_URL:
        raise SettingsError(
            f"{name} can't be asked at another address ({url})",
            hint="A base_url goes with openai, openai-chat, openai-responses or anthropic; "
            "leave it away, or name the model `openai-chat:...`.",
        )
