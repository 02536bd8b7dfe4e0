"""Responses that the customer's pages share: unknown and dead links, payable pages, and the start of a payment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.billing.checkouts import gateway_calls
from partway.billing.errors import BillingError, NotPayable, RateLimited
from partway.billing.models import PaymentRequest
from partway.billing.payments.start import Payable, PaymentTarget, start_payment
from partway.delivery.messages import error_message
from partway.gateways.registry import GATEWAYS
from partway.lib.bulkheads import GATEWAY_CALLS
from partway.lib.clock import now
from partway.lib.money import MAX_AMOUNT_MINOR, Money
from partway.lib.return_urls import shown_host

from .client_ip import payer_ip

AMOUNT_CHANGED = _("The amount has changed since you opened this page. Please look again before you pay.")

_NEW_LINK = _("If you expected to pay something, ask %(organization)s for a new link.")
_OTHER_WAY = _("If you expected to pay something, ask %(organization)s for another way to pay.")
_NEW_QUOTE = _("If you still want the work done, ask %(organization)s for a new one.")
_TELL_MORE = _("If you have questions, ask %(organization)s.")

# The page of a dead link by the reason of NotPayable: title, message, advice. It reveals nothing else.
_GONE_MESSAGES = {
    "paid": (
        _("This has been paid"),
        _("This payment request was paid; nothing more is asked for here."),
        _TELL_MORE,
    ),
    "canceled": (
        _("This request was canceled"),
        _("It was withdrawn: there is nothing to pay here."),
        _NEW_LINK,
    ),
    "expired": (
        _("This link has expired"),
        _("The time in which it could be paid has ended."),
        _NEW_LINK,
    ),
    "settled": (
        _("Already settled"),
        _("What this link asked for is settled; nothing is left to pay here."),
        _TELL_MORE,
    ),
    "void": (
        _("This invoice was voided"),
        _("It is no longer valid: there is nothing to pay."),
        _TELL_MORE,
    ),
    "quote_declined": (
        _("This quote was declined"),
        _("Your decision was passed on, and the quote can no longer be accepted."),
        _NEW_QUOTE,
    ),
    "quote_expired": (
        _("This quote has expired"),
        _("Its last day is over, so it can no longer be accepted."),
        _NEW_QUOTE,
    ),
    "quote_withdrawn": (
        _("This quote was withdrawn"),
        _("It is no longer offered and can no longer be accepted or paid."),
        _NEW_QUOTE,
    ),
    "payments_off": (
        _("Online payment is paused"),
        _("Nothing can be paid here at the moment."),
        _OTHER_WAY,
    ),
}
_NOT_PAYABLE = (
    _("This cannot be paid here"),
    _("Nothing can be paid through this link any more."),
    _OTHER_WAY,
)

# 410 Gone is for ever, but an owner may enable payments again.
_STATUS = {"payments_off": 403}


def page(request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """Renders a page that no cache keeps, so that Back shows the present state, and no search engine lists."""
    response = render(request, f"pay/{template}.html", dict(context), status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    add_never_cache_headers(response)
    return response


def not_found(request: HttpRequest, **_path: str) -> HttpResponse:
    """Renders the same bytes for every link that opens nothing, whatever it looks like."""
    return page(request, "not_found", {}, status=404)


def return_link(organization: Organization, payment_request: PaymentRequest | None) -> dict[str, str]:
    """Returns the page of a program that the customer is led back to, and its host; empty where none is allowed now.

    The list may have changed since the request was made, and the row may be one that was restored or written by hand.
    """
    url = organization.allowed_return_url(payment_request.return_url) if payment_request else ""
    return {"return_url": url, "return_host": shown_host(url)} if url else {}


def gone(
    request: HttpRequest,
    organization: Organization,
    reason: str,
    payment_request: PaymentRequest | None = None,
) -> HttpResponse:
    """Renders why a link is dead and whom to ask, and nothing about what it was for."""
    title, message, advice = _GONE_MESSAGES.get(reason, _NOT_PAYABLE)
    context = {
        "organization": organization,
        "title": title,
        "message": message,
        "advice": str(advice) % {"organization": organization.name},
        **return_link(organization, payment_request),
    }
    return page(request, "gone", context, status=_STATUS.get(reason, 410))


def payable_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], payable: Payable, status: int = 200
) -> HttpResponse:
    """Renders a page with a Pay button; its policy allows the form to lead to the gateway's origin."""
    test_gateway = GATEWAYS.get(payable.test_gateway)
    response = page(request, template, {**context, "payable": True, "test_gateway": test_gateway}, status)
    response.csp_form_action = [payable.checkout_origin]  # type: ignore[attr-defined]
    return response


def start(
    request: HttpRequest,
    source: PaymentTarget,
    rerender: Callable[[str, int], HttpResponse],
    *,
    shown: Money | None = None,
) -> HttpResponse:
    """Leads to the gateway's checkout; calls `rerender` with a message and a status when that is refused.

    `shown` is the amount on the page, else that of the form's field `amount_minor`; it is only compared with the amount
    due, never charged. Raises BulkheadFull.
    """
    if shown is None:
        typed = request.POST.get("amount_minor", "")
        # Anything else than an amount counts as zero, which is never payable: the page comes again with the right
        # amount.
        is_amount = typed.isascii() and typed.isdigit() and len(typed) <= len(str(MAX_AMOUNT_MINOR))
        shown = Money(int(typed) if is_amount else 0, source.currency)
    try:
        # Before anything is written: a payment whose call must wait would block the invoice.
        with GATEWAY_CALLS.enter():
            payment = start_payment(source, expected_amount=shown, payer_ip=payer_ip(request), now=now())
    except NotPayable as error:
        changed = error.reason == "changed"
        return rerender(str(AMOUNT_CHANGED) if changed else error_message(error), error.status)
    except RateLimited as error:
        response = rerender(error_message(error), error.status)
        response.headers["Retry-After"] = str(ceil(error.retry_after.total_seconds()))
        return response
    except BillingError as error:
        return rerender(error_message(error), error.status)
    url = payment.checkout_url
    if not gateway_calls.is_current_checkout_page(payment):
        # A business may have its checkout on a domain of its own, or one that was begun at an earlier account: the page
        # with the form did not name it. A browser would block that redirect, but lets a page lead anywhere.
        context = {"organization": payment.organization, "url": url, "host": urlsplit(url).hostname}
        return page(request, "checkout", context)
    # See Other: the browser opens the checkout by GET, and Back does not send the form again.
    return HttpResponse(status=303, headers={"Location": url})
