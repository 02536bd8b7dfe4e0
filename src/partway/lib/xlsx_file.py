"""Writes spreadsheets (XLSX) row by row: amounts as numbers, days as dates, and text that is never a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from tempfile import TemporaryFile

from .csv_text import Cell
from .money import EXPONENTS, Money

_CHUNK_BYTES = 65_536
_COLUMNS, _COLUMN_CHARACTERS = 30, 16  # as wide as most texts: the widest is only known after the last row
_MAX_CELL_LENGTH = 32_767  # of any spreadsheet


def chunks(rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """Yields the file in pieces; the first row is its header.

    The file is made on disk, since its table of contents is at its end: no more than a row of it is in memory.
    """
    from xlsxwriter import Workbook  # here, since charts and all else that it loads take long

    with TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            header, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
            amounts = {
                places: book.add_format({"num_format": "#,##0" + "." * bool(places) + "0" * places})
                for places in set(EXPONENTS.values())
            }
            sheet.set_column(0, _COLUMNS, _COLUMN_CHARACTERS)
            sheet.freeze_panes(1, 0)
            for row_number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, Money):
                        # Binary floating point keeps fifteen digits: more than our largest amount has.
                        sheet.write_number(
                            row_number, column, cell.decimal, amounts[EXPONENTS[cell.currency]]
                        )
                    elif isinstance(cell, date):
                        sheet.write_datetime(row_number, column, cell, day)
                    elif cell:
                        # As a string and by name: `write` would take "=1+1" for a formula and an address for a link.
                        text = cell.replace("\x00", "")[:_MAX_CELL_LENGTH]
                        sheet.write_string(row_number, column, text, None if row_number else header)
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
