"""Disputes on the page of a payment: each with what waits for a member, and the act that takes a lost one as a loss."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.accounts.permissions import Permission
from partway.billing.models import Dispute, Invoice, Payment
from partway.billing.receivables import dispute_losses
from partway.billing.receivables.settlements import MAX_NOTE_LENGTH
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_own_or_404
from ..confirm import RepeatableActForm, confirm
from ..context import MemberContext
from ..forms import HiddenNumberField, text_field


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute; `is_over` where no evidence can be submitted any more, `can_settle` where it can be a loss."""

    dispute: Dispute
    is_over: bool
    can_settle: bool


def rows(ctx: MemberContext, payment: Payment) -> list[DisputeRow]:
    """Returns the disputes of a payment, the newest first."""
    may_settle = Permission.WRITE_OFF_INVOICES in ctx.permissions
    return [
        DisputeRow(
            dispute,
            is_over=dispute.is_evidence_over(ctx.now),
            can_settle=may_settle and dispute_losses.effect(dispute) == "due_again",
        )
        for dispute in payment.disputes.order_by("-opened_at", "-pk")
    ]


class LossForm(RepeatableActForm):
    """A lost dispute is taken as a loss: how much of it the page showed, and why."""

    left_minor = HiddenNumberField()
    note = text_field()


def settle(ctx: MemberContext, dispute_id: str) -> HttpResponse:
    """Asks before what a lost dispute made due again is settled as a loss."""
    dispute = get_own_or_404(ctx, Dispute.objects.select_related("payment"), dispute_id)
    back = ctx.url("payment", dispute.payment_id)

    def act(form: LossForm) -> HttpResponse:
        expected = Money(form.cleaned_data["left_minor"], dispute.currency)
        said = {name: form.cleaned_data[name] for name in ("note", "idempotency_key")}
        taken = dispute_losses.settle(dispute, expected=expected, by=ctx.actor, now=ctx.now, **said)
        if not taken:
            return ctx.redirect(back, notice=gettext("This dispute was taken as a loss already."))
        notice = gettext("%(amount)s is a loss now, and no longer due.")
        return ctx.redirect(back, notice=notice % {"amount": format_money(taken)})

    def question() -> dict[str, object]:
        parts = dispute_losses.left_to_settle(dispute)
        invoices = Invoice.objects.filter(pk__in=parts).order_by("pk")
        return {
            "left": Money(sum(parts.values()), dispute.currency),
            "parts": [(invoice, Money(parts[invoice.pk], dispute.currency)) for invoice in invoices],
            "max_note": MAX_NOTE_LENGTH,
        }

    def unavailable_reason() -> str:
        if dispute_losses.effect(dispute) == "due_again":
            return ""
        return gettext("Nothing that this dispute took off an invoice is due there now.")

    return confirm(
        ctx,
        dispute,
        "staff/payments/dispute_loss.html",
        form=LossForm(ctx.post_data),
        act=act,
        back=back,
        context=question,
        unavailable_reason=unavailable_reason,
    )
