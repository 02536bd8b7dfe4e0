"""Creates, resends, cancels and expires payment requests, each for a part of an invoice's amount due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.accounts.prepared import Prepared
from partway.gateways.protocol import Gateway, OutcomeUnknown, Refused
from partway.lib import clock
from partway.lib.email_addresses import (
    InvalidAddress,
    distinct_addresses,
    normalize_address,
    same_address,
    unicode_address,
)
from partway.lib.money import Money

from .. import events, external_fields, outbox
from ..checkouts import gateway_calls, online_amounts
from ..checkouts.closing import cancel_payment, closes_checkouts
from ..checkouts.payability import EXPIRY_GRACE_PERIOD
from ..errors import (
    BillingError,
    Conflict,
    DepositNotDivisible,
    FieldError,
    Invalid,
    InvoiceNotSent,
    PaymentInProgress,
    PaymentRequestOpen,
    PaymentsNotEnabled,
    TooLate,
    address_error,
    field_error,
)
from ..events import CLOCK, Actor
from ..external_fields import UNCHANGED, ExternalFields
from ..merge import merge
from ..models import Event, Invoice, Mail, Payment, PaymentRequest, Quote
from ..outbox import Recipients
from ..states import move

MAX_NOTE_LENGTH = 1000
MAX_ADDRESSES = 20

_open_requests = Prepared(lambda invoice: PaymentRequest.objects.open().filter(invoice=invoice))
_by_key = Prepared(
    lambda organization, key: PaymentRequest.objects.filter(organization=organization, idempotency_key=key)
)
_committed_payments = Prepared(lambda invoice: Payment.objects.committed().filter(invoice=invoice))


@dataclass(frozen=True, slots=True)
class LinkRecipients:
    """The addresses that the link of a request is mailed to."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()

    def normalized(self) -> LinkRecipients:
        """Returns each address once, as it is stored; one that is no address as it was typed."""
        to, cc, bcc = (
            distinct_addresses(*map(unicode_address, typed)) for typed in (self.to, self.cc, self.bcc)
        )
        # A mail server would deliver a copy for each header that an address is in.
        cc = [address for address in cc if not _is_among(address, to)]
        bcc = [address for address in bcc if not _is_among(address, [*to, *cc])]
        return LinkRecipients(tuple(to), tuple(cc), tuple(bcc))

    def errors(self) -> dict[str, FieldError]:
        """Returns the error of each list, which names its first bad address."""
        found = {}
        for name, addresses in asdict(self).items():
            if len(addresses) > MAX_ADDRESSES:
                found[name] = field_error("too_many_addresses", limit=MAX_ADDRESSES)
            try:
                for address in addresses[:MAX_ADDRESSES]:
                    normalize_address(address)
            except InvalidAddress as error:
                found[name] = address_error(error)
        if not self.to:
            found["to"] = field_error("recipient_missing")
        return found


def _is_among(address: str, addresses: Sequence[str]) -> bool:
    return any(same_address(address, other) for other in addresses)


@dataclass(frozen=True, slots=True)
class NewPaymentRequest:
    """A payment request as a member fills it in: amount, addresses and note."""

    amount: Money
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    note: str = ""
    reply_to: str = ""
    expires_at: datetime | None = None
    idempotency_key: str | None = None
    sends_mail: bool = True  # else a program shows the link itself
    return_url: str = ""
    external: ExternalFields = UNCHANGED

    @property
    def recipients(self) -> LinkRecipients:
        """To whom the link is mailed."""
        return LinkRecipients(tuple(self.to), tuple(self.cc), tuple(self.bcc))


def current(invoice: Invoice) -> PaymentRequest | None:
    """Returns the open request of this invoice, or None."""
    return _open_requests.first(invoice.pk)


def is_being_paid(request: PaymentRequest) -> bool:
    """Returns whether a committed payment holds its invoice: asking now could collect the same money twice (R2)."""
    return _committed_payments.first(request.invoice_id) is not None


def resend_unavailable_reason(request: PaymentRequest) -> PaymentInProgress | None:
    """Returns the error that `resend` raises now for an open request whose time is not over, or None."""
    return PaymentInProgress(reason="resend") if is_being_paid(request) else None


def max_requestable(invoice: Invoice) -> Money:
    """Returns the amount due less what committed payments hold."""
    # Money that a bank is moving is as good as paid: asking for it again could collect it twice (R2).
    held = sum(payment.amount_minor for payment in invoice.payments.committed())
    return Money(invoice.amount_due_minor - held, invoice.currency)


