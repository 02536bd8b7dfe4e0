"""Settles the rest of an invoice that needs no payment, such as a bank fee, and takes that back (DESIGN M2).

Settling closes an invoice as paid. Giving up on a debt is another act: the write-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib.money import Money

from .. import events, preconditions
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, InvoiceNotSent, field_error
from ..events import Actor
from ..ledger import adjustments
from ..models import Adjustment, Invoice
from ..models.adjustments import CHOSEN_REASONS
from . import amount_due

MAX_NOTE_LENGTH = 300

# A bank or a card company keeps up to four percent of a payment, cash is rounded to a few coins. More than this is a
# decision about a debt, which is asked for on its own and only an owner makes, as a write-off (decision 0037).
SMALL_SHARE_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Settlement:
    """Why the rest needs no payment; `is_large_confirmed` where the member may and does settle a large one."""

    reason: str
    note: str = ""
    is_large_confirmed: bool = False
    idempotency_key: str | None = None

    @property
    def event_data(self) -> dict[str, str]:
        """The reason and the note, as the event of a payment says them."""
        return {"reason": self.reason, "note": self.note}


def is_large(amount: Money, total: Money) -> bool:
    """Whether settling this much of an invoice is asked for on its own: more than SMALL_SHARE_PERCENT of its total."""
    return amount.amount_minor * 100 > total.amount_minor * SMALL_SHARE_PERCENT


def unavailable_reason(invoice: Invoice) -> InvoiceNotSent | None:
    """Returns the error that `settle` raises now for any reason, or None."""
    return None if invoice.status == "sent" else InvoiceNotSent(reason=f"settle_{invoice.status}")


def field_errors(settlement: Settlement, rest: Money, total: Money) -> dict[str, FieldError | str]:
    """Returns the error of each wrong field of a settlement that closes `rest` of an invoice of `total`."""
    errors: dict[str, FieldError | str] = {}
    if settlement.reason not in CHOSEN_REASONS:
        errors["settle_reason"] = field_error("settle_reason_unknown")
    if len(settlement.note) > MAX_NOTE_LENGTH:
        errors["settle_note"] = field_error("settle_note_too_long", limit=MAX_NOTE_LENGTH)
    if is_large(rest, total) and not settlement.is_large_confirmed:
        errors["is_large_confirmed"] = field_error(
            "settle_large_unconfirmed", rest=rest, total=total, percent=SMALL_SHARE_PERCENT
        )
    return errors


@needs(Permission.SETTLE_INVOICES)
@closes_checkouts
def settle(
    invoice: Invoice,
    *,
    settlement: Settlement,
    by: Actor,
    now: datetime,
    expected_amount_due: Money | None = None,
) -> Adjustment:
    """Settles all that is due on a sent invoice, which is paid then; its open request is canceled (DESIGN R6).

    The same `idempotency_key` again returns the adjustment it made (P8), or raises Conflict when it said something
    else. Raises InvoiceNotSent, Stale when another amount is due than expected, Invalid (with fields), and
    PaymentInProgress while a payment is committed.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if previous := events.caused_by(invoice.organization_id, settlement.idempotency_key):
        said = {name: previous.data.get(name) for name in settlement.event_data}
        is_of_invoice = previous.type == "invoice.settled" and previous.invoice_id == invoice.pk
        if not is_of_invoice or said != settlement.event_data:
            raise Conflict(reason="settle_form_used")
        return Adjustment.objects.get(pk=previous.data["adjustment"])
    if not_allowed := unavailable_reason(invoice):
        raise not_allowed
    preconditions.check_due(invoice, expected_amount_due)
    if errors := field_errors(settlement, invoice.amount_due, invoice.total):
        raise Invalid(errors)
    row = adjustments.settle(
        invoice,
        invoice.amount_due_minor,
        reason=settlement.reason,
        note=settlement.note,
        by=by,
        now=now,
        idempotency_key=settlement.idempotency_key,
    )
    amount_due.apply_effects(invoice, reason="invoice_paid", by=by, now=now)
    return row


@needs(Permission.SETTLE_INVOICES)
@transaction.atomic(durable=True)
def take_back(adjustment: Adjustment, *, by: Actor, now: datetime) -> Money:
    """Makes due again what is left of an adjustment, and returns how much that was.

    For a rest that was paid after all, or settled by mistake; ended requests stay ended (R4). Raises Conflict when
    nothing of it is left, or while its invoice is written off.
    """
    invoice = Invoice.objects.locked(adjustment.invoice_id)
    if invoice.status == "written_off":
        raise Conflict(reason="take_back_written_off")
    left = {row.pk: amount for row, amount in adjustments.standing(invoice)}
    amount = left.get(adjustment.pk)
    if amount is None:
        raise Conflict(reason="nothing_adjusted")
    adjustments.take_back_row(adjustment, invoice, amount.amount_minor, cause="by_member", by=by, now=now)
    amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
    return amount
