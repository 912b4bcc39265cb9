"""Amounts of money: decimals with two places, never floats."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

CENT = Decimal("0.01")


def money(text: str) -> Decimal:
    """Read an amount such as `2.80`.

    Raises:
        ValueError: It is no amount, negative, or has more than two decimal places.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not an amount: {text!r}") from None
    if not amount.is_finite() or amount < 0 or amount != amount.quantize(CENT):
        raise ValueError(f"not an amount: {text!r}")
    return amount.quantize(CENT)


def to_cents(amount: Decimal) -> Decimal:
    """Round to whole cents, half to even, as the bookkeepers do."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
