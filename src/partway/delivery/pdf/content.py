"""The content of a document as plain data: parties, amounts, dates and labels; no rows, no layout.

An invoice, a quote, a receipt and a statement of account are one `Document` each. They differ in the parts that they
have: a receipt has no lines, a draft no link, an invoice without tax no tax rows, and only a statement has entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from partway.lib.money import Money


@dataclass(frozen=True, slots=True)
class PngImage:
    """An image, as PNG."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """The organization on its documents; `color` is #rrggbb and dark, `paper` is a4 or us-letter."""

    name: str
    address: str = ""
    tax_number: str = ""
    email: str = ""
    phone: str = ""
    color: str = "#1f5c3d"
    logo: PngImage | None = None
    paper: str = "a4"


@dataclass(frozen=True, slots=True)
class Recipient:
    """The customer on a document."""

    name: str
    address: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class LabeledValue:
    """A label beside its value: Due, Dec 6, 2026."""

    label: str
    value: str | date


@dataclass(frozen=True, slots=True)
class Headline:
    """The one amount that the document is about, with a label above and a caption below it."""

    label: str
    amount: Money
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stage bar: of `total`, what is paid (solid) and requested (hatched); the rest is left (empty).

    A label is shown only with an amount.
    """

    total: Money
    paid: Money
    requested: Money
    paid_label: str
    requested_label: str
    left_label: str


@dataclass(frozen=True, slots=True)
class Link:
    """The page of the document, printed as a QR code; `caption` names what can be done there."""

    url: str
    caption: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity times unit amount; tax is on top."""

    description: str
    quantity: Decimal
    unit_amount: Money
    tax_percent: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Row:
    """A label and an amount under the lines; a `strong` one is the result of those above it."""

    label: str
    amount: Money
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an account: a day, what it is and, smaller, how; a `strong` one has only a balance."""

    day: date
    label: str
    detail: str
    amount: Money | None
    balance: Money
    strong: bool = False


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A text of the organization under a title: how to pay, notes."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document; `document_date` is the day in the file's metadata."""

    kind: str
    number: str
    document_date: date
    issuer: Issuer
    recipient: Recipient
    facts: tuple[LabeledValue, ...]
    headline: Headline
    sums: tuple[Row, ...]
    status_label: str = ""  # beside the kind, where the document is not in force: Draft, Void
    stages: Stages | None = None
    link: Link | None = None
    lines: tuple[Line, ...] = ()
    entries: tuple[Entry, ...] = ()
    paid_title: str = ""
    paid: tuple[Row, ...] = ()
    text_blocks: tuple[TextBlock, ...] = ()

    @property
    def title(self) -> str:
        """The document's name at the foot of each page, and in a reader's window."""
        name = " ".join(part for part in (self.kind, self.number) if part)
        return _("%(document)s from %(organization)s") % {"document": name, "organization": self.issuer.name}
