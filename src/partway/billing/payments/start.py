"""Starts an online payment: checks that a link can be paid, writes the payment, and opens its checkout."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.money import Money

from .. import events
from ..checkouts import gateway_calls, payability, rate_limits
from ..checkouts.payability import CHECKOUT_LIFETIME
from ..errors import DepositNotDivisible, GatewayUnavailable, NotPayable, PaymentInProgress
from ..models import Invoice, Payment, PaymentRequest, Quote
from .refresh import book_refused_start, record_checkout, refresh_payment

PaymentTarget = PaymentRequest | Invoice | Quote

log = structlog.get_logger(__name__)

# One refresh asks, decides, acts and asks again; more turns than this mean that it contradicts itself.
_MAX_TURNS = 5
_FIRST_CHECK = timedelta(minutes=2)


def check_payable(source: PaymentTarget, *, now: datetime) -> None:
    """Return if this link can be paid now, else raise NotPayable; `busy` while a payment is being processed."""
    document, request = _split(source)
    if request is not None and request.has_expired(now) and _is_being_paid(request):
        raise NotPayable("busy")  # begun in time, so whoever opens the link again must not ask for a new one
    payability.check(document, request, checkout_started_at=now)
    _taking_account(document.organization, _owed(document, request))
    if document.payments.committed().exists():
        raise NotPayable("busy")


def _is_being_paid(request: PaymentRequest) -> bool:
    return request.status == "open" and request.payments.committed().exists()


def _taking_account(organization: Organization, amount: Money) -> GatewayAccount:
    """The account that takes this amount; raises NotPayable when there is none, or it takes no such amount."""
    account = GatewayAccount.objects.current(organization).first()
    if account is None:
        raise NotPayable("payments_off")
    try:
        gateway = gateway_calls.gateway_for_account(account)
    except (Refused, OutcomeUnknown) as error:  # a live installation's sandbox, a lost key
        raise NotPayable("payments_off") from error
    least, step = gateway.minimum(amount.currency), gateway.step(amount.currency)
    if amount.amount_minor < least or amount.amount_minor % step:
        raise NotPayable("not_payable", f"{amount} cannot be paid online. Ask how else you can pay it.")
    return account


def _split(source: PaymentTarget) -> tuple[Invoice | Quote, PaymentRequest | None]:
    if isinstance(source, PaymentRequest):
        return source.invoice, source
    return source, None


def checkout_origin(organization: Organization) -> str:
    """Where the organization's checkout lives, for the form-action of a page that leads there; empty if none."""
    account = GatewayAccount.objects.current(organization).first()
    try:
        return gateway_calls.gateway_for_account(account).checkout_origin if account else ""
    except (Refused, OutcomeUnknown):  # nothing can be paid there: a live installation's sandbox, a lost key
        return ""


# Starting


def start_payment(source: PaymentTarget, *, shown: Money, payer_ip: str | None, now: datetime) -> Payment:
    """A payment whose `checkout_url` is where the customer goes; the same link twice gets the same checkout (P1).

    `shown` is the amount on the page, only compared. Raises NotPayable, PaymentInProgress, RateLimited, GatewayUnavailable.
    """
    for _ in range(3):
        payment = _claim(source, shown, payer_ip, now)
        if payment.status == "pending" and _is_for(payment, source):
            return _opened(payment, source, now)
        _clear(payment, now)
    raise PaymentInProgress()


def _is_for(payment: Payment, source: PaymentTarget) -> bool:
    _, request = _split(source)
    return payment.payment_request_id == (request.pk if request else None)


@transaction.atomic(durable=True)
def _claim(source: PaymentTarget, shown: Money, payer_ip: str | None, now: datetime) -> Payment:
    """A new payment for this link, or the unsettled one that stands: the same, or one that must go first."""
    document = _locked(source)
    request = PaymentRequest.objects.get(pk=source.pk) if isinstance(source, PaymentRequest) else None
    payability.check(document, request, checkout_started_at=now)
    amount = _amount(document, request, shown)
    standing = _standing(document)
    if standing is not None and not _makes_way(standing, source, amount, now):
        return standing
    # Asked before anything is withdrawn: whoever may not begin a checkout shall not end another's either.
    rate_limits.check(document, request, payer_ip, now=now)
    account = _taking_account(document.organization, amount)
    if standing is None:
        return _create(document, request, account, amount, payer_ip, now)
    gateway_calls.begin_cancel(standing, by=events.customer_actor(document.customer), now=now)
    return standing


