"""Turns a document into what the layout reads: JSON of words that are finished, and shares of the stage bar."""

from __future__ import annotations

import unicodedata
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import singledispatch
from typing import Any

from partway.lib.money import Money, format_money

from ..templatetags.partway import format_date, quantity
from ..templatetags.stages import stage_widths
from . import images
from .content import Document, Link, PngImage, Stages

# These turn the words around them, so a name could show an amount backwards.
_BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@singledispatch
def to_json_value(part: Any) -> Any:
    """A part of a document as the layout takes it; what has no rule of its own goes field by field."""
    return _fields(part)


@to_json_value.register
def _(part: str) -> str:
    """Without control characters, which have no shape; a line break stays one."""
    lines = part.translate(_BIDI_CONTROLS).splitlines()
    return "\n".join("".join(c for c in line if unicodedata.category(c) != "Cc") for line in lines)


@to_json_value.register
def _(part: bool | None) -> bool | None:
    return part


@to_json_value.register
def _(part: Money) -> str:
    return format_money(part).replace("-", "−", 1)


@to_json_value.register
def _(part: date) -> str:
    return format_date(part)


@to_json_value.register
def _(part: Decimal) -> str:
    return quantity(part)


@to_json_value.register
def _(part: tuple) -> list[Any]:  # type: ignore[type-arg]
    return [to_json_value(one) for one in part]


@to_json_value.register
def _(part: PngImage) -> dict[str, str | float] | None:
    return images.logo(part)


@to_json_value.register
def _(part: Link) -> dict[str, str]:
    return {"url": part.url, "words": part.words, "code": images.code(part.url)}


@to_json_value.register
def _(part: Stages) -> dict[str, Any]:
    """The widths of the bar in percent, and its legend; what is not there is not in the legend."""
    paid, requested = stage_widths(
        part.total.amount_minor, part.paid.amount_minor, part.requested.amount_minor
    )
    legend = [("paid", part.paid_label, part.paid), ("requested", part.requested_label, part.requested)]
    shown = [*(row for row in legend if row[2]), ("left", part.left_label, part.left)]
    return {
        "paid": paid,
        "requested": requested,
        "legend": [[look, words, to_json_value(sum_)] for look, words, sum_ in shown],
    }


@to_json_value.register
def _(part: Document) -> dict[str, Any]:
    day = {"year": part.document_date.year, "month": part.document_date.month, "day": part.document_date.day}
    return {**_fields(part), "title": to_json_value(part.title), "day": day, "has_tax": part.has_tax}


def _fields(part: Any) -> dict[str, Any]:
    return {field.name: to_json_value(getattr(part, field.name)) for field in fields(part)}
