"""What editing a sent invoice does besides changing what it says: told before, as one types, and afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from partway.billing.models import Event, Invoice
from partway.billing.requests import payment_requests
from partway.lib.money import Money

from .. import timeline

EDITABLE = ("draft", "sent", "paid")
# What an edit can cause besides itself, in the order in which it is told.
_CAUSED = ("payment_request.canceled", "invoice.paid", "invoice.reopened")


def current_amounts(invoice: Invoice) -> dict[str, Any]:
    """For the note at the top: what was paid, what is asked for and what is being paid now."""
    held = invoice.amount_due - payment_requests.max_requestable(invoice)
    return {"paid": invoice.amount_paid, "request": payment_requests.current(invoice), "held": held}


def preview(invoice: Invoice, total_minor: int) -> dict[str, Any]:
    """What would be due with this total, and what saving it would do; saving asks again, under the invoice's lock."""
    excess = Money(max(0, invoice.amount_paid_minor - total_minor), invoice.currency)
    due = Money(total_minor, invoice.currency) - invoice.amount_paid + excess
    return {"paid": invoice.amount_paid, "due": due, "preview": _effects(invoice, due, excess)}


def _effects(invoice: Invoice, due: Money, excess: Money) -> list[str]:
    message = [f"{excess} of what was paid becomes {invoice.customer.name}’s credit."] if excess else []
    message += _canceled_request_effect(invoice, due)
    if not due and invoice.status == "sent":
        message.append("With that the invoice is paid in full.")
    if due and invoice.status == "paid":
        message.append("The invoice is due again.")
    return message


def _canceled_request_effect(invoice: Invoice, due: Money) -> list[str]:
    now = current_amounts(invoice)
    held, request = now["held"], now["request"]
    if due < held:
        return [f"{held} is being paid right now, so this can be saved once that is settled."]
    if request is not None and due < request.amount_requested:
        left = f"only {due} stays due" if due else "nothing stays due"
        return [f"The open request for {request.amount_requested} is canceled, as {left}."]
    return []


def summary(invoice: Invoice, *, at: datetime) -> str:
    """What was saved at this moment, and what it caused; all that one act writes carries the same time."""
    written = Event.objects.filter(invoice=invoice, created_at=at).select_related(
        "payment_request", "payment"
    )
    by_type = {event.type: event for event in written}
    notice = [f"{invoice.number} is changed: {invoice.amount_due} is due now."]
    credited = Money(by_type["invoice.edited"].data.get("credited_minor", 0), invoice.currency)
    if credited:
        notice.append(f"{credited} became {invoice.customer.name}’s credit.")
    notice += [f"{timeline.message(by_type[name])}." for name in _CAUSED if name in by_type]
    return " ".join(notice)
