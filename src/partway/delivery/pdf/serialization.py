"""Turns a document into the layout's input: JSON of finished texts, and the widths of the stage bar."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale
from django.utils.translation import gettext as _

from partway.lib.money import Money

from ..formats import (
    current_locale,
    format_date,
    format_money,
    format_number,
    format_percent,
    split_decimals,
)
from ..templatetags.stages import stage_widths
from . import images
from .content import Document, Headline, Line, Link, PngImage, Stages
from .printable import printable


def to_json_value(part: Any) -> Any:
    """Returns a part of a document as the layout takes it: finished text, or an object or a list of parts."""
    match part:
        case None | bool():
            return part
        case str():
            return printable(part)
        case Money():
            return format_money(part).replace("-", "−", 1)
        case date():
            return format_date(part)
        case Decimal():
            return format_number(part)
        case tuple():
            return [to_json_value(one) for one in part]
        case PngImage():
            return images.logo(part)
    values = {field.name: to_json_value(getattr(part, field.name)) for field in fields(part)}
    return {**values, **_derived(part)}


def _derived(part: Any) -> dict[str, Any]:
    """Returns what the layout needs of a part beside its fields, or in another form than they have."""
    match part:
        case Link():
            return {"url": part.url, "code": images.qr_code(part.url)}
        case Line():
            return {"tax_label": printable(format_percent(part.tax_percent))}
        case Headline():  # its decimals are printed smaller
            return {"amount": split_decimals(to_json_value(part.amount))}
        case Stages():
            return _stage_bar(part)
        case Document():
            return _metadata(part)
        case _other:
            return {}


def _stage_bar(part: Stages) -> dict[str, Any]:
    """Returns the widths of the bar in percent, and its legend without the parts that are zero."""
    paid, requested = stage_widths(
        part.total.amount_minor, part.paid.amount_minor, part.requested.amount_minor
    )
    left = part.total - part.paid - part.requested
    legend = [("paid", part.paid_label, part.paid), ("requested", part.requested_label, part.requested)]
    shown = [*(row for row in legend if row[2]), ("left", part.left_label, left)]
    return {
        "paid": paid,
        "requested": requested,
        "legend": [[look, label, to_json_value(amount)] for look, label, amount in shown],
    }


def _metadata(part: Document) -> dict[str, Any]:
    """Returns the metadata of the file, and the labels that are the same on every document."""
    tax_number = _("Tax number %(number)s") % {"number": part.issuer.tax_number}
    return {
        "language": Locale.parse(current_locale()).language,
        "title": to_json_value(part.title),
        "day": {
            "year": part.document_date.year,
            "month": part.document_date.month,
            "day": part.document_date.day,
        },
        "has_tax": any(line.tax_percent for line in part.lines),  # else the column is left out
        "labels": {
            "from": _("From"),
            "to": _("To"),
            "tax_number": to_json_value(tax_number) if part.issuer.tax_number else "",
            "description": _("Description"),
            "quantity": _("Quantity"),
            "unit_price": _("Unit price"),
            "tax": _("Tax"),
            "amount": _("Amount"),
            "day": _("Day"),
            "entry": _("What"),
            "balance": _("Balance"),
        },
    }
