"""An offer as a document: what the work would cost, until when that holds, and which deposit accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from partway.lib.money import Money

from ..templatetags.partway import format_date, quantity
from . import sums
from .content import Document, Headline, Issuer, LabeledValue, Line, Link, Recipient, Row, Stages, TextBlock


@dataclass(frozen=True, slots=True)
class Deposit:
    """What is paid in full to begin; `percent` is None where it was given as an amount."""

    amount: Money
    percent: Decimal | None = None
    paid: bool = False


@dataclass(frozen=True, slots=True)
class QuoteDetails:
    """A quote as its document needs it. `mark` is a word where it is not open: Draft, Declined, Expired."""

    number: str
    sent_on: date
    valid_until: date | None
    issuer: Issuer
    recipient: Recipient
    lines: tuple[Line, ...]
    discount: Money
    total: Money
    discount_percent: Decimal | None = None
    deposit: Deposit | None = None
    status_label: str = ""
    accepted: bool = False
    url: str = ""
    notes: str = ""


def document(offer: QuoteDetails) -> Document:
    """The whole document; it carries the day it was sent."""
    return Document(
        kind="Quote",
        number=offer.number,
        document_date=offer.sent_on,
        issuer=offer.issuer,
        recipient=offer.recipient,
        facts=_facts(offer),
        headline=_headline(offer),
        sums=_sums(offer),
        status_label=offer.status_label,
        stages=_stages(offer),
        link=_link(offer),
        lines=offer.lines,
        text_blocks=(TextBlock("Notes", offer.notes),) if offer.notes.strip() else (),
    )


def _facts(offer: QuoteDetails) -> tuple[LabeledValue, ...]:
    number = [LabeledValue("Number", offer.number)] if offer.number else []
    until = [LabeledValue("Valid until", offer.valid_until)] if offer.valid_until else []
    return (*number, LabeledValue("Sent", offer.sent_on), *until)


def _headline(offer: QuoteDetails) -> Headline:
    deposit = offer.deposit
    if deposit is None or deposit.paid:
        until = f"valid until {format_date(offer.valid_until)}" if offer.valid_until else ""
        return Headline("Total", offer.total, "accepted, deposit paid" if deposit else until)
    share = f"{quantity(deposit.percent)}% of {offer.total}" if deposit.percent else f"of {offer.total}"
    return Headline("Deposit", deposit.amount, f"{share}, paid in full when you accept")


def _sums(offer: QuoteDetails) -> tuple[Row, ...]:
    figures = sums.rows(
        offer.lines, discount=offer.discount, discount_percent=offer.discount_percent, total=offer.total
    )
    deposit = offer.deposit
    if deposit is None:
        return tuple(figures)
    words = "Deposit paid" if deposit.paid else "Deposit"
    rest = Row("After the deposit", offer.total - deposit.amount, strong=True)
    return (*figures, Row(words, -deposit.amount), rest)


def _stages(offer: QuoteDetails) -> Stages | None:
    """The deposit is what is asked for first: hatched until it is paid."""
    deposit = offer.deposit
    if deposit is None:
        return None
    nothing = Money(0, offer.total.currency)
    paid, asked = (deposit.amount, nothing) if deposit.paid else (nothing, deposit.amount)
    return Stages(
        offer.total, paid, asked, paid_label="Deposit", requested_label="Deposit", left_label="After the work"
    )


def _link(offer: QuoteDetails) -> Link | None:
    if not offer.url:
        return None
    open_ = not (offer.accepted or offer.status_label)
    return Link(offer.url, "Scan to accept" if open_ else "Scan to see it online")
