"""Sentences of alerts: what happened, from an alert's kind and params, and why the clock resolved it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Alert
from partway.lib.money import Money

# By kind, or by "kind.reason" where the alert's params have a reason.
_ALERTS: dict[str, str | Promise] = {
    "unwanted_payment": _(
        "%(captured)s came in after it was no longer wanted. It is the customer's credit: "
        "use it, or give it back and record the refund."
    ),
    "captured_amount_mismatch": _(
        "%(captured)s was taken where %(amount)s was asked. It is booked as taken: check it with the gateway."
    ),
    "captured_amount_missing": _(
        "%(amount)s was asked and money was taken, but the payment service does not say how much: check it there."
    ),
    "deposit_unallocated.exceeds_invoice": _(
        "%(left)s of the deposit of %(quote)s found no room on %(invoice)s. It is the customer's credit."
    ),
    "deposit_unallocated.invoice_voided": _(
        "The invoice that was to take the deposit of %(quote)s is void. %(left)s is the customer's credit."
    ),
    "gateway_refused": _(
        "The payment service refuses to say what became of %(amount)s: %(gateway_message)s Check it there."
    ),
    "payment_unsettled": _(
        "Nobody knows yet what became of %(amount)s: the payment service has not settled it. Look it up there."
    ),
    "gateway_list_unavailable.refused": _(
        "For over a day nobody could read the payment service’s list of payments: it refuses. %(gateway_message)s"
    ),
    "gateway_list_unavailable.no_answer": _(
        "For over a day nobody could read the payment service’s list of payments: there is no answer."
    ),
    "gateway_list_unavailable.checkouts_unreadable": _(
        "For over a day nobody could read the payment service’s list of payments: "
        "it lists payments, and does not tell what became of them."
    ),
    "unmatched_callback": _(
        "The payment service reported “%(event_type)s” for a checkout Partway does not know: check it there."
    ),
    "unmatched_checkout.captured": _(
        "%(captured)s was taken at the payment service for %(reference)s, "
        "and these books know nothing of %(checkout_ref)s."
    ),
    "unmatched_checkout.begun": _(
        "A payment was begun at the payment service for %(reference)s, "
        "and these books know nothing of %(checkout_ref)s."
    ),
    "booked_amount_mismatch": _(
        "%(booked)s is booked, and the payment service says it took %(captured)s. Check it there."
    ),
    "refunded_at_gateway": _(
        "%(refunded)s of %(captured)s was sent back at the payment service, and these books do not show it yet."
    ),
}

_AUTO_RESOLUTIONS: dict[str, str | Promise] = {
    "payment_settled": _("The payment is settled now."),
    "refund_recorded": _("The refund is recorded now."),
    "refund_failed": _("The refund failed: the payment service still has the money."),
    "list_available": _("The list is read again."),
    "account_replaced": _("It was replaced, and owes no answer."),
}


def alert_message(alert: Alert) -> str:
    """Returns what the alert says; raises KeyError for a kind without a sentence."""
    return alert_sentence(alert.kind, alert.params)


def alert_sentence(kind: str, params: dict[str, object]) -> str:
    """Returns the sentence of a kind and its params, as an alert or an event `alert.resolved` stores them."""
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
