"""Sentences of refusals by billing.receivables: offline payments, credit, refunds, settled rests, write-offs."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    "amount_exceeds_credit": _("Enter at most %(credit)s: there is no more credit."),
    "amount_exceeds_due.keep_as_credit": _(
        "%(due)s is due, so %(excess)s would be too much. Enter less, or keep the rest as credit."
    ),
    "conflict.credit_form_used": _(
        "This form was used already. Open it again to put more credit on an invoice."
    ),
    "conflict.not_offline": _(
        "Only a payment that was recorded by hand can be reversed. "
        "If its money was given back, record a refund instead."
    ),
    "conflict.nothing_adjusted": _("This was taken back already."),
    "amount_exceeds_payment": _("Enter at most %(credit)s: no more of this payment is left."),
    "conflict.receipt_reversed": _("This payment was reversed, so it has no receipt any more."),
    "conflict.receipt_without_money": _("This payment took no money, so there is no receipt."),
    "conflict.refund_form_used": _("This form was used already. Open it again to record another refund."),
    "refund_before_credit": _(
        "Until %(since)s this money was not there to be given back: enter that day or a later one."
    ),
    "refund_before_payment": _("This was paid on %(paid_on)s: it cannot have been given back before."),
    "conflict.refund_without_money": _(
        "None of this payment's money was received, so none can be given back."
    ),
    "conflict.refunded_already": _("All of this payment was given back already."),
    "conflict.settle_dispute_open": _("This dispute is not decided yet."),
    "conflict.settle_dispute_won": _("This dispute was won, so there is no loss."),
    "conflict.settle_dispute_changed": _("Of this dispute %(left)s can be taken as a loss now."),
    "conflict.refund_disputed": _(
        "What is left of this payment is disputed by the customer’s bank. It can be refunded when the dispute was won."
    ),
    "conflict.reverse_refunded": _("%(refunded)s of this payment was given back. Reverse that refund first."),
    "conflict.refund_without_gateway": _(
        "No payment service took this money. Give it back by hand, then record the refund."
    ),
    "conflict.reverse_gateway_refund": _(
        "The payment service has sent this refund, so it cannot be taken back."
    ),
    "not_refundable": _("Only %(left)s of this payment is left. Enter at most that."),
    "refund_not_multiple": _("The payment service sends back multiples of %(step)s only."),
    "stale.refund_source_changed": _(
        "The money is elsewhere now than this page showed. Look again at where it is taken from."
    ),
    "refund_reason_unknown": _("Choose why the money is sent back."),
    "conflict.settle_form_used": _("This form has settled a rest already. Open it again to settle another."),
    "conflict.take_back_written_off": _("This invoice is written off. Reopen it first."),
    "conflict.nothing_allocated": _("No part of this payment is applied to this invoice any more."),
    "conflict.payment_form_used": _(
        "This form has already recorded %(amount)s. Open it again to record another payment."
    ),
    "conflict.reopen_draft": _("This invoice is draft; only one that was written off can be reopened."),
    "conflict.reopen_paid": _("This invoice is paid; only one that was written off can be reopened."),
    "conflict.reopen_sent": _("This invoice is sent; only one that was written off can be reopened."),
    "conflict.reopen_void": _("This invoice is void; only one that was written off can be reopened."),
    "invoice_not_sent.credit_on_draft": _("Send the invoice first; then credit can be put on it."),
    "invoice_not_sent.credit_on_paid": _("This invoice is paid. There is nothing left to put credit on."),
    "invoice_not_sent.credit_on_void": _("This invoice is void. No credit can be put on it."),
    "invoice_not_sent.payment_on_draft": _("Send the invoice first; then a payment can be recorded on it."),
    "invoice_not_sent.payment_on_void": _("This invoice is void. No payment can be recorded on it."),
    "invoice_not_sent.settle_draft": _("This invoice is draft, so there is nothing to settle."),
    "invoice_not_sent.settle_paid": _("This invoice is paid, so there is nothing to settle."),
    "invoice_not_sent.settle_void": _("This invoice is void, so there is nothing to settle."),
    "invoice_not_sent.settle_written_off": _("This invoice is written off. Reopen it first."),
    "settle_large_unconfirmed": _(
        "%(rest)s is more than %(percent)s%% of %(total)s. Confirm that it need not be paid; only a member "
        "who may write off invoices can do so."
    ),
    "settle_note_too_long": _("Use at most %(limit)s characters."),
    "settle_reason_unknown": _("Choose why the rest needs no payment."),
    "invoice_not_sent.write_off_draft": _("This invoice is draft, so there is nothing to write off."),
    "invoice_not_sent.write_off_paid": _("This invoice is paid, so there is nothing to write off."),
    "invoice_not_sent.write_off_void": _("This invoice is void, so there is nothing to write off."),
    "invoice_not_sent.write_off_written_off": _(
        "This invoice is written off, so there is nothing to write off."
    ),
    "payment_in_progress.does_not_fit": _(
        "%(amount)s is being paid right now, and that would no longer fit. Wait until it is settled."
    ),
    "reversal_reason": _("Say why, in at most %(limit)s characters."),
    "too_late.payment_on_paid": _("This invoice is paid. Record a further payment on another invoice."),
}
