"""Answers that all pages of this door share: unknown and dead links, and what happens on Pay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from partway.accounts.models import Organization
from partway.billing.errors import BillingError, NotPayable
from partway.billing.payments.start import PaymentTarget, checkout_origin, start_payment
from partway.delivery.messages import error_message
from partway.lib.clock import now
from partway.lib.money import MAX_AMOUNT_MINOR, Money

from .address import payer_ip

AMOUNT_CHANGED = "The amount has changed since you opened this page. Please look again before you pay."

# What a dead link says: a title, what is so, what to ask for. Nothing else may be learned from it.
_GONE_MESSAGES = {
    "paid": ("This has been paid", "This payment request was paid; nothing more is asked for here.", ""),
    "canceled": (
        "This request was canceled",
        "It was withdrawn: there is nothing to pay here.",
        "a new link",
    ),
    "expired": ("This link has expired", "The time in which it could be paid has ended.", "a new link"),
    "settled": ("Already settled", "What this link asked for is settled; nothing is left to pay here.", ""),
    "void": ("This invoice was voided", "It is no longer valid: there is nothing to pay.", ""),
    "quote_declined": (
        "This quote was declined",
        "That has been passed on, and nobody can accept it any more.",
        "a new one",
    ),
    "quote_expired": (
        "This quote has expired",
        "Its last day is over, so it can no longer be accepted.",
        "a new one",
    ),
    "payments_off": ("Online payment is paused", "Nothing can be paid here just now.", "another way to pay"),
}
_NOT_PAYABLE = (
    "This cannot be paid here",
    "Nothing can be paid through this link any more.",
    "another way to pay",
)

# Gone for good, except where an owner may switch payments on again.
_STATUS = {"payments_off": 403}


def page(http: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """A page that no cache keeps and no search engine lists: going back to it shows how things stand now."""
    response = render(http, f"pay/{template}.html", dict(context), status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    add_never_cache_headers(response)
    return response


def not_found(http: HttpRequest, **_: str) -> HttpResponse:
    """The same bytes for every link that is none, whatever it looks like."""
    return page(http, "unknown", {}, status=404)


def gone(http: HttpRequest, organization: Organization, reason: str) -> HttpResponse:
    """A link that lived: says why it is dead and whom to ask, and nothing about what it was for."""
    title, message, contact_about = _GONE_MESSAGES.get(reason, _NOT_PAYABLE)
    context = {
        "organization": organization,
        "title": title,
        "message": message,
        "contact_about": contact_about,
    }
    if reason.startswith("quote_"):
        context["if_you"] = "If you still want the work done"
    return page(http, "dead", context, status=_STATUS.get(reason, 410))


def payable_page(
    http: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """A page with a Pay button; its policy names the gateway, or browsers would stop the way there."""
    origin = checkout_origin(context["organization"])
    sandbox = origin == settings.PARTWAY_SANDBOX_URL
    response = page(http, template, {**context, "payable": True, "sandbox": sandbox}, status)
    response.csp_form_action = [origin]  # type: ignore[attr-defined]
    return response


def start(
    http: HttpRequest,
    source: PaymentTarget,
    rerender: Callable[[str, int], HttpResponse],
    *,
    shown: Money | None = None,
) -> HttpResponse:
    """Go to the gateway's checkout; or `show_again` with words and a status when that cannot be.

    `shown` is the amount where the page has no say in it, as for a deposit.
    """
    shown = shown or _shown(http, source.currency)
    try:
        payment = start_payment(source, shown=shown, payer_ip=payer_ip(http), now=now())
    except NotPayable as error:
        return rerender(AMOUNT_CHANGED if error.reason == "changed" else error_message(error), error.status)
    except BillingError as error:
        return rerender(error_message(error), error.status)
    return HttpResponse(status=303, headers={"Location": payment.checkout_url})


def _shown(http: HttpRequest, currency: str) -> Money:
    """The amount that stood on the button; only ever compared with what is due, never taken as the amount."""
    typed = http.POST.get("amount_minor", "")
    known = typed.isascii() and typed.isdigit() and len(typed) <= len(str(MAX_AMOUNT_MINOR))
    return Money(int(typed) if known else 0, currency)
