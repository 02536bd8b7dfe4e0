"""Takes payments: starts a checkout for a link, and brings every report of a gateway to one end.

link ──start──> checkout at the gateway
                    │
callback ─┐         │
return  ──┼─refresh─┴─> ask the gateway ─> settlement.apply (locked) ─> capture or close ─> ask again
worker  ──┘
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.gateways.protocol import CallbackFacts, Closing, Refused, Truth, Unknown
from partway.lib.money import Money

from . import checkouts, events, flags, payability, settlement, throttles
from .checkouts import SOON, UnderWay
from .errors import DepositNotDivisible, GatewayDown, NotPayable, PaymentInProgress
from .models import Callback, Invoice, Payment, PaymentRequest, Quote
from .payability import CHECKOUT_LIFE
from .settlement import Act, Report
from .states import move

Source = PaymentRequest | Invoice | Quote

log = structlog.get_logger(__name__)

# One refresh asks, decides, acts and asks again; more turns than this mean that it contradicts itself.
_MAX_TURNS = 5
_FIRST_CHECK = timedelta(minutes=2)


def payable(source: Source, *, now: datetime) -> None:
    """Return if this link can be paid now, else raise NotPayable; `busy` while a payment is being processed."""
    document, request = _split(source)
    if request is not None and request.time_is_over(now) and _is_being_paid(request):
        raise NotPayable("busy")  # begun in time, so whoever opens the link again must not ask for a new one
    payability.check(document, request, begun_at=now)
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
        gateway = checkouts.gateway_of(account)
    except (Refused, Unknown) as error:  # a live installation's sandbox, a lost key
        raise NotPayable("payments_off") from error
    least, step = gateway.minimum(amount.currency), gateway.step(amount.currency)
    if amount.amount_minor < least or amount.amount_minor % step:
        raise NotPayable("not_payable", f"{amount} cannot be paid online. Ask how else you can pay it.")
    return account


def _split(source: Source) -> tuple[Invoice | Quote, PaymentRequest | None]:
    if isinstance(source, PaymentRequest):
        return source.invoice, source
    return source, None


def checkout_origin(organization: Organization) -> str:
    """Where the organization's checkout lives, for the form-action of a page that leads there; empty if none."""
    account = GatewayAccount.objects.current(organization).first()
    try:
        return checkouts.gateway_of(account).checkout_origin if account else ""
    except (Refused, Unknown):  # nothing can be paid there: a live installation's sandbox, a lost key
        return ""


# Starting


def start(source: Source, *, shown: Money, payer_address: str | None, now: datetime) -> Payment:
    """A payment whose `checkout_url` is where the customer goes; the same link twice gets the same checkout (P1).

    `shown` is the amount on the page, only compared. Raises NotPayable, PaymentInProgress, RateLimited, GatewayDown.
    """
    for _ in range(3):
        payment = _claim(source, shown, payer_address, now)
        if payment.status == "pending" and _is_for(payment, source):
            return _opened(payment, source, now)
        _clear(payment, now)
    raise PaymentInProgress()


def _is_for(payment: Payment, source: Source) -> bool:
    _, request = _split(source)
    return payment.payment_request_id == (request.pk if request else None)


@transaction.atomic(durable=True)
def _claim(source: Source, shown: Money, payer_address: str | None, now: datetime) -> Payment:
    """A new payment for this link, or the unsettled one that stands: the same, or one that must go first."""
    document = _locked(source)
    request = PaymentRequest.objects.get(pk=source.pk) if isinstance(source, PaymentRequest) else None
    payability.check(document, request, begun_at=now)
    amount = _amount(document, request, shown)
    standing = _standing(document)
    if standing is not None and not _makes_way(standing, source, amount, now):
        return standing
    # Asked before anything is withdrawn: whoever may not begin a checkout shall not end another's either.
    throttles.check(document, request, payer_address, now=now)
    account = _taking_account(document.organization, amount)
    if standing is None:
        return _create(document, request, account, amount, payer_address, now)
    checkouts.withdraw(standing, by=events.customer_actor(document.customer), now=now)
    return standing


def _makes_way(standing: Payment, source: Source, amount: Money, now: datetime) -> bool:
    """Whether a payment that only waits for its customer goes, because another one is begun (P1)."""
    same = _is_for(standing, source) and standing.amount == amount and _is_fresh(standing, now)
    return standing.status in checkouts.WITHDRAWN and not same


