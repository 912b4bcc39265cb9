"""The receipt: fixed columns, 40 characters wide."""

from decimal import Decimal

from till.basket import Basket, Line

WIDTH = 40


def receipt(basket: Basket) -> str:
    """Return the receipt of a basket, a line for each article and the total."""
    rows = [article_row(line) for line in basket]
    return "\n".join([*rows, amount_row("TOTAL", basket.total)])


def article_row(line: Line) -> str:
    """Return the row of one article."""
    return f"{line.name[:18]:<18}{line.quantity:>3} x{line.price:>7}{line.amount:>10}"


def amount_row(label: str, amount: Decimal) -> str:
    """Return a row that holds a label and an amount."""
    return f"{label[:30]:<30}{amount:>10}"
