"""Spreadsheets: a number, a date and a text of each kind, read back as what they are."""

from __future__ import annotations

import io
from datetime import date

import openpyxl

from partway.lib import xlsx_file
from partway.lib.csv_text import Cell
from partway.lib.money import MAX_AMOUNT_MINOR, Money


def read_back(*cells: Cell) -> list[tuple[object, str]]:
    """Returns the value and the type of each cell under a header."""
    file = io.BytesIO(b"".join(xlsx_file.chunks([["Title"] * len(cells), cells])))
    [row] = openpyxl.load_workbook(file).active.iter_rows(min_row=2)
    return [(cell.value, cell.data_type) for cell in row]


def test_xlsx_amounts_are_exact_numbers() -> None:
    largest = Money(MAX_AMOUNT_MINOR - 1, "USD")
    cells = read_back(largest, Money(-1, "KWD"), Money(7_000, "JPY"))
    assert cells == [(99_999_999_999.99, "n"), (-0.001, "n"), (7_000, "n")]


def test_xlsx_days_are_dates() -> None:
    [(value, kind)] = read_back(date(2199, 12, 31))
    assert (str(value), kind) == ("2199-12-31 00:00:00", "d")


def test_xlsx_texts_are_neither_formulas_nor_numbers_nor_links() -> None:
    texts = ("=1+1", "00118", "http://x.example", "+49 30 5550142", "Müller 東京")
    assert read_back(*texts) == [(text, "s") for text in texts]
    assert read_back("a\x00b", None, "x" * 40_000) == [("ab", "s"), (None, "n"), ("x" * 32_767, "s")]


def test_xlsx_is_read_in_pieces() -> None:
    pieces = list(xlsx_file.chunks([[str(number**9)] for number in range(9_000)]))
    assert len(pieces) > 1
    assert max(len(piece) for piece in pieces) <= 65_536
