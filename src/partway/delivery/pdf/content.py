"""What a document says, as plain data: who, how much, when, in which words; nothing of rows, nothing of layout.

An invoice, a quote and a receipt are one `Document` each. What differs between them are the parts that are
there: a receipt has no lines, a draft no link, an invoice without tax no tax rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from partway.lib.money import Money


@dataclass(frozen=True, slots=True)
class PngImage:
    """An image, as PNG."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """The organization as its documents show it; `color` is #rrggbb and dark, `paper` a4 or us-letter."""

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
    """Who owes, or who paid."""

    name: str
    address: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class LabeledValue:
    """A word beside its value: Due, Dec 6, 2026."""

    label: str
    value: str | date


@dataclass(frozen=True, slots=True)
class Headline:
    """What the document is about: one amount."""

    label: str
    amount: Money
    words: str = ""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stage bar: of `total`, what is paid (solid), what is requested (hatched); the rest is left (empty)."""

    total: Money
    paid: Money
    requested: Money
    paid_label: str = "Paid"
    requested_label: str = "Requested"
    left_label: str = "Left"

    @property
    def left(self) -> Money:
        """What is neither paid nor requested."""
        return self.total - self.paid - self.requested


@dataclass(frozen=True, slots=True)
class Link:
    """The page that belongs to the document, printed as a code; `words` say what one does there."""

    url: str
    words: str


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
    """A word and an amount under the lines; a `strong` one ends what stands above it."""

    words: str
    amount: Money
    strong: bool = False


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Words of the organization under a title: how to pay, notes."""

    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Document:
    """All that one document says. `number` is what people call it by, `dated` the day the file carries."""

    kind: str
    number: str
    document_date: date
    issuer: Issuer
    recipient: Recipient
    facts: tuple[LabeledValue, ...]
    headline: Headline
    sums: tuple[Row, ...]
    status_label: str = ""  # a word beside the kind, where the document is not in force: Draft, Void
    stages: Stages | None = None
    link: Link | None = None
    lines: tuple[Line, ...] = ()
    paid: tuple[Row, ...] = ()
    text_blocks: tuple[TextBlock, ...] = ()

    @property
    def title(self) -> str:
        """How the document calls itself at the foot of each page, and in a reader's window."""
        return " ".join(part for part in (self.kind, self.number, "from", self.issuer.name) if part)

    @property
    def has_tax(self) -> bool:
        """Whether any line has a tax rate, so that the column is worth its room."""
        return any(line.tax_percent for line in self.lines)
