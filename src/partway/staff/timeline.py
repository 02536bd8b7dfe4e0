"""Events as sentences: what happened to an invoice or a quote, by whom, in words a bookkeeper would use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from partway.billing.models import Event
from partway.lib.money import Money


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words; `detail` is what somebody may want to know besides."""

    words: str
    at: datetime
    tone: str  # of its dot: green for money and its asking, amber for what went wrong, soft for the rest
    detail: str = ""


def tell(events: Iterable[Event]) -> list[Told]:
    """The events in words, in their order; steps of a checkout that mean nothing to a person are left out."""
    return [told for event in events if (told := _told(event))]


def _told(event: Event) -> Told | None:
    if event.type in _UNTOLD:
        return None
    words = _SENTENCES.get(event.type, _unknown)(event)
    return Told(words, event.created_at, _TONES.get(event.type, "soft"), _detail(event))


def _amount(event: Event) -> str:
    data = event.data
    if "captured_minor" in data:
        return str(Money(data["captured_minor"], data["captured_currency"]))
    if "amount_minor" in data:
        return str(Money(data["amount_minor"], data["currency"]))
    if event.payment:
        return str(event.payment.captured or event.payment.amount)
    return str(event.payment_request.amount_requested) if event.payment_request else "the amount"


def _to(event: Event) -> str:
    """Addresses; `to` of a move is the state it moved to, which is text and no list."""
    to: Any = event.data.get("to")
    return ", ".join(to) if isinstance(to, list) else str(event.data.get("email", "the customer"))


def _detail(event: Event) -> str:
    if event.type in ("payment.declined", "payment.failed", "mail.failed"):
        return str(event.data.get("words", ""))
    if event.type == "payment_request.sent" and event.payment_request:
        return event.payment_request.note
    if event.type == "payment.recorded" and event.payment:
        return " · ".join(filter(None, (event.payment.reference, event.payment.remarks)))
    if event.type == "quote.declined":
        return str(event.data.get("reason", ""))
    return ""


def _created(event: Event) -> str:
    quote = event.data.get("number")
    return (
        f"{event.actor_label} made this invoice of {quote}"
        if quote
        else f"{event.actor_label} wrote this invoice"
    )


def _method(event: Event) -> str:
    return str(event.data.get("method", "other means")).replace("_", " ")


def _canceled(event: Event) -> str:
    reasons = {
        "invoice_paid": f"The request for {_amount(event)} was canceled, because the invoice was paid in full",
        "invoice_voided": f"The request for {_amount(event)} was canceled with the invoice",
        "invoice_changed": f"The request for {_amount(event)} was canceled, because the invoice changed",
        "offline_payment": f"The request for {_amount(event)} was canceled by an offline payment",
        "replaced": f"The request for {_amount(event)} was replaced by another",
    }
    by_member = f"{event.actor_label} canceled the request for {_amount(event)}"
    return reasons.get(event.data.get("reason", ""), by_member)


def _unknown(event: Event) -> str:
    return f"{event.type.replace('.', ' ').replace('_', ' ').capitalize()} ({event.actor_label})"


_SENTENCES: dict[str, Callable[[Event], str]] = {
    "invoice.created": _created,
    "invoice.deposit_allocated": lambda event: (
        f"The deposit of {_amount(event)} from {event.data['number']} was put on this invoice"
    ),
    "invoice.edited": lambda event: f"{event.actor_label} changed this invoice",
    "invoice.sent": lambda event: f"{event.actor_label} sent the invoice to {_to(event)}",
    "invoice.resent": lambda event: f"{event.actor_label} sent the invoice again to {_to(event)}",
    "invoice.opened": lambda event: f"{event.actor_label} opened the invoice",
    "invoice.paid": lambda event: "The invoice is paid in full",
    "invoice.voided": lambda event: f"{event.actor_label} voided the invoice",
    "invoice.reopened": lambda event: "The invoice is due again",
    "invoice.written_off": lambda event: f"{event.actor_label} wrote the invoice off",
    "quote.created": lambda event: f"{event.actor_label} wrote this quote",
    "quote.edited": lambda event: f"{event.actor_label} changed this quote",
    "quote.sent": lambda event: f"{event.actor_label} sent the quote to {_to(event)}",
    "quote.resent": lambda event: f"{event.actor_label} sent the quote again to {_to(event)}",
    "quote.opened": lambda event: f"{event.actor_label} opened the quote",
    "quote.accepted": lambda event: f"{event.data['name']} accepted the quote",
    "quote.declined": lambda event: f"{event.actor_label} declined the quote",
    "quote.expired": lambda event: "The quote expired: its last day is over",
    "quote.invoiced": lambda event: f"{event.actor_label} made an invoice of this quote",
    "payment.recorded": lambda event: (
        f"{event.actor_label} recorded the deposit of {_amount(event)}, paid by {_method(event)}"
    ),
    "payment_request.sent": lambda event: f"{event.actor_label} requested {_amount(event)} from {_to(event)}",
    "payment_request.resent": lambda event: (
        f"{event.actor_label} sent the payment link again to {_to(event)}"
    ),
    "payment_request.opened": lambda event: f"{event.actor_label} opened the payment link",
    "payment_request.paid": lambda event: f"The request for {_amount(event)} was paid",
    "payment_request.expired": lambda event: f"The request for {_amount(event)} expired",
    "payment_request.canceled": _canceled,
    "payment.started": lambda event: f"{event.actor_label} started to pay {_amount(event)}",
    "payment.declined": lambda event: f"A payment of {_amount(event)} was declined",
    "payment.processing": lambda event: f"A payment of {_amount(event)} is being processed by the bank",
    "payment.succeeded": lambda event: f"{_amount(event)} was paid",
    "payment.failed": lambda event: f"The payment of {_amount(event)} failed; nothing was taken",
    "payment.canceled": lambda event: f"The payment of {_amount(event)} was closed; nothing was taken",
    "mail.failed": lambda event: f"A mail to {_to(event)} could not be delivered",
}
_UNTOLD = frozenset({"payment.authorized", "payment.capturing", "payment.releasing", "payment.closing"})
_TONES = {
    "payment_request.sent": "ring",
    "payment.succeeded": "green",
    "payment_request.paid": "green",
    "invoice.paid": "green",
    "invoice.deposit_allocated": "green",
    "payment.recorded": "green",
    "quote.sent": "ring",
    "quote.accepted": "green",
    "quote.declined": "amber",
    "payment.declined": "amber",
    "payment.failed": "amber",
    "mail.failed": "amber",
}