def _locked(source: Source) -> Invoice | Quote:
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
    return now < payment.created_at + CHECKOUT_LIFE


def _create(
    document: Invoice | Quote,
    request: PaymentRequest | None,
    account: GatewayAccount,
    amount: Money,
    payer_address: str | None,
    now: datetime,
) -> Payment:
    payment = Payment.objects.create(
        organization=document.organization,
        **_of(document),
        payment_request=request,
        gateway_account=account,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        payer_address=payer_address,
        created_at=now,
        check_at=now + _FIRST_CHECK,
    )
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency}
    payer = events.customer_actor(document.customer)
    events.record("payment.started", payment, by=payer, now=now, data=data)
    return payment


def _of(document: Invoice | Quote) -> dict[str, Any]:
    return {"quote": document} if isinstance(document, Quote) else {"invoice": document}


def _opened(payment: Payment, source: Source, now: datetime) -> Payment:
    """The payment with its checkout open at the gateway; asks again when an earlier try got no answer."""
    if payment.checkout_url:
        return payment
    try:
        checkout = checkouts.start(payment, now=now)
    except Refused as refusal:
        _book_refused_start(payment, refusal, now)
        raise GatewayDown(f"The payment service refused: {refusal.words} Nothing was charged.") from refusal
    except Unknown as unknown:
        raise GatewayDown() from unknown
    _book_start(payment, checkout.ref, checkout.url)
    if payment.status in ("closing", "releasing"):  # canceled or voided while the gateway was opening it
        checkouts.close(payment, now=now)
    if payment.status != "pending":  # ended, or paid by a second click that was faster
        _check_again(type(source).objects.get(pk=source.pk), payment.amount, now)
        raise PaymentInProgress()
    return payment


def _check_again(source: Source, shown: Money, now: datetime) -> None:
    """Return if this link can still be paid, and with what its page showed, else raise NotPayable."""
    payable(source, now=now)
    if _owed(*_split(source)) != shown:
        raise NotPayable("changed")


def close_stray(payment: Payment, ref: str, *, now: datetime) -> None:
    """A checkout we had given up for never opened is there after all: learn its name, and make it unpayable."""
    learn_name(payment, ref)
    checkouts.close(payment, now=now)


def learn_name(payment: Payment, ref: str) -> None:
    """Book the gateway's name for a checkout that nobody will open any more, as its list tells it."""
    _book_start(payment, ref, "")


def _book_start(payment: Payment, ref: str, url: str) -> None:
    """The gateway's name for it is a fact, whatever became of the payment meanwhile."""
    payment.checkout_url = url
    sealed = payment.sealed_checkout_url
    Payment.objects.filter(pk=payment.pk, checkout_ref="").update(
        checkout_ref=ref, sealed_checkout_url=sealed
    )
    payment.refresh_from_db(fields=["status", "checkout_ref", "sealed_checkout_url"])


@transaction.atomic(durable=True)
def _book_refused_start(payment: Payment, refusal: Refused, now: datetime) -> None:
    payability.locked_document(payment)
    payment.refresh_from_db(fields=["status", "checkout_ref"])
    to = {"pending": "failed", "closing": "canceled"}.get(payment.status)
    if to is None or payment.checkout_ref:  # another try opened it, so a customer may be paying there
        return
    data = {"code": refusal.code, "words": refusal.words[:300]}
    columns = {"failure_code": refusal.code, "failure_words": refusal.words[:300], "settled_at": now}
    actor = events.gateway_actor(checkouts.account_of(payment).gateway)
    move(payment, to, by=actor, now=now, data=data, **columns)


def _clear(payment: Payment, now: datetime) -> None:
    """Try to settle the payment that stands in the way: close it at the gateway, or learn what became of it."""
    try:
        refresh(payment, now=now)
    except (Unknown, Refused) as error:
        raise PaymentInProgress() from error


# Learning


def refresh(payment: Payment, *, now: datetime, callback: Callback | None = None) -> Payment:
    """Ask the gateway and book what is new, capturing or closing as decided; safe at any time, any number of times.

    A `callback` is marked done in the transaction that books it (P7). Raises Unknown when the gateway is silent.
    """
    fresh = _with_account(payment.pk)
    if not fresh.checkout_ref:
        fresh = _learn_start(fresh, now)
    truth = checkouts.ask(fresh) if fresh.checkout_ref else None
    for _ in range(_MAX_TURNS):
        if truth is None:
            break
        act, fresh = _apply(fresh, truth, now, callback)
        if act is None:
            return fresh
        truth = _carry_out(act, fresh, now)
    return _with_account(payment.pk)


