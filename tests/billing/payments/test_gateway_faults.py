"""Faults of the gateway, for each target of a payment: the books stay right, and every page states the outcome."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from partway.billing.documents import deposits, invoices, quotes
from partway.billing.errors import GatewayUnavailable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Alert, Customer, Event, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.gateways.protocol import OutcomeUnknown
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import PAYMENT_SOURCES, GatewayDriver, PaymentTarget

REQUESTED = Money(30_000, "USD")


def start_with_retry(gateway_driver: GatewayDriver, source: PaymentTarget) -> Payment:
    """Presses Pay a second time when the gateway does not respond."""
    with suppress(GatewayUnavailable):
        return gateway_driver.start(source)
    return gateway_driver.start(source)


def paid(gateway_driver: GatewayDriver, source: PaymentTarget, how: str = "good") -> Payment:
    """Pays, settles a debit, and refreshes the payment."""
    payment = start_with_retry(gateway_driver, source)
    gateway_driver.pay(payment, how)
    with suppress(OutcomeUnknown):
        refresh_payment(payment, now=present())
    if how == "debit":
        gateway_driver.settle_bank_debit(payment)
    return later(payment, hours=2)


def later(payment: Payment, hours: float = 0.05) -> Payment:
    """Runs the worker's refresh after a while."""
    due_work.refresh_unsettled_payments(now=present() + timedelta(hours=hours))
    return Payment.objects.get(pk=payment.pk)


def allocated_minor(source: PaymentTarget) -> int:
    """Returns the amount that is allocated to the invoice, or that counts as the quote's deposit."""
    if isinstance(source, Quote):
        return source.deposit_minor if deposits.deposit_payment(Quote.objects.get(pk=source.pk)) else 0
    invoice = source.invoice if isinstance(source, PaymentRequest) else source
    return Invoice.objects.get(pk=invoice.pk).amount_paid_minor


def state(source: PaymentTarget) -> str:
    return type(source).objects.get(pk=source.pk).status


def alerts_of(payment: Payment) -> dict[str, str]:
    """Returns the open alerts of this payment by kind."""
    return dict(Alert.objects.filter(payment=payment).values_list("kind", "params"))


# No response, with and without an effect

NO_ANSWER = ["error_before", "timeout_after_success", "garbage"]


@pytest.mark.parametrize("act", ["start", "fetch", "capture"])
@pytest.mark.parametrize("fault", NO_ANSWER)
def test_gateway_call_without_response_charges_exactly_once(
    gateway_driver: GatewayDriver, source: PaymentTarget, fault: str, act: str
) -> None:
    gateway_driver.inject_fault(fault, act=act)
    payment = paid(gateway_driver, source)
    assert (payment.status, payment.captured, gateway_driver.captures_of(payment)) == (
        "succeeded",
        REQUESTED,
        [30_000],
    )
    assert (allocated_minor(source), alerts_of(payment)) == (30_000, {})
    assert "You paid Alder Joinery" in gateway_driver.receipt(payment)


END_SOURCE: dict[type, Callable[[Any, Actor], object]] = {
    PaymentRequest: lambda request, by: payment_requests.cancel(request, by=by, now=present()),
    Invoice: lambda invoice, by: invoices.void(invoice, by=by, now=present()),
    Quote: lambda quote, by: quotes.create_invoice(quote, by=by, now=present()),
}
ENDED = {PaymentRequest: "canceled", Invoice: "void", Quote: "invoiced"}


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_close_without_response_ends_document_at_once_and_charges_nothing(
    gateway_driver: GatewayDriver, source: PaymentTarget, alice: Actor, fault: str
) -> None:
    payment = gateway_driver.start(source)
    gateway_driver.inject_fault(fault, act="close")
    END_SOURCE[type(source)](source, alice)
    payment.refresh_from_db()
    assert (state(source), payment.status) == (ENDED[type(source)], "closing")
    assert (later(payment).status, gateway_driver.pay(payment).status_code) == ("canceled", 410)
    assert "Nothing was charged" in gateway_driver.receipt(payment)


