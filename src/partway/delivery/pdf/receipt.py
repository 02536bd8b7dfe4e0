"""A payment as a receipt: what was really paid, what was paid before and left then; or that it was reversed."""

from __future__ import annotations

from dataclasses import replace

from partway.billing import links
from partway.billing.models import Payment
from partway.lib.money import Money

from ..receipt_figures import Receipt, receipt, reversed_on
from ..templatetags.partway import format_date
from .content import Document, Headline, LabeledValue, Link, Row, Stages, TextBlock
from .parties import issuer, recipient


def document(payment: Payment) -> Document:
    """The whole document; it carries the day of the payment. ValueError where nothing was taken."""
    paid, about = receipt(payment), payment.document
    nothing = Money(0, paid.total.currency)
    standing = Document(
        kind="Receipt",
        number=about.number or "",
        document_date=paid.paid_on,
        issuer=issuer(payment.organization),
        recipient=recipient(about.customer),
        facts=_facts(payment, paid),
        headline=_headline(paid),
        sums=_sums(paid, _noun(payment)),
        stages=Stages(total=paid.total, paid=paid.paid, requested=nothing),
        link=Link(links.receipt_url(payment), "This receipt online"),
        text_blocks=(_thanks(payment, paid),),
    )
    return _reversed_document(standing, payment, paid) if payment.status == "reversed" else standing


def _reversed_document(standing: Document, payment: Payment, paid: Receipt) -> Document:
    """The same once nothing of it counts any more: who keeps both papers can tell which is the later one."""
    day = format_date(reversed_on(payment))
    words = f"This payment no longer counts, and what it had paid is due again.\nReference {payment.pk}"
    return replace(
        standing,
        status_label="Reversed",
        headline=Headline("Reversed", paid.captured, f"on {day}"),
        sums=(
            Row(f"Paid on {format_date(paid.paid_on)}", paid.captured),
            Row(f"Reversed on {day}", -paid.captured),
            Row("Counts now", paid.captured - paid.captured, strong=True),
        ),
        stages=None,
        text_blocks=(TextBlock("Reversed", words),),
    )


def _facts(payment: Payment, paid: Receipt) -> tuple[LabeledValue, ...]:
    method = [LabeledValue("Method", paid.method)] if paid.method else []
    about = LabeledValue(_noun(payment).capitalize(), payment.document.number or "")
    return (about, LabeledValue("Paid on", paid.paid_on), *method)


def _noun(payment: Payment) -> str:
    """A deposit is paid on a quote, everything else on an invoice."""
    return "invoice" if payment.invoice else "quote"


def _headline(paid: Receipt) -> Headline:
    how = f", by {paid.method_in_sentence}" if paid.method_in_sentence else ""
    return Headline("You paid", paid.captured, f"on {format_date(paid.paid_on)}{how}")


def _sums(paid: Receipt, noun: str) -> tuple[Row, ...]:
    surplus = [Row("Kept as your credit", paid.surplus)] if paid.surplus else []
    return (
        Row(f"Total of the {noun}", paid.total),
        Row("Paid before", paid.paid_before),
        Row("This payment" if noun == "invoice" else "This deposit", paid.applied, strong=True),
        Row("Left to pay" if noun == "invoice" else "Left after the deposit", paid.left),
        *surplus,
    )


def _thanks(payment: Payment, paid: Receipt) -> TextBlock:
    ahead = f"Nothing else is to be done now: {payment.organization.name} will ask for the rest."
    words = ahead if paid.left else f"The {_noun(payment)} is paid in full."
    return TextBlock("Thank you", f"{words}\nReference {payment.pk}")
