"""The command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from till.basket import read_basket
from till.receipt import receipt


def main(arguments: Sequence[str]) -> int:
    """Print the receipt of a basket file; 2 when the file is wrong."""
    parser = argparse.ArgumentParser(prog="till", description=__doc__)
    parser.add_argument("basket", type=Path, help="CSV file: sku,name,quantity,price")
    options = parser.parse_args(arguments)
    try:
        with options.basket.open(encoding="utf-8") as file:
            basket = read_basket(file)
    except (OSError, ValueError) as error:
        print(f"till: {error}", file=sys.stderr)
        return 2
    print(receipt(basket))
    return 0
