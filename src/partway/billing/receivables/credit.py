"""What a customer has paid and what stands on no invoice: seen, put against an invoice, and moved there from one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from partway.lib.money import Money

from .. import events
from ..checkouts import gateway_calls
from ..errors import Conflict, Invalid, InvoiceNotSent
from ..events import Actor
from ..ledger import allocations
from ..models import Customer, Event, Invoice, Payment
from ..models.payments import PaymentQuerySet
from . import amount_due

_NOT_OWED = {
    "draft": "Send the invoice first; then credit can be put on it.",
    "paid": "This invoice is paid. There is nothing left to put credit on.",
    "void": "This invoice is void. No credit can be put on it.",
}


def payments_with_credit(customer: Customer) -> PaymentQuerySet:
    """The payments of which something is the customer's credit, oldest first.

    A deposit that waits for the invoice of its quote is spoken for, so it is no credit (DESIGN D2).
    """
    theirs = Payment.objects.with_unallocated().filter(
        Q(invoice__customer=customer) | Q(quote__customer=customer)
    )
    waits = Q(accepted=True) & (Q(quote__status="accepted") | Q(quote__invoice__status="draft"))
    return theirs.exclude(waits).order_by("settled_at", "pk")


def balances(customer: Customer) -> list[Money]:
    """The customer's credit in each currency in which there is some, in the order of the currencies' codes."""
    return _sums(payments_with_credit(customer))


def _sums(payments: Iterable[Payment]) -> list[Money]:
    sums: dict[str, int] = defaultdict(int)
    for payment in payments:
        sums[payment.captured_currency] += (payment.captured_minor or 0) - payment.allocated_minor
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def unavailable_reason(invoice: Invoice) -> str:
    """What stands in the way of putting credit on this invoice, in words; empty when nothing does."""
    return _NOT_OWED.get(invoice.status, "")


def available_credit(invoice: Invoice) -> Money:
    """How much of the customer's credit could be put on this invoice, whatever is due on it."""
    theirs = payments_with_credit(invoice.customer).filter(captured_currency=invoice.currency)
    return next(iter(_sums(theirs)), Money(0, invoice.currency))


def apply(
    invoice: Invoice, *, amount: Money, by: Actor, now: datetime, idempotency_key: str | None = None
) -> Event:
    """Put credit of the customer on an invoice, the oldest first; an open request that no longer fits is canceled (R7).

    The same `idempotency_key` again answers with the event it caused (P8). Raises InvoiceNotSent, Invalid on `amount` when it
    is more than is due or more than the credit, PaymentInProgress when a payment under way would no longer fit.
    """
    event, to_close = _apply(invoice, amount, idempotency_key, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return event


@transaction.atomic(durable=True)
def _apply(
    invoice: Invoice, amount: Money, idempotency_key: str | None, by: Actor, now: datetime
) -> tuple[Event, Payment | None]:
    # First the customer: no other invoice may spend the same credit at the same moment.
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    owner = invoice.organization_id
    done = (
        idempotency_key and Event.objects.filter(organization=owner, idempotency_key=idempotency_key).first()
    )
    if done:
        return _same(done, invoice, amount), None
    if invoice.status in _NOT_OWED:
        raise InvoiceNotSent(_NOT_OWED[invoice.status])
    _check_amount(invoice, amount)
    parts = _spend(invoice, amount, now)
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "payments": parts}
    event = events.record(
        "credit.applied", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    reason = "invoice_paid" if invoice.amount_due_minor == 0 else "invoice_changed"
    return event, amount_due.apply_effects(invoice, reason=reason, by=by, now=now)


def _same(done: Event, invoice: Invoice, amount: Money) -> Event:
    """A form sent twice has put its credit already; the same key with another content is refused."""
    if done.invoice_id != invoice.pk or done.data.get("amount_minor") != amount.amount_minor:
        raise Conflict("This form was used already. Open it again to put more credit on an invoice.")
    return done


def _check_amount(invoice: Invoice, amount: Money) -> None:
    if amount.currency != invoice.currency:
        raise Invalid({"amount": f"This invoice is in {invoice.currency}."})
    if amount.amount_minor <= 0:
        raise Invalid({"amount": "Enter an amount above zero."}, code="amount_too_small")
    if invoice.amount_due < amount:
        message = f"Enter at most {invoice.amount_due}: no more is due."
        raise Invalid({"amount": message}, code="amount_exceeds_due")
    if available_credit(invoice) < amount:
        raise Invalid({"amount": f"Enter at most {available_credit(invoice)}: there is no more credit."})


def _spend(invoice: Invoice, amount: Money, now: datetime) -> dict[str, int]:
    """Take the amount from the oldest credit on; answers how much came from which payment, in minor units."""
    left, parts = amount.amount_minor, {}
    for payment in payments_with_credit(invoice.customer).filter(captured_currency=invoice.currency):
        part = min(left, (payment.captured_minor or 0) - payment.allocated_minor)
        if part:
            allocations.allocate(payment, invoice, part, cause="credit", now=now)
            parts[payment.pk] = part
            left -= part
    return parts


@transaction.atomic(durable=True)
def release(invoice: Invoice, payment: Payment, *, by: Actor, now: datetime) -> Money:
    """Move what of this payment stands on the invoice to the customer's credit; it is due again. Answers how much.

    So a deposit can be taken off an invoice that shall be voided (DESIGN D2). Raises Conflict when nothing of it stands
    there.
    """
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    payment = Payment.objects.get(pk=payment.pk)
    amount = Money(allocations.allocated_amount(payment, invoice), invoice.currency)
    if not amount:
        raise Conflict("Nothing of this payment stands on this invoice any more.")
    allocations.deallocate(payment, invoice, amount.amount_minor, cause="released", now=now)
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "payment": payment.pk}
    events.record("credit.released", invoice, by=by, now=now, data=data)
    amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
    return amount
