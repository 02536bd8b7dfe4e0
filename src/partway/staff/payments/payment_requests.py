"""Payment requests: the Request Payment dialog, and what can be done with a request afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing import links
from partway.billing.checkouts import online_amounts
from partway.billing.checkouts.online_amounts import OnlineAmounts
from partway.billing.documents.amounts import percent_of
from partway.billing.errors import BillingError, PaymentInProgress
from partway.billing.models import PaymentRequest
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.delivery.formats import format_money, format_percent, format_typed
from partway.delivery.messages import error_message
from partway.delivery.messages.online_amounts import due_message
from partway.lib import clock
from partway.lib.email_addresses import same_address
from partway.lib.money import Money

from .. import mail_frame
from ..access import get_invoice_or_404, get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    ConcurrentEditForm,
    DayField,
    IdempotencyKeyField,
    MoneyField,
    RecipientsForm,
    StaffForm,
    set_currency,
    text_field,
)


class PaymentRequestForm(RecipientsForm):
    """Whom a payment request goes to, how much it asks for, and until when its link works."""

    amount_requested = MoneyField()
    note = text_field(max_length=payment_requests.MAX_NOTE_LENGTH)
    expires_at = DayField(required=False)
    idempotency_key = IdempotencyKeyField()

    def clean(self) -> None:
        """Adds billing's checks of the addresses where another error keeps billing from being called."""
        if self.errors:
            self.add_field_errors(self.recipients().errors())

    def new_request(self, time_zone: str, reply_to: str) -> NewPaymentRequest:
        """Returns the request; its link works to the end of the last day in `time_zone`."""
        typed = self.cleaned_data
        last_day = typed["expires_at"]
        return NewPaymentRequest(
            amount=typed["amount_requested"],
            to=typed["to"],
            cc=typed["cc"],
            bcc=typed["bcc"],
            note=typed["note"],
            reply_to=reply_to,
            expires_at=clock.end_of_day(last_day, time_zone) if last_day else None,
            idempotency_key=typed["idempotency_key"],
        )


