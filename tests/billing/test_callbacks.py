"""What the company reports: verified, stored once, and booked by asking it, however late or often it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from partway.billing.events import Actor
from partway.billing.models import Callback, Event, Flag, Payment, PaymentRequest
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now as present
from tests import personas, stops
from tests.billing.world import World, work_off_all
from tests.gateways.company import Heard, signed


def receive(world: World, heard: Heard) -> Callback:
    callback = receive_callback(world.account, body=heard.body, headers=heard.headers, now=present())
    callback.refresh_from_db()
    return callback


@pytest.fixture
def paid(world: World, asked: PaymentRequest) -> Payment:
    """The customer has paid; only the company knows."""
    payment = world.start(asked)
    world.pay(payment)
    return payment


def test_a_callback_brings_the_payment_to_its_end(world: World, paid: Payment) -> None:
    callback = receive(world, world.callback(paid, "authorized"))
    paid.refresh_from_db()
    assert (callback.status, paid.status, world.charged(paid)) == ("done", "succeeded", [30_000])


def test_a_callback_that_comes_twice_is_stored_and_booked_once(world: World, paid: Payment) -> None:
    heard = world.callback(paid, "authorized")
    assert receive(world, heard) == receive(world, heard)
    assert Event.objects.filter(payment=paid, type="payment.succeeded").count() == 1


def test_a_late_callback_changes_nothing(world: World, paid: Payment) -> None:
    refresh_payment(paid, now=present())
    captured = world.callback(paid, "captured")
    events = Event.objects.count()
    assert receive(world, world.callback(paid, "authorized")).status == "done"
    assert receive(world, captured).status == "done"
    assert Event.objects.count() == events


def test_callbacks_out_of_order_end_the_same(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    world.pay(payment, "debit")
    world.settle(payment)
    receive(world, world.callback(payment, "captured"))
    receive(world, world.callback(payment, "processing"))
    payment.refresh_from_db()
    assert (payment.status, payment.captured_minor) == ("succeeded", 30_000)


@pytest.mark.parametrize("part", ["body", "headers"])
def test_a_forged_callback_is_not_even_stored(world: World, paid: Payment, part: str) -> None:
    heard = world.callback(paid, "authorized")
    forged = {
        "body": Heard(heard.path, heard.body.replace(b"authorized", b"captured"), heard.headers),
        "headers": Heard(heard.path, heard.body, {}),
    }[part]
    with pytest.raises(BadCallback):
        receive(world, forged)
    assert not Callback.objects.exists()


def test_a_callback_of_another_account_is_forged(world: World, paid: Payment, alice: Actor) -> None:
    heard = world.callback(paid, "authorized")
    world.account.credentials = {**world.account.credentials, "signing_secret": f"whsec_{'dGVzdHRl' * 4}"}
    with pytest.raises(BadCallback):
        receive(world, heard)


@pytest.fixture
def birch(world: World) -> World:
    """Another organization of this installation, with an account of its own at the same company."""
    mallory = personas.mallory()
    account = organizations.connect_sandbox(
        mallory.organization, by=personas.actor_of(mallory.organization), now=present()
    )
    return World(world.company, world.ear, account)


def test_another_organization_cannot_report_on_our_payment(world: World, birch: World, paid: Payment) -> None:
    genuine = world.callback(paid, "authorized")
    forged = signed(genuine.body, present(), birch.account.credentials["signing_secret"])
    assert receive(birch, forged).status == "waiting"
    work_off_all()
    paid.refresh_from_db()
    assert (paid.status, world.charged(paid)) == ("pending", [])


def test_what_it_reports_is_given_to_its_own_people_and_tells_them_nothing(
    world: World, birch: World, paid: Payment
) -> None:
    genuine = world.callback(paid, "authorized")
    receive(birch, signed(genuine.body, present(), birch.account.credentials["signing_secret"]))
    work_off_all()
    flag = Flag.objects.get()
    assert (flag.organization, flag.payment, flag.invoice) == (birch.account.organization, None, None)
    assert not any(word in flag.words for word in ("alder", "Alder", "$", paid.checkout_ref))


def test_what_another_organization_was_told_is_worth_nothing_at_our_address(
    world: World, birch: World, paid: Payment
) -> None:
    with pytest.raises(BadCallback):
        receive(birch, world.callback(paid, "authorized"))
    assert not Callback.objects.exists()


def test_a_genuine_callback_sent_again_after_the_end_repeats_nothing(
    world: World, paid: Payment, alice: Actor
) -> None:
    heard = world.callback(paid, "authorized")
    receive(world, heard)
    events = Event.objects.count()
    again = signed(heard.body, present(), world.account.credentials["signing_secret"])
    assert receive(world, again).status == "done"
    assert (Event.objects.count(), Callback.objects.count()) == (events, 1)


class Killed(BaseException):
    """The process ended here, without another word to the database."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before commit", "after commit"])
