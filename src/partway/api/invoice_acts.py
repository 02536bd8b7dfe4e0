"""Acts on a whole invoice: send, resend, void, write off, reopen, and settle its rest."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from ninja import Body, Router
from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from partway.accounts.permissions import Permission
from partway.billing.documents import invoices, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan, Way
from partway.billing.errors import Invalid, field_error
from partway.billing.models.adjustments import CHOSEN_REASONS
from partway.billing.models.refunds import RefundReason
from partway.billing.receivables import settlements, write_offs
from partway.billing.receivables.settlements import Settlement
from partway.lib.money import Money

from .access import KeyRequest, call, lacking
from .objects import Invoice, fresh_invoice, get_invoice
from .payment_objects import get_payment
from .schemas import Amount, Day, Id, Input, shown_as

router = Router(tags=["Invoices"])

SettleReason = StrEnum("SettleReason", {reason.upper(): reason for reason in CHOSEN_REASONS})  # type: ignore[misc]


class Versioned(Input):
    """The version of the invoice as it was read; with it, an invoice that was changed since is left alone."""

    model_config = shown_as(version=1)

    version: StrictInt | None = None


class Sending(Versioned):
    """Whether the invoice may be overdue at once."""

    allow_overdue: StrictBool = False


class WriteOff(Versioned):
    """The amount due as it was read; with it, an invoice that was paid since is left alone."""

    model_config = shown_as(amount_due=4_000)

    amount_due: Amount | None = None


class PaymentOutcome(Input):
    """Where the money of a payment goes when its invoice is voided.

    amount: what of it is on the invoice, as it was read. way: back through the payment service, given back by hand
    (then method, refunded_on and reference say how), or to the customer's credit.
    """

    amount: Amount
    way: Way
    method: str = ""
    refunded_on: Annotated[Day | None, Field(description="By default today.")] = None
    reference: str = ""

    @model_validator(mode="after")
    def _says_how_outside_only(self) -> Self:
        if self.way != Way.OUTSIDE and self.model_fields_set & {"method", "refunded_on", "reference"}:
            raise PydanticCustomError(
                "only_with", "method, refunded_on and reference are taken with the way `outside` only."
            )
        return self


class Voiding(Versioned):
    """The way of each payment on an invoice, by its id; none where nothing is paid.

    reason, note: of the refunds among them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "payments": {"pay_06c5x2c2f6m0tqk3t0m2v8b1sg": {"amount": 30000, "way": "gateway"}},
                    "reason": "canceled",
                }
            ]
        }
    )

    payments: dict[Id, PaymentOutcome] = {}
    reason: RefundReason | None = None
    note: str = ""


class SettledRest(Input):
    """Why the rest needs no payment.

    amount_due: as it was read; another one refuses the call. confirm_large: more than a small part of the invoice is
    meant; takes a key of the scope admin.
    """

    model_config = shown_as(reason="fee", amount_due=150)

    reason: SettleReason
    note: str = ""
    amount_due: Amount | None = None
    confirm_large: Annotated[StrictBool, Field(description="A large rest is meant.")] = False


NOTHING = Input()
NO_VERSION, NO_SENDING, NO_WRITE_OFF, NO_PAYMENTS = Versioned(), Sending(), WriteOff(), Voiding()


@call(router, "POST", "/{invoice_id}/send", permission=Permission.SEND_INVOICES, returns=Invoice)
def send(request: KeyRequest, invoice_id: Id, body: Body[Sending] = NO_SENDING) -> Invoice:
    """Sends a draft: it gets its number, and the customer a mail with the link to its page."""
    caller = request.caller
    invoices.send(
        get_invoice(caller, invoice_id),
        expected_version=body.version,
        allow_overdue=body.allow_overdue,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice_id)


@call(router, "POST", "/{invoice_id}/resend", permission=Permission.SEND_INVOICES, returns=Invoice)
def resend(request: KeyRequest, invoice_id: Id, body: Body[Input] = NOTHING) -> Invoice:
    """Mails the link of a sent invoice again."""
    caller = request.caller
    invoices.resend(
        get_invoice(caller, invoice_id),
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice_id)


@call(router, "POST", "/{invoice_id}/void", permission=Permission.VOID_INVOICES, returns=Invoice)
def void(request: KeyRequest, invoice_id: Id, body: Body[Voiding] = NO_PAYMENTS) -> Invoice:
    """Voids an invoice; its open payment request is canceled.

    Of one that was paid, `payments` says where each payment on it goes. A refund through the payment service can be
    pending for days; one that fails becomes credit. The refunds are on their payments.
    """
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    shared: dict[str, Any] = {"by": caller.actor, "now": caller.now}
    if not body.payments:
        key = caller.one_time_key
        if given := body.model_fields_set & {"reason", "note"}:
            raise Invalid({name: field_error("only_with", other="payments") for name in given})
        invoices.void(invoice, expected_version=body.version, idempotency_key=key, **shared)
        return fresh_invoice(caller, invoice_id)
    needed = {voiding.PERMISSIONS[each.way] for each in body.payments.values()}
    if not needed <= caller.permissions:
        raise lacking(*needed)
    plan = VoidPlan(
        standing={get_payment(caller, pk).pk: each.amount for pk, each in body.payments.items()},
        outcomes={pk: Outcome(**each.model_dump(exclude={"amount"})) for pk, each in body.payments.items()},
        reason=body.reason or "",
        note=body.note,
        idempotency_key=caller.one_time_key,
    )
    version = invoice.version if body.version is None else body.version
    voiding.void_paid(invoice, plan=plan, expected_version=version, **shared)
    return fresh_invoice(caller, invoice_id)


@call(router, "POST", "/{invoice_id}/write_off", permission=Permission.WRITE_OFF_INVOICES, returns=Invoice)
def write_off(request: KeyRequest, invoice_id: Id, body: Body[WriteOff] = NO_WRITE_OFF) -> Invoice:
    """Gives up on what is still due; its open payment request is canceled."""
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    due = None if body.amount_due is None else Money(body.amount_due, invoice.currency)
    write_offs.write_off(
        invoice,
        expected_version=body.version,
        expected_amount_due=due,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice_id)


@call(router, "POST", "/{invoice_id}/reopen", permission=Permission.WRITE_OFF_INVOICES, returns=Invoice)
def reopen(request: KeyRequest, invoice_id: Id, body: Body[Versioned] = NO_VERSION) -> Invoice:
    """Takes a write-off back."""
    caller = request.caller
    write_offs.reopen(
        get_invoice(caller, invoice_id),
        expected_version=body.version,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return fresh_invoice(caller, invoice_id)


@call(router, "POST", "/{invoice_id}/settle", permission=Permission.SETTLE_INVOICES, returns=Invoice)
def settle(request: KeyRequest, invoice_id: Id, body: SettledRest) -> Invoice:
    """Closes the small rest of an invoice that needs no payment, such as a bank fee; it is paid then."""
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    due = None if body.amount_due is None else Money(body.amount_due, invoice.currency)
    if body.confirm_large and Permission.WRITE_OFF_INVOICES not in caller.permissions:
        raise lacking(Permission.WRITE_OFF_INVOICES)
    settlement = Settlement(
        reason=body.reason,
        note=body.note.strip(),
        is_large_confirmed=body.confirm_large,
        idempotency_key=caller.one_time_key,
    )
    settlements.settle(
        invoice, settlement=settlement, expected_amount_due=due, by=caller.actor, now=caller.now
    )
    return fresh_invoice(caller, invoice_id)