def test_capture_made_outside_is_booked_once(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    gateway_driver.inject_fault("capture_too_late")
    payment = paid(gateway_driver, source)
    assert (payment.captured, allocated_minor(source), gateway_driver.captures_of(payment)) == (
        REQUESTED,
        30_000,
        [30_000],
    )


# Another amount captured than requested

WRONG = {
    "a cent less": ({"kind": "wrong_amount", "delta": -1}, Money(29_999, "USD")),
    "twenty dollars more": ({"kind": "wrong_amount", "delta": 2_000}, Money(32_000, "USD")),
    "dollars of another country": ({"kind": "wrong_currency", "currency": "CAD"}, Money(30_000, "CAD")),
    "yen, which have no cents": ({"kind": "wrong_currency", "currency": "JPY"}, Money(30_000, "JPY")),
    "dinars, which have mils": ({"kind": "wrong_currency", "currency": "KWD"}, Money(30_000, "KWD")),
}
wrong_money = pytest.mark.parametrize(("fault", "taken"), WRONG.values(), ids=list(WRONG))


@wrong_money
@pytest.mark.parametrize("how", ["good", "debit"])
def test_captured_amount_mismatch_is_booked_as_captured_and_raises_alert(
    gateway_driver: GatewayDriver, source: PaymentTarget, how: str, fault: dict[str, Any], taken: Money
) -> None:
    gateway_driver.inject_fault(**fault)
    payment = paid(gateway_driver, source, how)
    assert payment.captured == taken == gateway_driver.captured_amount(payment)
    [(kind, params)] = alerts_of(payment).items()
    captured = {"amount_minor": taken.amount_minor, "currency": taken.currency}
    assert (
        kind,
        {name: params[name] for name in ("captured", "amount")}
        == {"captured": captured, "amount": {"amount_minor": 30_000, "currency": "USD"}},
    ) == (
        "captured_amount_mismatch",
        True,
    )
    assert str(taken) in gateway_driver.receipt(payment)


@pytest.mark.parametrize(
    ("way", "fault", "put"),
    [
        ("request", "a cent less", 29_999),
        ("request", "twenty dollars more", 32_000),
        ("request", "dollars of another country", 0),
        ("pay now", "a cent less", 29_999),
        ("pay now", "twenty dollars more", 30_000),
        ("pay now", "yen, which have no cents", 0),
        ("deposit", "a cent less", 0),
        ("deposit", "twenty dollars more", 30_000),
        ("deposit", "dinars, which have mils", 0),
    ],
)
def test_captured_amount_mismatch_is_allocated_only_up_to_amount_due(
    gateway_driver: GatewayDriver, dana: Customer, way: str, fault: str, put: int
) -> None:
    source = PAYMENT_SOURCES[way](dana)
    gateway_driver.inject_fault(**WRONG[fault][0])
    paid(gateway_driver, source)
    assert allocated_minor(source) == put


@wrong_money
def test_captured_amount_mismatch_marks_request_paid_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, fault: dict[str, Any], taken: Money
) -> None:
    gateway_driver.inject_fault(**fault)
    payment = paid(gateway_driver, open_request)
    events = Event.objects.count()
    refresh_payment(payment, now=present())
    assert (state(open_request), state(open_request.invoice), Event.objects.count()) == (
        "paid",
        "sent",
        events,
    )


def test_pay_now_captured_in_other_currency_leaves_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("wrong_currency")
    assert paid(gateway_driver, open_request.invoice).captured == Money(100_000, "CAD")
    assert (state(open_request), allocated_minor(open_request)) == ("open", 0)


