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

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form, new_idempotency_key


def new(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Request Payment dialog; where nothing can be asked for, the reason and what to do."""
    invoice = get_own_or_404(ctx, Invoice.objects.select_related("organization", "customer"), invoice_id)
    if not ctx.is_post:
        values = {"to": invoice.customer.email, "idempotency_key": new_idempotency_key()}
        return _form(ctx, invoice, Form({**values, "expires_at": _usual_last_day(ctx)}))
    form = Form.from_data(ctx.request.POST)
    ask = _read(ctx, form, invoice)
    if ask is not None:
        try:
            made = payment_requests.create(invoice, new_request=ask, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"Payment request for {made.amount_requested} is on its way to {', '.join(made.to)}."
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice)
    return _form(ctx, invoice, form)


def _form(ctx: MemberContext, invoice: Invoice, form: Form) -> HttpResponse:
    unavailable_reason = None if ctx.is_post else payment_requests.unavailable_reason(invoice, now=ctx.now)
    if unavailable_reason:
        return ctx.render(
            "staff/requests/obstacle.html", {"invoice": invoice, "unavailable_reason": unavailable_reason}
        )
    # What a payment under way already holds cannot be asked for again, so the dialog reckons without it.
    max_amount = payment_requests.max_requestable(invoice)
    context = {
        "invoice": invoice,
        "form": form,
        "max_amount": max_amount,
        "max_note": payment_requests.MAX_NOTE_LENGTH,
    }
    return ctx.render("staff/requests/new.html", context, status=form.status)


def _read(ctx: MemberContext, form: Form, invoice: Invoice) -> payment_requests.NewPaymentRequest | None:
    """What was typed, or None with every field that is wrong marked at once."""
    amount = form.money("amount_requested", invoice.currency)
    expires_at = _expires_at(ctx, form)
    if amount is None or form.errors:
        _mark_the_rest(form)
        return None
    return _ask(ctx, form, amount, expires_at)


def _usual_last_day(ctx: MemberContext) -> str:
    usual = payment_requests.default_expiry(ctx.organization, now=ctx.now)
    return clock.last_day(usual, ctx.organization.time_zone).isoformat() if usual else ""


def _expires_at(ctx: MemberContext, form: Form) -> datetime | None:
    """The end of the last day that was typed, where the organization is; None for nothing, or for no date."""
    day = form.day("expires_at") if form.text("expires_at") else None
    return clock.end_of_day(day, ctx.organization.time_zone) if day else None


def _ask(
    ctx: MemberContext, form: Form, amount: Money, expires_at: datetime | None
) -> payment_requests.NewPaymentRequest:
    return payment_requests.NewPaymentRequest(
        amount=amount,
        to=form.email_addresses("to"),
        cc=form.email_addresses("cc"),
        bcc=form.email_addresses("bcc"),
        note=form.text("note"),
        reply_to=ctx.member.user.email,
        expires_at=expires_at,
        idempotency_key=form.text("idempotency_key")[:40] or None,
    )


def _mark_the_rest(form: Form) -> None:
    """Without an amount billing cannot be asked; the addresses and the note are still worth a word now."""
    for name in ("to", "cc", "bcc"):
        addresses = form.email_addresses(name)
        message = payment_requests.address_error(addresses)
        if name == "to" and not addresses:
            message = "Enter the address that the payment link goes to."
        if message:
            form.errors[name] = message
    if len(form.text("note")) > payment_requests.MAX_NOTE_LENGTH:
        form.errors["note"] = f"Use at most {payment_requests.MAX_NOTE_LENGTH} characters."


def canceled_request_notice(open_request: PaymentRequest | None) -> str:
    """What an act on the invoice did to the request that was open before it; empty when it still is."""
    if open_request is None:
        return ""
    open_request.refresh_from_db(fields=["status", "cancel_reason"])
    if open_request.status != "canceled" or open_request.cancel_reason == "by_member":
        return ""
    return f"Its open request for {open_request.amount_requested} was canceled: less is due now than it asked for."


def _get_or_404(ctx: MemberContext, request_id: str) -> PaymentRequest:
    return get_own_or_404(
        ctx, PaymentRequest.objects.select_related("organization", "invoice__customer"), request_id
    )


def resend(ctx: MemberContext, request_id: str) -> HttpResponse:
    """Mail the same link again, after saying to whom."""
    asked = _get_or_404(ctx, request_id)
    form = Form({})
    if ctx.is_post:
        try:
            payment_requests.resend(asked, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"The payment link is on its way again to {', '.join(asked.to)}."
            return ctx.redirect(ctx.url("invoice", asked.invoice_id), notice=notice)
    return ctx.render("staff/requests/resend.html", {"asked": asked, "form": form}, status=form.status)


def cancel(ctx: MemberContext, request_id: str) -> HttpResponse:
    """End the request for good, after saying what that means."""
    asked = _get_or_404(ctx, request_id)
    form = Form({})
    if ctx.is_post:
        try:
            payment_requests.cancel(asked, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"The request for {asked.amount_requested} is canceled. Its link no longer works."
            return ctx.redirect(ctx.url("invoice", asked.invoice_id), notice=notice)
    return ctx.render("staff/requests/cancel.html", {"asked": asked, "form": form}, status=form.status)


def link(ctx: MemberContext, request_id: str) -> HttpResponse:
    """The payment link, to be copied by hand."""
    asked = _get_or_404(ctx, request_id)
    is_over = asked.has_expired(ctx.now)
    url = links.request_url(asked) if asked.status == "open" and not is_over else ""
    return ctx.render("staff/requests/link.html", {"asked": asked, "url": url, "is_over": is_over})
