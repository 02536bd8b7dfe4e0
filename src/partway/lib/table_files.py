"""Reads tables that came from outside, as CSV or XLSX: rows of cells under a header, or an error that says what to do.

Nothing is guessed that a wrong guess would turn into wrong data: text that is not UTF-8 is refused until its encoding
is named, and a formula is no value.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zipfile import BadZipFile, ZipFile

MAX_COLUMNS = 100
MAX_CELL_CHARACTERS = 5_000
# What an XLSX may come to when it is unpacked: a small file can hold gigabytes of zeros.
MAX_UNPACKED_BYTES = 30_000_000
# Its elements become objects, some microseconds each; of styles and names of the book all at once, in memory.
MAX_ELEMENTS, MAX_STYLE_BYTES = 1_000_000, 1_000_000
# Entities and UTF-16 would hide elements from this count. A cell has some hundred kB at most, so that more between two
# elements are attributes, which are all read at once.
_NOT_IN_SPREADSHEETS = re.compile(rb"<!DOCTYPE|\A(?:\xff\xfe|\xfe\xff|<\0|\0<)|<[^<]{1000000}")
_MAX_PARTS, _STYLES = 1_000, "xl/styles.xml"
# Of a spreadsheet, with those that are empty.
LAST_ROW = 50_000
_DELIMITERS = (",", ";", "\t", "|")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# Of text that has no mark and is not UTF-8, as Excel on Windows writes it.
WINDOWS = "windows-1252"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A cell that has no value of its own: `code` is formula or error_value, `text` is what it says."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | Decimal | date | Unusable


class UnreadableTable(ValueError):
    """A file that is no table; `code` says why, and `params` fill its sentence.

    code: one of empty, too_large, encoding_unknown, encoding_wrong, nul, malformed (`row`), old_excel, damaged,
    unpacked_too_large, too_many_columns, cell_too_long (`row`), no_header, header_twice (`name`), no_rows,
    too_many_rows.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, and the rows with their numbers as a spreadsheet shows them; blank ones are left out.

    A row has at least a cell for each column; `beyond` has the numbers of rows with more.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    beyond: frozenset[int]


def read_table(content: bytes, *, encoding: str = "", max_bytes: int, max_rows: int) -> Table:
    """Returns the table of a file; of a spreadsheet, the one on its first sheet. Raises UnreadableTable.

    encoding: WINDOWS for text in that encoding; else it is UTF-8, or what its byte order mark says.
    """
    if not content:
        raise UnreadableTable("empty")
    if len(content) > max_bytes:
        raise UnreadableTable("too_large", limit=max_bytes // 1_000_000)
    if content.startswith(_OLE):
        raise UnreadableTable("old_excel")
    rows = _xlsx_rows(content) if content.startswith(_ZIP) else _csv_rows(content, encoding)
    return _table(rows, max_rows)


def names_encoding(content: bytes) -> bool:
    """Whether a file says itself how its text is encoded: a spreadsheet, or text with a byte order mark."""
    return content.startswith((_ZIP, _OLE, *_BYTE_ORDER_MARKS))


def _table(numbered: Iterable[tuple[int, tuple[Cell, ...]]], max_rows: int) -> Table:
    filled = ((number, cells) for number, cells in numbered if cells.count("") < len(cells))
    header = _header(next(filled, (0, ()))[1])
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for number, cells in filled:
        if len(rows) == max_rows:
            raise UnreadableTable("too_many_rows", limit=max_rows)
        if len(cells) > MAX_COLUMNS:
            raise UnreadableTable("too_many_columns", limit=MAX_COLUMNS)
        if max(len(cell) if isinstance(cell, str) else 0 for cell in cells) > MAX_CELL_CHARACTERS:
            raise UnreadableTable("cell_too_long", row=number, limit=MAX_CELL_CHARACTERS)
        rows.append((number, cells + ("",) * (len(header) - len(cells))))
    if not rows:
        raise UnreadableTable("no_rows")
    size = len(header)
    beyond = frozenset(number for number, cells in rows if cells[size:].count("") < len(cells) - size)
    return Table(header, tuple(rows), beyond)


def _header(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    header = tuple(cell if isinstance(cell, str) else "" for cell in cells)
    names = [name for name in header if name]
    if not names:
        raise UnreadableTable("no_header" if header else "empty")
    if len(header) > MAX_COLUMNS:
        raise UnreadableTable("too_many_columns", limit=MAX_COLUMNS)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnreadableTable("header_twice", name=twice[:60])
    return header


def _csv_rows(content: bytes, encoding: str) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    text = _decoded(content, encoding)
    if "\0" in text:
        raise UnreadableTable("nul")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key="".join(first.split('"')[::2]).count)  # of what is outside of quotes
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, tuple(cell.strip() for cell in cells)
    except csv.Error:
        raise UnreadableTable("malformed", row=number + 1) from None


def _decoded(content: bytes, encoding: str) -> str:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    try:
        return content.decode(marked or ("cp1252" if encoding == WINDOWS else "utf-8"))
    except UnicodeDecodeError:
        code = "encoding_wrong" if marked or encoding else "encoding_unknown"
        raise UnreadableTable(code) from None


def _xlsx_rows(content: bytes) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    # Here, since it takes long to load and few processes ever read a spreadsheet.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    # Whatever openpyxl stumbles over in a file that is none; it checks little itself.
    broken = (InvalidFileException, BadZipFile, zlib.error, SyntaxError, OSError, EOFError, LookupError)
    try:
        _check_unpacked(content)
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        # A file can say that its second row is number 10^12, and openpyxl fills up what is missing.
        rows = book.worksheets[0].iter_rows(max_row=LAST_ROW + 1, max_col=MAX_COLUMNS + 1)
        for number, row in enumerate(rows, start=1):
            if number > LAST_ROW:
                raise UnreadableTable("unpacked_too_large")
            yield number, _without_empty_end([_cell(cell) for cell in row])
    except UnreadableTable:
        raise
    except (*broken, ValueError, TypeError, AttributeError, OverflowError, NotImplementedError, RuntimeError):
        raise UnreadableTable("damaged") from None


def _check_unpacked(content: bytes) -> None:
    """Raises UnreadableTable for a spreadsheet that would take too much to read; a part is read as its size says."""
    with ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        sizes = [part.file_size for part in parts]
        styles = sum(part.file_size for part in parts if part.filename == _STYLES)
        if len(parts) > _MAX_PARTS or sum(sizes) > MAX_UNPACKED_BYTES or styles > MAX_STYLE_BYTES:
            raise UnreadableTable("unpacked_too_large")
        elements = 0
        for part in parts:
            text = archive.read(part)
            elements += text.count(b"<") - text.count(b"</")
            if elements > MAX_ELEMENTS or _NOT_IN_SPREADSHEETS.search(text):
                raise UnreadableTable("unpacked_too_large")


def _without_empty_end(cells: list[Cell]) -> tuple[Cell, ...]:
    while cells and cells[-1] == "":
        cells.pop()
    return tuple(cells)


def _cell(cell: Any) -> Cell:
    """Returns the value of a cell; a number as the spreadsheet shows it, which keeps fifteen digits."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type in ("f", "e"):
        return Unusable("formula" if cell.data_type == "f" else "error_value", str(value)[:60])
    match value:
        case bool():
            return str(value).upper()
        case int() | float():
            number = Decimal(format(value, ".15g"))
            return number * 100 if "%" in cell.number_format else number
        case datetime() if (value.hour, value.minute, value.second) == (0, 0, 0):
            return value.date()
        case date() if not isinstance(value, datetime):
            return value
    return str(value).strip()
