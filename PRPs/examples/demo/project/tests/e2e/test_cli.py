"""The command line."""

from pathlib import Path

import pytest

from till.cli import main

BASKET = Path(__file__).parents[1] / "data" / "basket.csv"


def test_a_basket_becomes_a_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(BASKET)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Apple               3 x   0.25      0.75"
    assert printed[-1] == "TOTAL                               3.55"


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["missing.csv"]) == 2
    assert "missing.csv" in capsys.readouterr().err
