"""The command line."""

from pathlib import Path

import pytest

from till.cli import main

WRONG_INPUT = 2
BASKET = Path(__file__).parents[1] / "data" / "basket.csv"


def test_a_basket_becomes_a_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    """The first row is the first article, the last one the total."""
    assert main([str(BASKET)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Apple               3 x   0.25      0.75"
    assert printed[-1] == "TOTAL                               3.55"


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, and no receipt is printed."""
    assert main(["missing.csv"]) == WRONG_INPUT
    assert "missing.csv" in capsys.readouterr().err
