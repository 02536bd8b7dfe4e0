"""What is done with a whole quote: send, send again, copy its link, record its deposit, make the invoice."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing import links
from partway.billing.documents import deposits, quotes
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.errors import BillingError
from partway.billing.models import Quote

from ..access import find
from ..context import Visit
from ..forms import Form, new_form_key
from ..invoices.editor import version


def _find(visit: Visit, quote_id: str) -> Quote:
    return find(visit, Quote.objects.select_related("organization", "customer"), quote_id)


def _version(visit: Visit) -> int:
    """Which version the page showed that was answered with yes."""
    return version(Form.typed(visit.request.POST))


def send(visit: Visit, quote_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    quote = _find(visit, quote_id)
    form = Form({})
    if visit.posted:
        try:
            quote = quotes.send(quote, by=visit.actor, now=visit.now, version=_version(visit))
        except BillingError as error:
            form.refuse(error)
            quote = _find(visit, quote_id)  # somebody may have been faster: show what is true now
        else:
            said = f"Quote {quote.number} is on its way to {quote.customer.email}."
            return visit.go(visit.url("quote", quote.pk), said=said)
    return visit.render("staff/quotes/send.html", {"quote": quote, "form": form}, status=form.status)


def resend(visit: Visit, quote_id: str) -> HttpResponse:
    """Mail the quote's link again."""
    quote = _find(visit, quote_id)
    form = Form({})
    if visit.posted:
        try:
            quotes.resend(quote, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"Quote {quote.number} is on its way again to {quote.customer.email}."
            return visit.go(visit.url("quote", quote.pk), said=said)
    return visit.render("staff/quotes/resend.html", {"quote": quote, "form": form}, status=form.status)


def link(visit: Visit, quote_id: str) -> HttpResponse:
    """The link to the quote page, to be copied by hand; a draft has none."""
    quote = _find(visit, quote_id)
    url = links.quote_url(quote) if quote.status in ("sent", "accepted") else ""
    return visit.render("staff/quotes/link.html", {"quote": quote, "url": url})


def deposit(visit: Visit, quote_id: str) -> HttpResponse:
    """Record that the deposit was paid offline: how and when, never how much."""
    quote = _find(visit, quote_id)
    form = Form.typed(visit.request.POST) if visit.posted else Form(_fresh_deposit(visit))
    recorded = _read_deposit(form) if visit.posted else None
    if recorded is not None:
        try:
            deposits.record_deposit(quote, deposit=recorded, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"The deposit of {quote.deposit} is recorded. {quote.customer.name} gets a receipt."
            return visit.go(visit.url("quote", quote.pk), said=said)
    modes = [(mode, mode) for mode in visit.organization.payment_modes]
    context = {"quote": quote, "form": form, "modes": modes, "obstacle": deposits.obstacle(quote)}
    return visit.render("staff/quotes/deposit.html", context, status=form.status)


def _read_deposit(form: Form) -> OfflineDeposit | None:
    paid_on = form.day("paid_on")
    if paid_on is None:
        return None
    key = form.text("form_key")[:40] or None
    return OfflineDeposit(form.text("method"), paid_on, form.text("reference"), form.text("remarks"), key)


def _fresh_deposit(visit: Visit) -> dict[str, str]:
    return {"paid_on": visit.today.isoformat(), "form_key": new_form_key()}


def invoice(visit: Visit, quote_id: str) -> HttpResponse:
    """Turn the accepted quote into a draft invoice, and go there."""
    quote = _find(visit, quote_id)
    form = Form({})
    if visit.posted:
        try:
            made = quotes.make_invoice(quote, by=visit.actor, now=visit.now, version=_version(visit))
        except BillingError as error:
            form.refuse(error)
            quote = _find(visit, quote_id)
        else:
            said = f"The invoice of {quote.number} is a draft. Look it over, then send it."
            return visit.go(visit.url("invoice", made.pk), said=said)
    context = {"quote": quote, "form": form, "deposit_status": deposits.deposit_status(quote)}
    return visit.render("staff/quotes/invoice.html", context, status=form.status)
