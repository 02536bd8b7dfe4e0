"""Asks a customer for a part of the amount due: create, resend, cancel, expire."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from partway.accounts.models import Organization
from partway.gateways.protocol import Gateway, OutcomeUnknown, Refused
from partway.lib import clock
from partway.lib.money import Money

from .. import events, outbox
from ..checkouts import gateway_calls
from ..checkouts.payability import EXPIRY_GRACE_PERIOD
from ..errors import (
    BillingError,
    Conflict,
    DepositNotDivisible,
    Invalid,
    InvoiceNotSent,
    PaymentInProgress,
    PaymentRequestOpen,
    TooLate,
)
from ..errors import PaymentsNotEnabled as NotEnabled
from ..events import CLOCK, Actor
from ..models import Event, Invoice, Mail, Payment, PaymentRequest, Quote
from ..outbox import Recipients
from ..states import move

MAX_NOTE_LENGTH = 1000
MAX_ADDRESSES = 20
MAX_EMAIL_LENGTH = 254  # RFC 5321


@dataclass(frozen=True, slots=True)
class NewPaymentRequest:
    """What a member asks for, of whom, and in which words."""

    amount: Money
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    note: str = ""
    reply_to: str = ""
    expires_at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class UnavailableReason:
    """Why Request Payment is not offered, and what to do about it."""

    code: str
    message: str


_NOT_SENT = {
    "draft": "Send the invoice first; then you can ask for a part of it.",
    "paid": "This invoice is paid. There is nothing left to ask for.",
    "void": "This invoice is void. Nothing can be asked for it.",
    "written_off": "This invoice was written off. Reopen it to ask for a payment.",
}


def unavailable_reason(invoice: Invoice, *, now: datetime) -> UnavailableReason | None:
    """What stands in the way of a new request on this invoice, if anything (DESIGN R2)."""
    try:
        gateway = _check_moment(invoice)
    except BillingError as error:
        return UnavailableReason(error.code, error.message)
    least = Money(gateway.minimum(invoice.currency), invoice.currency)
    if invoice.amount_due < least:
        return UnavailableReason(
            "amount_too_small", f"Less is due than the smallest online payment, {least}."
        )
    return None


def _check_moment(invoice: Invoice) -> Gateway:
    """The gateway that the request would be paid with; nothing is committed when this returns."""
    if invoice.status != "sent":
        raise InvoiceNotSent(_NOT_SENT[invoice.status])
    if not invoice.organization.payments_enabled:
        raise NotEnabled()
    gateway = _gateway(invoice)
    standing = current(invoice)
    if standing is not None:
        raise PaymentRequestOpen(standing)
    if invoice.payments.committed().exists():
        raise PaymentInProgress("A payment of this invoice is being processed. Ask again when it is settled.")
    return gateway


def _gateway(invoice: Invoice) -> Gateway:
    account = invoice.organization.gateway_accounts.filter(is_current=True).first()
    if account is None:
        raise NotEnabled(
            "No payment service is connected yet. An owner can connect one in Settings → Payments."
        )
    try:
        return gateway_calls.gateway_for_account(account)
    except Refused as refusal:  # the sandbox, on an installation that was marked live later
        raise NotEnabled(refusal.message) from refusal
    except OutcomeUnknown as unknown:  # the secret key was lost, and with it the credentials
        raise NotEnabled(
            "The payment service's credentials cannot be read. An owner can connect it anew in Settings → Payments."
        ) from unknown


def current(invoice: Invoice) -> PaymentRequest | None:
    """The open request of this invoice, if there is one."""
    return invoice.payment_requests.open().first()


def max_requestable(invoice: Invoice) -> Money:
    """The amount due less what a committed payment already holds."""
    held = sum(payment.amount_minor for payment in invoice.payments.committed())
    return Money(invoice.amount_due_minor - held, invoice.currency)


def default_expiry(organization: Organization, *, now: datetime) -> datetime | None:
    """Until when a request made now can be paid, as the organization usually has it; None: until it is paid."""
    days = organization.request_expires_days
    if days is None:
        return None
    zone = organization.time_zone
    return clock.end_of_day(clock.today(now, zone) + timedelta(days=days), zone)


@transaction.atomic(durable=True)
def create(
    invoice: Invoice | Quote, *, new_request: NewPaymentRequest, by: Actor, now: datetime
) -> PaymentRequest:
    """Ask for a part of the amount due, and queue the mail with its link.

    The same `idempotency_key` again answers with the request it made. Raises Invalid (with fields), InvoiceNotSent,
    PaymentsNotEnabled, PaymentRequestOpen or PaymentInProgress; of a quote, DepositNotDivisible (D1).
    """
    if isinstance(invoice, Quote):
        raise DepositNotDivisible()
    invoice = Invoice.objects.locked(invoice.pk)
    key, owner = new_request.idempotency_key, invoice.organization_id
    made = key and PaymentRequest.objects.filter(organization=owner, idempotency_key=key).first()
    if made and made.invoice_id != invoice.pk:
        raise Conflict("This form was used for another invoice. Open it again.")
    if made and made.amount_requested != new_request.amount:
        raise Conflict(
            f"This form has already asked for {made.amount_requested}. Open it again to ask for more."
        )
    if made:
        return made
    gateway = _check_moment(invoice)
    _check_ask(invoice, gateway, new_request, now)
    request = PaymentRequest.objects.create(
        organization_id=invoice.organization_id,
        invoice=invoice,
        amount_requested_minor=new_request.amount.amount_minor,
        currency=new_request.amount.currency,
        requested_by=by.id,
        created_at=now,
        **{
            field.name: _stored(getattr(new_request, field.name))
            for field in fields(new_request)
            if field.name != "amount"
        },
    )
    expires_at = request.expires_at.isoformat() if request.expires_at else None
    data = {**_figures(request), "expires_at": expires_at}
    event = events.record("payment_request.sent", request, by=by, now=now, data=data)
    _queue_mail(request, event, replies_to=request.reply_to)
    return request


def _stored(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _check_ask(invoice: Invoice, gateway: Gateway, new_request: NewPaymentRequest, now: datetime) -> None:
    errors = {**_wrong_addresses(new_request), **_wrong_details(new_request, now)}
    amount_code, amount_words = _wrong_amount(invoice, gateway, new_request.amount)
    if amount_words:
        errors["amount_requested"] = amount_words
    if errors:
        raise Invalid(errors, code=amount_code if set(errors) == {"amount_requested"} else "invalid")


def _wrong_amount(invoice: Invoice, gateway: Gateway, amount: Money) -> tuple[str, str]:
    """(code, words) of what is wrong with the amount; two empty strings when it is right."""
    if amount.currency != invoice.currency:
        return "invalid", f"This invoice is in {invoice.currency}."
    least = Money(gateway.minimum(invoice.currency), invoice.currency)
    step = Money(gateway.step(invoice.currency), invoice.currency)
    if amount.amount_minor <= 0:
        return "amount_too_small", "Enter an amount above zero."
    if invoice.amount_due < amount:
        return "amount_exceeds_due", f"Enter at most {invoice.amount_due}: no more is due."
    if amount < least:
        return "amount_too_small", f"Enter at least {least}: less cannot be paid online."
    if amount.amount_minor % step.amount_minor:
        return "invalid", f"Enter a multiple of {step}."
    return "", ""


def _wrong_addresses(new_request: NewPaymentRequest) -> dict[str, str]:
    errors = {}
    for name in ("to", "cc", "bcc"):
        message = address_error(getattr(new_request, name))
        if message:
            errors[name] = message
    if not new_request.to:
        errors["to"] = "Enter the address that the payment link goes to."
    return errors


def address_error(addresses: tuple[str, ...]) -> str:
    """What is wrong with a list of mail addresses, naming the first bad one; empty when all are good."""
    if len(addresses) > MAX_ADDRESSES:
        return f"Enter at most {MAX_ADDRESSES} addresses."
    for address in addresses:
        try:
            validate_email(address if len(address) <= MAX_EMAIL_LENGTH else "")
        except ValidationError:
            return f"“{address[:80]}” is not a mail address. Write it like name@example.com."
    return ""


def _wrong_details(new_request: NewPaymentRequest, now: datetime) -> dict[str, str]:
    errors = {}
    if len(new_request.note) > MAX_NOTE_LENGTH:
        errors["note"] = f"Use at most {MAX_NOTE_LENGTH} characters; these are {len(new_request.note)}."
    if new_request.expires_at is not None and new_request.expires_at <= now:
        errors["expires_at"] = "Choose a time that is still to come."
    return errors


def _figures(request: PaymentRequest) -> dict[str, object]:
    return {"amount_minor": request.amount_requested_minor, "currency": request.currency, "to": request.to}


def _queue_mail(request: PaymentRequest, event: Event, *, replies_to: str) -> Mail:
    recipients = Recipients(to=request.to, cc=request.cc, bcc=request.bcc, reply_to=replies_to)
    return outbox.queue("payment_request", event, recipients)


@transaction.atomic(durable=True)
def resend(request: PaymentRequest, *, by: Actor, now: datetime) -> Mail:
    """Mail the same link again; raises TooLate once the request has ended or its time is over (DESIGN R5)."""
    _, request = _locked(request)
    if request.status != "open":
        raise TooLate(_ended_words(request))
    if request.has_expired(now):
        raise TooLate("The time in which this request could be paid is over. Cancel it, then ask again.")
    event = events.record("payment_request.resent", request, by=by, now=now, data=_figures(request))
    return _queue_mail(request, event, replies_to=outbox.requester(request))


def cancel(request: PaymentRequest, *, by: Actor, now: datetime) -> PaymentRequest:
    """End an open request: its link is dead when this returns, whatever the gateway is doing (DESIGN R4).

    Raises PaymentInProgress while a payment is committed, TooLate when the request was paid or has ended otherwise;
    canceling what a member canceled already is no error.
    """
    request, to_close = _cancel(request, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return request


@transaction.atomic(durable=True)
def _cancel(request: PaymentRequest, by: Actor, now: datetime) -> tuple[PaymentRequest, Payment | None]:
    _, request = _locked(request)
    if request.status == "canceled" and request.cancel_reason == "by_member":
        return request, None
    if request.status != "open":
        raise TooLate(_ended_words(request))
    return request, end(request, "canceled", reason="by_member", by=by, now=now)


def end(request: PaymentRequest, to: str, *, reason: str = "", by: Actor, now: datetime) -> Payment | None:
    """Under the invoice's lock, end an open request as canceled (with a reason) or expired.

    Answers the payment of this request that must be closed at the gateway after the commit, if there is one; raises
    PaymentInProgress while one is committed.
    """
    payment = request.payments.unsettled().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    data = {"reason": reason, **_figures(request)} if reason else _figures(request)
    event = move(request, to, by=by, now=now, data=data, cancel_reason=reason, ended_at=now)
    if reason != "by_member":
        _tell_asker(request, event, by)
    if payment is not None and gateway_calls.begin_cancel(payment, by=by, now=now):
        return payment
    return None


def _tell_asker(request: PaymentRequest, event: Event, by: Actor) -> None:
    """Who asked hears that the request ended without them (DESIGN R7); whoever ended it knows already."""
    if by.kind == "member" and by.id == request.requested_by:
        return
    office = request.organization.email
    to = outbox.requester(request)
    if by.kind == "gateway" and to == office:
        return  # the news of the payment goes there, and says as much
    data = {"reason": request.cancel_reason}
    outbox.queue("payment_request_ended", event, Recipients(to=[to], reply_to=office, data=data))


def _ended_words(request: PaymentRequest) -> str:
    if request.status == "paid":
        return "Too late: this request was already paid."
    return f"This request has already ended ({request.get_cancel_reason_display() or 'expired'})."


def _locked(request: PaymentRequest) -> tuple[Invoice, PaymentRequest]:
    invoice = Invoice.objects.locked(request.invoice_id)
    return invoice, PaymentRequest.objects.select_related("organization").get(pk=request.pk)


def expire(request: PaymentRequest, *, now: datetime) -> bool:
    """End a request whose time is over, once a checkout begun in time has had its grace; True if it ended."""
    ended, to_close = _expire(request, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return ended


@transaction.atomic(durable=True)
def _expire(request: PaymentRequest, now: datetime) -> tuple[bool, Payment | None]:
    _, request = _locked(request)
    if request.status != "open" or request.expires_at is None or request.expires_at > now:
        return False, None
    payment = request.payments.unsettled().first()
    if payment is not None and (payment.is_committed or now < request.expires_at + EXPIRY_GRACE_PERIOD):
        return False, None
    return True, end(request, "expired", by=CLOCK, now=now)


@transaction.atomic(durable=True)
def mark_opened(request: PaymentRequest, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the request."""
    if PaymentRequest.objects.open().filter(pk=request.pk, opened_at__isnull=True).update(opened_at=now):
        actor = events.customer_actor(request.invoice.customer)
        events.record("payment_request.opened", request, by=actor, now=now)
