"""Voids an invoice that was paid: each payment on it is given back or becomes credit, in one act (DESIGN D3, M2).

void_paid ──> payments off the invoice, refunds as rows, invoice void: one transaction ──> the gateway is called
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from partway.accounts.permissions import Permission, needs
from partway.gateways.protocol import OutcomeUnknown
from partway.lib import clock
from partway.lib.money import Money

from .. import events, preconditions
from ..checkouts import gateway_calls
from ..checkouts.closing import closes_checkouts
from ..checkouts.gateway_calls import CallInProgress
from ..errors import Conflict, FieldError, Invalid, Stale, field_error
from ..events import Actor
from ..ledger import allocations
from ..models import Customer, Invoice, Payment, Quote, Refund
from ..payments import refunds as gateway_refunds
from ..payments.refunds import NewRefund
from ..receivables import amount_due, refund_effects
from ..receivables import refunds as outside_refunds
from ..receivables.refunds import OutsideRefund
from . import invoices


class Way(StrEnum):
    """Where the money of a payment goes: back through its gateway, back by hand, or to the customer's credit."""

    GATEWAY = "gateway"
    OUTSIDE = "outside"
    CREDIT = "credit"


# Besides voiding itself.
PERMISSIONS = {
    Way.GATEWAY: Permission.REFUND_PAYMENTS,
    Way.OUTSIDE: Permission.REFUND_PAYMENTS,
    Way.CREDIT: Permission.RELEASE_CREDIT,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The way of one payment; how, when and with which reference it was given back where that happened by hand."""

    way: str
    method: str = ""
    refunded_on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class VoidPlan:
    """The decision of a member about each payment on an invoice.

    standing: the minor units of each payment (by id) on the invoice, as the page showed them.
    outcomes: the outcome of each of these payments. reason, note: of the refunds among them.
    """

    standing: Mapping[str, int]
    outcomes: Mapping[str, Outcome]
    reason: str = ""
    note: str = ""
    idempotency_key: str | None = None

    @property
    def event_data(self) -> dict[str, Any]:
        """The plan as the event of the void says it, by which the same form is known again."""
        outcomes = {
            pk: {name: str(value) for name, value in asdict(one).items() if value}
            for pk, one in self.outcomes.items()
        }
        return {"outcomes": outcomes, "reason": self.reason, "note": self.note}

    def refund(self, payment: Payment, amount: Money, today: date) -> NewRefund | OutsideRefund | None:
        """Returns how this amount of a payment is given back, or None where it becomes credit."""
        outcome = self.outcomes[payment.pk]
        if outcome.way == Way.CREDIT:
            return None
        if outcome.way == Way.GATEWAY:
            return NewRefund(amount, self.reason, self.note, idempotency_key=self.idempotency_key)
        return OutsideRefund(
            amount,
            outcome.method,
            outcome.refunded_on or today,
            outcome.reference,
            self.note,
            idempotency_key=self.idempotency_key,
        )


def ways(payment: Payment, minor: int) -> tuple[Way, ...]:
    """Returns the ways that so much of a payment can go, in minor units.

    Only an online payment can go back through its gateway, and of that only what is no rest between two of its steps.
    """
    if payment.is_offline or minor % gateway_calls.step_of(payment).amount_minor:
        return (Way.OUTSIDE, Way.CREDIT)
    return tuple(Way)


def unavailable_reason(invoice: Invoice) -> Conflict | None:
    """Returns the error that `void_paid` raises now for any plan, whatever payment is under way, or None."""
    return None if invoice.status in ("sent", "paid") else Conflict(reason=f"void_{invoice.status}")


def check(
    invoice: Invoice, *, plan: VoidPlan, expected_version: int, now: datetime
) -> list[tuple[Payment, int]]:
    """Raises what `void_paid` raises about this plan now: Conflict, Stale with what changed, or Invalid (with fields).

    Returns the payments on the invoice, each with its minor units. A field is `payments.<id>.<name>` with a name of
    Outcome, or one of the plan's own.
    """
    if not_allowed := unavailable_reason(invoice):
        raise not_allowed
    preconditions.check_version(invoice, expected_version)
    standing = allocations.payments_on_invoice(invoice)
    if {payment.pk: minor for payment, minor in standing} != dict(plan.standing):
        expected = Money(sum(plan.standing.values()), invoice.currency)
        reason = "payments_changed" if expected == invoice.amount_paid else "amount_paid_changed"
        raise Stale(reason=reason, paid=invoice.amount_paid, expected=expected)
    if errors := _field_errors(invoice, plan, standing, now):
        raise Invalid(errors)
    return standing


def _field_errors(
    invoice: Invoice, plan: VoidPlan, standing: list[tuple[Payment, int]], now: datetime
) -> dict[str, FieldError | str]:
    errors: dict[str, FieldError | str] = {}
    today = clock.today(now, invoice.organization.time_zone)
    for payment, minor in standing:
        prefix, outcome = f"payments.{payment.pk}", plan.outcomes.get(payment.pk)
        wrong: Mapping[str, FieldError | str] = {}
        if outcome is None or outcome.way not in ways(payment, minor):
            wrong = {"way": field_error("void_way_missing")}
        elif outcome.way != Way.CREDIT and payment.refundable_minor < minor:
            # An open dispute decides about the rest; as credit it waits for that.
            wrong = {"way": field_error("void_way_disputed", left=refund_effects.refundable(payment))}
        else:
            match plan.refund(payment, Money(minor, invoice.currency), today):
                case NewRefund() as refund:
                    wrong = gateway_refunds.field_errors(refund, payment)
                case OutsideRefund() as refund:
                    wrong = outside_refunds.detail_errors(
                        refund, invoice.customer, payment, today, voided=invoice
                    )
        names = {"reason": "reason", "note": "note", "amount": f"{prefix}.way"}
        errors |= {names.get(name, f"{prefix}.{name}"): error for name, error in wrong.items()}
    return errors


@needs(Permission.VOID_INVOICES)
def void_paid(
    invoice: Invoice, *, plan: VoidPlan, expected_version: int, by: Actor, now: datetime
) -> list[Refund]:
    """Voids a sent or paid invoice, after each payment on it went the way that the plan names; returns the refunds.

    A refund through the gateway counts at once and is sent after the commit; one that fails then or days later makes
    credit, for its invoice is void. A settled rest is taken back, and no request revives (R4). The same
    `idempotency_key` again returns the refunds it began (P8), or raises Conflict when the plan differs. Raises what
    `check` raises, and PaymentInProgress while a payment is committed (D3).
    """
    running = clock.RunningClock(now)
    written, is_new = _book(invoice, plan=plan, expected_version=expected_version, by=by, now=now)
    if is_new:
        # The first one without an answer leaves the others to the worker: each call would wait as long.
        with suppress(OutcomeUnknown, CallInProgress):
            for row in written:
                if row.mode == "gateway":
                    gateway_refunds.send(row, now=running.now())
    return list(Refund.objects.filter(pk__in=[row.pk for row in written]).order_by("pk"))


@closes_checkouts
def _book(
    invoice: Invoice, *, plan: VoidPlan, expected_version: int, by: Actor, now: datetime
) -> tuple[list[Refund], bool]:
    """Books all of it in one transaction; returns the refunds, and whether they are new."""
    # The customer first: no other act may give back the credit of a payment here at the same moment. Then the quote
    # before its invoice, as everywhere.
    Customer.objects.locked(invoice.customer_id)
    quote = Quote.objects.locked(invoice.quote_id) if invoice.quote_id is not None else None
    invoice = Invoice.objects.locked(invoice.pk)
    if previous := events.caused_by(invoice.organization_id, plan.idempotency_key):
        if previous.invoice_id != invoice.pk or previous.data != {**previous.data, **plan.event_data}:
            raise Conflict(reason="void_form_used")
        return list(Refund.objects.filter(pk__in=previous.data["refunds"])), False
    standing = check(invoice, plan=plan, expected_version=expected_version, now=now)
    # Before the money moves: a committed payment raises here, and then nothing has happened (D3).
    amount_due.cancel_collection(invoice, reason="invoice_voided", by=by, now=now)
    refunds, locked = [], {invoice.pk: invoice}
    today = clock.today(now, invoice.organization.time_zone)
    for payment, minor in standing:
        match plan.refund(payment, Money(minor, invoice.currency), today):
            case NewRefund() as new:
                refunds.append(gateway_refunds.write(payment, new, locked, by=by, now=now, voided=invoice))
            case OutsideRefund() as given:
                refunds.append(
                    outside_refunds.write(payment, given, minor, locked, by=by, now=now, voided=invoice)
                )
            case None:
                allocations.deallocate(payment, invoice, minor, cause="released", now=now)
                data = {"amount_minor": minor, "currency": invoice.currency, "payment": payment.pk}
                events.record("credit.released", invoice, by=by, now=now, data=data)
    invoices.end_as_void(
        invoice,
        quote,
        by=by,
        now=now,
        data={**plan.event_data, "refunds": [row.pk for row in refunds]},
        idempotency_key=plan.idempotency_key,
    )
    return refunds, True
