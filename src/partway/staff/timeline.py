"""Events as sentences: what happened, and by whom, in words a bookkeeper would use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from partway.billing.documents import versions
from partway.billing.models import Event
from partway.delivery.receipt_figures import method_label
from partway.lib.money import Money


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event in words; `detail` is what somebody may want to know besides, `version` the one it replaced, if any."""

    message: str
    at: datetime
    tone: str  # of its dot: green for money and its asking, amber for what went wrong, soft for the rest
    detail: str = ""
    version: int = 0


def entries(events: Iterable[Event]) -> list[TimelineEntry]:
    """The events in words, in their order; steps of a checkout that mean nothing to a person are left out."""
    return [told for event in events if (told := _entry(event))]


def _entry(event: Event) -> TimelineEntry | None:
    if event.type in _HIDDEN_TYPES:
        return None
    replaced = versions.before(event)
    return TimelineEntry(
        message=message(event),
        at=event.created_at,
        tone=_TONES.get(event.type, "soft"),
        detail=detail(event),
        version=replaced.version if replaced else 0,
    )


def message(event: Event) -> str:
    """What happened, as a sentence."""
    return _SENTENCES.get(event.type, _unknown)(event)


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


def detail(event: Event) -> str:
    """What somebody may want to know besides; empty for most."""
    if event.type == "organization.changed":
        return _differences(event.data)
    if event.type == "invoice.edited":
        return _edited(event.data)
    if event.type in ("alert.resolved", "payment.declined", "payment.failed", "mail.failed"):
        return str(event.data.get("message", ""))
    if event.type == "payment_request.sent" and event.payment_request:
        return event.payment_request.note
    if event.type == "payment.recorded" and event.payment:
        return " · ".join(filter(None, (event.payment.reference, event.payment.note)))
    if event.type in ("quote.declined", "payment.reversed"):
        return str(event.data.get("reason", ""))
    return ""


def _edited(data: dict[str, Any]) -> str:
    """The totals, where they differ, and what became credit."""
    before, parts = data.get("before"), []
    if before and before["total_minor"] != data["total_minor"]:
        was = Money(before["total_minor"], before["currency"])
        parts.append(f"Total {was} → {Money(data['total_minor'], data['currency'])}")
    if data.get("credited_minor"):
        parts.append(f"{Money(data['credited_minor'], data['currency'])} became the customer’s credit")
    return "; ".join(parts)


def _created(event: Event) -> str:
    quote = event.data.get("number")
    return (
        f"{event.actor_label} made this invoice of {quote}"
        if quote
        else f"{event.actor_label} wrote the invoice"
    )


def _given_up(event: Event) -> str:
    return f"{_amount(event)} of the invoice" if "amount_minor" in event.data else "the invoice"


def _what(event: Event) -> str:
    return "the deposit" if event.quote_id else "a payment"


def _method(event: Event) -> str:
    return method_label(str(event.data.get("method", "other means")))


def _differences(data: dict[str, Any]) -> str:
    """Each changed setting with what it was and what it is, as far as the event knows."""
    before, after = data.get("before", {}), data.get("after", {})
    parts = []
    for name, old in before.items():
        new = f" → {_value(after[name])}" if name in after else ""
        parts.append(f"{name.replace('_', ' ')}: {_value(old)}{new}")
    return "; ".join(parts)


def _value(value: object) -> str:
    text = " ".join(str(value).split())
    return f"“{text[:80]}”" if text else "nothing"


def _person(event: Event) -> str:
    return str(event.data.get("name") or event.data.get("email", "somebody"))


def _was(event: Event) -> str:
    return str(event.data.get("before", {}).get("name", "Somebody"))


def _role(event: Event) -> str:
    return str(event.data.get("role", "a new role"))