def default_expiry(organization: Organization, *, now: datetime) -> datetime | None:
    """Returns when a request made now expires by the organization's settings; None for a request without end."""
    days = organization.request_expires_days
    if days is None:
        return None
    zone = organization.time_zone
    return clock.end_of_day(clock.today(now, zone) + timedelta(days=days), zone)


def unavailable_reason(invoice: Invoice) -> BillingError | None:
    """Returns the error that `create` raises now for any amount, or None (DESIGN R2)."""
    try:
        gateway = _check_requestable(invoice)
    except BillingError as error:
        return error
    minimum = online_amounts.of_gateway(gateway, invoice.currency).minimum
    if invoice.amount_due < minimum:
        return Invalid({"amount_requested": field_error("amount_too_small.due", minimum=minimum)})
    return None


def _check_requestable(invoice: Invoice) -> Gateway:
    """Returns the gateway that a request made now is paid with; raises when none can be made (DESIGN R1, R2)."""
    if invoice.status != "sent":
        raise InvoiceNotSent(reason=f"request_on_{invoice.status}")
    if not invoice.organization.payments_enabled:
        raise PaymentsNotEnabled()
    account = gateway_calls.current_accounts.first(invoice.organization_id)
    if account is None:
        raise PaymentsNotEnabled(reason="no_gateway_account")
    try:
        gateway = gateway_calls.gateway_for_account(account)
    except Refused as error:  # a test gateway, on an installation that was marked live later
        raise PaymentsNotEnabled(reason=error.code, gateway=account.gateway) from error
    except OutcomeUnknown as error:  # the secret key was lost, and with it the credentials
        raise PaymentsNotEnabled(reason="credentials_unreadable") from error
    open_request = current(invoice)
    if open_request is not None:
        raise PaymentRequestOpen(open_request)
    if _committed_payments.first(invoice.pk) is not None:
        raise PaymentInProgress(reason="request")
    return gateway


@needs(Permission.REQUEST_PAYMENTS)
@transaction.atomic(durable=True)
def create(
    invoice: Invoice | Quote, *, new_request: NewPaymentRequest, by: Actor, now: datetime
) -> PaymentRequest:
    """Creates a request for a part of the amount due, and queues the mail with its payment link.

    The same `idempotency_key` again returns the request it made, or raises Conflict when invoice or amount differ.
    Raises Invalid (with fields), InvoiceNotSent, PaymentsNotEnabled, PaymentRequestOpen or PaymentInProgress; of a
    quote, DepositNotDivisible (D1).
    """
    if invoice.kind == "quote":
        raise DepositNotDivisible()
    invoice = Invoice.objects.locked(invoice.pk)
    key = new_request.idempotency_key
    if key and (previous := _by_key.first(invoice.organization_id, key)):
        if previous.invoice_id != invoice.pk:
            raise Conflict(reason="request_form_used_elsewhere")
        # A double click repeats the content; the same key with other content is a form that was changed and sent
        # again (P8).
        if previous.amount_requested != new_request.amount:
            raise Conflict(reason="request_form_used", amount=previous.amount_requested)
        return previous
    gateway = _check_requestable(invoice)
    errors = _field_errors(invoice, gateway, new_request, now)
    if errors:
        raise Invalid(errors)
    request = _unsaved(invoice, new_request, by, now)
    external_fields.insert(request, new_request.external)
    expires_at = request.expires_at.isoformat() if request.expires_at else None
    data = {**_event_data(request), "cc": request.cc, "bcc": request.bcc, "expires_at": expires_at}
    if not new_request.sends_mail:
        data["not_mailed"] = True
    event = events.record("payment_request.sent", request, by=by, now=now, data=data)
    if new_request.sends_mail:
        _queue_mail(request, event, reply_to=request.reply_to)
    return request


@needs(Permission.REQUEST_PAYMENTS)
def preview(invoice: Invoice, *, new_request: NewPaymentRequest, by: Actor, now: datetime) -> Mail:
    """Returns the mail that `create` would queue now, as rows that are not stored; raises what `create` would raise.

    The id of its request is never used again, so the link in it opens nothing.
    """
    errors = _field_errors(invoice, _check_requestable(invoice), new_request, now)
    if errors:
        raise Invalid(errors)
    request = _unsaved(invoice, new_request, by, now)
    return Mail(
        kind="payment_request",
        organization=invoice.organization,
        invoice=invoice,
        payment_request=request,
        to=request.to,
        cc=request.cc,
        bcc=request.bcc,
        reply_to=request.reply_to,
        created_at=now,
    )


