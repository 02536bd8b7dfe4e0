"""Starts an online payment: checks that a link can be paid, writes the payment, and opens its checkout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.accounts.prepared import Prepared, insert
from partway.gateways.protocol import Gateway, OutcomeUnknown, Refused
from partway.lib.money import Money

from .. import events
from ..checkouts import gateway_calls, online_amounts, payability, rate_limits
from ..checkouts.online_amounts import amount_to_charge
from ..checkouts.payability import CHECKOUT_LIFETIME
from ..errors import DepositNotDivisible, GatewayUnavailable, NotPayable, PaymentInProgress
from ..models import Invoice, Payment, PaymentRequest, Quote
from .refresh import RELATED, book_refused_start, record_checkout, refresh_payment

# A link that can be paid; all three have `document`, `payment_request` and `amount_payable`.
PaymentTarget = PaymentRequest | Invoice | Quote

_RELATED = (*RELATED, "payment_request")
_requests = Prepared(lambda pk: PaymentRequest.objects.filter(pk=pk))
_unsettled = {
    "invoice": Prepared(
        lambda pk: Payment.objects.unsettled().filter(invoice=pk).order_by("created_at", "pk")
    ),
    "quote": Prepared(lambda pk: Payment.objects.unsettled().filter(quote=pk).order_by("created_at", "pk")),
}

_under_way = {
    "invoice": Prepared(lambda pk: Payment.objects.under_way().select_related(*_RELATED).filter(invoice=pk)),
    "quote": Prepared(lambda pk: Payment.objects.under_way().select_related(*_RELATED).filter(quote=pk)),
}

# Ending the payment that is in the way may uncover another one, started meanwhile.
_MAX_ATTEMPTS = 3
_FIRST_REFRESH = timedelta(minutes=2)


def start_payment(
    target: PaymentTarget, *, expected_amount: Money, payer_ip: str | None, now: datetime
) -> Payment:
    """Returns a pending payment whose `checkout_url` the customer opens; the same link again returns the same one (P1).

    expected_amount: the amount on the page; only compared, never charged.
    Raises NotPayable, DepositNotDivisible, PaymentInProgress, RateLimited or GatewayUnavailable.
    """
    # At most one payment under way per document (P1): one that is in the way is ended at the gateway first,
    # outside any transaction, and then the question is asked again from the start.
    for _ in range(_MAX_ATTEMPTS):
        payment = _get_or_create_payment(target, expected_amount, payer_ip, now)
        if payment.status == "pending" and payment.source == target:
            return _open_checkout(payment, target, now)
        try:
            refresh_payment(payment, now=now)  # closes the payment that is in the way, or learns how it ended
        # A silent gateway may have captured the earlier payment. Starting another could charge the customer twice
        # (P5).
        except (OutcomeUnknown, Refused) as error:
            raise PaymentInProgress() from error
    raise PaymentInProgress()


@transaction.atomic(durable=True)
def _get_or_create_payment(
    target: PaymentTarget, expected_amount: Money, payer_ip: str | None, now: datetime
) -> Payment:
    """Returns a new payment of this link, or the document's unsettled one: its own, or one that must end first (P1)."""
    document = type(target.document).objects.locked(target.document.pk)
    asked = target.payment_request
    request = _requests.first(asked.pk) if asked else None
    payability.check(document, request, checkout_started_at=now)
    account, gateway = _gateway_of(document.organization)
    amount = amount_to_charge(request or document, gateway)
    # The page was rendered earlier: an edit or another payment may have changed the amount. The customer sees the
    # new one and decides again; the amount from the form is never charged.
    if expected_amount != amount:
        raise DepositNotDivisible() if document.kind == "quote" else NotPayable("changed")

    unsettled = _under_way[document.kind].first(document.pk)
    if unsettled is not None:
        # After its lifetime the gateway has ended the checkout, and its URL leads to an error page.
        is_young = now < unsettled.created_at + CHECKOUT_LIFETIME
        is_same = unsettled.source == target and unsettled.amount == amount and is_young
        if is_same or unsettled.status not in gateway_calls.CANCEL_TRANSITIONS:
            return unsettled

    # Checked before another payment is canceled: a refused start must not end a checkout. The checkout is
    # counted once, with its payment.
    limit = rate_limits.consume if unsettled is None else rate_limits.check
    limit(document, request, payer_ip, now=now)
    _check_amount(gateway, amount)
    payer = events.customer_actor(document.customer)
    if unsettled is not None:
        gateway_calls.begin_cancel(unsettled, by=payer, now=now)
        return unsettled
    payment = Payment(
        organization=document.organization,
        payment_request=request,
        gateway_account=account,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        payer_ip=payer_ip,
        created_at=now,
        next_refresh_at=now + _FIRST_REFRESH,
    )
    payment.document = document
    insert(payment)
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency}
    events.record("payment.started", payment, by=payer, now=now, data=data)
    return payment


