"""A call without a response leaves the payment unsettled until the gateway reports what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.checkouts import gateway_calls
from partway.billing.checkouts.gateway_calls import CallInProgress
from partway.billing.errors import GatewayUnavailable, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Alert, Event, GatewayCall, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import failpoints
from tests.support.gateway_driver import GatewayDriver

UNREACHABLE_URL = "http://127.0.0.1:9"


def later(minutes: float = 3) -> None:
    """Runs the worker's refresh after a while."""
    due_work.refresh_unsettled_payments(now=present() + timedelta(minutes=minutes))


def the_payment() -> Payment:
    return Payment.objects.get()


@pytest.mark.parametrize("fault", ["timeout_after_success", "error_before"])
def test_start_without_response_creates_one_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, fault: str
) -> None:
    gateway_driver.inject_fault(fault, act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    assert the_payment().status == "pending"
    assert gateway_driver.start_and_pay(open_request).status == "succeeded"
    assert len(gateway_driver.ledger()) == 1


def test_start_retry_sends_identical_body(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    Organization.objects.update(name="Alder & Daughters")  # the name is part of the request body
    assert gateway_driver.start(open_request).status == "pending"
    assert len(gateway_driver.ledger()) == 1


def test_worker_recovers_checkout_ref_of_start_without_response(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    later()
    [reference] = gateway_driver.ledger()
    assert (the_payment().pk, bool(the_payment().checkout_ref)) == (reference, True)


def test_request_can_be_canceled_after_start_without_response(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    payment_requests.cancel(open_request, by=alice, now=present())
    assert the_payment().status == "closing"
    later()
    assert the_payment().status == "canceled"
    assert [line["status"] for line in gateway_driver.ledger().values()] == ["closed"]


def test_capture_without_response_is_not_sent_again(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="capture")
    gateway_driver.start_and_pay(open_request)
    later()
    assert the_payment().status == "succeeded"
    assert GatewayCall.objects.filter(operation="capture").count() == 1


def test_captured_payment_cannot_be_captured_again(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    with pytest.raises(
        CallInProgress
    ):  # as in a process that read the row before the call and decides after it
        gateway_calls.capture(payment, now=present())


def test_capturing_payment_blocks_cancel_of_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="capture")
    gateway_driver.start_and_pay(open_request)
    with pytest.raises(PaymentInProgress):
        payment_requests.cancel(open_request, by=alice, now=present())
    later()
    open_request.refresh_from_db()
    assert open_request.status == "paid"


def test_concurrent_close_of_checkout_records_one_cancel_event(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)

    def worker(stop: str) -> None:
        if stop == "after close":
            refresh_payment(payment, now=present())

    with failpoints.on_failpoint(worker):
        payment_requests.cancel(open_request, by=alice, now=present())
    assert the_payment().status == "canceled"
    assert Event.objects.filter(type="payment.canceled").count() == 1


def test_release_without_response_charges_nothing(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="close", count=2)
    payment_requests.cancel(open_request, by=alice, now=present())
    refresh_payment(payment, now=present())
    assert the_payment().status == "releasing"
    later()
    assert (the_payment().status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_fetch_without_response_leaves_payment_pending(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="fetch", count=2)
    later()
    assert the_payment().status == "pending"
    later(10)
    later(60)
    assert (the_payment().status, gateway_driver.captures_of(payment)) == ("succeeded", [30_000])


def test_start_at_unavailable_gateway_leaves_payment_pending(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_GATEWAY_URLS, up = {"sandbox": UNREACHABLE_URL}, settings.PARTWAY_GATEWAY_URLS
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    assert the_payment().status == "pending"
    settings.PARTWAY_GATEWAY_URLS = up
    assert gateway_driver.start_and_pay(open_request).status == "succeeded"


def test_request_is_canceled_even_when_gateway_is_unavailable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor, settings: Settings
) -> None:
    gateway_driver.start(open_request)
    settings.PARTWAY_GATEWAY_URLS, up = {"sandbox": UNREACHABLE_URL}, settings.PARTWAY_GATEWAY_URLS
    assert payment_requests.cancel(open_request, by=alice, now=present()).status == "canceled"
    settings.PARTWAY_GATEWAY_URLS = up
    later()
    assert the_payment().status == "canceled"


def test_pay_now_is_refused_while_close_outcome_is_unknown(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice, settings: Settings
) -> None:
    gateway_driver.start(open_request)
    settings.PARTWAY_GATEWAY_URLS, up = {"sandbox": UNREACHABLE_URL}, settings.PARTWAY_GATEWAY_URLS
    with pytest.raises(PaymentInProgress):
        gateway_driver.start(invoice)
    settings.PARTWAY_GATEWAY_URLS = up
    assert gateway_driver.start(invoice).amount_minor == 100_000


def test_refused_start_fails_payment_and_leaves_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.account.credentials = {**gateway_driver.account.credentials, "api_key": "sk_sandbox_wrong"}
    gateway_driver.account.save()
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(open_request)
    open_request.refresh_from_db()
    assert (the_payment().status, the_payment().failure_code, open_request.status) == (
        "failed",
        "unauthenticated",
        "open",
    )


def test_gateway_calls_are_stored_with_key_attempt_and_outcome(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("error_before", act="capture")
    payment = gateway_driver.start_and_pay(open_request)
    later()
    calls = GatewayCall.objects.order_by("id").values_list("operation", "attempt", "outcome")
    assert list(calls) == [
        ("start", 1, "succeeded"),
        ("capture", 1, "unknown"),
        ("capture", 2, "succeeded"),
    ]
    assert GatewayCall.objects.get(operation="start").idempotency_key == f"{payment.pk}:start:1"


def test_refresh_interval_of_unsettled_payment_doubles(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gaps = []
    for _ in range(4):
        before = the_payment().next_refresh_at
        due_work.refresh_unsettled_payments(now=before)
        gaps.append(the_payment().next_refresh_at - before)
    assert gaps == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 16)]
    assert gateway_driver.captures_of(payment) == []


def test_payment_claimed_by_another_worker_is_skipped(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    seen = gateway_driver.start(open_request)
    gateway_driver.pay(seen)
    Payment.objects.update(refresh_count=1)
    assert not due_work.UNSETTLED_PAYMENTS.claim(seen, until=present())
    assert the_payment().status == "pending"


def test_gateway_refusing_fetch_raises_alert_and_leaves_payment_pending(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.account.credentials = {**gateway_driver.account.credentials, "api_key": "sk_sandbox_wrong"}
    gateway_driver.account.save()
    for minutes in (3, 30, 300):
        later(minutes)
    assert Alert.objects.get(payment=payment).kind == "gateway_refused"
    assert the_payment().status == "pending"


def test_sandbox_of_live_installation_is_not_payable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True
    with pytest.raises(NotPayable, match="payments_off"):
        check_payable(open_request, now=present())
    with pytest.raises(NotPayable):
        gateway_driver.start(open_request)
    assert not Payment.objects.exists()
    assert gateway_driver.ledger() == {}


def test_authorization_is_settled_in_time_however_long_gateway_was_silent(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="capture")
    refresh_payment(payment, now=present())
    lapses_at = the_payment().next_refresh_at + timedelta(hours=4)
    # It was silent for days, so that the interval has become the longest.
    Payment.objects.update(authorized_until=lapses_at, refresh_count=20)
    gaps = []
    for _ in range(3):
        gateway_driver.inject_fault("error_before", act="fetch")
        before = the_payment().next_refresh_at
        due_work.refresh_unsettled_payments(now=before)
        gaps.append(the_payment().next_refresh_at - before)
    assert gaps == [timedelta(minutes=minutes) for minutes in (30, 26.25, 22.96875)]
    due_work.refresh_unsettled_payments(now=the_payment().next_refresh_at)
    assert the_payment().status == "succeeded"