def _with_account(payment_id: str) -> Payment:
    return Payment.objects.select_related("gateway_account", "organization", "invoice", "quote").get(
        pk=payment_id
    )


def _learn_start(payment: Payment, now: datetime) -> Payment:
    """A start whose answer we never got: the same key and body tell what became of it."""
    try:
        checkout = checkouts.start(payment, now=now)
    except Refused as refusal:
        _book_refused_start(payment, refusal, now)
    else:
        _book_start(payment, checkout.ref, checkout.url)
    return _with_account(payment.pk)


@transaction.atomic(durable=True)
def _apply(
    payment: Payment, truth: Truth, now: datetime, callback: Callback | None
) -> tuple[Act | None, Payment]:
    """Book the truth under the document's lock; answers what to do next, and the payment as it is then."""
    document = payability.locked_document(payment)
    rows = Payment.objects.select_related("gateway_account", "organization", "payment_request")
    fresh = rows.get(pk=payment.pk)
    if isinstance(document, Quote):
        fresh.quote = document
    else:
        fresh.invoice = document
    by = events.gateway_actor(checkouts.account_of(fresh).gateway)
    act = settlement.apply(Report(fresh, document, fresh.payment_request, truth, by, now))
    if callback is not None:
        Callback.objects.filter(pk=callback.pk, status="waiting").update(status="done", done_at=now)
    return act, fresh


def _carry_out(act: Act, payment: Payment, now: datetime) -> Truth | None:
    """Tell the gateway what was decided; answers what is true after that, or None where the worker must ask later."""
    try:
        if act == Act.CAPTURE:
            return checkouts.capture(payment, now=now)
        taken = checkouts.close(payment, now=now) == Closing.TAKEN
        return checkouts.ask(payment) if taken else None
    except UnderWay:
        return None
    except Refused:
        return checkouts.ask(payment)  # it may have lapsed: then the gateway says so
    except Unknown:
        log.warning("gateway gave no answer", payment=payment.pk, act=act)
        return None  # a time-out is not a failure (P5)


# Callbacks


def receive(
    gateway_account: GatewayAccount, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> Callback:
    """Verify a callback on its raw body, store it once, and try to book it; raises BadCallback when it is not genuine.

    Once this returns the callback is stored: what cannot be booked yet is retried by the worker (P7).
    """
    facts = checkouts.gateway_of(gateway_account).read_callback(body, headers)
    callback = _store(gateway_account, facts, body, now)
    if callback.status == "waiting":
        work_off(callback, now=now)
    return callback


def _store(account: GatewayAccount, facts: CallbackFacts, body: bytes, now: datetime) -> Callback:
    row = Callback(
        gateway_account=account,
        event_id=facts.event_id,
        kind=facts.kind,
        checkout_ref=facts.checkout_ref,
        body=body.decode("utf-8", "replace"),
        received_at=now,
        try_at=now + SOON,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return Callback.objects.get(gateway_account=account, event_id=facts.event_id)
    return row


def work_off(callback: Callback, *, now: datetime) -> bool:
    """Book what a stored callback reports; False while it must wait for a payment or for the gateway."""
    payment = _payment_of(callback)
    if payment is None:
        return False
    try:
        refresh(payment, now=now, callback=callback)
    except (Unknown, Refused) as error:
        log.warning("callback waits", callback=callback.pk, why=str(error))
        return False
    return True


def _payment_of(callback: Callback) -> Payment | None:
    account_id, ref = callback.gateway_account_id, callback.checkout_ref
    return Payment.objects.filter(gateway_account=account_id, checkout_ref=ref).first()


@transaction.atomic
def give_up(callback: Callback, *, now: datetime) -> None:
    """Nothing of ours fits this callback: hand it to a human instead of dropping it.

    One whose payment we know is never given up: only the gateway is silent, and will answer some day.
    """
    if _payment_of(callback) is not None:
        return
    Callback.objects.filter(pk=callback.pk, status="waiting").update(status="flagged", done_at=now)
    words = f"The payment service reported “{callback.kind}” for a checkout Partway does not know: check it there."
    account = callback.gateway_account
    subject = f"{account.pk}:{callback.checkout_ref}"[:200]  # one entry, however much is reported about it
    flags.raise_for_organization("unknown_callback", subject, account.organization_id, words=words, now=now)
