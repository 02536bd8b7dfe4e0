"""The page of a quote: its lines, accept or decline, and the deposit, which has one amount and no other."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from partway.billing import events, links
from partway.billing.documents import deposits, quotes
from partway.billing.documents.quotes import AcceptanceEvidence
from partway.billing.errors import BillingError, Invalid, NotPayable, TooLate
from partway.billing.models import Quote
from partway.billing.payments.start import Payable, check_payable
from partway.delivery.messages import error_message
from partway.delivery.pdf import pdf_response, quote_pdf
from partway.lib.clock import now, today
from partway.lib.money import Money

from . import responses
from .client_ip import payer_ip
from .decorators import form_of, opened_view, row_of_link

_ENDED = ("declined", "expired", "withdrawn")


@require_safe
@row_of_link(links.quote_by_token)
def pdf(request: HttpRequest, token: str, quote: Quote) -> HttpResponse:
    """The quote as a file, as long as it has a page."""
    stage, _ = _stage(quote)
    if stage in _ENDED:
        return responses.gone(request, quote.organization, f"quote_{stage}")
    return pdf_response(quote_pdf(quote))


@form_of("pay:quote")
@row_of_link(links.quote_by_token)
def accept(request: HttpRequest, token: str, quote: Quote) -> HttpResponse:
    """Accepts the quote; the typed name, the time and the IP address are kept as evidence."""
    evidence = AcceptanceEvidence(_typed(request, "name"), payer_ip(request))
    by = events.customer_actor(quote.customer)
    try:
        quotes.accept(quote, evidence=evidence, by=by, now=now())
    except BillingError as error:
        return _refused(request, token, error)
    return redirect("pay:quote", token)


@form_of("pay:quote")
@row_of_link(links.quote_by_token)
def decline(request: HttpRequest, token: str, quote: Quote) -> HttpResponse:
    """Declines the quote, with or without a reason."""
    by = events.customer_actor(quote.customer)
    try:
        quotes.decline(quote, reason=_typed(request, "reason"), by=by, now=now())
    except BillingError as error:
        return _refused(request, token, error)
    return redirect("pay:quote", token)


@form_of("pay:quote")
@row_of_link(links.quote_by_token)
def pay(request: HttpRequest, token: str, quote: Quote) -> HttpResponse:
    """Starts a payment of the deposit; an amount in the form is not read (DESIGN D1)."""
    return responses.start(request, quote, partial(_page, request, token), shown=quote.deposit)


def _typed(request: HttpRequest, name: str) -> str:
    """Returns a field's text without NUL, which PostgreSQL does not store."""
    return request.POST.get(name, "").replace("\x00", "")


def _refused(request: HttpRequest, token: str, error: BillingError) -> HttpResponse:
    """The page again: with the error of the name, or with the state that made it too late."""
    if isinstance(error, Invalid):
        return _page(request, token, status=error.status, name_error=error_message(error))
    message = "" if isinstance(error, TooLate) else error_message(error)
    return _page(request, token, message, error.status)


@row_of_link(links.quote_by_token)
def _page(
    request: HttpRequest,
    token: str,
    quote: Quote,
    alert: str = "",
    status: int = 200,
    name_error: str = "",
) -> HttpResponse:
    organization, (stage, payable) = quote.organization, _stage(quote)
    if stage in _ENDED:
        return responses.gone(request, organization, f"quote_{stage}")
    nothing = Money(0, quote.currency)
    context = {
        "token": token,
        "organization": organization,
        "seller": quote.seller,
        "recipient": quote.recipient,
        "quote": quote,
        "lines": quote.lines.all(),
        "name": _typed(request, "name"),
        "left": quote.total - quote.deposit,
        "sent_on": today(quote.sent_at or quote.created_at, quote.seller.time_zone),
        "stage": stage,
        "alert": alert,
        "name_error": name_error,
        "paid": nothing,
        "asked": quote.deposit,
        "shows_deposit": quote.deposit_minor > 0 and quote.status != "invoiced",
        "voided": quote.invoices.filter(sent_at__isnull=False).last() if quote.status == "accepted" else None,
    }
    payment = deposits.deposit_payment(quote)
    if payment is not None and payment.settled_at is not None:
        paid_on = payment.day(organization.time_zone)
        context |= {"paid": quote.deposit, "asked": nothing, "paid_on": paid_on, "shows_deposit": True}
        # Once the invoice is made, the quote's link leads to nothing of it.
        context["receipt_path"] = links.link_path(payment) if stage == "paid" else ""
    if payable is None:
        context["unwanted"] = quote.payments.unwanted()
        return responses.page(request, "quote", context, status)
    context["unwanted"] = payable.unwanted
    context["unsettled_path"] = links.link_path(payable.unsettled) if payable.unsettled else ""
    return responses.payable_page(request, "quote", context, payable, status)


show = require_safe(_page)
mark_opened = opened_view(links.quote_by_token, quotes.mark_opened)


def _stage(quote: Quote) -> tuple[str, Payable | None]:
    """Returns open, expired, declined, withdrawn or invoiced; of an accepted quote the deposit's status.

    Beside it what a deposit that is due charges now; one that cannot be paid now is named by the reason of NotPayable.
    """
    if quote.status == "sent":
        return "expired" if quotes.is_past_valid_until(quote, now()) else "open", None
    if quote.status != "accepted":
        return quote.status, None
    deposit = deposits.deposit_status(quote)
    if deposit != "due":
        return deposit, None
    try:
        return deposit, check_payable(quote, now=now())
    except NotPayable as error:
        return error.reason or deposit, None
