"""The parts that the kinds of mail share: a mail's content, and the context of an invoice, a quote and a receipt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from partway.billing.documents import deposits
from partway.billing.errors import NotPayable
from partway.billing.models import Dispute, Invoice, Mail, Payment, Quote, Refund
from partway.billing.models.parties import IssuedModel
from partway.billing.payments.start import PaymentTarget, check_payable
from partway.lib import clock
from partway.lib.money import Money

from ..pdf import PdfFile, TypesettingFailed
from ..receipt_figures import receipt

Context = dict[str, Any]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Content:
    """One mail's subject, the context of its two templates (mail/<kind>.html and .txt), and its attachments."""

    subject: str
    context: Context
    attachments: tuple[PdfFile, ...] = ()


def required(row: Row | None) -> Row:
    """Returns the row that the mail is about; raises LookupError when the mail has none."""
    if row is None:
        raise LookupError("this mail's row does not say what the mail is about")
    return row


def restored_of(mail: Mail) -> dict[str, Money]:
    """Returns where the money of a failed refund was when that was booked: `on_invoice`, `credit`, and the `rest`."""
    refund = refund_of(mail)
    on_invoice, credit = (
        Money(mail.data[name], refund.currency) for name in ("on_invoice_minor", "credit_minor")
    )
    return {"on_invoice": on_invoice, "credit": credit, "rest": refund.amount - on_invoice - credit}


def refund_of(mail: Mail) -> Refund:
    """Returns the refund that the mail is about, with its payment; raises LookupError when the mail has none."""
    rows = Refund.objects.select_related("organization", "payment__invoice", "payment__quote")
    return required(rows.filter(pk=mail.data.get("refund"), payment=mail.payment_id).first())


def dispute_of(mail: Mail) -> Dispute:
    """Returns the dispute that the mail is about, with its payment; raises LookupError when the mail has none."""
    rows = Dispute.objects.select_related("organization", "payment__invoice", "payment__quote")
    return required(rows.filter(pk=mail.data.get("dispute"), payment=mail.payment_id).first())


def dispute_context(dispute: Dispute) -> Context:
    """The dispute with its payment, whether the time for evidence is over by now, and the payment's page."""
    path = reverse("staff:payment", args=[dispute.organization.slug, dispute.payment_id])
    return {
        **receipt_context(dispute.payment),
        "dispute": dispute,
        "is_evidence_over": dispute.is_evidence_over(clock.now()),
        "url": f"{settings.PARTWAY_URL}{path}",
    }


def can_pay_exactly(target: PaymentTarget, amount: Money) -> bool:
    """Returns whether the link of a request, an invoice or a quote charges this amount now, no more and no less."""
    with suppress(NotPayable):
        return check_payable(target, now=clock.now()).amount == amount
    return False


def attached(make: Callable[[Row], PdfFile], row: Row) -> tuple[PdfFile, ...]:
    """Returns the row's document to attach; nothing when it is too large, for the mail has a link to its page too."""
    try:
        return (make(row),)
    except TypesettingFailed:  # logged where it happened
        return ()


def document_name(document: Invoice | Quote) -> str:
    """Returns "invoice INV-0001" or "quote QUO-0001", for the middle of a sentence."""
    name = _("quote %(number)s") if document.kind == "quote" else _("invoice %(number)s")
    return name % {"number": document.number}


def staff_url(document: Invoice | Quote) -> str:
    """Returns the address of the document's page for members, who sign in there."""
    path = reverse(f"staff:{document.kind}", args=[document.organization.slug, document.pk])
    return f"{settings.PARTWAY_URL}{path}"


def invoice_context(invoice: Invoice, requested: Money | None = None) -> Context:
    """The invoice with its parties and its stage bar, and with `left`: what is due beside the amount requested."""
    asked = requested or Money(0, invoice.currency)
    return {
        "invoice": invoice,
        **_parties(invoice),
        "requested": asked,
        "left": invoice.amount_due - asked,
        "stages": stage_cells(invoice.total - invoice.adjusted, invoice.amount_paid, asked),
    }


def quote_context(quote: Quote) -> Context:
    """The quote with its parties and its stage bar, in which the deposit is paid or asked for."""
    nothing = Money(0, quote.currency)
    paid = deposits.deposit_status(quote) == "paid"
    return {
        "quote": quote,
        **_parties(quote),
        "left": quote.total - quote.deposit,
        "deposit_paid": paid,
        "stages": stage_cells(quote.total, *((quote.deposit, nothing) if paid else (nothing, quote.deposit))),
    }


def payment_context(payment: Payment) -> Context:
    """The parties of a payment, whether it took money or not, and `invoice`: the invoice, or the quote of a deposit."""
    return {
        "payment": payment,
        "invoice": payment.document,
        **_parties(payment),
        "is_deposit": payment.document.kind == "quote",
    }


def receipt_context(payment: Payment) -> Context:
    """As `payment_context`, of a payment that took money: with the figures of its receipt and its stage bar."""
    paid = receipt(payment)
    return {
        **payment_context(payment),
        "receipt": paid,
        "stages": stage_cells(paid.total, paid.paid, Money(0, paid.total.currency)),
    }


def _parties(issued: IssuedModel) -> Context:
    """The seller and the recipient of a document, for text about it; whom to ask is the organization as it is now."""
    return {"seller": issued.seller, "recipient": issued.recipient}


def stage_cells(total: Money, paid: Money, requested: Money) -> list[tuple[str, int]]:
    """Returns the stage bar as table cells, (part, percent): they add up to 100, and none is empty."""
    if not total:
        return [("left", 100)]
    parts = {"paid": paid, "requested": requested, "left": total - paid - requested}
    shown = {
        name: max(1, part.amount_minor * 100 // total.amount_minor)
        for name, part in parts.items()
        if part.amount_minor > 0
    }
    widest = max(shown, key=lambda name: shown[name])
    shown[widest] += 100 - sum(shown.values())
    return list(shown.items())
