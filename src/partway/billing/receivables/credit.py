"""Computes a customer's credit, applies it to an invoice, and moves payments from an invoice to it (DESIGN M2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib.money import Money

from .. import events
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, InvoiceNotSent, field_error
from ..events import Actor
from ..ledger import allocations
from ..models import Customer, Event, Invoice, Payment
from ..models.payments import PaymentQuerySet
from . import amount_due


def payments_with_credit(customer: Customer) -> PaymentQuerySet:
    """Returns the customer's payments with an unallocated part that is credit, oldest first.

    What an open dispute freezes is none until it is won. A deposit that waits for the invoice of its quote is reserved
    for it, so it is not credit (DESIGN D2).
    """
    payments = Payment.objects.with_spendable().of_customer(customer)
    return payments.without_waiting_deposits().order_by("settled_at", "pk")


def balances(customer: Customer) -> list[Money]:
    """Returns the customer's credit in each currency that has some, ordered by currency code."""
    return sum_by_currency(payments_with_credit(customer))


def frozen_balances(customer: Customer) -> list[Money]:
    """Returns what open disputes freeze of the customer's money on no invoice, in each currency that has some."""
    frozen: dict[str, int] = defaultdict(int)
    payments = Payment.objects.of_customer(customer).filter(frozen_minor__gt=0)
    for payment in payments.without_waiting_deposits():
        frozen[payment.captured_currency] += payment.unallocated_minor - payment.spendable_minor
    return [Money(amount, currency) for currency, amount in sorted(frozen.items()) if amount]


def available_credit(invoice: Invoice) -> Money:
    """Returns the customer's credit in the invoice's currency, whatever is due on the invoice."""
    payments = payments_with_credit(invoice.customer).filter(captured_currency=invoice.currency)
    return next(iter(sum_by_currency(payments)), Money(0, invoice.currency))


def sum_by_currency(payments: Iterable[Payment]) -> list[Money]:
    """Returns the sum of credit of these payments per currency."""
    sums: dict[str, int] = defaultdict(int)
    for payment in payments:
        # In the currency that was captured, which can differ from the one that was asked for (M4).
        sums[payment.captured_currency] += payment.spendable_minor
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def unavailable_reason(invoice: Invoice) -> InvoiceNotSent | None:
    """Returns the error that `apply` raises now for any amount, or None."""
    if invoice.status in allocations.ALLOCATABLE_STATUSES:
        return None
    return InvoiceNotSent(reason=f"credit_on_{invoice.status}")


@needs(Permission.APPLY_CREDIT)
@closes_checkouts
def apply(
    invoice: Invoice, *, amount: Money, by: Actor, now: datetime, idempotency_key: str | None = None
) -> Event:
    """Allocates credit of the customer to an invoice, oldest first; cancels a request that no longer fits (R7).

    The same `idempotency_key` again returns the event it caused (P8), or raises Conflict when invoice or amount differ.
    Raises InvoiceNotSent, Invalid on `amount` when it is more than is due or more than the credit, PaymentInProgress
    when a committed payment would no longer fit.
    """
    # Locks the customer first: no other act may spend the same credit at the same moment.
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    by_key = Event.objects.filter(organization=invoice.organization_id, idempotency_key=idempotency_key)
    if idempotency_key and (previous := by_key.first()):
        if previous.invoice_id != invoice.pk or previous.data.get("amount_minor") != amount.amount_minor:
            raise Conflict(reason="credit_form_used")
        return previous
    if not_allowed := unavailable_reason(invoice):
        raise not_allowed
    if wrong := _amount_error(invoice, amount):
        raise Invalid({"amount": wrong})
    # Oldest first, as accountants expect. Ties are broken by id, so that a repeat spends the same payments.
    left, parts = amount.amount_minor, {}
    for payment in payments_with_credit(invoice.customer).filter(captured_currency=invoice.currency):
        part = min(left, payment.spendable_minor)
        if part:
            allocations.allocate(payment, invoice, part, cause="credit", now=now)
            parts[payment.pk] = part
            left -= part
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "payments": parts}
    event = events.record(
        "credit.applied", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    reason = "invoice_paid" if invoice.amount_due_minor == 0 else "invoice_changed"
    amount_due.apply_effects(invoice, reason=reason, by=by, now=now)
    return event


def _amount_error(invoice: Invoice, amount: Money) -> FieldError | None:
    if amount.currency != invoice.currency:
        return field_error("currency_mismatch", currency=invoice.currency)
    if amount.amount_minor <= 0:
        return field_error("amount_too_small")
    if invoice.amount_due < amount:
        return field_error("amount_exceeds_due", due=invoice.amount_due)
    available = available_credit(invoice)
    return field_error("amount_exceeds_credit", credit=available) if available < amount else None


@needs(Permission.RELEASE_CREDIT)
@transaction.atomic(durable=True)
def deallocate(
    invoice: Invoice, payment: Payment, *, by: Actor, now: datetime, idempotency_key: str | None = None
) -> Money:
    """Moves what this payment has paid on the invoice to the customer's credit, and returns how much that was.

    It is due again on the invoice, which is written off again if it was before it was paid. Frees an invoice of its
    deposit before it is voided (DESIGN D2). The same `idempotency_key` again changes nothing (P8). Raises Conflict when
    nothing of the payment is allocated to the invoice.
    """
    # The order of locks is customer, then invoice, as in `apply`; the other way round the two could deadlock.
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    if previous := events.caused_by(invoice.organization_id, idempotency_key):
        return Money(previous.data["amount_minor"], previous.data["currency"])
    payment = Payment.objects.get(pk=payment.pk)
    amount = Money(allocations.allocated_amount(payment, invoice), invoice.currency)
    if not amount:
        raise Conflict(reason="nothing_allocated")
    allocations.deallocate(payment, invoice, amount.amount_minor, cause="released", now=now)
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "payment": payment.pk}
    events.record("credit.released", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key)
    amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now, restores_write_off=True)
    return amount
