"""A succeeded payment as a receipt: what was really paid, what was paid before, and what was left then."""

from __future__ import annotations

from partway.billing import links
from partway.billing.models import Payment
from partway.lib.money import Money

from ..receipts import Receipt, receipt
from ..templatetags.partway import local_day
from .data import Document, Fact, Headline, Link, Passage, Row, Stages
from .issuers import issuer, recipient


def document(payment: Payment) -> Document:
    """The whole document; it carries the day of the payment. ValueError where nothing was taken."""
    paid, invoice = receipt(payment), payment.invoice
    nothing = Money(0, paid.total.currency)
    return Document(
        kind="Receipt",
        number=invoice.number or "",
        dated=paid.paid_on,
        issuer=issuer(payment.organization),
        recipient=recipient(invoice.customer),
        facts=_facts(payment, paid),
        headline=_headline(paid),
        sums=_sums(paid),
        stages=Stages(total=paid.total, paid=paid.paid, requested=nothing),
        link=Link(links.receipt_url(payment), "This receipt online"),
        passages=(_thanks(payment, paid),),
    )


def _facts(payment: Payment, paid: Receipt) -> tuple[Fact, ...]:
    method = [Fact("Method", paid.method)] if paid.method else []
    return (Fact("Invoice", payment.invoice.number or ""), Fact("Paid on", paid.paid_on), *method)


def _headline(paid: Receipt) -> Headline:
    how = f", by {paid.method.lower()}" if paid.method else ""
    return Headline("You paid", paid.captured, f"on {local_day(paid.paid_on)}{how}")


def _sums(paid: Receipt) -> tuple[Row, ...]:
    surplus = [Row("More than was due, kept as your credit", paid.surplus)] if paid.surplus else []
    return (
        Row("Total of the invoice", paid.total),
        Row("Paid before", paid.paid_before),
        Row("This payment", paid.applied, strong=True),
        Row("Left to pay", paid.left),
        *surplus,
    )


def _thanks(payment: Payment, paid: Receipt) -> Passage:
    ahead = f"Nothing else is to be done now: {payment.organization.name} will ask for the rest."
    words = ahead if paid.left else "The invoice is paid in full."
    return Passage("Thank you", f"{words}\nReference {payment.pk}")
