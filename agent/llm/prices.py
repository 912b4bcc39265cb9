"""What a model's answer costs in US dollars, from a price list that comes with the installation."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens of one or more answers."""

    read: int = 0
    """All of the input, whatever of it came from the provider's cache or was written to it."""
    written: int = 0
    cache_read: int = 0
    cache_written: int = 0

    @property
    def total(self) -> int:
        """Tokens read and written."""
        return self.read + self.written

    def __add__(self, other: "Tokens") -> "Tokens":
        """Sum up."""
        return Tokens(
            read=self.read + other.read,
            written=self.written + other.written,
            cache_read=self.cache_read + other.cache_read,
            cache_written=self.cache_written + other.cache_written,
        )


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The price list, and what the person set beside it."""

    own: Mapping[str, tuple[float, float]]
    """Model to US dollars per million tokens read and written; wins over the price list."""

    def cost(self, model: str, tokens: Tokens) -> float | None:
        """Return the US dollars for the tokens, or None where nobody knows the price.

        Args:
            model: As named in the settings, `provider:name`.
            tokens: Of one answer or several.

        """
        provider, _, name = model.partition(":")
        if provider == "replay":
            return 0.0
        if price := self.own.get(model) or self.own.get(name):
            return (tokens.read * price[0] + tokens.written * price[1]) / 1e6
        return _listed(provider, name, tokens)

    def knows(self, model: str) -> bool:
        """Tell whether the model has a price."""
        return self.cost(model, Tokens(read=1, written=1)) is not None


def _listed(provider: str, name: str, tokens: Tokens) -> float | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - a third of a second

    try:
        found = calc_price(
            Usage(
                input_tokens=tokens.read,
                output_tokens=tokens.written,
                cache_read_tokens=tokens.cache_read,
                cache_write_tokens=tokens.cache_written,
            ),
            name,
            # `openai-chat` and `openai-responses` are two ways to the same models.
            provider_id="openai" if provider.startswith("openai") else provider,
        )
    except (LookupError, ValueError):
        return None
    return float(found.total_price)