def _open_checkout(payment: Payment, target: PaymentTarget, now: datetime) -> Payment:
    """Returns the payment with its checkout open; calls the gateway again when an earlier call got no response."""
    if payment.checkout_url:
        return payment
    try:
        checkout = gateway_calls.start(payment, now=now)
    except Refused as refusal:
        book_refused_start(payment, refusal, now=now)
        raise GatewayUnavailable(reason="refused", gateway_message=refusal.message) from refusal
    # The payment stays pending: the checkout may be open at the gateway, and the same key returns it later (P4,
    # P5).
    except OutcomeUnknown as unknown:
        raise GatewayUnavailable() from unknown
    record_checkout(payment, ref=checkout.ref, url=checkout.url)
    if payment.status in ("closing", "releasing"):  # canceled while the gateway was opening the checkout
        gateway_calls.close(payment, now=now)
    if payment.status != "pending":  # ended, or already paid through a second click
        fresh = type(target).objects.get(pk=target.pk)
        if check_payable(fresh, now=now).amount != payment.amount:
            raise NotPayable("changed")
        raise PaymentInProgress()
    return payment


@dataclass(frozen=True, slots=True)
class Payable:
    """The amount that a link charges now, the origin of the checkout to which its button leads, and what was begun.

    `test_gateway` is the code of the gateway where its account moves no money, else empty.

    `unsettled` is the document's payment that waits for the customer or is being closed; it may be of another link.
    `unwanted` are the debits that a bank moves although the document does not take them, the oldest first.
    """

    amount: Money
    checkout_origin: str
    test_gateway: str
    unsettled: Payment | None
    unwanted: tuple[Payment, ...]


def check_payable(target: PaymentTarget, *, now: datetime) -> Payable:
    """Returns what this link charges now; raises NotPayable, with reason `busy` while a payment is committed."""
    document, request = target.document, target.payment_request
    expired = (
        request if request is not None and request.status == "open" and request.has_expired(now) else None
    )
    if expired is not None and expired.payments.committed().exists():
        raise NotPayable("busy")  # begun in time: the customer must not ask for a new request
    payability.check(document, request, checkout_started_at=now)
    account, gateway = _gateway_of(document.organization)
    amount = amount_to_charge(target, gateway)
    _check_amount(gateway, amount)
    begun = _unsettled[document.kind].all(document.pk)
    unwanted = tuple(payment for payment in begun if payment.is_unwanted)
    under_way = next((payment for payment in begun if not payment.is_unwanted), None)
    if under_way is not None and under_way.is_committed:
        raise NotPayable("busy")
    test_gateway = gateway_calls.test_gateway_of(account)
    return Payable(amount, gateway.checkout_origin, test_gateway, under_way, unwanted)


def _gateway_of(organization: Organization) -> tuple[GatewayAccount, Gateway]:
    """Returns the current gateway account, opened; raises NotPayable when there is none."""
    account = gateway_calls.current_accounts.first(organization.pk)
    if account is None:
        raise NotPayable("payments_off")
    try:
        return account, gateway_calls.gateway_for_account(account)
    except (Refused, OutcomeUnknown) as error:  # the sandbox of a live installation, unreadable credentials
        raise NotPayable("payments_off") from error


def _check_amount(gateway: Gateway, amount: Money) -> None:
    if not online_amounts.of_gateway(gateway, amount.currency).accepts(amount):
        raise NotPayable("amount_not_payable", amount=amount)