def new(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Request Payment dialog; where no payment can be requested, the reason and what to do.

    Its second button fills the frame of the dialog with the mail, and sends nothing.
    """
    invoice = get_invoice_or_404(ctx, invoice_id)
    expires_at = payment_requests.default_expiry(ctx.organization, now=ctx.now)
    first = {
        "to": invoice.customer.email,
        "expires_at": clock.last_day(expires_at, ctx.organization.time_zone) if expires_at else "",
    }
    form = PaymentRequestForm(ctx.post_data, initial=first)
    set_currency(form, invoice.currency)
    zone, reply_to = ctx.organization.time_zone, ctx.member.user.email
    if "preview" in form.data:
        return mail_frame.preview(
            form,
            lambda: payment_requests.preview(
                invoice, new_request=form.new_request(zone, reply_to), by=ctx.actor, now=ctx.now
            ),
        )
    if form.is_valid():
        new_request = form.new_request(zone, reply_to)
        try:
            made = payment_requests.create(invoice, new_request=new_request, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            notice = gettext("Payment request for %(amount)s is on its way to %(to)s.")
            values = {"amount": format_money(made.amount_requested), "to": ", ".join(made.to)}
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice % values)
    reason = None if ctx.is_post else payment_requests.unavailable_reason(invoice)
    # An amount that a payment under way already holds cannot be requested again.
    max_amount = payment_requests.max_requestable(invoice)
    online = online_amounts.of_organization(ctx.organization, invoice.currency)
    context = {
        "invoice": invoice,
        "form": form,
        "back": ctx.url("invoice", invoice.pk),
        "unavailable_reason": unavailable_message(reason),
        "payments_not_enabled": reason is not None and reason.code == "payments_not_enabled",
        "max_amount": max_amount,
        "suggestions": list(_suggestions(max_amount, online)),
        "online": online,
        "online_message": due_message(ctx.organization, max_amount),
        "max_note": payment_requests.MAX_NOTE_LENGTH,
    }
    return ctx.render("staff/requests/new.html", context, status=form.status)


def _suggestions(max_amount: Money, online: OnlineAmounts | None) -> Iterator[tuple[str, Money, str]]:
    """Yields a label, an amount that can be requested, and its text in the field, for the buttons that fill it in."""
    for percent in (25, 50, 100):
        amount = Money(percent_of(max_amount.amount_minor, Decimal(percent)), max_amount.currency)
        amount = online.payable_part(amount) if online else amount
        if amount:
            part = format_percent(Decimal(percent))
            yield (part if percent < 100 else gettext("The rest"), amount, format_typed(amount))


def canceled_request_notice(open_request: PaymentRequest | None) -> str:
    """Returns what an act on the invoice did to the request that was open before it; empty when it stays open."""
    if open_request is None:
        return ""
    open_request.refresh_from_db(fields=["status", "cancel_reason"])
    if open_request.status != "canceled" or open_request.cancel_reason == "by_member":
        return ""
    notice = gettext("Its open request for %(amount)s was canceled: less is due now than it asked for.")
    return notice % {"amount": format_money(open_request.amount_requested)}


def get_request_or_404(ctx: MemberContext, request_id: str) -> PaymentRequest:
    """Returns this organization's payment request, with its invoice and customer."""
    rows = PaymentRequest.objects.select_related("organization", "invoice__customer")
    return get_own_or_404(ctx, rows, request_id)


class ResendForm(ConcurrentEditForm, RecipientsForm):
    """The addresses that the same link is mailed to, now and from now on."""

    idempotency_key = IdempotencyKeyField()


def resend(ctx: MemberContext, request_id: str) -> HttpResponse:
    """Asks to whom the same link is mailed again; with ?to=customer the customer's present address is filled in."""
    payment_request = get_request_or_404(ctx, request_id)
    back = ctx.url("invoice", payment_request.invoice_id)
    customer = payment_request.invoice.customer
    first = _recipient_texts(payment_request)
    if ctx.request.GET.get("to") == "customer":
        first["to"] = customer.email
    form = ResendForm(ctx.post_data, initial=first)

    def act(form: ResendForm) -> HttpResponse:
        opened = form.valid_opened_form()
        mail = payment_requests.resend(
            payment_request,
            # A page that only asked sends no address.
            recipients=form.recipients() if "to" in form.data else None,
            initial=opened.recipients() if opened and "to" in opened.data else None,
            by=ctx.actor,
            now=ctx.now,
            idempotency_key=form.content_key(ctx.request.path),
        )
        notice = gettext("The payment link is on its way again to %(to)s.")
        return ctx.redirect(back, notice=notice % {"to": ", ".join(mail.to)})

    def context() -> dict[str, object]:
        form.initial = _recipient_texts(payment_request)
        asked = [*payment_request.to, *payment_request.cc, *payment_request.bcc]
        asked += form.cleaned_data.get("to", ()) if form.is_bound else ()
        is_asked = any(same_address(customer.email, address) for address in asked)
        return {
            # What is stored, and not what the link to the customer's address filled in.
            "initial": form.initial_json(),
            "form": form if form.is_bound else ResendForm(initial=first),
            "new_address": "" if is_asked or first["to"] == customer.email else customer.email,
        }

    return confirm(
        ctx,
        payment_request,
        "staff/requests/resend.html",
        form=form,
        act=act,
        back=back,
        context=context,
        unavailable_reason=lambda: unavailable_message(
            payment_requests.resend_unavailable_reason(payment_request)
        ),
    )


def _recipient_texts(request: PaymentRequest) -> dict[str, str]:
    """Returns the recipients of a request as a member types them."""
    return {name: ", ".join(getattr(request, name)) for name in ("to", "cc", "bcc")}


def cancel(ctx: MemberContext, request_id: str) -> HttpResponse:
    """Asks before the request ends for good."""
    payment_request = get_request_or_404(ctx, request_id)
    back = ctx.url("invoice", payment_request.invoice_id)

    def act(_form: StaffForm) -> HttpResponse:
        payment_requests.cancel(payment_request, by=ctx.actor, now=ctx.now)
        notice = gettext("The request for %(amount)s is canceled. Its link no longer works.")
        return ctx.redirect(back, notice=notice % {"amount": format_money(payment_request.amount_requested)})

    def unavailable_reason() -> str:
        is_committed = payment_request.payments.committed().exists()
        return error_message(PaymentInProgress()) if is_committed else ""

    return confirm(
        ctx,
        payment_request,
        "staff/requests/cancel.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=back,
        unavailable_reason=unavailable_reason,
    )


def link(ctx: MemberContext, request_id: str) -> HttpResponse:
    """The payment link, to be copied by hand."""
    payment_request = get_request_or_404(ctx, request_id)
    has_expired = payment_request.has_expired(ctx.now)
    is_payable = payment_request.status == "open" and not has_expired
    context = {
        "payment_request": payment_request,
        "url": links.request_url(payment_request) if is_payable else "",
        "has_expired": has_expired,
        "back": ctx.url("invoice", payment_request.invoice_id),
    }
    return ctx.render("staff/requests/link.html", context)
