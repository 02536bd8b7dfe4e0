"""Credit of a customer: put on an invoice, and moved there from one."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Invoice, Payment
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.delivery.templatetags.partway import typed_money
from partway.lib.money import Money

from ..access import find
from ..context import Visit
from ..forms import Form, new_form_key
from .payment_requests import ending_words

_NO_CREDIT = "This customer has no credit in the currency of this invoice."


def _find_invoice(visit: Visit, invoice_id: str) -> Invoice:
    return find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)


def apply(visit: Visit, invoice_id: str) -> HttpResponse:
    """The Apply Credit dialog; where none can be put, the reason."""
    invoice = _find_invoice(visit, invoice_id)
    if not visit.posted:
        first = {"amount": typed_money(_most(invoice)), "form_key": new_form_key()}
        return _apply_page(visit, invoice, Form(first))
    form = Form.typed(visit.request.POST)
    amount = form.money("amount", invoice.currency)
    standing = payment_requests.current(invoice)
    key = form.text("form_key")[:40] or None
    if amount is not None:
        try:
            credit.apply(invoice, amount=amount, form_key=key, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
            invoice = _find_invoice(visit, invoice_id)  # somebody may have been faster: show what is due now
        else:
            said = f"{amount} of credit is on this invoice now. {ending_words(standing)}"
            return visit.go(visit.url("invoice", invoice.pk), said=said.strip())
    return _apply_page(visit, invoice, form)


def _most(invoice: Invoice) -> Money:
    """As much credit as there is and as fits beside a payment that is under way."""
    return min(credit.available(invoice), payment_requests.most_requestable(invoice))


def _apply_page(visit: Visit, invoice: Invoice, form: Form) -> HttpResponse:
    available = credit.available(invoice)
    obstacle = credit.obstacle(invoice) or ("" if available else _NO_CREDIT)
    context = {
        "invoice": invoice,
        "form": form,
        "obstacle": "" if visit.posted else obstacle,
        "available": available,
        "most": _most(invoice),
        "standing": payment_requests.current(invoice),
    }
    return visit.render("staff/payments/apply_credit.html", context, status=form.status)


def release(visit: Visit, invoice_id: str, payment_id: str) -> HttpResponse:
    """Move what a payment has paid on an invoice to the customer's credit, after saying that it is due again."""
    invoice = _find_invoice(visit, invoice_id)
    payment = find(visit, Payment.objects.select_related("quote"), payment_id)
    form = Form({})
    if visit.posted:
        try:
            amount = credit.release(invoice, payment, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"{amount} is credit of {invoice.customer.name} now, and due again on this invoice."
            return visit.go(visit.url("invoice", invoice.pk), said=said)
    amount = Money(allocations.allocated_on(payment, invoice), invoice.currency)
    context = {"invoice": invoice, "payment": payment, "amount": amount, "form": form}
    return visit.render("staff/payments/release.html", context, status=form.status)
