"""Sentences of alerts: what happened, from an alert's kind and params, and why the clock resolved it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Alert
from partway.lib.money import Money

# By kind, or by "kind.reason" where the alert's params have a reason.
_ALERTS: dict[str, str | Promise] = {
    "unwanted_payment": _(
        "%(captured)s was paid after it was no longer due. It is the customer's credit: apply it to another "
        "invoice, or give it back and record the refund."
    ),
    "unwanted_payment.refunded": _(
        "%(captured)s was paid after it was no longer due. %(refunded)s is sent back by itself, the way it was paid. "
        "If that fails, it is the customer’s credit, and another entry says so."
    ),
    "captured_amount_mismatch.refunded": _(
        "%(captured)s was charged, but %(amount)s was requested. The amount charged is booked, and %(refunded)s that "
        "fits nowhere is sent back by itself: check it with the payment service."
    ),
    "captured_amount_mismatch": _(
        "%(captured)s was charged, but %(amount)s was requested. The amount charged is booked: check it with "
        "the payment service."
    ),
    "captured_amount_missing": _(
        "%(amount)s was requested and the customer was charged, but the payment service does not report how "
        "much. Check it there."
    ),
    "deposit_unallocated.exceeds_invoice": _(
        "%(left)s of the deposit of %(quote)s could not be applied to %(invoice)s. It is the customer's credit."
    ),
    "deposit_unallocated.invoice_voided": _(
        "The invoice of %(quote)s is void. %(left)s of its deposit is the customer's credit."
    ),
    "gateway_refused": _(
        "The payment service does not report whether %(amount)s was paid: %(gateway_message)s Check it there."
    ),
    "payment_unsettled": _(
        "The payment of %(amount)s has neither succeeded nor failed at the payment service yet. Look it up there."
    ),
    "payment_unsettled.processing": _(
        "The bank debit of %(amount)s should have its outcome by now, but the payment service reports neither "
        "success nor failure. Look it up there."
    ),
    "unwanted_debit": _(
        "A bank is moving %(amount)s that is no longer needed: it was not due any more when the debit began. Nothing "
        "waits for it; if it settles, it becomes the customer’s credit."
    ),
    "gateway_list_unavailable.refused": _(
        "The payment service’s list of payments could not be read for over a day: the payment service "
        "refused. %(gateway_message)s"
    ),
    "gateway_list_unavailable.no_answer": _(
        "The payment service’s list of payments could not be read for over a day: the payment service does not respond."
    ),
    "gateway_list_unavailable.checkouts_unreadable": _(
        "The payment service’s list of payments could not be read for over a day: it lists payments, but "
        "does not report their status."
    ),
    "gateway_left": _(
        "Your account was disconnected from this installation at the payment service, so it takes no payments any more."
    ),
    "unmatched_callback": _(
        "The payment service reported “%(event_type)s” for a payment that is not recorded in Partway. Check it there."
    ),
    "unmatched_checkout.captured": _(
        "%(captured)s was charged at the payment service for %(reference)s, but %(checkout_ref)s is not "
        "recorded in Partway."
    ),
    "unmatched_checkout.begun": _(
        "A payment was started at the payment service for %(reference)s, but %(checkout_ref)s is not "
        "recorded in Partway."
    ),
    "booked_amount_mismatch": _(
        "%(booked)s is booked, but the payment service charged %(captured)s. Check it there."
    ),
    "fee_mismatch": _(
        "A fee of %(booked)s is booked, but the payment service now reports %(reported)s. Check it there."
    ),
    "payout_changed": _(
        "The payment service now reports other entries or another amount for the payout of %(amount)s "
        "(%(payout_ref)s). It stays as it was booked: check it there."
    ),
    "payout_failed": _(
        "The payout of %(amount)s (%(payout_ref)s) failed: the money did not reach your bank account."
    ),
    "payout_does_not_add_up.sum": _(
        "The payout of %(amount)s (%(payout_ref)s) has entries that come to %(items)s. Check it there."
    ),
    "payout_does_not_add_up.item": _(
        "In the payout of %(amount)s (%(payout_ref)s) an entry is not its amount less its fee. Check it there."
    ),
    "payout_list_unavailable.refused": _(
        "The payment service’s list of payouts could not be read for days: the payment service refused. "
        "%(gateway_message)s"
    ),
    "payout_list_unavailable.no_answer": _(
        "The payment service’s list of payouts could not be read for days: the payment service does not respond."
    ),
    "recipient_address_invalid": _("A mail could not be sent to “%(address)s”, which is not a mail address."),
    "sender_address_invalid": _(
        "No mail can be sent: “%(address)s”, the organization’s address, is not a mail address."
    ),
    "refunded_at_gateway.not_due": _(
        "%(refunded)s of %(captured)s was refunded in the dashboard of the payment service. It is booked, and nothing "
        "of it is due on an invoice."
    ),
    "refunded_at_gateway.due_again": _(
        "%(refunded)s of %(captured)s was refunded in the dashboard of the payment service. It is booked: what it "
        "took off an invoice is due again there."
    ),
    "refunded_beyond_payment": _(
        "%(refunded)s of %(captured)s was refunded in the dashboard of the payment service, %(lost)s more than was "
        "left of the payment."
    ),
    "refund_in_other_currency": _(
        "%(refunded)s was refunded at the payment service for a payment of %(captured)s. It is not booked."
    ),
    "refund_failed": _(
        "The refund of %(amount)s failed: the customer does not get the money. %(on_invoice)s of it is back on an "
        "invoice, and %(credit)s is credit."
    ),
    "refund_failed.covered": _(
        "The refund of %(amount)s failed: the customer does not get the money. %(on_invoice)s of it is back on an "
        "invoice and %(credit)s is credit; the rest covers what was taken beyond the payment."
    ),
    "refund_failed.disputed": _(
        "The refund of %(amount)s was not sent: meanwhile the customer’s bank asked more of this payment back than it "
        "would have left. %(on_invoice)s of it is back on an invoice and %(credit)s is credit; the rest covers what "
        "was taken beyond the payment."
    ),
    "refund_unsettled": _(
        "The refund of %(amount)s has neither succeeded nor failed at the payment service yet. Look it up there."
    ),
    "dispute_opened": _(
        "The customer’s bank asks %(amount)s of this payment back. Until that is decided, this part can neither be "
        "refunded nor used as credit."
    ),
    "dispute_opened.evidence_over": _(
        "The customer’s bank asks %(amount)s of this payment back, and the time for evidence is over. Until that is "
        "decided, this part can neither be refunded nor used as credit."
    ),
    "dispute_lost.due_again": _(
        "The dispute about %(amount)s was lost, so the customer has this money again. What it took off an invoice is "
        "due again there."
    ),
    "dispute_lost.not_due": _(
        "The dispute about %(amount)s was lost, so the customer has this money again. Nothing of it is due on an "
        "invoice."
    ),
    "dispute_lost.returned_due_again": _(
        "The customer’s bank returned %(amount)s of a bank debit, so the customer has this money again. What it took "
        "off an invoice is due again there."
    ),
    "dispute_lost.returned_not_due": _(
        "The customer’s bank returned %(amount)s of a bank debit, so the customer has this money again. Nothing of it "
        "is due on an invoice."
    ),
    "disputed_beyond_payment": _(
        "%(disputed)s of a payment of %(captured)s is disputed, %(lost)s more than is left of it."
    ),
    "disputed_beyond_payment.lost": _(
        "%(disputed)s of a payment of %(captured)s was lost in a dispute, %(lost)s more than was left of it."
    ),
    "disputed_beyond_payment.returned": _(
        "%(disputed)s of a payment of %(captured)s was returned by the customer’s bank, %(lost)s more than was left of "
        "it."
    ),
    "dispute_in_other_currency": _(
        "%(disputed)s of a payment of %(captured)s is disputed at the payment service. It is not booked."
    ),
}

_AUTO_RESOLUTIONS: dict[str, str | Promise] = {
    "payment_settled": _("The payment is settled now."),
    "refund_settled": _("The refund has succeeded or failed now."),
    "dispute_won": _("The dispute was won."),
    "dispute_lost": _("The dispute was lost."),
    "dispute_settled": _("It was taken as a loss."),
    "loss_covered": _("The payment has the money for it again."),
    "list_available": _("The list can be read again."),
    "sender_corrected": _("The address was corrected."),
    "account_replaced": _("The payment service was replaced, so its list is no longer read."),
}


def alert_sentence(kind: str, params: dict[str, object]) -> str:
    """Returns what an alert says, by its kind and params, as it or an event `alert.resolved` stores them.

    Raises KeyError for a kind without a sentence.
    """
    reason = params.get("reason")
    key = f"{kind}.{reason}" if reason else kind
    return str(_ALERTS[key]) % {
        name: str(Money(**value)) if isinstance(value, dict) else value for name, value in params.items()
    }


def resolution_message(alert: Alert) -> str:
    """Returns what was done about a resolved alert: the member's words, or why the clock resolved it; may be empty."""
    if alert.auto_resolution:
        return str(_AUTO_RESOLUTIONS[alert.auto_resolution])
    return alert.resolution
