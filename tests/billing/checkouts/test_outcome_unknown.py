"""No answer is neither yes nor no: the payment stays unsettled until the company says what happened."""

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
from partway.billing.payments.start import checkout_origin
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import failpoints
from tests.support.gateway_driver import GatewayDriver

UNREACHABLE_URL = "http://127.0.0.1:9"


def later(minutes: float = 3) -> None:
    """The worker looks again after a while."""
    due_work.refresh_unsettled_payments(now=present() + timedelta(minutes=minutes))


def the_payment() -> Payment:
    return Payment.objects.get()


@pytest.mark.parametrize("fault", ["timeout_after_success", "error_before"])
def test_a_start_without_answer_is_started_once(
    gateway_driver: GatewayDriver, asked: PaymentRequest, fault: str
) -> None:
    gateway_driver.inject_fault(fault, act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    assert the_payment().status == "pending"
    assert gateway_driver.start_and_pay(asked).status == "succeeded"
    assert len(gateway_driver.ledger()) == 1


def test_a_start_asked_again_asks_for_the_same(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    Organization.objects.update(name="Alder & Daughters")  # it stands in what we ask for
    assert gateway_driver.start(asked).status == "pending"
    assert len(gateway_driver.ledger()) == 1


def test_a_start_without_answer_is_found_by_the_worker(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    later()
    [reference] = gateway_driver.ledger()
    assert (the_payment().pk, bool(the_payment().checkout_ref)) == (reference, True)


def test_a_start_without_answer_can_be_canceled(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="start")
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    payment_requests.cancel(asked, by=alice, now=present())
    assert the_payment().status == "closing"
    later()
    assert the_payment().status == "canceled"
    assert [line["status"] for line in gateway_driver.ledger().values()] == ["closed"]


def test_a_capture_that_got_through_is_not_sent_again(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="capture")
    gateway_driver.start_and_pay(asked)
    later()
    assert the_payment().status == "succeeded"
    assert GatewayCall.objects.filter(act="capture").count() == 1


def test_what_was_just_captured_is_not_captured_again(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(asked)
    with pytest.raises(CallInProgress):  # as for somebody who looked before, and decides after
        gateway_calls.capture(payment, now=present())


def test_a_payment_being_captured_holds_the_money(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="capture")
    gateway_driver.start_and_pay(asked)
    with pytest.raises(PaymentInProgress):
        payment_requests.cancel(asked, by=alice, now=present())
    later()
    asked.refresh_from_db()
    assert asked.status == "paid"


def test_two_who_close_a_checkout_are_one_end(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked)

    def worker(stop: str) -> None:
        if stop == "after close":
            refresh_payment(payment, now=present())

    with failpoints.on_failpoint(worker):
        payment_requests.cancel(asked, by=alice, now=present())
    assert the_payment().status == "canceled"
    assert Event.objects.filter(type="payment.canceled").count() == 1


def test_a_release_without_answer_charges_nobody(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="close", count=2)
    payment_requests.cancel(asked, by=alice, now=present())
    refresh_payment(payment, now=present())
    assert the_payment().status == "releasing"
    later()
    assert (the_payment().status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_silence_when_asked_changes_nothing(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    payment = gateway_driver.start(asked)
    gateway_driver.pay(payment)
    gateway_driver.inject_fault("error_before", act="fetch", count=2)
    later()
    assert the_payment().status == "pending"
    later(10)
    later(60)
    assert (the_payment().status, gateway_driver.captures_of(payment)) == ("succeeded", [30_000])


def test_a_gateway_that_is_down_opens_no_checkout(
    gateway_driver: GatewayDriver, asked: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_SANDBOX_URL, up = UNREACHABLE_URL, settings.PARTWAY_SANDBOX_URL
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    assert the_payment().status == "pending"
    settings.PARTWAY_SANDBOX_URL = up
    assert gateway_driver.start_and_pay(asked).status == "succeeded"


def test_a_gateway_that_is_down_does_not_keep_a_request_alive(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor, settings: Settings
) -> None:
    gateway_driver.start(asked)
    settings.PARTWAY_SANDBOX_URL, up = UNREACHABLE_URL, settings.PARTWAY_SANDBOX_URL
    assert payment_requests.cancel(asked, by=alice, now=present()).status == "canceled"
    settings.PARTWAY_SANDBOX_URL = up
    later()
    assert the_payment().status == "canceled"


def test_another_way_of_paying_waits_while_nobody_knows(
    gateway_driver: GatewayDriver, asked: PaymentRequest, invoice: Invoice, settings: Settings
) -> None:
    gateway_driver.start(asked)
    settings.PARTWAY_SANDBOX_URL, up = UNREACHABLE_URL, settings.PARTWAY_SANDBOX_URL
    with pytest.raises(PaymentInProgress):
        gateway_driver.start(invoice)
    settings.PARTWAY_SANDBOX_URL = up
    assert gateway_driver.start(invoice).amount_minor == 100_000


def test_a_refused_start_ends_the_payment(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    gateway_driver.account.credentials = {**gateway_driver.account.credentials, "api_key": "sk_sandbox_wrong"}
    gateway_driver.account.save()
    with pytest.raises(GatewayUnavailable):
        gateway_driver.start(asked)
    asked.refresh_from_db()
    assert (the_payment().status, the_payment().failure_code, asked.status) == (
        "failed",
        "unauthenticated",
        "open",
    )


def test_each_call_is_kept_with_its_key_and_outcome(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    gateway_driver.inject_fault("error_before", act="capture")
    payment = gateway_driver.start_and_pay(asked)
    later()
    calls = GatewayCall.objects.order_by("id").values_list("act", "attempt", "outcome")
    assert list(calls) == [("start", 1, "done"), ("capture", 1, "unknown"), ("capture", 2, "done")]
    assert GatewayCall.objects.get(act="start").key == f"{payment.pk}:start:1"


def test_the_worker_asks_less_and_less_often(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    payment = gateway_driver.start(asked)
    gaps = []
    for _ in range(4):
        before = the_payment().next_refresh_at
        due_work.refresh_unsettled_payments(now=before)
        gaps.append(the_payment().next_refresh_at - before)
    assert gaps == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 16)]
    assert gateway_driver.captures_of(payment) == []


def test_a_payment_that_another_worker_has_taken_is_left_alone(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    seen = gateway_driver.start(asked)
    gateway_driver.pay(seen)
    Payment.objects.update(checks=1)
    assert not due_work._ask(seen, present())
    assert the_payment().status == "pending"


def test_a_company_that_refuses_to_tell_is_given_to_a_human(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    payment = gateway_driver.start(asked)
    gateway_driver.account.credentials = {**gateway_driver.account.credentials, "api_key": "sk_sandbox_wrong"}
    gateway_driver.account.save()
    for minutes in (3, 30, 300):
        later(minutes)
    assert Alert.objects.get(payment=payment).kind == "gateway_refused"
    assert the_payment().status == "pending"


def test_the_sandbox_of_a_live_installation_takes_nothing(
    gateway_driver: GatewayDriver, asked: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True
    assert checkout_origin(asked.organization) == ""
    with pytest.raises(NotPayable):
        gateway_driver.start(asked)
    assert not Payment.objects.exists()
    assert gateway_driver.ledger() == {}