def _unsaved(invoice: Invoice, new_request: NewPaymentRequest, by: Actor, now: datetime) -> PaymentRequest:
    recipients = new_request.recipients.normalized()
    return PaymentRequest(
        organization_id=invoice.organization_id,
        invoice=invoice,
        amount_requested_minor=new_request.amount.amount_minor,
        currency=new_request.amount.currency,
        to=list(recipients.to),
        cc=list(recipients.cc),
        bcc=list(recipients.bcc),
        note=new_request.note,
        return_url=invoice.organization.allowed_return_url(new_request.return_url),
        requested_by=by.id,
        reply_to=new_request.reply_to,
        idempotency_key=new_request.idempotency_key,
        created_at=now,
        expires_at=new_request.expires_at,
    )


def _field_errors(
    invoice: Invoice, gateway: Gateway, new_request: NewPaymentRequest, now: datetime
) -> dict[str, FieldError]:
    errors = new_request.recipients.errors() | new_request.external.errors()
    if len(new_request.note) > MAX_NOTE_LENGTH:
        errors["note"] = field_error("note_too_long", limit=MAX_NOTE_LENGTH, length=len(new_request.note))
    if new_request.expires_at is not None and new_request.expires_at <= now:
        errors["expires_at"] = field_error("expiry_in_past")
    if code := invoice.organization.return_url_refusal(new_request.return_url):
        errors["return_url"] = field_error(code)
    zone = invoice.organization.time_zone
    first, last = clock.today(now, zone), clock.plausible_days(clock.today(now, zone))[1]
    if new_request.expires_at is not None and clock.end_of_day(last, zone) < new_request.expires_at:
        errors["expires_at"] = field_error("date_out_of_range", first=first, last=last)
    if error := _amount_error(invoice, gateway, new_request.amount):
        errors["amount_requested"] = error
    return errors


def _amount_error(invoice: Invoice, gateway: Gateway, amount: Money) -> FieldError | None:
    if amount.currency != invoice.currency:
        return field_error("currency_mismatch", currency=invoice.currency)
    online = online_amounts.of_gateway(gateway, invoice.currency)
    if amount.amount_minor <= 0:
        return field_error("amount_too_small")
    if invoice.amount_due < amount:
        return field_error("amount_exceeds_due", due=invoice.amount_due)
    if amount < online.minimum:
        return field_error("amount_too_small.online", minimum=online.minimum)
    if not online.accepts(amount):
        return field_error("amount_not_multiple", step=online.step, possible=online.payable_part(amount))
    return None


def _event_data(request: PaymentRequest) -> dict[str, object]:
    return {"amount_minor": request.amount_requested_minor, "currency": request.currency, "to": request.to}


def _queue_mail(request: PaymentRequest, event: Event, *, reply_to: str) -> Mail:
    recipients = Recipients(to=request.to, cc=request.cc, bcc=request.bcc, reply_to=reply_to)
    return outbox.queue("payment_request", event, recipients)


@needs(Permission.REQUEST_PAYMENTS)
def change_external_fields(
    request: PaymentRequest, *, external: ExternalFields, by: Actor, now: datetime
) -> None:
    """Changes the reference and the metadata of a request in any state; raises Invalid, ExternalReferenceTaken."""
    external_fields.change(request, external, by=by, now=now)


