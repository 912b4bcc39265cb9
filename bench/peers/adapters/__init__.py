"""Adapters: one per harness. See `base.Adapter` for what an adapter supplies."""

from __future__ import annotations

from bench.peers.adapters.base import Adapter, Job, Paths
from bench.peers.adapters.others import (
    Aider,
    Bare,
    Codex,
    Gemini,
    MiniSweAgent,
    OpenCode,
    PydanticAI,
    PydanticAIOneProcess,
)
from bench.peers.adapters.own import Prp, PrpWarm

ADAPTERS: dict[str, type[Adapter]] = {
    adapter.name: adapter
    for adapter in (
        Prp,
        PrpWarm,
        Bare,
        PydanticAI,
        PydanticAIOneProcess,
        MiniSweAgent,
        Aider,
        OpenCode,
        Codex,
        Gemini,
    )
}

__all__ = ["ADAPTERS", "Adapter", "Job", "Paths"]
