"""Reading baskets."""

from decimal import Decimal

import pytest

from till.basket import read_basket

HEADER = "sku,name,quantity,price"


def test_lines_keep_the_order_of_the_scanner() -> None:
    """The receipt has to show what was scanned when."""
    basket = read_basket([HEADER, "2,Bread,1,2.80", "1,Apple,3,0.25"])
    assert [line.name for line in basket] == ["Bread", "Apple"]
    assert basket.total == Decimal("3.55")


@pytest.mark.parametrize(
    "row",
    ["1,Apple,0,0.25", "1,Apple,x,0.25", "1,Apple,1,0.255", "1,Apple,1,-1", ",Apple,1,1"],
)
def test_a_wrong_line_is_named(row: str) -> None:
    """The message starts with the line's number."""
    with pytest.raises(ValueError, match=r"^line 2: "):
        read_basket([HEADER, row])
