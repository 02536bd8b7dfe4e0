"""CSV files have no cell that a spreadsheet runs, in whichever way it splits the lines, and amounts stay numbers."""

from __future__ import annotations

import ast
import csv
import io
import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import partway
from partway.lib.csv_text import Cell, chunks
from partway.lib.money import Money

FORMULA_SIGNS = "=+-@＝＋－＠"


def written(*cells: Cell) -> str:
    return "".join(chunks([cells])).removeprefix("\ufeff")


def read(*cells: Cell, delimiter: str = ",") -> list[str]:
    return next(csv.reader(io.StringIO(written(*cells), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠A1", "'＠A1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\rplain", "'\rplain"),
        ("  =1", "  '=1"),
        ('"=1', "\"'=1"),
        ("\u00a0=1", "\u00a0'=1"),
        ("\ufeff=1", "\ufeff'=1"),
        ("x;=1+1", "x;'=1+1"),
        ("x; =1+1", "x; '=1+1"),
        ('x";=1+1;"', 'x";\'=1+1;"'),
        ("x\t=1", "x\t'=1"),
        ("x,-1", "x,'-1"),
        ("x|@y", "x|'@y"),
        ("x\n=1", "x\n'=1"),
        ("x\r\n＝1", "x\r\n'＝1"),
        ("a\x00=1", "a=1"),
        ("\x00=1", "'=1"),
        ("Smith-Jones & Co = fine", "Smith-Jones & Co = fine"),
        ("dana+invoices@customer.example", "dana+invoices@customer.example"),
        ("Stone; Slate, Sand", "Stone; Slate, Sand"),
        ('Café "Zoë"\nand 東京', 'Café "Zoë"\nand 東京'),
        ("", ""),
    ],
)
def test_csv_text_has_no_formula(text: str, expected: str) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Money(-125_050, "USD"), "-1250.50"),
        (Money(0, "USD"), "0.00"),
        (Money(-5, "JPY"), "-5"),
        (Money(12_500, "KWD"), "12.500"),
        (Money(10**13, "USD"), "100000000000.00"),
        (date(2026, 11, 29), "2026-11-29"),
        (None, ""),
    ],
)
def test_csv_amounts_and_days_stay_what_they_are(cell: Cell, expected: str) -> None:
    assert read(cell) == [expected]


@given(st.lists(st.text("=+-@＝＋;,|\t\r\n\"' x"), min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_no_part_of_csv_text_begins_with_formula(texts: list[str], delimiter: str) -> None:
    """The text is split as a careless reader does it, without regard to quotes."""
    for part in re.split(f"[{re.escape(delimiter)}\r\n]", written(*texts)):
        assert not part.lstrip('" ').startswith(tuple(FORMULA_SIGNS))
    for row in csv.reader(io.StringIO(written(*texts), newline=""), delimiter=delimiter):
        assert not [part for part in row if part.startswith(tuple(FORMULA_SIGNS))]


def test_csv_text_takes_linear_time() -> None:
    began = time.thread_time()
    written('"' * 500_000, " " * 500_000, ";" * 500_000, "\"' " * 100_000)
    assert time.thread_time() - began < 3


def test_csv_is_written_in_pieces() -> None:
    assert len(list(chunks([["x" * 50]] * 5, chunk_characters=40))) == 6


def test_every_csv_file_goes_through_one_writer() -> None:
    package = Path(partway.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("csv.writer", "csv.DictWriter")
    }
    assert users == {"lib/csv_text.py"}
