"""Tables are read from CSV and XLSX as they are, or refused with the reason."""

from __future__ import annotations

import io
import warnings
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from partway.lib import table_files
from partway.lib.table_files import WINDOWS, Table, UnreadableTable, Unusable

TEXT = "Näme;Mail\n\n“x”;a@b\n"


def read(content: bytes, encoding: str = "") -> Table:
    return table_files.read_table(content, encoding=encoding, max_bytes=50_000, max_rows=3)


def book(*rows: list[Any]) -> bytes:
    made, file = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = made.active
    for row in rows:
        sheet.append(row)
    made.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-8-sig", WINDOWS), ("utf-16", ""), ("cp1252", WINDOWS)],
)
def test_csv_is_read_in_its_encoding(encoding: str, named: str) -> None:
    assert read(TEXT.encode(encoding), named) == Table(("Näme", "Mail"), ((3, ("“x”", "a@b")),), frozenset())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_split_at_what_its_header_is_split_at(delimiter: str) -> None:
    text = delimiter.join(['"a,;x"', "b", "c"]) + "\n" + delimiter.join(['"1,5\n2"', "x"])
    assert read(text.encode()).rows == ((2, ("1,5\n2", "x", "")),)


def test_row_with_more_cells_than_the_header_is_named() -> None:
    assert read(b"a,b\n1,2,,\n1,2,3\n").beyond == {3}


REFUSED = {
    "empty": b"",
    "empty text": b"\n\n",
    "too_large": b"a\n" + b"x" * 50_000,
    "encoding_unknown": "ä\n1".encode("cp1252"),
    "encoding_wrong": b"\xef\xbb\xbf\xff",
    "nul": b"a\n\x001",
    "malformed": b'a\n"1',
    "malformed inside": b'a\n"1"2\n',
    "old_excel": b"\xd0\xcf\x11\xe0\xa1\xb1",
    "damaged": b"PK\x03\x04 and so on",
    "too_many_columns": b"," * 100 + b"a\n1",
    "cell_too_long": b"a\n" + b"x" * 5_001,
    "no_header": book([1, 2], [3, 4]),
    "header_twice": b"a,b,a\n1,2,3\n",
    "no_rows": b"a,b\n,\n",
    "too_many_rows": b"a\n1\n2\n3\n4\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_file_that_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        read(REFUSED[name])
    assert refused.value.code == name.partition(" ")[0]


def test_spreadsheet_keeps_numbers_and_days_and_has_no_value_of_formulas() -> None:
    row = [0.1 + 0.2, 12, datetime.fromisoformat("2026-01-02"), date(2026, 1, 3), "=1+1", True, " x ", None]
    [(number, cells)] = read(book([f"c{number}" for number in range(8)], row)).rows
    days = (date(2026, 1, 2), date(2026, 1, 3))
    assert cells == (Decimal("0.3"), Decimal(12), *days, Unusable("formula", "=1+1"), "TRUE", "x", "")
    assert number == 2


def test_percentage_of_a_spreadsheet_is_what_it_shows() -> None:
    made, file = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = made.active
    sheet.append(["tax"])
    sheet.append([0.0825])
    sheet["A2"].number_format = "0.00%"
    made.save(file)
    assert read(file.getvalue()).rows == ((2, (Decimal("8.25"),)),)


BOMBS = {
    "xl/zeros.xml": b"0" * table_files.MAX_UNPACKED_BYTES,
    "xl/styles.xml": b" " * (table_files.MAX_STYLE_BYTES + 1),
    "xl/strings.xml": b"<a/>" * (table_files.MAX_ELEMENTS + 1),
    "xl/entities.xml": b"<!DOCTYPE a>",
    "xl/attributes.xml": b"<a" + b' b=">"' * 200_000 + b"/>",
    "xl/wide.xml": "<a/>".encode("utf-16"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_spreadsheet_that_unpacks_to_more_than_a_table_is_refused_unread(name: str) -> None:
    file = io.BytesIO(book(["a"], [1]))
    with ZipFile(file, "a", ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a second part of the name
        archive.writestr(name, BOMBS[name])
    with pytest.raises(UnreadableTable, match="unpacked_too_large"):
        read(file.getvalue())


def test_spreadsheet_that_numbers_its_rows_absurdly_is_refused() -> None:
    source, file = ZipFile(io.BytesIO(book(["a"], ["x"]))), io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name in source.namelist():
            content = source.read(name).replace(b'<row r="2"', b'<row r="999999999999"')
            archive.writestr(name, content)
    with pytest.raises(UnreadableTable, match="unpacked_too_large"):
        read(file.getvalue())