def test_a_callback_is_done_with_its_booking_or_not_at_all(world: World, paid: Payment, where: str) -> None:
    passed: list[str] = []

    def kill(stop: str) -> None:
        passed.append(stop)
        if stop == where and "event payment.capturing" in passed:
            connection.close()
            raise Killed

    heard = world.callback(paid, "authorized")
    with stops.visiting(kill), pytest.raises(Killed):
        receive(world, heard)
    paid.refresh_from_db()
    assert (Callback.objects.get().status, paid.status) in {("waiting", "pending"), ("done", "capturing")}


def test_a_callback_that_another_worker_has_taken_is_left_alone(world: World, paid: Payment) -> None:
    world.go_wrong("error_before", act="fetch")
    seen = receive(world, world.callback(paid, "authorized"))
    Callback.objects.update(attempt=1)
    assert not due_work._retry(seen, present())
    assert Callback.objects.get().status == "waiting"


def test_a_callback_before_our_commit_waits_and_is_booked_later(world: World, paid: Payment) -> None:
    heard, ref = world.callback(paid, "authorized"), paid.checkout_ref
    Payment.objects.filter(pk=paid.pk).update(checkout_ref="")
    assert receive(world, heard).status == "waiting"
    Payment.objects.filter(pk=paid.pk).update(checkout_ref=ref)
    assert due_work.work_off_callbacks(now=present() + timedelta(minutes=1)) == 1
    assert Callback.objects.get().status == "done"


def test_a_callback_waits_while_the_company_is_silent(world: World, paid: Payment) -> None:
    world.go_wrong("error_before", act="fetch")
    assert receive(world, world.callback(paid, "authorized")).status == "waiting"
    due_work.work_off_callbacks(now=present() + timedelta(minutes=1))
    paid.refresh_from_db()
    assert (Callback.objects.get().status, paid.status) == ("done", "succeeded")


@pytest.fixture
def stray(world: World, paid: Payment) -> Heard:
    """A genuine callback for a checkout that none of our payments knows."""
    ref, heard = paid.checkout_ref, world.callback(paid, "authorized")
    Payment.objects.filter(pk=paid.pk).update(checkout_ref=f"{ref}-lost")
    return heard


def test_a_callback_for_an_unknown_checkout_is_given_to_a_human_in_the_end(
    world: World, stray: Heard
) -> None:
    receive(world, stray)
    work_off_all()
    callback = Callback.objects.get()
    assert (callback.status, callback.attempt) == ("flagged", 12)
    assert Flag.objects.get().kind == "unknown_callback"


def test_a_callback_of_a_known_payment_is_never_called_unknown(world: World, paid: Payment) -> None:
    world.go_wrong("error_before", act="fetch", count=50)
    receive(world, world.callback(paid, "authorized"))
    work_off_all()
    assert not Flag.objects.exists()


def test_a_report_after_the_end_is_booked_as_credit(
    world: World, asked: PaymentRequest, alice: Actor
) -> None:
    payment = world.start(asked)
    world.go_wrong("close_too_late")
    payment_requests.cancel(asked, by=alice, now=present())
    world.settle(payment)
    receive(world, world.callback(payment, "captured"))
    payment.refresh_from_db()
    assert (payment.status, payment.invoice.amount_paid_minor) == ("succeeded", 0)
    assert Flag.objects.get(payment=payment).kind == "unwanted_payment"
