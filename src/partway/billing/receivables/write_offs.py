"""Writes off what is still due on an invoice, and reopens a written-off invoice."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib.money import Money

from .. import events, preconditions
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, InvoiceNotSent
from ..events import Actor
from ..models import Invoice
from ..states import move
from . import amount_due


@needs(Permission.WRITE_OFF_INVOICES)
@closes_checkouts
def write_off(
    invoice: Invoice,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    expected_amount_due: Money | None = None,
    idempotency_key: str | None = None,
) -> Invoice:
    """Gives up on what is still due: ends its open request and checkout; what was paid stays allocated.

    The same `idempotency_key` again changes nothing (P8). Raises PaymentInProgress while a payment is committed,
    InvoiceNotSent, or Stale when the version or the amount due is not the expected one, as a page showed it (DESIGN
    D8): a payment alone changes the amount, not the version.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if events.caused_by(invoice.organization_id, idempotency_key):
        return invoice
    if invoice.status != "sent":
        raise InvoiceNotSent(reason=f"write_off_{invoice.status}")
    preconditions.check_version(invoice, expected_version)
    preconditions.check_due(invoice, expected_amount_due)
    # Before the state changes: a committed payment raises here, and its money would have no invoice to come to
    # (D3).
    amount_due.cancel_collection(invoice, reason="invoice_written_off", by=by, now=now)
    data = {"amount_minor": invoice.amount_due_minor, "currency": invoice.currency}
    version = invoice.version + 1
    move(invoice, "written_off", by=by, now=now, data=data, idempotency_key=idempotency_key, version=version)
    return invoice


@needs(Permission.WRITE_OFF_INVOICES)
@transaction.atomic(durable=True)
def reopen(
    invoice: Invoice,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
) -> Invoice:
    """Takes a write-off back: what is due can be requested and paid again. Requests that ended stay ended (R4).

    The same `idempotency_key` again changes nothing (P8). Raises Conflict unless it is written off, Stale when it has
    another version than expected (DESIGN D8).
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if events.caused_by(invoice.organization_id, idempotency_key):
        return invoice
    if invoice.status != "written_off":
        raise Conflict(reason=f"reopen_{invoice.status}")
    preconditions.check_version(invoice, expected_version)
    # A new version, so that an edit which was opened before the write-off is stale (D8).
    move(invoice, "sent", by=by, now=now, idempotency_key=idempotency_key, version=invoice.version + 1)
    return invoice