@needs(Permission.REQUEST_PAYMENTS)
@transaction.atomic(durable=True)
def resend(
    request: PaymentRequest,
    *,
    by: Actor,
    now: datetime,
    recipients: LinkRecipients | None = None,
    initial: LinkRecipients | None = None,
    idempotency_key: str | None = None,
) -> Mail:
    """Mails the same payment link again (DESIGN R5), to other `recipients` from now on where they are given.

    The same `idempotency_key` again returns the mail it queued (P8). `initial` are the recipients that the form
    showed: a list that the member left as it was keeps what another member has written since (DESIGN D8). Raises
    TooLate once the request has ended or expired, PaymentInProgress while the money is being paid, Invalid.
    """
    request = _locked(request)
    if previous := events.by_idempotency_key(request.organization, idempotency_key):
        return previous.mails.get()
    if request.status != "open":
        raise TooLate(reason=f"request_{request.cancel_reason or request.status}")
    if request.has_expired(now):
        raise TooLate(reason="request_time_over")
    if not_allowed := resend_unavailable_reason(request):
        raise not_allowed
    if recipients is not None:
        _change_recipients(request, recipients, initial=initial, by=by, now=now)
    data = _event_data(request)
    event = events.record(
        "payment_request.resent", request, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    return _queue_mail(request, event, reply_to=outbox.requester(request))


def _change_recipients(
    request: PaymentRequest,
    recipients: LinkRecipients,
    *,
    initial: LinkRecipients | None,
    by: Actor,
    now: datetime,
) -> None:
    """Stores the recipients and records the event, if they are others; a queued mail to the former is not sent."""
    if errors := recipients.errors():
        raise Invalid(errors)
    stored = LinkRecipients(tuple(request.to), tuple(request.cc), tuple(request.bcc))
    wanted = recipients.normalized()
    if initial is not None:
        shown = asdict(initial.normalized())
        wanted = LinkRecipients(**merge(asdict(stored), shown, asdict(wanted))).normalized()
    if wanted == stored:
        return
    before = {name: list(addresses) for name, addresses in asdict(stored).items()}
    after = {name: list(addresses) for name, addresses in asdict(wanted).items()}
    request.to, request.cc, request.bcc = after["to"], after["cc"], after["bcc"]
    request.save(update_fields=["to", "cc", "bcc"])
    data = {**after, "before": before}
    events.record("payment_request.recipients_changed", request, by=by, now=now, data=data)


@needs(Permission.REQUEST_PAYMENTS)
@closes_checkouts
def cancel(request: PaymentRequest, *, by: Actor, now: datetime) -> PaymentRequest:
    """Cancels an open request: once this returns its link cannot be paid, whatever the gateway does (DESIGN R4).

    Returns a request that a member canceled already unchanged. Raises PaymentInProgress while a payment is committed,
    TooLate when the request was paid or has ended otherwise.
    """
    request = _locked(request)
    if request.status == "canceled" and request.cancel_reason == "by_member":
        return request
    if request.status != "open":
        raise TooLate(reason=f"request_{request.cancel_reason or request.status}")
    end(request, "canceled", reason="by_member", by=by, now=now)
    return request


@closes_checkouts
def expire(request: PaymentRequest, *, now: datetime) -> bool:
    """Expires a request whose time is over and that no checkout can still pay; returns whether it expired now.

    A checkout that was begun in time has EXPIRY_GRACE_PERIOD to finish.
    """
    request = _locked(request)
    if request.status != "open" or request.expires_at is None or request.expires_at > now:
        return False
    payment = request.payments.under_way().first()
    # A customer who began in time is not shown "expired" with the card in hand.
    if payment is not None and (payment.is_committed or now < request.expires_at + EXPIRY_GRACE_PERIOD):
        return False
    end(request, "expired", by=CLOCK, now=now)
    return True


def end(request: PaymentRequest, to: str, *, reason: str = "", by: Actor, now: datetime) -> None:
    """Ends an open request under the invoice's lock: `to` is canceled (with a reason) or expired.

    Cancels its uncommitted payment, which is closed at the gateway after the commit. Raises PaymentInProgress while a
    payment is committed.
    """
    payment = request.payments.under_way().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    data = {"reason": reason, **_event_data(request)} if reason else _event_data(request)
    # The state first, the checkout after: once this commits the link is dead, whatever the gateway answers (R4).
    event = move(request, to, by=by, now=now, data=data, cancel_reason=reason, ended_at=now)
    if reason != "by_member":
        _notify_requester(request, event, by)
    if payment is not None:
        cancel_payment(payment, by=by, now=now)


def _notify_requester(request: PaymentRequest, event: Event, by: Actor) -> None:
    """Queues the mail that says that the request ended (DESIGN R7), unless the requester caused or knows it."""
    if by.kind in ("member", "key") and by.id == request.requested_by:
        return
    office = request.organization.email
    to = outbox.requester(request)
    if by.kind == "gateway" and to == office:
        return  # the mail about the payment goes to the same address and says it
    data = {"reason": request.cancel_reason}
    outbox.queue("payment_request_ended", event, Recipients(to=[to], reply_to=office, data=data))


def _locked(request: PaymentRequest) -> PaymentRequest:
    """Locks the invoice of this request and returns the request as it is now."""
    Invoice.objects.locked(request.invoice_id)
    return PaymentRequest.objects.select_related("organization").get(pk=request.pk)


@transaction.atomic(durable=True)
def mark_opened(request: PaymentRequest, *, now: datetime) -> None:
    """Records the first time that the customer's browser showed the request."""
    if PaymentRequest.objects.open().filter(pk=request.pk, opened_at__isnull=True).update(opened_at=now):
        actor = events.customer_actor(request.invoice.customer)
        events.record("payment_request.opened", request, by=actor, now=now)
