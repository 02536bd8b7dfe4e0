"""The filtered rows of a list as a file, streamed row by row, and an event of who took it (DESIGN section 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import chain
from typing import Any

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect

from partway.billing import events
from partway.billing.snapshots import snapshot
from partway.lib import csv_text, xlsx_file
from partway.lib.bulkheads import SPREADSHEETS
from partway.lib.csv_text import Cell

from .context import MemberContext
from .list_filters import Filtered

# The content type of a file by the ending of its name, and its writer.
FORMATS: dict[str, tuple[str, Callable[[Iterable[Iterable[Cell]]], Iterator[str] | Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_text.chunks),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_file.chunks),
}
# A spreadsheet has at most 1,048,576 rows, and is made before its first byte leaves: about 20 s of CPU for so many.
MAX_XLSX_ROWS = 100_000
_MAX_FILTERS_LENGTH = 500


def export(
    ctx: MemberContext,
    filtered: Filtered[Any],
    lines: Iterator[list[Cell]],
    *,
    page: str,
    ending: str,
    program: str = "",
) -> HttpResponseBase:
    """Returns the file; an address that cannot be read in full leads to the list, which says what is wrong with it.

    lines: the header and the cells of each row, not yet begun; they are read as of one moment, so that rows that belong
    together fit, whatever is booked meanwhile. page: the name of the list, which its event has too.
    program: for which the file is made, where it is no plain list; it is part of the file's name.
    """
    if filtered.filter_errors:
        return redirect(f"{ctx.url(page)}?{ctx.request.GET.urlencode()}")
    content_type, chunks = FORMATS[ending]
    if ctx.request.method != "GET":
        return HttpResponse(content_type=content_type)
    # A spreadsheet is made before its first byte leaves, within a place of its bulkhead; a CSV file goes out as it is
    # read. The event comes after the place was found, so that none says that a file was taken which was refused.
    with SPREADSHEETS.enter() if ending == "xlsx" else nullcontext():
        with transaction.atomic():
            filters = ctx.request.GET.urlencode()[:_MAX_FILTERS_LENGTH]
            data = {"filters": filters, "format": program or ending}
            events.record(
                f"organization.{page}_exported", ctx.organization, by=ctx.actor, now=ctx.now, data=data
            )
        pieces = chunks(_of_one_moment(lines))
        begun = [next(pieces)] if ending == "xlsx" else []
    # A CSV file that is not read to its end is closed as itself, and with it its snapshot; a chain would not be.
    content = chain(begun, pieces) if begun else pieces
    response = StreamingHttpResponse(content, content_type=content_type)
    of_program = f"-{program}" if program else ""
    name = f"{ctx.organization.slug}-{page}{of_program}-{ctx.today.isoformat()}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _of_one_moment(lines: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    with snapshot():
        yield from lines
