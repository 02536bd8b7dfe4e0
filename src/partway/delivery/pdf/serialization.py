"""Turns a document into what the layout reads: JSON of words that are finished, and shares of the stage bar."""

from __future__ import annotations

import unicodedata
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import singledispatch
from typing import Any

from partway.lib.money import Money, format_money

from ..templatetags.partway import local_day, quantity
from ..templatetags.stages import widths
from . import images
from .content import Document, Link, Picture, Stages

# These turn the words around them, so a name could show an amount backwards.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@singledispatch
def plain(part: Any) -> Any:
    """A part of a document as the layout takes it; what has no rule of its own goes field by field."""
    return _fields(part)


@plain.register
def _(part: str) -> str:
    """Without control characters, which have no shape; a line break stays one."""
    lines = part.translate(_TURNING).splitlines()
    return "\n".join("".join(c for c in line if unicodedata.category(c) != "Cc") for line in lines)


@plain.register
def _(part: bool | None) -> bool | None:
    return part


@plain.register
def _(part: Money) -> str:
    return format_money(part).replace("-", "−", 1)


@plain.register
def _(part: date) -> str:
    return local_day(part)


@plain.register
def _(part: Decimal) -> str:
    return quantity(part)


@plain.register
def _(part: tuple) -> list[Any]:  # type: ignore[type-arg]
    return [plain(one) for one in part]


@plain.register
def _(part: Picture) -> dict[str, str | float] | None:
    return images.logo(part)


@plain.register
def _(part: Link) -> dict[str, str]:
    return {"url": part.url, "words": part.words, "code": images.code(part.url)}


@plain.register
def _(part: Stages) -> dict[str, Any]:
    """The widths of the bar in percent, and its legend; what is not there is not in the legend."""
    paid, requested = widths(part.total.amount_minor, part.paid.amount_minor, part.requested.amount_minor)
    legend = [("paid", part.paid_words, part.paid), ("requested", part.requested_words, part.requested)]
    shown = [*(row for row in legend if row[2]), ("left", part.left_words, part.left)]
    return {
        "paid": paid,
        "requested": requested,
        "legend": [[look, words, plain(sum_)] for look, words, sum_ in shown],
    }


@plain.register
def _(part: Document) -> dict[str, Any]:
    day = {"year": part.dated.year, "month": part.dated.month, "day": part.dated.day}
    return {**_fields(part), "title": plain(part.title), "day": day, "has_tax": part.has_tax}


def _fields(part: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(part, field.name)) for field in fields(part)}
