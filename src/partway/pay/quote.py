"""The page of a quote: what is offered, yes or no, and the deposit, which has one amount and no other."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partway.billing import events, links
from partway.billing.documents import deposits, quotes
from partway.billing.documents.quotes import AcceptanceEvidence
from partway.billing.errors import BillingError, Invalid, NotPayable, TooLate
from partway.billing.models import Quote
from partway.billing.payments.start import check_payable
from partway.delivery.messages import error_message
from partway.delivery.pdf import pdf_response, quote_pdf
from partway.lib.clock import now, today
from partway.lib.money import Money

from . import responses
from .address import payer_ip

# GET and HEAD of a form's address lead back to the page: a reload repeats nothing.
_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def show(http: HttpRequest, token: str) -> HttpResponse:
    """The quote as it stands, or why it is over. Looking changes nothing."""
    return _show(http, token)


@require_safe
def pdf(http: HttpRequest, token: str) -> HttpResponse:
    """The quote as a file; where its page is dead, so is this."""
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    stage = _stage(quote)
    if stage in ("declined", "expired"):
        return responses.gone(http, quote.organization, f"quote_{stage}")
    return pdf_response(quote_pdf(quote))


@_form
def accept(http: HttpRequest, token: str) -> HttpResponse:
    """The customer agrees: the typed name, the time and the address are kept as evidence."""
    if http.method != "POST":
        return redirect("pay:quote", token)
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    evidence = AcceptanceEvidence(_typed(http, "name"), payer_ip(http))
    by = events.customer_actor(quote.customer)
    try:
        quotes.accept(quote, evidence=evidence, by=by, now=now())
    except BillingError as error:
        return _refused(http, token, error)
    return redirect("pay:quote", token)


@_form
def decline(http: HttpRequest, token: str) -> HttpResponse:
    """The customer says no, with or without a reason."""
    if http.method != "POST":
        return redirect("pay:quote", token)
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    by = events.customer_actor(quote.customer)
    try:
        quotes.decline(quote, reason=_typed(http, "reason"), by=by, now=now())
    except BillingError as error:
        return _refused(http, token, error)
    return redirect("pay:quote", token)


@_form
def pay(http: HttpRequest, token: str) -> HttpResponse:
    """Go to the checkout for the deposit; whatever amount a form may carry is not even looked at (DESIGN D1)."""
    if http.method != "POST":
        return redirect("pay:quote", token)
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    return responses.start(http, quote, partial(_show, http, token), shown=quote.deposit)


@require_POST
def mark_opened(http: HttpRequest, token: str) -> HttpResponse:
    """A person has this page before their eyes."""
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    quotes.mark_opened(quote, now=now())
    return HttpResponse(status=204)


def _typed(http: HttpRequest, name: str) -> str:
    """Text without NUL, which PostgreSQL takes nowhere."""
    return http.POST.get(name, "").replace("\x00", "")


def _refused(http: HttpRequest, token: str, error: BillingError) -> HttpResponse:
    """The page once more: with the field to mend, or as it stands since somebody was faster."""
    if isinstance(error, Invalid):
        return _show(http, token, status=error.status, name_error=error_message(error))
    message = "" if isinstance(error, TooLate) else error_message(error)
    return _show(http, token, message, error.status)


def _show(
    http: HttpRequest, token: str, alert: str = "", status: int = 200, name_error: str = ""
) -> HttpResponse:
    quote = links.quote_by_token(token)
    if quote is None:
        return responses.not_found(http)
    stage = _stage(quote)
    if stage in ("declined", "expired"):
        return responses.gone(http, quote.organization, f"quote_{stage}")
    context = {**_context(http, quote, token), "stage": stage, "alert": alert, "name_error": name_error}
    answer = responses.payable_page if stage == "due" else responses.page
    return answer(http, "quote", context, status)


def _stage(quote: Quote) -> str:
    """What a customer is shown: open, expired, declined, invoiced; once accepted how the deposit stands."""
    if quote.status == "sent":
        return "expired" if quotes.is_past_valid_until(quote, now()) else "open"
    if quote.status != "accepted":
        return quote.status
    deposit = deposits.deposit_status(quote)
    return _obstacle(quote) or deposit if deposit == "due" else deposit


def _obstacle(quote: Quote) -> str:
    try:
        check_payable(quote, now=now())
    except NotPayable as error:
        return error.reason
    return ""


def _context(http: HttpRequest, quote: Quote, token: str) -> dict[str, object]:
    return {
        "token": token,
        "organization": quote.organization,
        "quote": quote,
        "lines": quote.lines.all(),
        "name": _typed(http, "name"),
        "left": quote.total - quote.deposit,
        "sent_on": today(quote.sent_at or quote.created_at, quote.organization.time_zone),
        **_deposit(quote),
    }


def _deposit(quote: Quote) -> dict[str, object]:
    """How much of the total the deposit has paid or asks for, and when it came."""
    nothing = Money(0, quote.currency)
    payment = deposits.deposit_payment(quote)
    if payment is None or payment.settled_at is None:
        return {"paid": nothing, "asked": quote.deposit, "shows_deposit": _asks_deposit(quote)}
    paid_on = payment.paid_on or today(payment.settled_at, quote.organization.time_zone)
    return {"paid": quote.deposit, "asked": nothing, "paid_on": paid_on, "shows_deposit": True}


def _asks_deposit(quote: Quote) -> bool:
    return quote.deposit_minor > 0 and quote.status != "invoiced"