def test_receipt_in_other_currency_shows_nothing_allocated_to_invoice(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("wrong_currency")
    page = gateway_driver.receipt(paid(gateway_driver, open_request))
    assert "CA$300.00 was taken in another currency than this invoice’s. It is kept as your credit" in page
    assert "This payment$0.00 Left to pay$1,000.00" in page


def test_capture_of_zero_fails_payment(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=-30_000)
    payment = paid(gateway_driver, source)
    assert (payment.status, payment.captured, allocated_minor(source)) == ("failed", None, 0)
    assert list(alerts_of(payment)) == ["captured_amount_mismatch"]
    assert "Nothing was charged" in gateway_driver.receipt(payment)
    assert paid(gateway_driver, source).captured == REQUESTED


def test_capture_without_amount_raises_alert_and_is_booked_once_amount_is_known(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.inject_fault("no_amount", act="capture")
    payment = gateway_driver.start_and_pay(source)
    assert (payment.status, list(alerts_of(payment))) == ("capturing", ["captured_amount_missing"])
    assert "We are confirming your payment" in gateway_driver.receipt(payment)
    assert (later(payment).captured, allocated_minor(source)) == (REQUESTED, 30_000)


def test_settled_bank_debit_without_amount_stays_committed_until_amount_is_known(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    gateway_driver.inject_fault("no_amount", act="fetch")
    assert refresh_payment(payment, now=present()).is_committed
    assert list(alerts_of(payment)) == ["captured_amount_missing"]
    assert "Your payment is on its way" in gateway_driver.receipt(payment)
    assert (later(payment, hours=2).captured, allocated_minor(source)) == (REQUESTED, 30_000)


def test_capture_in_unknown_currency_is_not_booked(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.inject_fault("wrong_currency", currency="ZZZ")
    payment = paid(gateway_driver, source)
    assert (payment.status, payment.captured, allocated_minor(source)) == ("capturing", None, 0)
    assert "We are confirming your payment" in gateway_driver.receipt(payment)


# An authorization that expires


def test_authorization_lapsing_at_capture_charges_nothing(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    payment = paid(gateway_driver, source, "lapsing")
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert "Nothing was charged" in gateway_driver.receipt(payment)
    assert paid(gateway_driver, source).captured == REQUESTED


def test_worker_finds_lapsed_authorization(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment)
    gateway_driver.expire_authorization(payment)
    payment = later(payment)
    assert (payment.failure_code, gateway_driver.captures_of(payment)) == ("authorization_lapsed", [])
    assert paid(gateway_driver, source).captured == REQUESTED


def test_authorization_lapsing_during_capture_retry_fails_payment(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.inject_fault("error_before", act="capture")
    payment = gateway_driver.start_and_pay(source)
    assert payment.status == "capturing"
    gateway_driver.expire_authorization(payment)
    payment = later(payment)
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert paid(gateway_driver, source).captured == REQUESTED


# Captured while it is being closed


@pytest.fixture
def obsolete_payment(gateway_driver: GatewayDriver, source: PaymentTarget, alice: Actor) -> Payment:
    """A debit that the customer began just before its request, invoice or quote ended."""
    payment = gateway_driver.start(source)
    gateway_driver.inject_fault("close_too_late")
    END_SOURCE[type(source)](source, alice)
    return refresh_payment(payment, now=present())


def test_bank_debit_started_during_close_becomes_credit_when_captured(
    gateway_driver: GatewayDriver, source: PaymentTarget, obsolete_payment: Payment
) -> None:
    assert (obsolete_payment.status, obsolete_payment.accepted) == ("processing", False)
    assert "Your payment came too late" in gateway_driver.receipt(obsolete_payment)
    gateway_driver.settle_bank_debit(obsolete_payment)
    payment = refresh_payment(obsolete_payment, now=present())
    assert (payment.captured, allocated_minor(source), state(source)) == (REQUESTED, 0, ENDED[type(source)])
    assert set(alerts_of(payment)) == {"unwanted_debit", "unwanted_payment"}
    assert "It is kept as your credit" in gateway_driver.receipt(payment)


def test_bank_debit_started_during_close_that_fails_leaves_only_its_announcement(
    gateway_driver: GatewayDriver, source: PaymentTarget, obsolete_payment: Payment
) -> None:
    gateway_driver.settle_bank_debit(obsolete_payment, "failed")
    payment = refresh_payment(obsolete_payment, now=present())
    assert (payment.status, state(source)) == ("failed", ENDED[type(source)])
    assert list(alerts_of(payment)) == ["unwanted_debit"]
    assert "Nothing was charged" in gateway_driver.receipt(payment)


@pytest.mark.parametrize("fault", [{}, WRONG["dollars of another country"][0]], ids=["right", "foreign"])
def test_capture_in_gateway_dashboard_during_release_is_not_applied(
    gateway_driver: GatewayDriver, source: PaymentTarget, alice: Actor, fault: dict[str, Any]
) -> None:
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="close", count=2)
    END_SOURCE[type(source)](source, alice)
    assert refresh_payment(payment, now=present()).status == "releasing"
    if fault:
        gateway_driver.inject_fault(**fault)
    gateway_driver.capture(payment)
    payment = later(payment)
    assert (payment.captured, allocated_minor(source)) == (gateway_driver.captured_amount(payment), 0)
    assert list(alerts_of(payment)) == ["captured_amount_mismatch" if fault else "unwanted_payment"]


def test_pay_now_is_refused_when_request_checkout_was_paid_during_close(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.inject_fault("close_too_late")
    with pytest.raises(PaymentInProgress):
        gateway_driver.start(open_request.invoice)
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert (state(open_request), allocated_minor(open_request)) == ("paid", 30_000)


def test_deposit_paid_online_and_by_check_keeps_check_and_credits_online(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    payment = gateway_driver.start(quote)
    gateway_driver.inject_fault("close_too_late")
    personas.record_deposit_check(quote)
    gateway_driver.settle_bank_debit(payment)
    payment = refresh_payment(payment, now=present())
    assert (payment.captured, payment.is_deposit) == (REQUESTED, False)
    assert list(alerts_of(payment)) == ["unwanted_payment"]
