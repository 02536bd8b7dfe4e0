"""Nobody tests stolen cards here: checkouts are counted per link and per address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.billing.errors import RateLimited
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.lib.clock import now as present
from tests import personas
from tests.billing.test_offline_payments import record
from tests.billing.together import together
from tests.billing.world import Source, World


@pytest.fixture(autouse=True)
def _two(settings: Settings) -> None:
    """Two checkouts an hour for a link, three for an address."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 3


def test_a_link_opens_so_many_checkouts_an_hour(world: World, source: Source) -> None:
    for _ in range(2):
        world.collect(source, "lapsing")
    with pytest.raises(RateLimited):
        world.start(source, address="203.0.113.9")  # whoever holds the link: it is the link that is counted
    assert (Payment.objects.count(), len(world.ledger())) == (2, 2)
    assert world.start(source, now=present() + timedelta(hours=1)).status == "pending"


def test_a_checkout_that_is_open_can_be_returned_to_at_the_limit(world: World, source: Source) -> None:
    world.collect(source, "lapsing")
    payment = world.start(source)
    assert world.start(source, address="203.0.113.9") == payment


def test_the_same_checkout_again_counts_once(world: World, asked: PaymentRequest) -> None:
    for _ in range(5):
        world.start(asked)
    assert Payment.objects.count() == 1


def test_declines_in_one_checkout_count_once(world: World, asked: PaymentRequest) -> None:
    for _ in range(4):
        world.collect(asked, "declined")
    assert world.collect(asked).status == "succeeded"
    assert Payment.objects.count() == 1


def test_so_many_cards_can_be_tried_in_one_checkout(world: World, source: Source) -> None:
    for _ in range(5):
        payment = world.collect(source, "declined")
    assert (payment.status, payment.failure_code) == ("failed", "too_many_declines")
    assert world.pay(payment).status_code == 410
    page = world.receipt(payment)
    assert "Nothing was charged" in page
    assert "Too many cards were declined here." in page


def test_so_many_cards_can_be_tried_by_one_link(world: World, source: Source) -> None:
    for _ in range(2 * 5):
        world.collect(source, "declined")
    with pytest.raises(RateLimited):
        world.start(source)


def test_each_link_has_its_own_count(world: World, asked: PaymentRequest, invoice: Invoice) -> None:
    for _ in range(2):
        world.collect(asked, "lapsing")
    assert world.start(invoice, address=None).status == "pending"


def test_what_a_member_records_is_no_checkout(world: World, invoice: Invoice, alice: Actor) -> None:
    for _ in range(3):
        record(invoice, 1_000, alice)
    invoice.refresh_from_db()
    assert world.start(invoice).status == "pending"


def test_an_address_opens_so_many_checkouts_an_hour(world: World, dana: Customer) -> None:
    for _ in range(3):
        world.start(personas.sent(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        world.start(personas.sent(dana), address="203.0.113.9")
    assert world.start(personas.sent(dana), address="203.0.113.10").status == "pending"


def test_an_address_is_counted_across_organizations(world: World, dana: Customer) -> None:
    birch = personas.mallory().organization
    organizations.connect_sandbox(birch, by=personas.actor_of(birch), now=present())
    theirs = personas.sent(personas.customer(birch))
    for _ in range(3):
        world.start(personas.sent(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        world.start(theirs, address="203.0.113.9")
    assert world.start(theirs, address="203.0.113.10").status == "pending"


def test_who_may_not_begin_a_checkout_does_not_end_anybody_elses(
    world: World, dana: Customer, asked: PaymentRequest
) -> None:
    for _ in range(3):
        world.start(personas.sent(dana), address="203.0.113.9")
    payment = world.start(asked)
    with pytest.raises(RateLimited):
        world.start(asked.invoice, address="203.0.113.9")
    world.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


def test_a_link_that_is_used_up_does_not_end_what_another_link_began(
    world: World, asked: PaymentRequest, invoice: Invoice
) -> None:
    for _ in range(2):
        world.collect(invoice, "lapsing")
    payment = world.start(asked)
    with pytest.raises(RateLimited):
        world.start(invoice)
    world.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_cannot_pass_the_limit_together(world: World, dana: Customer) -> None:
    links = [personas.sent(dana) for _ in range(9)]
    results = together(*[lambda link=link: world.start(link, address="203.0.113.9") for link in links])
    assert sum(isinstance(result, RateLimited) for result in results) == 6
    assert (Payment.objects.count(), len(world.ledger())) == (3, 3)


def test_an_unknown_address_is_not_counted(world: World, dana: Customer) -> None:
    for _ in range(5):
        world.start(personas.sent(dana), address=None)
    assert Payment.objects.count() == 5
