"""Counts tokens, and which of them a provider's prefix cache could serve."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def encoder() -> Any:
    """tiktoken's o200k_base, or None where tiktoken or its vocabulary is absent (then bytes/4 is used)."""
    try:
        import tiktoken

        return tiktoken.get_encoding("o200k_base")
    except (ImportError, OSError, ValueError):  # no tiktoken, or no vocabulary and no network
        return None


@functools.lru_cache(maxsize=65536)
def count_tokens(text: str) -> int:
    enc = encoder()
    return len(enc.encode(text, disallowed_special=())) if enc else (len(text.encode()) + 3) // 4


def shared_prefix(old: list[str], new: list[str]) -> int:
    """Tokens at the start of `new` that a prefix cache filled by `old` would serve."""
    total = 0
    for a, b in zip(old, new):
        if a != b:
            same = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            return total + count_tokens(b[:same])
        total += count_tokens(b)
    return total
