"""The basket: what somebody buys, in the order of the scanner."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from till.money import money


@dataclass(frozen=True)
class Line:
    """One article of the basket."""

    sku: str
    name: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """What the line costs before any discount."""
        return self.price * self.quantity


@dataclass(frozen=True)
class Basket:
    """Lines in the order in which they were scanned."""

    lines: tuple[Line, ...]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    @property
    def total(self) -> Decimal:
        """What all lines cost before any discount."""
        return sum((line.amount for line in self.lines), start=Decimal("0.00"))


def read_basket(rows: Iterable[str]) -> Basket:
    """Read a basket from the lines of a CSV file with a header.

    Raises:
        ValueError: A column is missing, a quantity is no positive whole number, a price is no
            amount; the message starts with the line's number.
    """
    reader = csv.DictReader(rows)
    return Basket(tuple(_line(row, number) for number, row in enumerate(reader, 2)))


def _line(row: dict[str, str | None], number: int) -> Line:
    values = {key: (row.get(key) or "").strip() for key in ("sku", "name", "quantity", "price")}
    for key, value in values.items():
        if not value:
            raise ValueError(f"line {number}: {key} is missing")
    if not values["quantity"].isdecimal() or int(values["quantity"]) == 0:
        raise ValueError(f"line {number}: not a quantity: {values['quantity']!r}")
    try:
        price = money(values["price"])
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
    return Line(values["sku"], values["name"], int(values["quantity"]), price)
