"""What can go wrong with the company's reports, on their real way to our door: one payment, one receipt, one charge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.events import Actor
from partway.billing.models import Callback, Event, Flag, Mail, Payment, PaymentRequest
from partway.billing.people import organizations
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.billing.world import Source, World, work_off_all
from tests.gateways.company import Company, Ear, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(
    live_server: LiveServer,
    company: Company,
    ear: Ear,
    organization: Organization,
    alice: Actor,
    settings: Settings,
) -> Iterator[World]:
    """The company and our door, each at a real port: whatever the company reports arrives by itself."""
    settings.PARTWAY_SANDBOX_URL = company.url
    settings.PARTWAY_URL = live_server.url
    account = organizations.connect_sandbox(organization, by=alice, now=present())
    world = World(company, ear, account)
    yield world
    world.agrees()


def booked(*kinds: str) -> bool:
    """Whether exactly these reports have come and had their effect."""
    done = Callback.objects.filter(status="done").values_list("kind", flat=True)
    return sorted(done) == sorted(f"checkout.{kind}" for kind in kinds)


def assert_paid_once(world: World, payment: Payment) -> None:
    payment.refresh_from_db()
    assert (payment.status, world.charged(payment)) == ("succeeded", [30_000])
    assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1
    assert Mail.objects.filter(payment=payment, kind="receipt").count() == 1
    assert "You paid Alder Joinery" in world.receipt(payment)


@pytest.mark.parametrize("fault", ["callback_first", "callback_twice", "callback_late", "callback_unknown"])
def test_reports_alone_bring_a_payment_to_its_end_once(world: World, source: Source, fault: str) -> None:
    world.go_wrong(fault, count=2, delay=0.2)
    payment = world.start(source)
    world.pay(payment)
    eventually(lambda: booked("authorized", "captured"))
    assert_paid_once(world, payment)


def test_reports_out_of_order_end_the_same(world: World, source: Source) -> None:
    world.go_wrong("callback_out_of_order")
    payment = world.collect(source)
    eventually(lambda: booked("authorized", "captured"))
    assert_paid_once(world, payment)


def test_lost_reports_are_made_up_for_by_the_worker(world: World, source: Source) -> None:
    world.go_wrong("callback_lost", count=2)
    payment = world.start(source)
    world.pay(payment)
    due_work.ask_about_unsettled(now=present() + timedelta(minutes=3))
    assert_paid_once(world, payment)
    assert not Callback.objects.exists()


@pytest.mark.parametrize("fault", ["callback_first", "callback_twice", "callback_out_of_order"])
def test_reports_of_a_debit_that_settles_are_booked_once(world: World, source: Source, fault: str) -> None:
    world.go_wrong(fault)
    payment = world.start(source)
    world.pay(payment, "debit")
    world.settle(payment)
    eventually(lambda: booked("processing", "captured"))
    assert_paid_once(world, payment)


def test_a_report_in_the_middle_of_a_close_says_what_was_taken(
    world: World, asked: PaymentRequest, alice: Actor
) -> None:
    payment = world.start(asked)
    world.go_wrong("callback_first")
    world.go_wrong("close_too_late")
    payment_requests.cancel(asked, by=alice, now=present())
    payment.refresh_from_db()
    assert (payment.status, payment.accepted) == ("processing", False)
    world.settle(payment)
    eventually(lambda: booked("processing", "captured"))
    assert Flag.objects.get(payment=payment).kind == "unwanted_payment"


def test_a_report_on_a_checkout_that_never_existed_is_given_to_a_human(
    world: World, asked: PaymentRequest
) -> None:
    world.go_wrong("callback_unknown")
    payment = world.start(asked)
    world.pay(payment)
    eventually(lambda: booked("authorized", "captured") and Callback.objects.count() == 3)
    work_off_all()
    [stray] = Callback.objects.exclude(checkout_ref=payment.checkout_ref)
    assert (stray.status, Flag.objects.get().kind) == ("flagged", "unknown_callback")
    assert_paid_once(world, payment)


def test_what_was_sold_elsewhere_through_the_same_account_is_not_booked(
    world: World, asked: PaymentRequest
) -> None:
    ref = world.sell_elsewhere()
    eventually(lambda: Callback.objects.filter(checkout_ref=ref).count() == 2)
    work_off_all()
    assert Flag.objects.get().kind == "unknown_callback"  # one, though two things were reported about it
    assert not Payment.objects.exists()
