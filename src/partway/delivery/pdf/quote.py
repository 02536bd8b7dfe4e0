"""An offer as a document: what the work would cost, until when that holds, and which deposit accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from partway.lib.money import Money

from ..templatetags.partway import local_day, quantity
from . import sums
from .content import Document, Fact, Headline, Issuer, Line, Link, Passage, Recipient, Row, Stages


@dataclass(frozen=True, slots=True)
class Deposit:
    """What is paid in full to begin; `percent` is None where it was given as an amount."""

    amount: Money
    percent: Decimal | None = None
    paid: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
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
    mark: str = ""
    accepted: bool = False
    url: str = ""
    notes: str = ""


def document(offer: Offer) -> Document:
    """The whole document; it carries the day it was sent."""
    return Document(
        kind="Quote",
        number=offer.number,
        dated=offer.sent_on,
        issuer=offer.issuer,
        recipient=offer.recipient,
        facts=_facts(offer),
        headline=_headline(offer),
        sums=_sums(offer),
        mark=offer.mark,
        stages=_stages(offer),
        link=_link(offer),
        lines=offer.lines,
        passages=(Passage("Notes", offer.notes),) if offer.notes.strip() else (),
    )


def _facts(offer: Offer) -> tuple[Fact, ...]:
    number = [Fact("Number", offer.number)] if offer.number else []
    until = [Fact("Valid until", offer.valid_until)] if offer.valid_until else []
    return (*number, Fact("Sent", offer.sent_on), *until)


def _headline(offer: Offer) -> Headline:
    deposit = offer.deposit
    if deposit is None or deposit.paid:
        until = f"valid until {local_day(offer.valid_until)}" if offer.valid_until else ""
        return Headline("Total", offer.total, "accepted, deposit paid" if deposit else until)
    share = f"{quantity(deposit.percent)}% of {offer.total}" if deposit.percent else f"of {offer.total}"
    return Headline("Deposit", deposit.amount, f"{share}, paid in full when you accept")


def _sums(offer: Offer) -> tuple[Row, ...]:
    figures = sums.rows(
        offer.lines, discount=offer.discount, discount_percent=offer.discount_percent, total=offer.total
    )
    deposit = offer.deposit
    if deposit is None:
        return tuple(figures)
    words = "Deposit paid" if deposit.paid else "Deposit"
    rest = Row("After the deposit", offer.total - deposit.amount, strong=True)
    return (*figures, Row(words, -deposit.amount), rest)


def _stages(offer: Offer) -> Stages | None:
    """The deposit is what is asked for first: hatched until it is paid."""
    deposit = offer.deposit
    if deposit is None:
        return None
    nothing = Money(0, offer.total.currency)
    paid, asked = (deposit.amount, nothing) if deposit.paid else (nothing, deposit.amount)
    return Stages(
        offer.total, paid, asked, paid_words="Deposit", requested_words="Deposit", left_words="After the work"
    )


def _link(offer: Offer) -> Link | None:
    if not offer.url:
        return None
    open_ = not (offer.accepted or offer.mark)
    return Link(offer.url, "Scan to accept" if open_ else "Scan to see it online")
