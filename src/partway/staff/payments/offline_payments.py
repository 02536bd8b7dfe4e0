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

from ..access import find
from ..context import Visit
from ..forms import Form, new_form_key
from .payment_requests import ending_words

_ALL_HELD = "All that is due is being paid right now. Wait until that is settled, then try again."


def record(visit: Visit, invoice_id: str) -> HttpResponse:
    """The Record Payment dialog; where nothing can be recorded, the reason."""
    invoice = _find_invoice(visit, invoice_id)
    if not visit.posted:
        first = {"paid_on": visit.today.isoformat(), "send_receipt": "on", "form_key": new_form_key()}
        return _record_page(visit, invoice, Form(first))
    form = Form.typed(visit.request.POST)
    offline = _read(visit, form, invoice)
    standing = payment_requests.current(invoice)
    if offline is not None:
        try:
            made = offline_payments.record(invoice, offline=offline, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
            invoice = _find_invoice(visit, invoice_id)  # somebody may have been faster: show what is due now
        else:
            return visit.go(visit.url("invoice", invoice.pk), said=_recorded_words(made, offline, standing))
    return _record_page(visit, invoice, form)


def _find_invoice(visit: Visit, invoice_id: str) -> Invoice:
    return find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)


def _read(visit: Visit, form: Form, invoice: Invoice) -> OfflinePayment | None:
    """What was typed, or None with every field that is wrong marked at once."""
    amount, paid_on = form.money("amount", invoice.currency), form.day("paid_on")
    offline = OfflinePayment(
        amount=amount or Money(0, invoice.currency),
        method=form.text("method"),
        paid_on=paid_on or visit.today,
        reference=form.text("reference"),
        remarks=form.text("remarks"),
        send_receipt=form.text("send_receipt") == "on",
        keep_rest_as_credit=form.text("keep_rest_as_credit") == "on",
        form_key=form.text("form_key")[:40] or None,
    )
    if amount is not None and paid_on is not None:
        return offline
    # Without both billing cannot be asked; the other fields are still worth a word now.
    wrong = offline_payments.wrong_details(offline, visit.organization, visit.today)
    form.errors = {**wrong, **form.errors}
    return None


def _record_page(visit: Visit, invoice: Invoice, form: Form) -> HttpResponse:
    most = payment_requests.most_requestable(invoice)
    obstacle = "" if visit.posted else offline_payments.obstacle(invoice) or ("" if most else _ALL_HELD)
    context = {
        "invoice": invoice,
        "form": form,
        "obstacle": obstacle,
        "most": most,
        "modes": [(mode, mode) for mode in visit.organization.payment_modes],
        "standing": payment_requests.current(invoice),
        "over": _over(form, invoice),
    }
    return visit.render("staff/payments/record.html", context, status=form.status)


def _over(form: Form, invoice: Invoice) -> Money | None:
    """How much more than is due was typed, which can be kept as credit; None when it fits."""
    try:
        over = parse_money(form.text("amount"), invoice.currency) - invoice.amount_due
    except MoneyError:
        return None
    return over if over.amount_minor > 0 else None


def _recorded_words(made: Payment, offline: OfflinePayment, standing: PaymentRequest | None) -> str:
    invoice, rest = made.document, allocations.free(made)
    words = [f"The payment of {made.amount} is recorded.", ending_words(standing)]
    if rest:
        words.append(f"{rest} of it is credit of {invoice.customer.name}.")
    if offline.send_receipt:
        words.append(f"A receipt is on its way to {invoice.customer.email}.")
    return " ".join(filter(None, words))


# Reversing


@dataclass(frozen=True, slots=True)
class Meaning:
    """What reversing a payment would do: what is due again where, the credit that goes, a deposit that is due again."""

    due_again: list[tuple[Invoice, Money]]
    credit: Money | None
    deposit: Money | None


def reverse(visit: Visit, payment_id: str) -> HttpResponse:
    """Take back a payment that was recorded by hand, after saying what that means."""
    rows = Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    payment = find(visit, rows, payment_id)
    form = Form.typed(visit.request.POST)
    if visit.posted:
        try:
            offline_payments.reverse(payment, reason=form.text("reason"), by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(_page_of(visit, payment), said=_reversed_words(payment))
    context = {
        "payment": payment,
        "form": form,
        "meaning": _meaning(payment),
        "possible": payment.is_offline and payment.status == "succeeded",
        "back": _page_of(visit, payment),
        "max_reason": offline_payments.MAX_REASON,
    }
    return visit.render("staff/payments/reverse.html", context, status=form.status)


def _page_of(visit: Visit, payment: Payment) -> str:
    return visit.url("invoice" if payment.invoice_id else "quote", payment.document.pk)


def _meaning(payment: Payment) -> Meaning:
    standing = allocations.by_invoice(payment)
    invoices = Invoice.objects.filter(pk__in=standing).order_by("pk")
    free = allocations.free(payment) or None
    is_credit = credit.payments_of(payment.document.customer).filter(pk=payment.pk).exists()
    return Meaning(
        due_again=[(invoice, Money(standing[invoice.pk], invoice.currency)) for invoice in invoices],
        credit=free if is_credit else None,
        deposit=None if is_credit or _is_invoiced(payment) else free,
    )


def _is_invoiced(payment: Payment) -> bool:
    """Whether its quote is an invoice by now, so that nobody can pay the deposit any more (DESIGN D2)."""
    return payment.quote is not None and payment.quote.status == "invoiced"


def _reversed_words(payment: Payment) -> str:
    taken = Allocation.objects.filter(payment=payment, cause="reversed").select_related("invoice")
    parts = [f"{Money(-row.amount_minor, row.currency)} is due again on {row.invoice}." for row in taken]
    return " ".join([f"The payment of {payment.amount} is reversed.", *parts])
