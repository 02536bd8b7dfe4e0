"""Takes what a lost dispute made due again as a loss, where the owner does not ask the customer for it again."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, Sum

from partway.accounts.permissions import Permission, needs
from partway.lib.money import Money

from .. import alerts, events
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, Invalid, field_error
from ..events import Actor
from ..ledger import adjustments, allocations
from ..models import Adjustment, Dispute, Invoice
from . import amount_due
from .offline_payments import lock_invoices
from .settlements import MAX_NOTE_LENGTH


def left_to_settle(dispute: Dispute) -> dict[str, int]:
    """Returns the ids of the invoices on which `settle` settles something now, each with its minor units.

    It is what the lost dispute took off the invoice, as far as that is still due and was not settled before.
    """
    if dispute.status != "lost":
        return {}
    # All that was settled before a win was taken back by it, so these rows need no such limit as those of the loss.
    settled = Adjustment.objects.filter(Q(dispute=dispute) | Q(taken_from__dispute=dispute))
    before = dict(settled.values_list("invoice").annotate(sum=Sum("amount_minor")).order_by("invoice"))
    lost = {pk: taken - before.get(pk, 0) for pk, taken in allocations.taken_off(dispute).items()}
    invoices = Invoice.objects.filter(pk__in=lost, status="sent").order_by("pk")
    parts = {row.pk: min(lost[row.pk], row.amount_due_minor) for row in invoices}
    return {pk: part for pk, part in parts.items() if part > 0}


def effect(dispute: Dispute) -> str:
    """Returns `due_again` while something that a lost dispute took off an invoice is due there, else `not_due`.

    The mail, the alert and the pages go by this alone: only with `due_again` there is something to ask for again, or to
    take as a loss.
    """
    return "due_again" if left_to_settle(dispute) else "not_due"


def alert_reason(dispute: Dispute) -> str:
    """Returns the reason of the alert that a dispute is lost: its effect, after `returned_` for a returned debit."""
    return f"returned_{effect(dispute)}" if dispute.is_returned_debit else effect(dispute)


@needs(Permission.WRITE_OFF_INVOICES)
@closes_checkouts
def settle(
    dispute: Dispute,
    *,
    note: str = "",
    expected: Money,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> Money:
    """Settles what a lost dispute made due again on its invoices, and returns how much that was (DESIGN M2).

    An open request that no longer fits is canceled (R7). A second time nothing is left, and nothing is changed; nor is
    it when the same `idempotency_key` comes again, also where the loss was taken back meanwhile (P8). Raises Conflict
    unless the dispute is lost and `expected`, which the member saw, is what is left; Invalid for a long note, and
    PaymentInProgress while a committed payment would no longer fit.
    """
    if len(note) > MAX_NOTE_LENGTH:
        raise Invalid({"note": field_error("settle_note_too_long", limit=MAX_NOTE_LENGTH)})
    invoices = lock_invoices(dispute.payment)
    if events.caused_by(dispute.organization_id, idempotency_key):
        return Money(0, dispute.currency)
    dispute = Dispute.objects.get(pk=dispute.pk)
    if dispute.status != "lost":
        raise Conflict(reason=f"settle_dispute_{dispute.status}")
    parts = left_to_settle(dispute)
    total = Money(sum(parts.values()), dispute.currency)
    if not total and dispute.adjustments.filter(created_at__gte=dispute.closed_at).exists():
        return total
    if total != expected or not total:
        raise Conflict(reason="settle_dispute_changed", left=total)
    for pk, part in parts.items():
        invoice = invoices[pk]
        adjustments.settle(
            invoice,
            part,
            reason="dispute",
            note=note,
            source=dispute,
            by=by,
            now=now,
            idempotency_key=idempotency_key,
        )
        idempotency_key = None  # it is on the first event
        reason = "invoice_changed" if invoice.amount_due_minor else "invoice_paid"
        amount_due.apply_effects(invoice, reason=reason, by=by, now=now)
    alerts.auto_resolve("dispute_lost", subject=dispute.pk, auto_resolution="dispute_settled", now=now)
    return total
