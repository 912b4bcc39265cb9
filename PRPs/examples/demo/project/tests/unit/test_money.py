"""Amounts."""

from decimal import Decimal

from till.money import to_cents


def test_half_a_cent_goes_to_the_even_neighbour() -> None:
    """As the bookkeepers round."""
    assert to_cents(Decimal("0.125")) == Decimal("0.12")
    assert to_cents(Decimal("0.135")) == Decimal("0.14")
