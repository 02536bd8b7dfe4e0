"""The page of one payment: where its money came from, where it is, what was given back, and all that happened."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain

from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing import links, outbox
from partway.billing.checkouts import gateway_calls
from partway.billing.ledger import allocations
from partway.billing.models import Event, Invoice, Payment, Payout
from partway.billing.models.parties import ISSUED
from partway.billing.receivables import deductions, receipts
from partway.gateways.registry import GATEWAYS
from partway.lib.money import Money

from .. import payment_rows, timeline
from ..access import get_own_or_404
from ..confirm import RepeatableActForm, confirm, unavailable_message
from ..context import MemberContext
from . import disputes

_ROWS = Payment.objects.select_related(
    *("organization", "invoice__customer", "quote__customer", "payment_request", "gateway_account"), *ISSUED
)


def show(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """Everything about one payment, the internal steps of its checkout included."""
    payment = get_own_or_404(ctx, _ROWS, payment_id)
    moved = payment.allocations.select_related("invoice").order_by("created_at", "pk")
    # Events of invoices that name this payment: its credit was applied there, or its money taken off again.
    names_it = Q(data__payment=payment.pk) | Q(data__payments__has_key=payment.pk)
    if payment.quote_id is not None:
        names_it |= Q(type="invoice.deposit_allocated", data__quote=payment.quote_id)
    elsewhere = Q(invoice__in=[allocation.invoice_id for allocation in moved]) & names_it
    events = Event.objects.filter(Q(payment=payment) | elsewhere)
    is_waiting = payment.captured is not None and deductions.is_waiting_deposit(payment)
    on_invoices: dict[Invoice, int] = defaultdict(int)
    for allocation in moved:
        on_invoices[allocation.invoice] += allocation.amount_minor
    account = payment.gateway_account
    context = {
        "row": payment_rows.payment_row(ctx, payment),
        "payment": payment,
        "document": payment.document,
        "status": payment_rows.payment_status(payment),
        "gateway": gettext(GATEWAYS[account.gateway].name) if account else "",
        "operator_fee": gateway_calls.operator_fee(payment) if account else None,
        "allocations": moved,
        "on_invoices": [
            (invoice, Money(minor, invoice.currency)) for invoice, minor in on_invoices.items() if minor
        ],
        "unallocated": allocations.unallocated(payment) if payment.status == "succeeded" else None,
        "is_waiting_deposit": is_waiting,
        "refunds": payment.refunds.select_related("payment__invoice", "payment__quote").order_by(
            "-refunded_on", "-pk"
        ),
        "disputes": disputes.rows(ctx, payment) if account else [],
        "payouts": Payout.objects.filter(items__payment=payment, items__kind="payment").distinct(),
        "receipt_pdf": f"{links.receipt_url(payment)}pdf/" if payment.captured else "",
        "mails": payment.mails.prefetch_related("attempts").order_by("-created_at", "-pk"),
        "timeline": timeline.entries(
            events.select_related("payment", "payment_request").order_by("-created_at", "-pk"),
            with_steps=True,
        ),
    }
    return ctx.render("staff/payments/show.html", context)


def resend_receipt(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """Asks before the receipt is mailed again."""
    payment = get_own_or_404(ctx, _ROWS, payment_id)
    back = ctx.url("payment", payment.pk)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.content_key(ctx.request.path)
        mail = receipts.resend(payment, by=ctx.actor, now=ctx.now, idempotency_key=key)
        notice = gettext("The receipt is on its way again to %(to)s.")
        return ctx.redirect(back, notice=notice % {"to": ", ".join([*mail.to, *mail.cc])})

    return confirm(
        ctx,
        payment,
        "staff/payments/resend_receipt.html",
        form=RepeatableActForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "to": ", ".join(chain(*outbox.receipt_recipients(payment.document, payment.payment_request)))
        },
        unavailable_reason=lambda: unavailable_message(receipts.unavailable_reason(payment)),
    )
