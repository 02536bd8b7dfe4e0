"""Payments that came offline: recording one on an invoice, and reversing one whose check bounced."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Invoice, Payment, PaymentRequest
from partway.billing.receivables import credit, offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.requests import payment_requests
from partway.lib.money import Money, MoneyError, parse_money

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form, new_idempotency_key
from .payment_requests import canceled_request_notice

_ALL_HELD = "All that is due is being paid right now. Wait until that is settled, then try again."


def record(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Record Payment dialog; where nothing can be recorded, the reason."""
    invoice = _find_invoice(ctx, invoice_id)
    if not ctx.is_post:
        first = {
            "paid_on": ctx.today.isoformat(),
            "send_receipt": "on",
            "idempotency_key": new_idempotency_key(),
        }
        return _record_page(ctx, invoice, Form(first))
    form = Form.from_data(ctx.request.POST)
    offline = _read(ctx, form, invoice)
    open_request = payment_requests.current(invoice)
    if offline is not None:
        try:
            made = offline_payments.record(invoice, offline=offline, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
            invoice = _find_invoice(ctx, invoice_id)  # somebody may have been faster: show what is due now
        else:
            return ctx.redirect(
                ctx.url("invoice", invoice.pk), notice=_recorded_words(made, offline, open_request)
            )
    return _record_page(ctx, invoice, form)


def _find_invoice(ctx: MemberContext, invoice_id: str) -> Invoice:
    return get_own_or_404(ctx, Invoice.objects.select_related("organization", "customer"), invoice_id)


def _read(ctx: MemberContext, form: Form, invoice: Invoice) -> OfflinePayment | None:
    """What was typed, or None with every field that is wrong marked at once."""
    amount, paid_on = form.money("amount", invoice.currency), form.day("paid_on")
    offline = OfflinePayment(
        amount=amount or Money(0, invoice.currency),
        method=form.text("method"),
        paid_on=paid_on or ctx.today,
        reference=form.text("reference"),
        note=form.text("note"),
        send_receipt=form.text("send_receipt") == "on",
        keep_rest_as_credit=form.text("keep_rest_as_credit") == "on",
        idempotency_key=form.text("idempotency_key")[:40] or None,
    )
    if amount is not None and paid_on is not None:
        return offline
    # Without both billing cannot be asked; the other fields are still worth a word now.
    wrong = offline_payments.detail_errors(offline, ctx.organization, ctx.today)
    form.errors = {**wrong, **form.errors}
    return None


def _record_page(ctx: MemberContext, invoice: Invoice, form: Form) -> HttpResponse:
    max_amount = payment_requests.max_requestable(invoice)
    unavailable_reason = (
        ""
        if ctx.is_post
        else offline_payments.unavailable_reason(invoice) or ("" if max_amount else _ALL_HELD)
    )
    context = {
        "invoice": invoice,
        "form": form,
        "unavailable_reason": unavailable_reason,
        "max_amount": max_amount,
        "modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        "open_request": payment_requests.current(invoice),
        "excess": _over(form, invoice),
    }
    return ctx.render("staff/payments/record.html", context, status=form.status)


def _over(form: Form, invoice: Invoice) -> Money | None:
    """How much more than is due was typed, which can be kept as credit; None when it fits."""
    try:
        excess = parse_money(form.text("amount"), invoice.currency) - invoice.amount_due
    except MoneyError:
        return None
    return excess if excess.amount_minor > 0 else None


def _recorded_words(made: Payment, offline: OfflinePayment, open_request: PaymentRequest | None) -> str:
    invoice, rest = made.document, allocations.unallocated(made)
    message = [f"The payment of {made.amount} is recorded.", canceled_request_notice(open_request)]
    if rest:
        message.append(f"{rest} of it is credit of {invoice.customer.name}.")
    if offline.send_receipt:
        message.append(f"A receipt is on its way to {invoice.customer.email}.")
    return " ".join(filter(None, message))


# Reversing


@dataclass(frozen=True, slots=True)
class ReversalEffects:
    """What reversing a payment would do: what is due again where, the credit that goes, a deposit that is due again."""

    due_again: list[tuple[Invoice, Money]]
    credit: Money | None
    deposit: Money | None


def reverse(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """Take back a payment that was recorded by hand, after saying what that means."""
    rows = Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    payment = get_own_or_404(ctx, rows, payment_id)
    form = Form.from_data(ctx.request.POST)
    if ctx.is_post:
        try:
            offline_payments.reverse(payment, reason=form.text("reason"), by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(_page_of(ctx, payment), notice=_reversed_words(payment))
    context = {
        "payment": payment,
        "form": form,
        "effects": _reversal_effects(payment),
        "can_reverse": payment.is_offline and payment.status == "succeeded",
        "back": _page_of(ctx, payment),
        "max_reason": offline_payments.MAX_REASON_LENGTH,
    }
    return ctx.render("staff/payments/reverse.html", context, status=form.status)


def _page_of(ctx: MemberContext, payment: Payment) -> str:
    return ctx.url("invoice" if payment.invoice_id else "quote", payment.document.pk)


def _reversal_effects(payment: Payment) -> ReversalEffects:
    open_request = allocations.amounts_by_invoice(payment)
    invoices = Invoice.objects.filter(pk__in=open_request).order_by("pk")
    unallocated = allocations.unallocated(payment) or None
    is_credit = credit.payments_with_credit(payment.document.customer).filter(pk=payment.pk).exists()
    return ReversalEffects(
        due_again=[(invoice, Money(open_request[invoice.pk], invoice.currency)) for invoice in invoices],
        credit=unallocated if is_credit else None,
        deposit=None if is_credit or _is_invoiced(payment) else unallocated,
    )


def _is_invoiced(payment: Payment) -> bool:
    """Whether its quote is an invoice by now, so that nobody can pay the deposit any more (DESIGN D2)."""
    return payment.quote is not None and payment.quote.status == "invoiced"


def _reversed_words(payment: Payment) -> str:
    taken = Allocation.objects.filter(payment=payment, cause="reversed").select_related("invoice")
    parts = [f"{Money(-row.amount_minor, row.currency)} is due again on {row.invoice}." for row in taken]
    return " ".join([f"The payment of {payment.amount} is reversed.", *parts])
