"""A payment as a receipt: what it paid, what was paid before and left then; or that it was reversed."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.billing import links
from partway.billing.models import Payment
from partway.lib.money import Money

from ..formats import format_date
from ..receipt_figures import Receipt, lost_disputes, receipt, reversed_on
from .content import Document, Headline, LabeledValue, Link, Row, Stages, TextBlock
from .parties import issuer, recipient

_REFUND_LABELS = {
    "pending": gettext_lazy("On its way back since %(day)s"),
    "succeeded": gettext_lazy("Given back on %(day)s"),
}


def document(payment: Payment) -> Document:
    """Returns the receipt, dated on the day of the payment. Raises ValueError where no money was taken."""
    paid, billed = receipt(payment), payment.document
    method = [LabeledValue(_("Method"), paid.method)] if paid.method else []
    kind, thanks = _("Invoice"), _("The invoice is paid in full.")
    if payment.quote:
        kind, thanks = _("Quote"), _("The quote is paid in full.")
    number, reference = str(billed.number), _("Reference %(id)s") % {"id": payment.pk}
    # Of an invoice that ended nothing more is asked for, so neither the rows nor the bar may name a rest.
    nothing_left = billed.status in ("void", "written_off")
    if paid.left:
        organization = {"organization": payment.seller.name}
        thanks = (
            _("There is nothing else for you to do now: %(organization)s will ask for the rest.")
            % organization
        )
    if payment.held_minor != payment.captured_minor or (paid.left and nothing_left):
        # What went back may be due again, or have been the deposit: then neither sentence is true.
        thanks = _("There is nothing else for you to do now.")
    if payment.lost_minor:
        thanks = _(
            "What your bank took back is not paid any more. %(organization)s will tell you if it is due again."
        ) % {"organization": payment.seller.name}
    counting = Document(
        kind=_("Receipt"),
        number=number,
        document_date=paid.paid_on,
        issuer=issuer(payment.seller),
        recipient=recipient(payment.recipient),
        facts=(
            LabeledValue(kind, number),
            LabeledValue(_("Paid on"), paid.paid_on),
            *method,
        ),
        headline=_headline(paid),
        sums=_sums(payment, paid, shows_left=not nothing_left),
        stages=None if nothing_left else _stages(paid),
        link=Link(links.receipt_url(payment), _("This receipt online")),
        text_blocks=(TextBlock(_("Thank you"), f"{thanks}\n{reference}"),),
    )
    return _reversed(counting, payment, paid, reference) if payment.status == "reversed" else counting


def _reversed(counting: Document, payment: Payment, paid: Receipt, reference: str) -> Document:
    """Returns the receipt of a payment that no longer counts, which is plainly the later of the two."""
    day = {"day": format_date(reversed_on(payment))}
    text = _("This payment no longer counts, and what it had paid is due again.")
    return replace(
        counting,
        status_label=_("Reversed"),
        headline=Headline(_("Reversed"), paid.captured, _("on %(day)s") % day),
        sums=(
            Row(_("Paid on %(day)s") % {"day": format_date(paid.paid_on)}, paid.captured),
            Row(_("Reversed on %(day)s") % day, -paid.captured),
            Row(_("Counts now"), Money(0, paid.captured.currency), strong=True),
        ),
        stages=None,
        text_blocks=(TextBlock(_("Reversed"), f"{text}\n{reference}"),),
    )


def _stages(paid: Receipt) -> Stages:
    return Stages(
        total=paid.total,
        paid=paid.paid,
        requested=Money(0, paid.total.currency),
        paid_label=_("Paid"),
        requested_label=_("Requested"),
        left_label=_("Left"),
    )


def _headline(paid: Receipt) -> Headline:
    day = format_date(paid.paid_on)
    if not paid.method_in_sentence:
        return Headline(_("You paid"), paid.captured, _("on %(day)s") % {"day": day})
    caption = _("on %(day)s, by %(method)s") % {"day": day, "method": paid.method_in_sentence}
    return Headline(_("You paid"), paid.captured, caption)


def _sums(payment: Payment, paid: Receipt, *, shows_left: bool) -> tuple[Row, ...]:
    on_invoice = payment.invoice is not None
    left = [Row(_("Left to pay") if on_invoice else _("Left after the deposit"), paid.left)]
    settled = [Row(_("Settled without a payment"), paid.adjusted)] if paid.adjusted else []
    # The row of the refund beside it says that it went back, and when.
    surplus_label = _("Not needed") if paid.is_sent_back else _("Kept as your credit")
    surplus = [Row(surplus_label, paid.surplus)] if paid.surplus else []
    return (
        Row(_("Total of the invoice") if on_invoice else _("Total of the quote"), paid.total),
        Row(_("Paid before"), paid.paid_before),
        Row(_("This payment") if on_invoice else _("This deposit"), paid.applied, strong=True),
        *settled,
        *(left if shows_left else ()),
        *surplus,
        *(
            Row(_REFUND_LABELS[refund.status] % {"day": format_date(refund.refunded_on)}, -refund.amount)
            for refund in payment.refunds.counted().order_by("refunded_on", "pk")
        ),
        *(
            Row(_("Taken back by your bank on %(day)s") % {"day": format_date(day)}, -dispute.amount)
            for dispute, day in lost_disputes(payment)
        ),
    )
