"""Writes CSV files for spreadsheets: every export goes through it, so that no cell is run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date

from .money import Money

Cell = str | Money | date | None

_BOM = "\ufeff"  # without it, spreadsheets read UTF-8 in another encoding
_CHUNK_CHARACTERS = 32_768

# A spreadsheet runs a cell that begins with one of these signs, some also after spaces or quotes. Where it splits lines
# at semicolons or tabs, as it does in many countries, a cell also begins after each of them inside of ours.
_FORMULA = re.compile(
    r"((?:^|[;,|\t\r\n])[\s\"'\u00a0\ufeff\u200b]*?)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\t\r])"
)


def chunks(rows: Iterable[Iterable[Cell]], *, chunk_characters: int = _CHUNK_CHARACTERS) -> Iterator[str]:
    """Yields the file in pieces; only one of them is in memory at a time."""
    buffer = io.StringIO(_BOM)
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([_text(cell) for cell in row])
        if buffer.tell() > chunk_characters:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _text(cell: Cell) -> str:
    """Returns an amount as plain digits, such as -1250.50, a day in ISO format, and text with its formulas disarmed."""
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return f"{cell.decimal:f}"
    if isinstance(cell, date):
        return cell.isoformat()
    # A NUL ends the file for some readers.
    return _FORMULA.sub(r"\1'", cell.replace("\x00", ""))
