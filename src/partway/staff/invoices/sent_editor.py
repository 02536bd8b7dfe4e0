"""The effects of editing a sent invoice besides its content: shown before, while one types, and after saving."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from partway.billing.models import Event, Invoice
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money
from partway.lib.money import Money

from .. import timeline
from ..forms import sentences

EDITABLE = ("draft", "sent", "paid")
# The events that an edit can cause besides its own, in the order in which the notice names them.
_CAUSED = ("payment_request.canceled", "invoice.paid", "invoice.reopened")


def current_amounts(invoice: Invoice) -> dict[str, Any]:
    """The amount paid, the open request, and the amount that a payment under way holds."""
    held = invoice.amount_due - payment_requests.max_requestable(invoice)
    return {
        "paid": invoice.amount_paid,
        "adjusted": invoice.adjusted,
        "request": payment_requests.current(invoice),
        "held": held,
    }


def preview(invoice: Invoice, total_minor: int) -> tuple[dict[str, Money], list[str]]:
    """The amounts paid and due with this total, and the effects of saving it, of which some may be empty.

    Billing decides again under the invoice's lock.
    """
    excess = Money(max(0, invoice.amount_paid_minor - total_minor), invoice.currency)
    # What was settled without a payment gives way before a payment does.
    adjusted = Money(
        min(invoice.adjusted_minor, max(0, total_minor - invoice.amount_paid_minor)), invoice.currency
    )
    due = Money(total_minor, invoice.currency) - invoice.amount_paid + excess - adjusted
    effects = [
        gettext("%(excess)s of what was paid becomes %(customer)s’s credit.")
        % {"excess": format_money(excess), "customer": invoice.customer.name}
        if excess
        else "",
        gettext("%(amount)s is no longer settled without a payment.")
        % {"amount": format_money(invoice.adjusted - adjusted)}
        if adjusted < invoice.adjusted
        else "",
        _request_effect(invoice, due),
        gettext("With that the invoice is paid in full.") if not due and invoice.status == "sent" else "",
        gettext("The invoice is due again.") if due and invoice.status == "paid" else "",
    ]
    return {"paid": invoice.amount_paid, "adjusted": adjusted, "due": due}, effects


def _request_effect(invoice: Invoice, due: Money) -> str:
    """The effect on a payment under way or on the open request; empty when both still fit."""
    now = current_amounts(invoice)
    held, request = now["held"], now["request"]
    if due < held:
        message = gettext("%(held)s is being paid right now, so this can be saved once that is settled.")
        return message % {"held": format_money(held)}
    if request is None or due >= request.amount_requested:
        return ""
    amounts = {"requested": format_money(request.amount_requested), "due": format_money(due)}
    if due:
        message = gettext("The open request for %(requested)s is canceled, as only %(due)s stays due.")
    else:
        message = gettext("The open request for %(requested)s is canceled, as nothing stays due.")
    return message % amounts


def summary(invoice: Invoice, *, at: datetime) -> str:
    """Returns the notice after saving; all events of one act carry the same time."""
    written = Event.objects.filter(invoice=invoice, created_at=at).select_related(
        "payment_request", "payment"
    )
    by_type = {event.type: event for event in written}
    credited = Money(by_type["invoice.edited"].data.get("credited_minor", 0), invoice.currency)
    changed = gettext("%(number)s is changed: %(due)s is due now.")
    became_credit = gettext("%(credited)s became %(customer)s’s credit.")
    return sentences(
        changed % {"number": invoice.number, "due": format_money(invoice.amount_due)},
        became_credit % {"credited": format_money(credited), "customer": invoice.customer.name}
        if credited
        else "",
        *(f"{timeline.message(by_type[name])}." for name in _CAUSED if name in by_type),
    )
