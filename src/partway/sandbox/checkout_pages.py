"""The pages where a customer pays; they work without JavaScript and without cookies."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from partway.lib.clock import now
from partway.lib.links import verify_token
from partway.lib.money import Money, format_money
from partway.sandbox import checkouts
from partway.sandbox.errors import ApiError
from partway.sandbox.instruments import CARDS, DEBITS, EXPIRED, Instrument, digits
from partway.sandbox.models import Checkout, Dispute

Status = Checkout.Status

# The template of a checkout that cannot be paid any more, and its HTTP status after a POST.
_ENDS = {
    Status.AUTHORIZED: ("paid", 409),
    Status.PROCESSING: ("paid", 409),
    Status.CAPTURED: ("paid", 409),
    Status.CLOSED: ("closed", 410),
    Status.FAILED: ("failed", 410),
}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Returns 200 when the database works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def show(request: HttpRequest, page: str) -> HttpResponse:
    """The form to pay with, or the outcome of the checkout. A GET changes nothing."""
    checkout = _checkout_of(page)
    if checkout is None:
        return _not_found(request)
    if checkout.status == Status.OPEN and checkout.expires_at > now():
        return _form(request, checkout)
    return _ended(request, checkout, after_post=False)


@require_POST
def pay(request: HttpRequest, page: str) -> HttpResponse:
    """Pays by card or bank debit; of two customers who pay at once, the second gets 409."""
    with transaction.atomic():
        opened = _checkout_of(page)
        if opened is None:
            return _not_found(request)
        checkout = checkouts.locked(opened.id)
        if checkout.status != Status.OPEN:
            return _ended(request, checkout)
        method = request.POST.get("method", "card")
        field = "account" if method == "bank_debit" else "number"
        error = _pay(checkout, method, request.POST.get(field, ""))
    if error:
        return _form(request, checkout, status=422, method=method, error=error)
    return _after_paying(request, checkout)


def _pay(checkout: Checkout, method: str, typed: str) -> str:
    """Pays, or returns the error of the number that was typed."""
    if method not in checkout.methods:
        return _("This way of paying is not offered here.")
    if method == "card":
        card = CARDS.get(digits(typed))
        if card is None:
            return _("Only the test cards listed below work here. Never enter a real card.")
        checkouts.pay_by_card(checkout, card)
        return ""
    debit = DEBITS.get(digits(typed))
    if debit is None:
        return _("Only the test accounts listed below work here. Never enter a real account.")
    checkouts.pay_by_debit(checkout, debit)
    return ""


@require_POST
def confirm(request: HttpRequest, page: str) -> HttpResponse:
    """Confirms or declines the payment with a card that asks for a confirmation."""
    agreed = request.POST.get("decision") == "confirm"
    with transaction.atomic():
        opened = _checkout_of(page)
        if opened is None:
            return _not_found(request)
        checkout = checkouts.locked(opened.id)
        if checkout.status != Status.OPEN:
            return _ended(request, checkout)
        try:
            checkouts.confirm(checkout, request.POST.get("confirmation", ""), agreed)
        except ApiError as error:
            return _form(request, checkout, status=409, error=error.message)
    return _after_paying(request, checkout)


@require_POST
def pass_days(request: HttpRequest, page: str) -> HttpResponse:
    """Lets the days pass that a bank still needs, so that a tryer need not wait for them."""
    with transaction.atomic():
        checkout = _checkout_of(page)
        if checkout is None:
            return _not_found(request)
        if checkout.status == Status.PROCESSING and checkout.settles_at:
            checkouts.pass_days(checkout, max(1, (checkout.settles_at - now()).days + 1))
    return HttpResponse(status=303, headers={"Location": checkout.return_url})


@require_POST
def dashboard(request: HttpRequest, page: str) -> HttpResponse:
    """Refunds, disputes or decides a dispute, as in the company's own dashboard; the page shows what became of it."""
    act, _colon, dispute_id = request.POST.get("act", "").partition(":")
    opened = _checkout_of(page)
    if opened is None:
        return _not_found(request)
    try:
        with transaction.atomic():
            checkout = checkouts.locked(opened.id)
            left = (checkout.captured_minor or 0) - checkout.refunded_minor
            if act in ("refund", "refund_half"):
                checkouts.refund(checkout, left // 2 if act == "refund_half" else left, "")
            elif act == "dispute":
                checkouts.dispute(checkout, checkout.captured_minor or 0, "fraudulent")
            elif act in ("won", "lost") and Dispute.objects.filter(id=dispute_id, checkout=checkout).exists():
                checkouts.decide_dispute(dispute_id, checkout.account_id, act)
    except ApiError as error:
        return _page(request, "paid", opened, status=error.status, error=error.message, **_amounts(opened))
    return HttpResponse(status=303, headers={"Location": f"/checkout/{page}"})


def _amounts(checkout: Checkout) -> dict[str, object]:
    """Returns what of a captured checkout can be refunded and disputed, and its disputes, as the page shows them."""
    currency, captured = checkout.captured_currency, checkout.captured_minor or 0
    if not captured:
        return {}
    left = captured - checkout.refunded_minor
    return {
        "refundable": format_money(Money(left, currency)) if left else "",
        "half": format_money(Money(left // 2, currency)) if left > 1 else "",
        "disputable": format_money(Money(captured, currency)),
        "disputes": [
            (row, format_money(Money(row.amount_minor, currency)))
            for row in Dispute.objects.filter(checkout=checkout)
        ],
    }


def _checkout_of(page: str) -> Checkout | None:
    """Returns the checkout whose page has this address, or None."""
    checkouts_and_accounts = Checkout.objects.select_related("account")
    checkout = checkouts_and_accounts.filter(id=f"co_{page.partition('-')[0]}").first()
    return checkout if checkout and verify_token(page, "co", [checkout.account.signing_secret]) else None


def _after_paying(request: HttpRequest, checkout: Checkout) -> HttpResponse:
    if checkout.confirmation:
        return _page(request, "confirm", checkout)
    if checkout.status == Status.OPEN:
        return _form(request, checkout, status=402, error=checkout.message)
    if checkout.status == Status.CLOSED:
        return _ended(request, checkout)
    return HttpResponse(status=303, headers={"Location": checkout.return_url})


def _form(
    request: HttpRequest, checkout: Checkout, *, status: int = 200, method: str = "card", error: str = ""
) -> HttpResponse:
    shown = method if method in checkout.methods else checkout.methods[0]
    lists: dict[str, list[Instrument]] = {"cards": list(CARDS.values()), "debits": list(DEBITS.values())}
    return _page(request, "pay", checkout, status=status, method=shown, error=error, **lists)


def _ended(request: HttpRequest, checkout: Checkout, *, after_post: bool = True) -> HttpResponse:
    template, status = _ENDS.get(Status(checkout.status), ("closed", 410))
    expired = checkout.status == Status.OPEN or checkout.code == EXPIRED[0]
    status = status if after_post else 200
    return _page(request, template, checkout, status=status, expired=expired, **_amounts(checkout))


def _not_found(request: HttpRequest) -> HttpResponse:
    return _security_headers(render(request, "sandbox/not_found.html", status=404))


def _page(
    request: HttpRequest, template: str, checkout: Checkout, *, status: int = 200, **extra: object
) -> HttpResponse:
    amount = format_money(Money(checkout.amount_minor, checkout.currency))
    context = {"checkout": checkout, "amount": amount, "merchant": checkout.account.name, **extra}
    back = "{0.scheme}://{0.netloc}".format(urlsplit(checkout.return_url))
    return _security_headers(render(request, f"sandbox/{template}.html", context, status=status), back)


def _security_headers(response: HttpResponse, back: str = "") -> HttpResponse:
    """`back` is the merchant's origin: browsers apply form-action to the redirect after Pay, too."""
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {back}"
    )
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