def _canceled(event: Event) -> str:
    reasons = {
        "invoice_paid": f"The request for {_amount(event)} was canceled, because the invoice was paid in full",
        "invoice_voided": f"The request for {_amount(event)} was canceled with the invoice",
        "invoice_written_off": f"The request for {_amount(event)} was canceled with the invoice",
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
    "invoice.edited": lambda event: f"{event.actor_label} changed the invoice",
    "invoice.sent": lambda event: f"{event.actor_label} sent the invoice to {_to(event)}",
    "invoice.resent": lambda event: f"{event.actor_label} sent the invoice again to {_to(event)}",
    "invoice.opened": lambda event: f"{event.actor_label} opened the invoice",
    "invoice.paid": lambda event: "The invoice is paid in full",
    "invoice.voided": lambda event: f"{event.actor_label} voided the invoice",
    "invoice.reopened": lambda event: (
        f"{event.actor_label} reopened the invoice"
        if event.data.get("from") == "written_off"
        else "The invoice is due again"
    ),
    "invoice.written_off": lambda event: f"{event.actor_label} wrote off {_given_up(event)}",
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
        f"{event.actor_label} recorded {_what(event)} of {_amount(event)} ({_method(event)})"
    ),
    "payment.reversed": lambda event: f"{event.actor_label} reversed {_what(event)} of {_amount(event)}",
    "credit.applied": lambda event: f"{event.actor_label} put {_amount(event)} of credit on the invoice",
    "credit.released": lambda event: f"{event.actor_label} moved {_amount(event)} to the customer’s credit",
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
    "payment.authorized": lambda event: f"The card was authorized for {_amount(event)}",
    "payment.capturing": lambda event: f"Partway decided to take {_amount(event)}",
    "payment.releasing": lambda event: f"Partway decided to let go of {_amount(event)}",
    "payment.closing": lambda event: f"The checkout for {_amount(event)} is being closed",
    "payment.processing": lambda event: f"A payment of {_amount(event)} is being processed by the bank",
    "payment.succeeded": lambda event: f"{_amount(event)} was paid",
    "payment.failed": lambda event: f"The payment of {_amount(event)} failed; nothing was taken",
    "payment.canceled": lambda event: f"The payment of {_amount(event)} was closed; nothing was taken",
    "mail.failed": lambda event: f"A mail to {_to(event)} could not be delivered",
    "alert.resolved": lambda event: f"{event.actor_label} dealt with what needed attention",
    "customer.created": lambda event: f"{event.actor_label} added a customer",
    "customer.changed": lambda event: f"{event.actor_label} changed a customer",
    "organization.created": lambda event: f"{event.actor_label} started the organization",
    "organization.changed": lambda event: f"{event.actor_label} changed the settings",
    "organization.logo_changed": lambda event: f"{event.actor_label} changed the logo",
    "organization.logo_removed": lambda event: f"{event.actor_label} removed the logo",
    "organization.payments_enabled": lambda event: f"{event.actor_label} switched online payments on",
    "organization.payments_disabled": lambda event: f"{event.actor_label} switched online payments off",
    "organization.gateway_connected": lambda event: (
        f"{event.actor_label} connected {event.data.get('gateway', 'a payment service')}"
    ),
    "member.added": lambda event: f"{event.actor_label} added {_person(event)} as {_role(event)}",
    "member.invited": lambda event: f"{event.actor_label} invited {_person(event)} as {_role(event)}",
    "member.invitation_resent": lambda event: f"{event.actor_label} invited {_person(event)} once more",
    "member.invitation_withdrawn": lambda event: (
        f"{event.actor_label} withdrew the invitation of {_person(event)}"
    ),
    "member.joined": lambda event: f"{_person(event)} joined as {_role(event)}",
    "member.role_changed": lambda event: f"{event.actor_label} made {_person(event)} {_role(event)}",
    "member.removed": lambda event: f"{event.actor_label} removed {_person(event)}",
    "member.renamed": lambda event: f"{_was(event)} goes by the name {_person(event)} now",
    "member.password_changed": lambda event: f"{_person(event)} changed their password",
    "member.password_reset": lambda event: f"{_person(event)} set a new password by mail",
    "member.two_factor_on": lambda event: f"{_person(event)} switched two-factor sign-in on",
    "member.two_factor_off": lambda event: f"{_person(event)} switched two-factor sign-in off",
    "member.two_factor_reset": lambda event: (
        f"{event.actor_label} switched the two-factor sign-in of {_person(event)} off"
    ),
    "member.recovery_codes_made": lambda event: f"{_person(event)} made new recovery codes",
    "member.sessions_ended": lambda event: f"{_person(event)} ended their other sessions",
}
_HIDDEN_TYPES = frozenset({"payment.authorized", "payment.capturing", "payment.releasing", "payment.closing"})
_TONES = {
    "payment_request.sent": "ring",
    "payment.succeeded": "green",
    "payment_request.paid": "green",
    "invoice.paid": "green",
    "invoice.deposit_allocated": "green",
    "payment.recorded": "green",
    "payment.reversed": "amber",
    "credit.applied": "green",
    "quote.sent": "ring",
    "quote.accepted": "green",
    "quote.declined": "amber",
    "payment.declined": "amber",
    "payment.failed": "amber",
    "mail.failed": "amber",
}
