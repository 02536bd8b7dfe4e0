"""Asking for a part of the amount due: the dialog, and what can be done with a request afterwards."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse

from partway.billing import links
from partway.billing.errors import BillingError
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib import clock
from partway.lib.money import Money

from ..access import find
from ..context import Visit
from ..forms import Form, new_form_key


def new(visit: Visit, invoice_id: str) -> HttpResponse:
    """The Request Payment dialog; where nothing can be asked for, the reason and what to do."""
    invoice = find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)
    if not visit.posted:
        values = {"to": invoice.customer.email, "form_key": new_form_key()}
        return _form(visit, invoice, Form({**values, "expires_at": _usual_last_day(visit)}))
    form = Form.typed(visit.request.POST)
    ask = _read(visit, form, invoice)
    if ask is not None:
        try:
            made = payment_requests.create(invoice, ask=ask, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"Payment request for {made.amount_requested} is on its way to {', '.join(made.to)}."
            return visit.go(visit.url("invoice", invoice.pk), said=said)
    return _form(visit, invoice, form)


def _form(visit: Visit, invoice: Invoice, form: Form) -> HttpResponse:
    obstacle = None if visit.posted else payment_requests.obstacle(invoice, now=visit.now)
    if obstacle:
        return visit.render("staff/requests/obstacle.html", {"invoice": invoice, "obstacle": obstacle})
    # What a payment under way already holds cannot be asked for again, so the dialog reckons without it.
    most = payment_requests.most_requestable(invoice)
    context = {"invoice": invoice, "form": form, "most": most, "max_note": payment_requests.MAX_NOTE}
    return visit.render("staff/requests/new.html", context, status=form.status)


def _read(visit: Visit, form: Form, invoice: Invoice) -> payment_requests.Ask | None:
    """What was typed, or None with every field that is wrong marked at once."""
    amount = form.money("amount_requested", invoice.currency)
    expires_at = _expires_at(visit, form)
    if amount is None or form.errors:
        _mark_the_rest(form)
        return None
    return _ask(visit, form, amount, expires_at)


def _usual_last_day(visit: Visit) -> str:
    usual = payment_requests.usual_expiry(visit.organization, now=visit.now)
    return clock.last_day(usual, visit.organization.time_zone).isoformat() if usual else ""


def _expires_at(visit: Visit, form: Form) -> datetime | None:
    """The end of the last day that was typed, where the organization is; None for nothing, or for no date."""
    day = form.day("expires_at") if form.text("expires_at") else None
    return clock.end_of_day(day, visit.organization.time_zone) if day else None


def _ask(visit: Visit, form: Form, amount: Money, expires_at: datetime | None) -> payment_requests.Ask:
    return payment_requests.Ask(
        amount=amount,
        to=form.addresses("to"),
        cc=form.addresses("cc"),
        bcc=form.addresses("bcc"),
        note=form.text("note"),
        reply_to=visit.member.user.email,
        expires_at=expires_at,
        form_key=form.text("form_key")[:40] or None,
    )


def _mark_the_rest(form: Form) -> None:
    """Without an amount billing cannot be asked; the addresses and the note are still worth a word now."""
    for name in ("to", "cc", "bcc"):
        addresses = form.addresses(name)
        words = payment_requests.wrong_address(addresses)
        if name == "to" and not addresses:
            words = "Enter the address that the payment link goes to."
        if words:
            form.errors[name] = words
    if len(form.text("note")) > payment_requests.MAX_NOTE:
        form.errors["note"] = f"Use at most {payment_requests.MAX_NOTE} characters."


def ending_words(standing: PaymentRequest | None) -> str:
    """What an act on the invoice did to the request that was open before it; empty when it still is."""
    if standing is None:
        return ""
    standing.refresh_from_db(fields=["status", "cancel_reason"])
    if standing.status != "canceled" or standing.cancel_reason == "by_member":
        return ""
    return (
        f"Its open request for {standing.amount_requested} was canceled: less is due now than it asked for."
    )


def _find(visit: Visit, request_id: str) -> PaymentRequest:
    return find(visit, PaymentRequest.objects.select_related("organization", "invoice__customer"), request_id)


def resend(visit: Visit, request_id: str) -> HttpResponse:
    """Mail the same link again, after saying to whom."""
    asked = _find(visit, request_id)
    form = Form({})
    if visit.posted:
        try:
            payment_requests.resend(asked, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"The payment link is on its way again to {', '.join(asked.to)}."
            return visit.go(visit.url("invoice", asked.invoice_id), said=said)
    return visit.render("staff/requests/resend.html", {"asked": asked, "form": form}, status=form.status)


def cancel(visit: Visit, request_id: str) -> HttpResponse:
    """End the request for good, after saying what that means."""
    asked = _find(visit, request_id)
    form = Form({})
    if visit.posted:
        try:
            payment_requests.cancel(asked, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"The request for {asked.amount_requested} is canceled. Its link no longer works."
            return visit.go(visit.url("invoice", asked.invoice_id), said=said)
    return visit.render("staff/requests/cancel.html", {"asked": asked, "form": form}, status=form.status)


def link(visit: Visit, request_id: str) -> HttpResponse:
    """The payment link, to be copied by hand."""
    asked = _find(visit, request_id)
    is_over = asked.time_is_over(visit.now)
    url = links.request_url(asked) if asked.status == "open" and not is_over else ""
    return visit.render("staff/requests/link.html", {"asked": asked, "url": url, "is_over": is_over})