def _makes_way(standing: Payment, source: PaymentTarget, amount: Money, now: datetime) -> bool:
    """Whether a payment that only waits for its customer goes, because another one is begun (P1)."""
    same = _is_for(standing, source) and standing.amount == amount and _is_fresh(standing, now)
    return standing.status in gateway_calls.CANCEL_TRANSITIONS and not same


def _locked(source: PaymentTarget) -> Invoice | Quote:
    document, _ = _split(source)
    return type(document).objects.locked(document.pk)


def _amount(document: Invoice | Quote, request: PaymentRequest | None, shown: Money) -> Money:
    """What is charged: never what a page says, which is only compared with it (D1)."""
    if isinstance(document, Quote):
        if shown != document.deposit:
            raise DepositNotDivisible()
        return document.deposit
    amount = _owed(document, request)
    if shown != amount:
        raise NotPayable("changed")
    return amount


def _owed(document: Invoice | Quote, request: PaymentRequest | None) -> Money:
    if isinstance(document, Quote):
        return document.deposit
    return request.amount_requested if request else document.amount_due


def _standing(document: Invoice | Quote) -> Payment | None:
    unsettled = document.payments.unsettled()
    return unsettled.select_related("organization", "invoice", "quote", "gateway_account").first()


def _is_fresh(payment: Payment, now: datetime) -> bool:
    return now < payment.created_at + CHECKOUT_LIFETIME


def _create(
    document: Invoice | Quote,
    request: PaymentRequest | None,
    account: GatewayAccount,
    amount: Money,
    payer_ip: str | None,
    now: datetime,
) -> Payment:
    payment = Payment.objects.create(
        organization=document.organization,
        **_of(document),
        payment_request=request,
        gateway_account=account,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        payer_ip=payer_ip,
        created_at=now,
        next_refresh_at=now + _FIRST_CHECK,
    )
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency}
    payer = events.customer_actor(document.customer)
    events.record("payment.started", payment, by=payer, now=now, data=data)
    return payment


def _of(document: Invoice | Quote) -> dict[str, Any]:
    return {"quote": document} if isinstance(document, Quote) else {"invoice": document}


def _opened(payment: Payment, source: PaymentTarget, now: datetime) -> Payment:
    """The payment with its checkout open at the gateway; asks again when an earlier try got no answer."""
    if payment.checkout_url:
        return payment
    try:
        checkout = gateway_calls.start(payment, now=now)
    except Refused as refusal:
        book_refused_start(payment, refusal, now)
        raise GatewayUnavailable(
            f"The payment service refused: {refusal.message} Nothing was charged."
        ) from refusal
    except OutcomeUnknown as unknown:
        raise GatewayUnavailable() from unknown
    record_checkout(payment, checkout.ref, checkout.url)
    if payment.status in ("closing", "releasing"):  # canceled or voided while the gateway was opening it
        gateway_calls.close(payment, now=now)
    if payment.status != "pending":  # ended, or paid by a second click that was faster
        _check_again(type(source).objects.get(pk=source.pk), payment.amount, now)
        raise PaymentInProgress()
    return payment


def _check_again(source: PaymentTarget, shown: Money, now: datetime) -> None:
    """Return if this link can still be paid, and with what its page showed, else raise NotPayable."""
    check_payable(source, now=now)
    if _owed(*_split(source)) != shown:
        raise NotPayable("changed")


def _clear(payment: Payment, now: datetime) -> None:
    """Try to settle the payment that stands in the way: close it at the gateway, or learn what became of it."""
    try:
        refresh_payment(payment, now=now)
    except (OutcomeUnknown, Refused) as error:
        raise PaymentInProgress() from error
