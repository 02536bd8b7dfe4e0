"""The account of a customer: credit and statement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.receivables import credit, refunds, statements
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from .access import KeyRequest, call, get_customer, get_own_or_404
from .objects import Invoice, fresh_invoice
from .payment_objects import (
    Refund,
    get_payment,
    shown_refund,
)
from .schemas import Amount, Currency, Day, Id, Input, MoneyAmount, PeriodFilters, shown_as

router = Router(tags=["Customer accounts"])


class Credit(BaseModel):
    """Money of a customer that is on no invoice, in each currency that has some.

    frozen: what open disputes keep from being used.
    """

    available: list[MoneyAmount]
    frozen: list[MoneyAmount]


class CreditToApply(Input):
    """How much of the customer's credit goes to an invoice, in minor units of the invoice's currency."""

    model_config = shown_as(invoice="inv_06c5x2c2jvmq1hb7j83qrbvb02", amount=30_000)

    invoice: Id
    amount: Amount


class PaymentToRelease(Input):
    """The payment whose part on an invoice becomes credit, and that invoice."""

    model_config = shown_as(
        invoice="inv_06c5x2c2jvmq1hb7j83qrbvb02", payment="pay_06c5x2d8q4m1kz7h2v9rstw3na"
    )

    invoice: Id
    payment: Id


class CreditRefundInput(Input):
    """Credit that was given back by hand: how much, how, and on which day; by default today."""

    model_config = shown_as(amount=30_000, currency="USD", method="Cash", refunded_on="2026-11-30")

    amount: Amount
    currency: Currency
    method: str
    refunded_on: Day | None = None
    reference: str = ""
    note: str = ""


class Refunds(BaseModel):
    """The refunds of the payments that the credit came from, the oldest first."""

    data: list[Refund]


class StatementRow(BaseModel):
    """One change of what the customer owes; `balance` is what it is then."""

    day: date
    at: datetime
    kind: str
    amount: int
    balance: int
    invoice: str | None
    quote: str | None
    number: str | None
    due_on: date | None
    detail: str
    reference: str


class Statement(BaseModel):
    """The account of a customer in a period, in minor units of its currency.

    opening, closing: the balance before the first and after the last day. due, overdue, credit: at the end of `as_of`.
    """

    model_config = ConfigDict(populate_by_name=True)

    customer: str
    currency: str
    since: Annotated[date, Field(alias="from")]
    until: Annotated[date, Field(alias="to")]
    as_of: date
    opening: int
    closing: int
    due: int
    overdue: int
    credit: int
    movements: list[StatementRow]


@call(
    router,
    "GET",
    "/customers/{customer_id}/credit",
    permission=Permission.VIEW_CUSTOMERS,
    returns=Credit,
)
def show_credit(request: KeyRequest, customer_id: Id) -> Credit:
    """Reads the credit of a customer."""
    customer = get_customer(request.caller, customer_id)
    return Credit(
        available=[MoneyAmount.of(money) for money in credit.balances(customer)],
        frozen=[MoneyAmount.of(money) for money in credit.frozen_balances(customer)],
    )


@call(
    router,
    "POST",
    "/customers/{customer_id}/credit/apply",
    permission=Permission.APPLY_CREDIT,
    returns=Invoice,
)
def apply_credit(request: KeyRequest, customer_id: Id, body: CreditToApply) -> Invoice:
    """Pays an invoice of the customer with their credit, the oldest first."""
    caller = request.caller
    customer = get_customer(caller, customer_id)
    invoice = get_own_or_404(caller, models.Invoice.objects.filter(customer=customer), body.invoice)
    credit.apply(
        invoice,
        amount=Money(body.amount, invoice.currency),
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice.pk)


@call(
    router,
    "POST",
    "/customers/{customer_id}/credit/release",
    permission=Permission.RELEASE_CREDIT,
    returns=Invoice,
)
def release_credit(request: KeyRequest, customer_id: Id, body: PaymentToRelease) -> Invoice:
    """Takes what a payment has paid off an invoice, where it is due again: it is the customer's credit then."""
    caller = request.caller
    customer = get_customer(caller, customer_id)
    invoice = get_own_or_404(caller, models.Invoice.objects.filter(customer=customer), body.invoice)
    credit.deallocate(
        invoice,
        get_payment(caller, body.payment),
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice.pk)


@call(
    router,
    "POST",
    "/customers/{customer_id}/credit/refunds",
    permission=Permission.REFUND_PAYMENTS,
    returns=Refunds,
    status=201,
)
def refund_credit(request: KeyRequest, customer_id: Id, body: CreditRefundInput) -> Refunds:
    """Records that credit was given back by hand, the oldest first."""
    caller = request.caller
    given_back = OutsideRefund(
        amount=Money(body.amount, body.currency),
        method=body.method,
        refunded_on=body.refunded_on or caller.day_of_call,
        reference=body.reference,
        note=body.note,
        idempotency_key=caller.one_time_key,
    )
    customer = get_customer(caller, customer_id)
    made = refunds.record(customer, refund=given_back, by=caller.actor, now=caller.now)
    return Refunds(data=[shown_refund(row) for row in made])


@call(
    router,
    "GET",
    "/customers/{customer_id}/statement",
    permission=Permission.VIEW_CUSTOMERS,
    returns=Statement,
)
def statement(request: KeyRequest, customer_id: Id, period: Query[PeriodFilters]) -> Statement:
    """Reads the account of a customer in a period: what was issued, paid and given back."""
    caller = request.caller
    customer = get_customer(caller, customer_id)
    with snapshot():
        found = statements.statement(
            customer,
            currency=period.currency or caller.organization.currency,
            since=period.since,
            until=period.until,
            now=caller.now,
        )
    return Statement(
        customer=customer.pk,
        currency=found.currency,
        since=found.since,
        until=found.until,
        as_of=found.as_of,
        opening=found.opening.amount_minor,
        closing=found.closing.amount_minor,
        due=found.due.amount_minor,
        overdue=found.overdue.amount_minor,
        credit=found.credit.amount_minor,
        movements=[
            StatementRow(
                day=row.day,
                at=row.at,
                kind=row.kind,
                amount=row.amount_minor,
                balance=row.balance_minor,
                invoice=row.document.pk if row.document.kind == "invoice" else None,
                quote=row.document.pk if row.document.kind == "quote" else None,
                number=row.document.number,
                due_on=row.due_on,
                detail=row.detail,
                reference=row.reference,
            )
            for row in found.movements
        ],
    )
