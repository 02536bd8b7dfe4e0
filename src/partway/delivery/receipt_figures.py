"""What a payment really paid, as it stood when it came in; the same figures on the page and in the mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from partway.accounts.models import default_payment_modes
from partway.billing.models import Allocation, Invoice, Payment
from partway.billing.models.payments import AllocationCause
from partway.lib.clock import today
from partway.lib.money import Money


@dataclass(frozen=True, slots=True)
class Receipt:
    """The figures of one payment as it came in; all but what was captured are in the invoice's currency."""

    captured: Money  # what the gateway took
    applied: Money  # of that, what was put against the invoice
    total: Money
    paid_before: Money
    paid_on: date  # where the organization is
    method: str  # in words, as “Bank debit”
    method_in_sentence: str  # the same within a sentence: “bank debit”, but “PayPal” as the owner wrote it
    noun: str  # what it paid: invoice, or a quote's deposit

    @property
    def paid(self) -> Money:
        """Paid on the invoice, this payment included."""
        return self.paid_before + self.applied

    @property
    def left(self) -> Money:
        """Still due after this payment."""
        return self.total - self.paid

    @property
    def surplus(self) -> Money | None:
        """What was taken and fits nowhere: the customer's credit. None when everything was applied."""
        if self.captured.currency != self.applied.currency:
            return self.captured
        return self.captured - self.applied or None

    @property
    def surplus_explanation(self) -> str:
        """Why the surplus fits nowhere, as a sentence; empty when there is none."""
        if not self.surplus:
            return ""
        if self.captured.currency != self.applied.currency:
            return f"{self.surplus} was taken in another currency than this {self.noun}’s."
        is_deposit = self.noun == "quote"
        if self.applied:
            asked = "the deposit of this quote" if is_deposit else "this invoice could take"
            return f"{self.surplus} of it was more than {asked}."
        if is_deposit:
            return f"{self.surplus} could not be taken as the deposit of this quote."
        return f"{self.surplus} came when it was no longer asked for."


class PaymentHistoryRow(NamedTuple):
    """One payment's part of an invoice: when and how it came, or when and why it was taken off again."""

    on: date
    method: str
    amount: Money


def payment_history(invoice: Invoice) -> list[PaymentHistoryRow]:
    """What was put against this invoice, oldest first; what was taken off again is negative."""
    zone = invoice.organization.time_zone
    rows = (
        Allocation.objects.filter(invoice=invoice)
        .select_related("payment__quote")
        .order_by("created_at", "id")
    )
    return [
        PaymentHistoryRow(_day(row, zone), _called(row), Money(row.amount_minor, row.currency))
        for row in rows
    ]


def _day(row: Allocation, zone: str) -> date:
    """Where the organization is; a payment carries the day it was made, which may be before it was recorded."""
    came_on = row.payment.paid_on if row.cause == AllocationCause.PAYMENT else None
    return came_on or today(row.created_at, zone)


# What is said after the name of a payment, where it did not simply pay.
_CAUSE_SUFFIX = {
    AllocationCause.CREDIT: ", from credit",
    AllocationCause.REVERSED: " reversed",
    AllocationCause.EDITED: ", moved to credit",
    AllocationCause.RELEASED: ", moved to credit",
}


def _called(row: Allocation) -> str:
    quote = row.payment.quote
    name = f"deposit of {quote.number}" if quote else method_label(row.payment.method)
    return f"{name}{_CAUSE_SUFFIX.get(AllocationCause(row.cause), '')}"


def reversed_on(payment: Payment) -> date:
    """The day on which a reversed payment was taken back, where the organization is."""
    moments = payment.events.filter(type="payment.reversed").values_list("created_at", flat=True)
    return today(moments.get(), payment.organization.time_zone)


def receipt(payment: Payment) -> Receipt:
    """The receipt of a payment that came in, which later payments do not change; ValueError for others."""
    captured = payment.captured
    if captured is None or payment.settled_at is None:
        raise ValueError(f"{payment.id} took no money, so there is no receipt")
    before, applied = _paid_before_and_applied(payment)
    return Receipt(
        captured=captured,
        applied=applied,
        total=_total_at_booking(payment),
        paid_before=before,
        paid_on=payment.paid_on or today(payment.settled_at, payment.organization.time_zone),
        method=method_label(payment.method),
        noun="invoice" if payment.invoice_id else "quote",
        method_in_sentence=_in_a_sentence(payment.method),
    )


def method_label(method: str) -> str:
    """A method as people say it: `bank_debit` is “Bank debit”; a mode in an owner's own words stays as it is."""
    return f"{method[:1].upper()}{method[1:]}".replace("_", " ")


def _in_a_sentence(method: str) -> str:
    words = method_label(method)
    return words.lower() if method.islower() or method in default_payment_modes() else words


def _total_at_booking(payment: Payment) -> Money:
    """The document's total when the payment came in, as the event of that moment says; it may be edited later."""
    return Money(
        _booking_data(payment).get("total_minor", payment.document.total_minor), payment.document.currency
    )


def _booking_data(payment: Payment) -> dict[str, int]:
    moments = payment.events.filter(type__in=["payment.succeeded", "payment.recorded"])
    return moments.values_list("data", flat=True).first() or {}


def _paid_before_and_applied(payment: Payment) -> tuple[Money, Money]:
    """Paid on the document before this payment, and what of it was put there."""
    if payment.invoice is None:
        return _deposit(payment)
    invoice, then = payment.invoice, _booking_data(payment)
    if "allocated_minor" in then:  # what was put elsewhere, or taken off, later is no part of this receipt
        before, applied = then["paid_before_minor"], then["allocated_minor"]
        return Money(before, invoice.currency), Money(applied, invoice.currency)
    rows = list(Allocation.objects.filter(invoice=invoice).order_by("created_at", "id"))
    place = next((index for index, row in enumerate(rows) if row.payment_id == payment.id), None)
    if place is None:
        # All of it became credit: what stood on the invoice when the payment settled.
        earlier = [row for row in rows if payment.settled_at and row.created_at <= payment.settled_at]
        return _sum(earlier, invoice.currency), Money(0, invoice.currency)
    return _sum(rows[:place], invoice.currency), _sum(rows[place : place + 1], invoice.currency)


def _deposit(payment: Payment) -> tuple[Money, Money]:
    """A deposit is the first that is paid of a quote; it waits for the invoice made from it."""
    currency = payment.document.currency
    return Money(0, currency), Money(_booking_data(payment).get("deposit_minor", 0), currency)


def _sum(rows: list[Allocation], currency: str) -> Money:
    return Money(sum(row.amount_minor for row in rows), currency)
