"""No answer is neither yes nor no: the payment stays unsettled until the company says what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.checkouts import gateway_calls
from partway.billing.checkouts.gateway_calls import UnderWay
from partway.billing.errors import GatewayDown, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Event, Flag, GatewayCall, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import checkout_origin
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests import stops
from tests.billing.world import World

NOBODY = "http://127.0.0.1:9"


def later(minutes: float = 3) -> None:
    """The worker looks again after a while."""
    due_work.ask_about_unsettled(now=present() + timedelta(minutes=minutes))


def the_payment() -> Payment:
    return Payment.objects.get()


@pytest.mark.parametrize("fault", ["timeout_after_success", "error_before"])
def test_a_start_without_answer_is_started_once(world: World, asked: PaymentRequest, fault: str) -> None:
    world.go_wrong(fault, act="start")
    with pytest.raises(GatewayDown):
        world.start(asked)
    assert the_payment().status == "pending"
    assert world.collect(asked).status == "succeeded"
    assert len(world.ledger()) == 1


def test_a_start_asked_again_asks_for_the_same(world: World, asked: PaymentRequest) -> None:
    world.go_wrong("timeout_after_success", act="start")
    with pytest.raises(GatewayDown):
        world.start(asked)
    Organization.objects.update(name="Alder & Daughters")  # it stands in what we ask for
    assert world.start(asked).status == "pending"
    assert len(world.ledger()) == 1


def test_a_start_without_answer_is_found_by_the_worker(world: World, asked: PaymentRequest) -> None:
    world.go_wrong("timeout_after_success", act="start")
    with pytest.raises(GatewayDown):
        world.start(asked)
    later()
    [reference] = world.ledger()
    assert (the_payment().pk, bool(the_payment().checkout_ref)) == (reference, True)


def test_a_start_without_answer_can_be_canceled(world: World, asked: PaymentRequest, alice: Actor) -> None:
    world.go_wrong("timeout_after_success", act="start")
    with pytest.raises(GatewayDown):
        world.start(asked)
    payment_requests.cancel(asked, by=alice, now=present())
    assert the_payment().status == "closing"
    later()
    assert the_payment().status == "canceled"
    assert [line["status"] for line in world.ledger().values()] == ["closed"]


def test_a_capture_that_got_through_is_not_sent_again(world: World, asked: PaymentRequest) -> None:
    world.go_wrong("timeout_after_success", act="capture")
    world.collect(asked)
    later()
    assert the_payment().status == "succeeded"
    assert GatewayCall.objects.filter(act="capture").count() == 1


def test_what_was_just_captured_is_not_captured_again(world: World, asked: PaymentRequest) -> None:
    payment = world.collect(asked)
    with pytest.raises(UnderWay):  # as for somebody who looked before, and decides after
        gateway_calls.capture(payment, now=present())


def test_a_payment_being_captured_holds_the_money(world: World, asked: PaymentRequest, alice: Actor) -> None:
    world.go_wrong("timeout_after_success", act="capture")
    world.collect(asked)
    with pytest.raises(PaymentInProgress):
        payment_requests.cancel(asked, by=alice, now=present())
    later()
    asked.refresh_from_db()
    assert asked.status == "paid"


def test_two_who_close_a_checkout_are_one_end(world: World, asked: PaymentRequest, alice: Actor) -> None:
    payment = world.start(asked)

    def worker(stop: str) -> None:
        if stop == "after close":
            refresh_payment(payment, now=present())

    with stops.visiting(worker):
        payment_requests.cancel(asked, by=alice, now=present())
    assert the_payment().status == "canceled"
    assert Event.objects.filter(type="payment.canceled").count() == 1


def test_a_release_without_answer_charges_nobody(world: World, asked: PaymentRequest, alice: Actor) -> None:
    payment = world.start(asked)
    world.pay(payment)
    world.go_wrong("error_before", act="close", count=2)
    payment_requests.cancel(asked, by=alice, now=present())
    refresh_payment(payment, now=present())
    assert the_payment().status == "releasing"
    later()
    assert (the_payment().status, world.charged(payment)) == ("canceled", [])


def test_silence_when_asked_changes_nothing(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    world.pay(payment)
    world.go_wrong("error_before", act="fetch", count=2)
    later()
    assert the_payment().status == "pending"
    later(10)
    later(60)
    assert (the_payment().status, world.charged(payment)) == ("succeeded", [30_000])


def test_a_gateway_that_is_down_opens_no_checkout(
    world: World, asked: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_SANDBOX_URL, up = NOBODY, settings.PARTWAY_SANDBOX_URL
    with pytest.raises(GatewayDown):
        world.start(asked)
    assert the_payment().status == "pending"
    settings.PARTWAY_SANDBOX_URL = up
    assert world.collect(asked).status == "succeeded"


def test_a_gateway_that_is_down_does_not_keep_a_request_alive(
    world: World, asked: PaymentRequest, alice: Actor, settings: Settings
) -> None:
    world.start(asked)
    settings.PARTWAY_SANDBOX_URL, up = NOBODY, settings.PARTWAY_SANDBOX_URL
    assert payment_requests.cancel(asked, by=alice, now=present()).status == "canceled"
    settings.PARTWAY_SANDBOX_URL = up
    later()
    assert the_payment().status == "canceled"


def test_another_way_of_paying_waits_while_nobody_knows(
    world: World, asked: PaymentRequest, invoice: Invoice, settings: Settings
) -> None:
    world.start(asked)
    settings.PARTWAY_SANDBOX_URL, up = NOBODY, settings.PARTWAY_SANDBOX_URL
    with pytest.raises(PaymentInProgress):
        world.start(invoice)
    settings.PARTWAY_SANDBOX_URL = up
    assert world.start(invoice).amount_minor == 100_000


def test_a_refused_start_ends_the_payment(world: World, asked: PaymentRequest) -> None:
    world.account.credentials = {**world.account.credentials, "api_key": "sk_sandbox_wrong"}
    world.account.save()
    with pytest.raises(GatewayDown):
        world.start(asked)
    asked.refresh_from_db()
    assert (the_payment().status, the_payment().failure_code, asked.status) == (
        "failed",
        "unauthenticated",
        "open",
    )


def test_each_call_is_kept_with_its_key_and_outcome(world: World, asked: PaymentRequest) -> None:
    world.go_wrong("error_before", act="capture")
    payment = world.collect(asked)
    later()
    calls = GatewayCall.objects.order_by("id").values_list("act", "attempt", "outcome")
    assert list(calls) == [("start", 1, "done"), ("capture", 1, "unknown"), ("capture", 2, "done")]
    assert GatewayCall.objects.get(act="start").key == f"{payment.pk}:start:1"


def test_the_worker_asks_less_and_less_often(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    gaps = []
    for _ in range(4):
        before = the_payment().check_at
        due_work.ask_about_unsettled(now=before)
        gaps.append(the_payment().check_at - before)
    assert gaps == [timedelta(minutes=minutes) for minutes in (2, 4, 8, 16)]
    assert world.charged(payment) == []


def test_a_payment_that_another_worker_has_taken_is_left_alone(world: World, asked: PaymentRequest) -> None:
    seen = world.start(asked)
    world.pay(seen)
    Payment.objects.update(checks=1)
    assert not due_work._ask(seen, present())
    assert the_payment().status == "pending"


def test_a_company_that_refuses_to_tell_is_given_to_a_human(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    world.account.credentials = {**world.account.credentials, "api_key": "sk_sandbox_wrong"}
    world.account.save()
    for minutes in (3, 30, 300):
        later(minutes)
    assert Flag.objects.get(payment=payment).kind == "gateway_refuses"
    assert the_payment().status == "pending"


def test_the_sandbox_of_a_live_installation_takes_nothing(
    world: World, asked: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_LIVE = True
    assert checkout_origin(asked.organization) == ""
    with pytest.raises(NotPayable):
        world.start(asked)
    assert not Payment.objects.exists()
    assert world.ledger() == {}
